"""The tasks of two compiled graphs as changes: a plan's own, with what a reviewer wants to know beside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sfml.base.quoting import folded
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.lower import DUMMY_ROOT
from sfml.lower.names import stage_of
from sfml.plan.code import archive_files, changed_files
from sfml.plan.diff import field_changes, make_plan
from sfml.plan.model import (
    Action,
    Change,
    ChangedFile,
    Comparable,
    FieldChange,
    ObservedGraph,
    ObservedTask,
    Reason,
    RiskLabel,
)
from sfml.plan.places import place_of
from sfml.plan.risks import risks_of
from sfml.plan.settings import desired_settings, with_defaults

_REFERENCE = re.compile(r"\$\{(\w+)")
_TAG = "session_parameters.QUERY_TAG"
_JOB_FIELDS = ("pip",)
"""What a job's statement does not show."""


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


def task_changes(base: DesiredGraph, head: DesiredGraph) -> Iterator[Change]:
    """A plan's changes, with where the old values were written and what differs in the code."""
    was = {task.name: task for task in base.all_tasks}
    becomes = {task.name: task for task in head.all_tasks}
    plan = make_plan(head, as_observed(base))
    moves = {one.moved_from: one.name for one in plan.changes if one.moved_from is not None}
    sides = _Sides(base, head, moves, {})
    for change in plan.changes:
        new = becomes.get(change.name)
        old = was.get(change.moved_from or change.name)
        if change.action is Action.CREATE and new is not None:
            yield created(head, new)
        elif new is None or old is None:
            yield replace(change, task=(old.task or change.task) if old else change.task)
        else:
            yield _altered(change, old, new, sides)


@record
class _Sides:
    """Both graphs, the names that move (old → new), and what is known of their code: (old, new) → what differs."""

    base: DesiredGraph
    head: DesiredGraph
    moves: Mapping[str, str]
    files: dict[tuple[str | None, str | None], tuple[ChangedFile, ...]]


def _altered(change: Change, old: DesiredTask, new: DesiredTask, sides: _Sides) -> Change:
    fields = tuple(_told(field, old, new, sides) for field in _fields(change, old, new, sides))
    action = Action.UNCHANGED if change.action is Action.ALTER and not fields else change.action
    # That a task is now called by another name elsewhere is no reason to look twice.
    meant = tuple(field for field in fields if not _is_rename(field, sides.moves))
    seen = replace(change, action=action, fields=meant)
    return replace(seen, fields=fields, risks=risks_of(seen, new, sides.head))


def _fields(change: Change, old: DesiredTask, new: DesiredTask, sides: _Sides) -> Iterator[FieldChange]:
    """The fields that change, but for what a new name or another place of the whole graph changes by itself."""
    fields = change.fields
    if change.action is Action.MOVE:
        given = (replace(field, reason=_reason(field)) for field in field_changes(new, _observed(old)))
        fields = tuple(field for field in given if field.path != _TAG)
    extra = tuple(_job_fields(old, new))
    for field in fields:
        is_told = bool(extra) or field.old != field.new
        if field.path != "definition" or not is_told or _elsewhere(field.old, old, new, sides) != field.new:
            yield field
    yield from extra


def _elsewhere(statement: Comparable, old: DesiredTask, new: DesiredTask, sides: _Sides) -> Comparable:
    """The statement as it would be in the new place, for the new name."""
    if not isinstance(statement, str):
        return statement
    places = [
        f"{folded(one.target.database)}.{folded(one.target.schema)}" for one in (sides.base, sides.head)
    ]
    there = statement.replace(stage_of(sides.base.target), stage_of(sides.head.target))
    there = there.replace(f"@{places[0]}.", f"@{places[1]}.").replace(f"{places[0]} @", f"{places[1]} @")
    return there.replace(f'"task": "{old.task}"', f'"task": "{new.task}"')


def _is_rename(field: FieldChange, moves: Mapping[str, str]) -> bool:
    """Whether the value only follows a task to its new name."""
    if isinstance(field.old, tuple) and field.path == "after":
        return tuple(sorted(moves.get(str(one), str(one)) for one in field.old)) == field.new
    if isinstance(field.old, str) and field.path.startswith("with."):
        names = {_in_spec(old): _in_spec(new) for old, new in moves.items()}
        told = _REFERENCE.sub(lambda found: "${" + names.get(found[1], found[1]), field.old)
        return told == field.new
    return False


def _in_spec(name: str) -> str:
    """What a reference calls a task whose name in Snowflake is known."""
    return name.split("$", 1)[-1].lower()


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


def _told(field: FieldChange, old: DesiredTask, new: DesiredTask, sides: _Sides) -> FieldChange:
    """The change with where both values are written, and of code with what differs in it."""
    found = replace(
        field,
        place=field.place or _branch_place(field, new, sides.head),
        old_place=place_of(old, field.path) or _branch_place(field, old, sides.base),
    )
    if field.path != "code":
        return found
    key = (_code_key(old), _code_key(new))
    if key not in sides.files:
        sides.files[key] = changed_files(_code(old, sides.base), _code(new, sides.head))
    return replace(found, files=sides.files[key])


def _branch_place(field: FieldChange, task: DesiredTask, graph: DesiredGraph) -> str | None:
    """Where the branch above says which outcome starts the task."""
    if field.path not in ("when", "after"):
        return None
    places = (
        place_of(one, "outcomes")
        for one in graph.tasks
        if one.name in task.predecessors and one.outcomes is not None
    )
    return next((place for place in places if place is not None), None)


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


def created(head: DesiredGraph, task: DesiredTask) -> Change:
    """A new task with everything that is set in it, so that nothing of it goes unread."""
    nothing = ObservedTask(
        task.name, "", True, "", with_defaults({"warehouse": task.warehouse, "finalize": task.finalize})
    )
    fields = [
        replace(field, old=None, reason=Reason.SPEC_CHANGED)
        for field in field_changes(task, nothing)
        if field.path != _TAG and field.new is not None and not _goes_without_saying(field, task, head)
    ]
    if task.warehouse is not None:
        fields.append(
            FieldChange("warehouse", None, task.warehouse, Reason.SPEC_CHANGED, place_of(task, "warehouse"))
        )
    change = Change(task.task or head.pipeline, task.name, Action.CREATE, (*fields, *_new_job_fields(task)))
    access = [risk for risk in risks_of(change, task, head) if risk.label is RiskLabel.PRIVILEGES]
    return replace(change, risks=tuple(access))


def _goes_without_saying(field: FieldChange, task: DesiredTask, head: DesiredGraph) -> bool:
    """What every graph has: the root's empty statement, and that first tasks come after it."""
    if field.path == "definition":
        return task is head.root and task.definition == DUMMY_ROOT
    return field.path == "after" and field.new == (head.root.name,)


def _new_job_fields(task: DesiredTask) -> Iterator[FieldChange]:
    if isinstance(task.definition, MLJobDefinitionSpec):
        for path in _JOB_FIELDS:
            if value := getattr(task.definition, path):
                yield FieldChange(path, None, value, Reason.SPEC_CHANGED, place_of(task, path))


def removed(base: DesiredGraph) -> Iterator[Change]:
    for task in base.all_tasks:
        yield Change(task.task or base.pipeline, task.name, Action.DROP)
