"""Two compiled states of one pipeline in one target as the changes that lead from one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sfml.graph.model import Schedule
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.manifest import target_value
from sfml.plan.code import archive_files, changed_files
from sfml.plan.diff import field_changes, make_plan
from sfml.plan.model import (
    Action,
    Change,
    ChangedFile,
    Comparable,
    FieldChange,
    Label,
    ObservedGraph,
    ObservedTask,
    Reason,
    Risk,
)
from sfml.plan.places import place_of
from sfml.plan.risks import risks_of
from sfml.plan.settings import desired_settings, with_defaults
from sfml.review.model import Compiled, Status, TargetDiff
from sfml.review.times import times_of

_TAG = "session_parameters.QUERY_TAG"
_WHERE = ("account", "database", "schema", "stage")
_JOB_FIELDS = ("pip",)
"""What a job's statement does not show."""


def compared(target: str, base: Compiled | None, head: Compiled | None, now: datetime) -> TargetDiff:
    """What differs in the target; both may not be None."""
    found = TargetDiff(
        target,
        Status.ADDED if base is None else Status.REMOVED if head is None else Status.UNCHANGED,
        base,
        head,
        old_times=times_of(_schedule(base), now) if base else None,
        new_times=times_of(_schedule(head), now) if head else None,
    )
    if head is None:
        assert base is not None
        return replace(found, changes=tuple(_removed(base.desired)), risks=tuple(_left_behind(base.desired)))
    if base is None:
        changes = tuple(_created(head.desired, task) for task in head.desired.all_tasks)
        return replace(found, changes=changes, risks=tuple(_clock_risks(found)))
    if base.fingerprint == head.fingerprint and base.desired.description == head.desired.description:
        # The fingerprint is made of all that is compared; a large graph need not be walked for it.
        changes = tuple(
            Change(task.task or head.desired.pipeline, task.name, Action.UNCHANGED)
            for task in head.desired.all_tasks
        )
        return replace(found, changes=changes)
    changes = tuple(_changes(base.desired, head.desired))
    settings = tuple(_settings(base.desired, head.desired))
    differs = bool(settings) or any(change.action is not Action.UNCHANGED for change in changes)
    return replace(
        found,
        status=Status.CHANGED if differs else Status.UNCHANGED,
        changes=changes,
        settings=settings,
        risks=(*_risks(settings, base.desired), *_clock_risks(found)),
        notes=tuple(_renames(base.desired, head.desired, changes)),
    )


def _schedule(side: Compiled) -> Schedule:
    return side.graph.settings.schedule


def as_observed(desired: DesiredGraph) -> ObservedGraph:
    """The graph as it would be answered, were it deployed."""
    children = tuple(_observed(task) for task in desired.all_tasks[1:])
    return ObservedGraph(_observed(desired.root), children, record={"fingerprint": desired.fingerprint})


def _observed(task: DesiredTask) -> ObservedTask:
    return ObservedTask(task.name, task.name, True, _statement(task), desired_settings(task))


def _statement(task: DesiredTask) -> str:
    match task.definition:
        case SqlDefinition(sql):
            return sql
        case MLJobDefinitionSpec(preview_sql=sql):
            return sql


def _changes(base: DesiredGraph, head: DesiredGraph) -> Iterator[Change]:
    """A plan's changes, with where the old values were written and what differs in the code."""
    was = {task.name: task for task in base.all_tasks}
    becomes = {task.name: task for task in head.all_tasks}
    files: dict[tuple[str | None, str | None], tuple[ChangedFile, ...]] = {}
    for change in make_plan(head, as_observed(base)).changes:
        new = becomes.get(change.name)
        old = was.get(change.moved_from or change.name)
        if change.action is Action.CREATE and new is not None:
            yield _created(head, new)
        elif new is None or old is None:
            yield replace(change, task=(old.task or change.task) if old else change.task)
        else:
            fields = tuple(_fields(change, old, new))
            told = tuple(_told(field, old, new, files, base, head) for field in fields)
            moved = change.action is Action.MOVE
            seen = replace(change, fields=told)
            yield replace(seen, risks=risks_of(seen, new, head)) if moved or told != change.fields else seen


