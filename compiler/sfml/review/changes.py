"""The changes between the tasks of two desired graphs: those of a plan, with further facts for reviewers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sfml.base.quoting import folded
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.lower.lower import DUMMY_ROOT
from sfml.lower.names import stage_of
from sfml.plan.bodies import statement_of
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
"""Settings of an ML Job that its statement does not hold."""


def as_observed(desired: DesiredGraph) -> ObservedGraph:
    """The desired graph as an observed graph, as if it were deployed."""
    children = tuple(_observed(task) for task in desired.all_tasks[1:])
    return ObservedGraph(_observed(desired.root), children, record={"fingerprint": desired.fingerprint})


def _observed(task: DesiredTask) -> ObservedTask:
    return ObservedTask(task.name, task.name, True, statement_of(task), desired_settings(task))


def task_changes(base: DesiredGraph, head: DesiredGraph) -> Iterator[Change]:
    """The changes of a plan, with the places of old values and the files that differ in the code."""
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
    """Both graphs, the moved tasks (old → new name), and a cache of changed files by a pair of code hashes."""

    base: DesiredGraph
    head: DesiredGraph
    moves: Mapping[str, str]
    files: dict[tuple[str | None, str | None], tuple[ChangedFile, ...]]


def _altered(change: Change, old: DesiredTask, new: DesiredTask, sides: _Sides) -> Change:
    fields = tuple(_with_places(field, old, new, sides) for field in _fields(change, old, new, sides))
    action = Action.UNCHANGED if change.action is Action.ALTER and not fields else change.action
    # A field that only follows another task to its new name carries no risk.
    risky = tuple(field for field in fields if not _is_rename(field, sides.moves))
    without_renames = replace(change, action=action, fields=risky)
    return replace(without_renames, fields=fields, risks=risks_of(without_renames, new, sides.head))


def _fields(change: Change, old: DesiredTask, new: DesiredTask, sides: _Sides) -> Iterator[FieldChange]:
    """The changed fields, without those that change only because of a new name or schema."""
    fields = change.fields
    if change.action is Action.MOVE:
        moved = (replace(field, reason=_reason(field)) for field in field_changes(new, _observed(old)))
        fields = tuple(field for field in moved if field.path != _TAG)
    extra = tuple(_job_fields(old, new))
    for field in fields:
        is_shown = bool(extra) or field.old != field.new
        if field.path != "definition" or not is_shown or _relocated(field.old, old, new, sides) != field.new:
            yield field
    yield from extra


def _relocated(statement: Comparable, old: DesiredTask, new: DesiredTask, sides: _Sides) -> Comparable:
    """The old statement with the schema and the task's name of the new side."""
    if not isinstance(statement, str):
        return statement
    places = [
        f"{folded(one.target.database)}.{folded(one.target.schema)}" for one in (sides.base, sides.head)
    ]
    there = statement.replace(stage_of(sides.base.target), stage_of(sides.head.target))
    there = there.replace(f"@{places[0]}.", f"@{places[1]}.").replace(f"{places[0]} @", f"{places[1]} @")
    return there.replace(f'"task": "{old.task}"', f'"task": "{new.task}"')


def _is_rename(field: FieldChange, moves: Mapping[str, str]) -> bool:
    """Whether the value changes only because it names a moved task."""
    if isinstance(field.old, tuple) and field.path == "after":
        return tuple(sorted(moves.get(str(name), str(name)) for name in field.old)) == field.new
    if isinstance(field.old, str) and field.path.startswith("with."):
        names = {_in_spec(old): _in_spec(new) for old, new in moves.items()}
        renamed = _REFERENCE.sub(lambda match: "${" + names.get(match[1], match[1]), field.old)
        return renamed == field.new
    return False


def _in_spec(name: str) -> str:
    """The name of a task in references, from its name in Snowflake."""
    return name.split("$", 1)[-1].lower()


def _reason(field: FieldChange) -> Reason:
    return Reason.CODE_CHANGED if field.path == "code" else field.reason


def _job_fields(old: DesiredTask, new: DesiredTask) -> Iterator[FieldChange]:
    """The changes between two ML Jobs that their statements do not show."""
    one, two = old.definition, new.definition
    if isinstance(one, MLJobDefinitionSpec) and isinstance(two, MLJobDefinitionSpec):
        for path in _JOB_FIELDS:
            before, after = getattr(one, path), getattr(two, path)
            if before != after:
                yield FieldChange(path, before, after, Reason.SPEC_CHANGED, place_of(new, path))


def _with_places(field: FieldChange, old: DesiredTask, new: DesiredTask, sides: _Sides) -> FieldChange:
    """The change with the places of both values and, for code, the files that differ."""
    placed = replace(
        field,
        place=field.place or _branch_place(field, new, sides.head),
        old_place=place_of(old, field.path) or _branch_place(field, old, sides.base),
    )
    if field.path != "code":
        return placed
    key = (_code_key(old), _code_key(new))
    if key not in sides.files:
        sides.files[key] = changed_files(_code(old, sides.base), _code(new, sides.head))
    return replace(placed, files=sides.files[key])


def _branch_place(field: FieldChange, task: DesiredTask, graph: DesiredGraph) -> str | None:
    """The place of the `outcomes` of the branch that starts the task; None for other fields and tasks."""
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
    """Path → content of the code that a task runs: of its archive, or of the payload of its ML Job."""
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
    """The change that creates a task, with all its settings as fields, so that reviewers see them."""
    nothing = ObservedTask(
        task.name, "", True, "", with_defaults({"warehouse": task.warehouse, "finalize": task.finalize})
    )
    fields = [
        replace(field, old=None, reason=Reason.SPEC_CHANGED)
        for field in field_changes(task, nothing)
        if field.path != _TAG and field.new is not None and not _is_obvious(field, task, head)
    ]
    if task.warehouse is not None:
        fields.append(
            FieldChange("warehouse", None, task.warehouse, Reason.SPEC_CHANGED, place_of(task, "warehouse"))
        )
    change = Change(task.task or head.pipeline, task.name, Action.CREATE, (*fields, *_new_job_fields(task)))
    access = [risk for risk in risks_of(change, task, head) if risk.label is RiskLabel.PRIVILEGES]
    return replace(change, risks=tuple(access))


def _is_obvious(field: FieldChange, task: DesiredTask, head: DesiredGraph) -> bool:
    """Whether every graph has the field: the statement of the generated root, or the root as only predecessor."""
    if field.path == "definition":
        return task is head.root and task.definition == DUMMY_ROOT
    return field.path == "after" and field.new == (head.root.name,)


def _new_job_fields(task: DesiredTask) -> Iterator[FieldChange]:
    if isinstance(task.definition, MLJobDefinitionSpec):
        for path in _JOB_FIELDS:
            if value := getattr(task.definition, path):
                yield FieldChange(path, None, value, Reason.SPEC_CHANGED, place_of(task, path))


def removed(base: DesiredGraph) -> Iterator[Change]:
    """The changes that drop all tasks of a graph."""
    for task in base.all_tasks:
        yield Change(task.task or base.pipeline, task.name, Action.DROP)
