"""`sfml apply --restore`: back to the graph that an unfinished apply found, from its journal alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.diagnostic import has_errors
from sfml.base.errors import InvalidSpec, UsageError
from sfml.base.quoting import folded
from sfml.cli import output
from sfml.cli.locking import Locking, locked
from sfml.cli.opening import connected, read, say_findings, single
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import Opened, desired_graph
from sfml.frontend.entry_files import files_of_pipeline
from sfml.graph.model import Target
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.spec.project import project_root

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.plan.journal import Header

_NO_GRAPH = "graph: {version: 1, tasks: {none: {sql: select 1}}}\nschedule: {version: 1, schedule: manual}\n"


def restore_pipeline(spec: str, options: Options, locking: Locking, auto_approve: bool) -> int:
    """Put back what was there; the spec says which pipeline and target, and need not compile for that."""
    from sfml.cli.asking import confirm
    from sfml.cli.deploying import deploy_work
    from sfml.operations.restoration import restore_work
    from sfml.render.stages import stages_text

    found = place_of(spec, options)
    desired = found.desired
    name, where = desired.pipeline, f"{desired.spec_path} -t {desired.target.name}"
    with connected(found, options) as target, locked(desired, target, options, locking) as held:
        work = restore_work(desired, target)
        if work is None:
            _say(options, desired, False, f"Nothing to restore: no apply of {name} is unfinished.")
            return 0
        if not (options.quiet or options.json):
            stages = stages_text(work.groups, "Going back, in this order:")
            output.say(f"{_what(work.header, name)}\n{stages}\n")
        if not auto_approve:
            confirm(f"Put back what was in {desired.target.name} before?", options)
        began = time.perf_counter()
        deploy_work(work, target, held, options, where, journal_open=True)
    state = "is as it was" if work.was else "is not deployed any more, as before"
    _say(options, desired, True, f"Restored in {time.perf_counter() - began:.1f} s: {name} {state}.")
    return 0


def place_of(spec: str, options: Options) -> Opened:
    """Which pipeline, where: a spec that cannot be compiled still says so, as far as it can be read.

    A name that no readable spec has may be that of a pipeline whose spec is gone, or broken: then the project says
    where it lives.
    """
    if is_pipeline_name(spec) and not Path(spec).exists() and not _is_readable(spec, options):
        with _without_spec(spec) as file:
            found = _place(read(str(file), options), options)
        return replace(found, desired=replace(found.desired, spec_path=spec))
    reading = read(single(spec), options)
    if reading.graph is not None and not has_errors(reading.diagnostics):
        return Opened(reading, desired_graph(reading))
    return _place(reading, options)


def _is_readable(name: str, options: Options) -> bool:
    """Whether a spec of the pipeline can be read so far that it says where it lives."""
    files = files_of_pipeline(name)
    return len(files) > 1 or (len(files) == 1 and read(str(files[0]), options).loaded.spec is not None)


def is_pipeline_name(text: str) -> bool:
    return text.isidentifier() and text.isascii()


def _place(reading: Reading, options: Options) -> Opened:
    """What is known of a pipeline whose graph is not: its name, its target, the name of its root."""
    from sfml.graph.decode import graph_draft

    loaded = reading.loaded.spec
    if loaded is None:
        say_findings(reading, options)
        raise InvalidSpec(reading.diagnostics)
    draft, _ = graph_draft(loaded, reading.root)
    root = folded(draft.root_name) if draft.root_name else draft.pipeline.upper()
    return Opened(reading, _empty(draft.pipeline, draft.spec_path, draft.target, root))


@contextmanager
def _without_spec(pipeline: str) -> Iterator[Path]:
    """A file that says no more than a pipeline's name, in the project that the working directory belongs to."""
    root = project_root(Path.cwd())
    if root is None:
        raise UsageError(f"there is no file `{pipeline}`, and no project that could have such a pipeline")
    (root / ".sfml").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=root / ".sfml") as folder:
        file = Path(folder) / f"{pipeline}.yaml"
        file.write_text(f"version: 1\npipeline: {pipeline}\n{_NO_GRAPH}", encoding="utf-8")
        yield file


def _empty(pipeline: str, spec_path: str, target: Target, name: str) -> DesiredGraph:
    """A graph of which only name and place are known."""
    root = DesiredTask(name, None, SqlDefinition(""), kind="root")
    return DesiredGraph(pipeline, spec_path, target, root, (), None, ())


def _what(header: Header, pipeline: str) -> str:
    from sfml.render.health import work_text

    text = work_text(header.work, pipeline, header.owner, header.began_at)
    return f"{text[0].upper()}{text[1:]} did not finish."


def _say(options: Options, desired: DesiredGraph, restored: bool, text: str) -> None:
    if options.json:
        output.say_json({"pipeline": desired.pipeline, "target": desired.target.name, "restored": restored})
    elif not options.quiet:
        output.say(text)
