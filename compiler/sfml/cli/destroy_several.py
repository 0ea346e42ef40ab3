"""`sfml destroy` for several pipelines: show everything to remove, then remove each pipeline separately."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sfml.base.errors import ConflictingState, SfmlError, UsageError
from sfml.cli import output
from sfml.cli.confirmation import confirm
from sfml.cli.deployment import INTERRUPTED
from sfml.cli.interrupts import restore_signals
from sfml.cli.lease_options import locked
from sfml.cli.options import Options
from sfml.cli.pipelines import (
    PipelineFailure,
    Targets,
    each,
    failed_words,
    failure_of,
    failures,
    report_failure,
    say_failure,
    say_json_of,
    say_turn,
)
from sfml.cli.removal import (
    DECLARED,
    DestroyFlags,
    PipelineRemoval,
    demand_name,
    doomed_json,
    named_objects,
    refuse_other_names,
    remove,
    show,
)
from sfml.cli.restoration import place_of
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.frontend.placed_spec import is_pipeline_name
from sfml.graph.model import Mode
from sfml.operations.removal import planned_removal
from sfml.render.units import plural


def destroy_several(specs: Sequence[str], flags: DestroyFlags, options: Options) -> int:
    """Remove every pipeline that the arguments name. Returns the exit code: 1 if one of them failed."""
    if flags.models or flags.tables not in (None, DECLARED):
        raise UsageError(
            "names of tables and models go with one pipeline",
            help="name one by its file or its name; --tables without names drops the declared tables of each",
        )
    with Targets(options) as targets:
        doomed = _doomed(specs, targets, flags, options)
        there = [removal for removal in doomed if isinstance(removal, PipelineRemoval) and removal.is_there]
        _ask(there, flags, options)
        results: list[PipelineRemoval | PipelineFailure] = []
        try:
            for removal in doomed:
                if isinstance(removal, PipelineFailure) or not removal.is_there:
                    results.append(removal)
                    continue
                results.append(_removed(removal, targets, flags, options))
                if restore_signals() and any(rest in there for rest in doomed[len(results) :]):
                    raise click.exceptions.Exit(INTERRUPTED)
        except click.exceptions.Exit:
            _say_stopped(doomed, results, options)
            raise
    if options.json:
        say_json_of(
            [result if isinstance(result, PipelineFailure) else doomed_json(result) for result in results]
        )
    elif not options.quiet or failures(results):
        removed = sum(result in there for result in results)
        absent = len(results) - removed - len(failures(results))
        output.say(
            f"{plural(len(results), 'pipeline')}: {removed} removed, {absent} not deployed{failed_words(results)}"
        )
    return 1 if failures(results) else 0


def _places(specs: Sequence[str]) -> list[str]:
    """An argument for each pipeline: its entry file, or its name if its spec no longer exists."""
    from sfml.frontend.entry_files import entry_files

    if not specs:
        return [str(file) for file in entry_files(())]
    words = [
        word
        for spec in specs
        for word in (
            [spec] if is_pipeline_name(spec) and not Path(spec).exists() else map(str, entry_files((spec,)))
        )
    ]
    return list(dict.fromkeys(words))


def _doomed(
    specs: Sequence[str], targets: Targets, flags: DestroyFlags, options: Options
) -> list[PipelineRemoval | PipelineFailure]:
    """The removal of each pipeline, shown as soon as it is planned."""

    def look(compiled_spec: CompiledSpec) -> PipelineRemoval:
        objects = _objects(compiled_spec, flags)
        one = PipelineRemoval(
            compiled_spec, objects, planned_removal(compiled_spec.desired, targets.of(compiled_spec))
        )
        show(one, options)
        if options.speaks:
            output.say()
        return one

    pipelines: dict[tuple[Path, str, str], CompiledSpec] = {}
    unread: list[PipelineFailure] = []
    for place in _places(specs):
        try:
            compiled_spec = place_of(place, options)
        except SfmlError as error:
            unread.append(PipelineFailure(place, None, options.target, error))
            say_failure(unread[-1], options)
            continue
        desired = compiled_spec.desired
        pipelines.setdefault((compiled_spec.root, desired.pipeline, desired.target.name), compiled_spec)
    return [*each(list(pipelines.values()), look, options), *unread]


def _objects(compiled_spec: CompiledSpec, flags: DestroyFlags) -> tuple[tuple[str, str], ...]:
    declares = any(task.writes for task in compiled_spec.desired.all_tasks)
    return named_objects(compiled_spec.desired, flags.tables if declares else None, None)


def _ask(there: Sequence[PipelineRemoval], flags: DestroyFlags, options: Options) -> None:
    """Ask once for all pipelines; in production, demand the name of each."""
    approval = flags.approval
    names = [removal.compiled_spec.desired.pipeline for removal in there]
    if names:
        refuse_other_names(names, approval)
    unapproved = [
        name
        for one, name in zip(there, names, strict=True)
        if name not in approval.names and one.compiled_spec.desired.target.mode is not Mode.PRODUCTION
    ]
    if unapproved and not approval.auto:
        confirm(f"Remove {plural(len(unapproved), 'pipeline')} ({', '.join(unapproved)})?", options)
    for removal in there:
        demand_name(removal.compiled_spec.desired, approval, options)


def _removed(
    doomed: PipelineRemoval, targets: Targets, flags: DestroyFlags, options: Options
) -> PipelineRemoval | PipelineFailure:
    """Plan the removal again under the lease, and carry it out if it equals the one that was shown."""
    compiled_spec = doomed.compiled_spec
    try:
        target = targets.of(compiled_spec)
        say_turn(compiled_spec, options)
        with locked(compiled_spec.desired, target, options, flags.locking) as held_lease:
            removal = planned_removal(compiled_spec.desired, target)
            if not flags.approval.auto and removal.names != doomed.removal.names:
                raise ConflictingState(
                    "the target has changed since this was shown; nothing was removed", help="run it again"
                )
            remove(
                PipelineRemoval(compiled_spec, doomed.objects, removal),
                target,
                held_lease,
                flags.idleness,
                options,
            )
    except SfmlError as error:
        return report_failure(compiled_spec, error, options)
    if options.speaks:
        output.say()
    return doomed


def _say_stopped(
    doomed: Sequence[PipelineRemoval | PipelineFailure],
    results: Sequence[PipelineRemoval | PipelineFailure],
    options: Options,
) -> None:
    """Print which pipelines were and were not removed when the command was stopped."""
    left = [removal for removal in doomed[len(results) :] if isinstance(removal, PipelineRemoval)]
    if options.json:
        done = [result if isinstance(result, PipelineFailure) else doomed_json(result) for result in results]
        stopped = ConflictingState("stopped; `sfml status` says where it stands")
        say_json_of([*done, *(failure_of(removal.compiled_spec, stopped) for removal in left)])
        return
    removed = [
        result.compiled_spec.desired.pipeline
        for result in results
        if isinstance(result, PipelineRemoval) and result.is_there
    ]
    if removed:
        output.note(f"removed before that: {', '.join(removed)}")
    waiting = [removal.compiled_spec.desired.pipeline for removal in left[1:] if removal.is_there]
    if waiting:
        output.note(f"not begun: {', '.join(waiting)}")