def _fields(change: Change, old: DesiredTask, new: DesiredTask) -> Iterator[FieldChange]:
    """The fields that change; of a task with a new name those that its name alone does not change."""
    fields = change.fields
    if change.action is Action.MOVE:
        given = (replace(field, reason=_reason(field)) for field in field_changes(new, _observed(old)))
        fields = tuple(field for field in given if field.path != _TAG)
    extra = tuple(_job_fields(old, new))
    for field in fields:
        is_told = bool(extra) or change.action is Action.MOVE
        if field.path == "definition" and is_told and _renamed(field.old, old, new) == field.new:
            continue
        yield field
    yield from extra


def _renamed(statement: Comparable, old: DesiredTask, new: DesiredTask) -> Comparable:
    """The statement with the task's new name where a step is called by it."""
    if not isinstance(statement, str):
        return statement
    return statement.replace(f'"task": "{old.task}"', f'"task": "{new.task}"')


def _reason(field: FieldChange) -> Reason:
    return Reason.CODE_CHANGED if field.path == "code" else field.reason


def _job_fields(old: DesiredTask, new: DesiredTask) -> Iterator[FieldChange]:
    """What two jobs differ in, as far as their statements do not show it."""
    one, two = old.definition, new.definition
    if isinstance(one, MLJobDefinitionSpec) and isinstance(two, MLJobDefinitionSpec):
        for path in _JOB_FIELDS:
            before, after = getattr(one, path), getattr(two, path)
            if before != after:
                yield FieldChange(path, before, after, Reason.SPEC_CHANGED, place_of(new, path))


def _told(
    field: FieldChange,
    old: DesiredTask,
    new: DesiredTask,
    known: dict[tuple[str | None, str | None], tuple[ChangedFile, ...]],
    base: DesiredGraph,
    head: DesiredGraph,
) -> FieldChange:
    found = replace(field, old_place=place_of(old, field.path))
    if field.path != "code":
        return found
    key = (_code_key(old), _code_key(new))
    if key not in known:
        known[key] = changed_files(_code(old, base), _code(new, head))
    return replace(found, files=known[key])


def _code_key(task: DesiredTask) -> str | None:
    match task.definition:
        case MLJobDefinitionSpec(payload_sha256=sha256):
            return sha256
        case _:
            return task.code_sha256


def _code(task: DesiredTask, graph: DesiredGraph) -> Mapping[str, bytes]:
    """The files of code that a task runs: of its archive, and what a job takes along beside it."""
    if isinstance(task.definition, MLJobDefinitionSpec):
        payload = dict(task.definition.payload)
        archive = payload.pop("steps.zip", None)
        steps = archive_files(archive) if archive is not None else None
        return {
            **({} if steps is None else steps),
            **{path: payload[path] for path in payload if steps is None or path != "main.py"},
        }
    content = next((one.content for one in graph.archives if one.sha256 == task.code_sha256), None)
    return (archive_files(content) if content is not None else None) or {}


def _created(head: DesiredGraph, task: DesiredTask) -> Change:
    """A new task with everything that is set in it, so that nothing of it goes unread."""
    nothing = ObservedTask(
        task.name, "", True, "", with_defaults({"warehouse": task.warehouse, "finalize": task.finalize})
    )
    fields = [
        replace(field, old=None, reason=Reason.SPEC_CHANGED)
        for field in field_changes(task, nothing)
        if field.path != _TAG and field.new is not None
    ]
    if task.warehouse is not None:
        fields.append(
            FieldChange("warehouse", None, task.warehouse, Reason.SPEC_CHANGED, place_of(task, "warehouse"))
        )
    change = Change(task.task or head.pipeline, task.name, Action.CREATE, (*fields, *_new_job_fields(task)))
    access = [risk for risk in risks_of(change, task, head) if risk.label is Label.PRIVILEGES]
    return replace(change, risks=tuple(access))


