"""`sfml apply --restore`: goes back to the graph from before an unfinished apply, using only its journal."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.cli import output
from sfml.cli.inputs import connected, read, say_findings, single
from sfml.cli.lease_options import Locking, locked
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.frontend.entry_files import files_of_pipeline
from sfml.frontend.placed_spec import is_pipeline_name, placed, without_spec
from sfml.lower.desired import DesiredGraph

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.plan.journal import Header


def restore_pipeline(spec: str, options: Options, locking: Locking, auto_approve: bool) -> int:
    """Restore the previous graph. The spec only identifies the pipeline and target; it need not compile."""
    from sfml.cli.confirmation import confirm
    from sfml.cli.deployment import deploy_work
    from sfml.operations.restoration import restore_work
    from sfml.render.stages import stages_text

    compiled_spec = place_of(spec, options)
    desired = compiled_spec.desired
    name, where = desired.pipeline, desired.where
    with connected(compiled_spec, options) as target, locked(desired, target, options, locking) as held_lease:
        work = restore_work(desired, target)
        if work is None:
            _say(options, desired, False, f"Nothing to restore: no apply of {name} is unfinished.")
            return 0
        if options.speaks:
            stages = stages_text(work.groups, "Going back, in this order:")
            output.say(f"{_what(work.header, name)}\n{stages}\n")
        if not auto_approve:
            confirm(f"Put back what was in {desired.target.name} before?", options)
        began = time.perf_counter()
        deploy_work(work, target, held_lease, options, where, journal_open=True)
    state = "is as it was" if work.was else "is not deployed any more, as before"
    _say(options, desired, True, f"Restored in {time.perf_counter() - began:.1f} s: {name} {state}.")
    return 0


def place_of(spec: str, options: Options) -> CompiledSpec:
    """The pipeline and target of a spec, which need not compile as long as it can be read.

    A name may also belong to a pipeline whose spec is missing or unreadable; then the project gives the target.
    """
    if is_pipeline_name(spec) and not Path(spec).exists() and not _is_readable(spec, options):
        with without_spec(spec) as file:
            compiled_spec = _placed(read(str(file), options), options)
        return replace(compiled_spec, desired=replace(compiled_spec.desired, spec_path=spec))
    reading = read(single(spec), options)
    return _placed(reading, options)


def _is_readable(name: str, options: Options) -> bool:
    """Whether the pipeline has a spec that can be read far enough to give its target."""
    files = files_of_pipeline(name)
    return len(files) > 1 or (len(files) == 1 and read(str(files[0]), options).loaded.spec is not None)


def _what(header: Header, pipeline: str) -> str:
    from sfml.render.health import work_text

    text = work_text(header.work, pipeline, header.owner, header.began_at)
    return f"{text[0].upper()}{text[1:]} did not finish."


def _say(options: Options, desired: DesiredGraph, restored: bool, text: str) -> None:
    if options.json:
        output.say_json({"pipeline": desired.pipeline, "target": desired.target.name, "restored": restored})
    elif not options.quiet:
        output.say(text)


def _placed(reading: Reading, options: Options) -> CompiledSpec:
    if reading.loaded.spec is None:
        say_findings(reading, options)
    return placed(reading)
