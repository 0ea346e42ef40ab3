"""Comparing two compiled states of one pipeline in one target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sfml.graph.model import Schedule
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.model import (
    Action,
    Change,
    Comparable,
    FieldChange,
    Reason,
    Risk,
    RiskLabel,
)
from sfml.plan.review_fingerprint import target_settings
from sfml.review.changes import created, removed, task_changes
from sfml.review.model import CompiledTarget, Status, TargetDiff
from sfml.review.times import times_of

_WHERE = ("account", "database", "schema", "stage")


def compared(
    target: str, base: CompiledTarget | None, head: CompiledTarget | None, now: datetime
) -> TargetDiff:
    """The differences in the target. A side is None if the pipeline does not exist there; at most one of them is."""
    diff = TargetDiff(
        target,
        Status.ADDED if base is None else Status.REMOVED if head is None else Status.UNCHANGED,
        base,
        head,
        old_times=times_of(_schedule(base), now) if base else None,
        new_times=times_of(_schedule(head), now) if head else None,
    )
    if head is None:
        assert base is not None
        return replace(diff, changes=tuple(removed(base.desired)), risks=tuple(_left_behind(base.desired)))
    if base is None:
        changes = tuple(created(head.desired, task) for task in head.desired.all_tasks)
        return replace(diff, changes=changes, risks=tuple(_clock_risks(diff)))
    if base.desired.root.name != head.desired.root.name:
        # For Snowflake it is another graph, so an apply of the new one does not change the old one.
        changes = tuple(created(head.desired, task) for task in head.desired.all_tasks)
        risks = (*_left_behind(base.desired), *_clock_risks(diff))
        return replace(diff, status=Status.CHANGED, changes=changes, risks=risks)
    if base.fingerprint == head.fingerprint and base.desired.description == head.desired.description:
        # The fingerprint covers everything that is compared, so the tasks need not be compared one by one.
        changes = tuple(
            Change(task.task or head.desired.pipeline, task.name, Action.UNCHANGED)
            for task in head.desired.all_tasks
        )
        return replace(diff, changes=changes)
    changes = tuple(task_changes(base.desired, head.desired))
    settings = tuple(_settings(base.desired, head.desired))
    differs = bool(settings) or any(change.action is not Action.UNCHANGED for change in changes)
    return replace(
        diff,
        status=Status.CHANGED if differs else Status.UNCHANGED,
        changes=changes,
        settings=settings,
        risks=(*_risks(settings, base.desired), *_clock_risks(diff)),
        notes=tuple(_renames(base.desired, head.desired, changes)),
    )


def _schedule(side: CompiledTarget) -> Schedule:
    return side.graph.settings.schedule


def _left_behind(base: DesiredGraph) -> Iterator[Risk]:
    where = f"{base.target.database}.{base.target.schema}"
    yield Risk(
        RiskLabel.DESTRUCTIVE,
        f"no apply removes it: the graph in {where} keeps its schedule until `sfml destroy` is run on the old spec",
    )


def _clock_risks(diff: TargetDiff) -> Iterator[Risk]:
    """The risks of runs that daylight saving time skips or repeats, if the schedule has changed."""
    if not diff.changes_times or diff.new_times is None:
        return
    for change in diff.new_times.clock_changes:
        at = f"{change.at:%a} {change.at.day} {change.at:%b %Y %H:%M}"
        yield Risk(
            RiskLabel.SCHEDULE,
            f"the run of {at} is left out, as clocks go forward then"
            if change.is_skipped
            else f"the run of {at} comes twice, as clocks go back then",
        )


def _settings(base: DesiredGraph, head: DesiredGraph) -> Iterator[FieldChange]:
    """The changes of the target and of settings of the whole pipeline."""
    old, new = _whole(base), _whole(head)
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield FieldChange(path, old.get(path), new.get(path), Reason.SPEC_CHANGED)


def _whole(desired: DesiredGraph) -> Mapping[str, Comparable]:
    seeds = {f"seeds.{seed.table}": seed.file for seed in desired.seeds}
    target = {
        f"target.{name}": value for name, value in target_settings(desired.target) if name != "warehouse"
    }
    return {**target, **seeds, "overridable": desired.overridable or None}


def _risks(settings: tuple[FieldChange, ...], base: DesiredGraph) -> Iterator[Risk]:
    paths = {field.path.removeprefix("target.") for field in settings}
    if paths & {*_WHERE}:
        yield Risk(
            RiskLabel.DESTRUCTIVE,
            f"is deployed to another place; nothing removes what is in {base.target.database}.{base.target.schema},"
            " whose schedule stays on",
        )
    if "owner_role" in paths:
        yield Risk(RiskLabel.PRIVILEGES, "is deployed and runs as another role")
    if "connection" in paths:
        yield Risk(RiskLabel.PRIVILEGES, "is deployed through another connection")
    if "mode" in paths:
        yield Risk(RiskLabel.PRIVILEGES, "changes what apply refuses and demands in this target")
    if "overridable" in paths:
        yield Risk(RiskLabel.PRIVILEGES, "changes which config values a run may override in production")


def _renames(base: DesiredGraph, head: DesiredGraph, changes: tuple[Change, ...]) -> Iterator[str]:
    """Notes on new tasks that do the same as removed ones, which are probably renamed without `moved`."""
    was = {task.name: task for task in base.all_tasks}
    becomes = {task.name: task for task in head.all_tasks}
    gone = [was[change.name] for change in changes if change.action is Action.DROP and change.name in was]
    for change in changes:
        if change.action is not Action.CREATE:
            continue
        new = becomes[change.name]
        for old in gone:
            if _work(old) == _work(new):
                yield (
                    f"`{new.task}` does what `{old.task}` did: if it only has a new name, say so with"
                    f" `moved: [{{from: {old.task}, to: {new.task}}}]` in the graph, and plans call it a move"
                )
                gone.remove(old)
                break


def _work(task: DesiredTask) -> object:
    """The work of a task without its name and predecessors, for comparing two tasks."""
    match task.definition:
        case SqlDefinition(sql):
            head, _, call = sql.partition("\nCALL SFML_STEP(")
            return (head, call.replace(f'"task": "{task.task}"', '"task": ""'))
        case MLJobDefinitionSpec() as job:
            arguments = tuple(
                argument.replace(f'"task": "{task.task}"', '"task": ""') for argument in job.arguments
            )
            return (job.payload_sha256, job.entrypoint, job.pool, arguments)