def _new_job_fields(task: DesiredTask) -> Iterator[FieldChange]:
    if isinstance(task.definition, MLJobDefinitionSpec):
        for path in _JOB_FIELDS:
            if value := getattr(task.definition, path):
                yield FieldChange(path, None, value, Reason.SPEC_CHANGED, place_of(task, path))


def _removed(base: DesiredGraph) -> Iterator[Change]:
    for task in base.all_tasks:
        yield Change(task.task or base.pipeline, task.name, Action.DROP)


def _left_behind(base: DesiredGraph) -> Iterator[Risk]:
    where = f"{base.target.database}.{base.target.schema}"
    yield Risk(
        Label.DESTRUCTIVE,
        f"no apply removes it: the graph in {where} keeps its schedule until `sfml destroy` is run on the old spec",
    )


def _clock_risks(found: TargetDiff) -> Iterator[Risk]:
    """Runs that a change of clocks takes or doubles, where the schedule is another than before."""
    if not found.changes_times or found.new_times is None:
        return
    for change in found.new_times.clock_changes:
        at = f"{change.at:%a} {change.at.day} {change.at:%b %Y %H:%M}"
        yield Risk(
            Label.SCHEDULE,
            f"the run of {at} is left out, as clocks go forward then"
            if change.is_skipped
            else f"the run of {at} comes twice, as clocks go back then",
        )


def _settings(base: DesiredGraph, head: DesiredGraph) -> Iterator[FieldChange]:
    """Where the pipeline goes, and what concerns all of it."""
    old, new = _whole(base), _whole(head)
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            yield FieldChange(path, old.get(path), new.get(path), Reason.SPEC_CHANGED)


def _whole(desired: DesiredGraph) -> Mapping[str, Comparable]:
    target = {
        f"target.{key}": value
        for key, value in target_value(desired).items()
        if isinstance(value, str) and key not in ("name", "warehouse")
    }
    seeds = {f"seeds.{seed.table}": seed.file for seed in desired.seeds}
    return {**target, **seeds, "overridable": desired.overridable or None}


def _risks(settings: tuple[FieldChange, ...], base: DesiredGraph) -> Iterator[Risk]:
    paths = {field.path.removeprefix("target.") for field in settings}
    if paths & {*_WHERE}:
        yield Risk(
            Label.DESTRUCTIVE,
            f"is deployed to another place; nothing removes what is in {base.target.database}.{base.target.schema},"
            " whose schedule stays on",
        )
    if "owner_role" in paths:
        yield Risk(Label.PRIVILEGES, "is deployed and runs as another role")
    if "connection" in paths:
        yield Risk(Label.PRIVILEGES, "is deployed through another connection")
    if "mode" in paths:
        yield Risk(Label.PRIVILEGES, "changes what apply refuses and demands in this target")
    if "overridable" in paths:
        yield Risk(Label.PRIVILEGES, "changes which config values a run may override in production")


def _renames(base: DesiredGraph, head: DesiredGraph, changes: tuple[Change, ...]) -> Iterator[str]:
    """Tasks that came for others which did the same: a rename that is not said to be one."""
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
    """What a task does, whatever it is called and wherever it stands."""
    match task.definition:
        case SqlDefinition(sql):
            head, _, call = sql.partition("\nCALL SFML_STEP(")
            return (head, call.replace(f'"task": "{task.task}"', '"task": ""'))
        case MLJobDefinitionSpec() as job:
            arguments = tuple(one.replace(f'"task": "{task.task}"', '"task": ""') for one in job.arguments)
            return (job.payload_sha256, job.entrypoint, job.pool, arguments)
