"""Making a plan from the observed graph, the desired graph, and the last applied graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sfml.base.errors import ConflictingState
from sfml.graph.model import Manual, Mode, Target
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.plan.applied_graph import AppliedGraph, AppliedTask, observed_body
from sfml.plan.bodies import body_changes, body_parts, is_same_body
from sfml.plan.model import Action, Change, Comparable, FieldChange, ObservedGraph, ObservedTask, Plan, Reason
from sfml.plan.places import is_default, place_of
from sfml.plan.provenance import origin_text, uncommitted_text
from sfml.plan.renderings import same
from sfml.plan.risks import risks_of
from sfml.plan.settings import SETTINGS, desired_settings, split_comment

RECORD = "record"
"""The field by which a plan shows that a graph is adopted."""


def make_plan(
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    *,
    unfinished: Mapping[str, Comparable] | None = None,
    resume: bool | None = None,
    last_applied: AppliedGraph | None = None,
    adopt: bool = False,
    loose: tuple[ObservedTask, ...] = (),
) -> Plan:
    """The plan of an apply.

    `unfinished` is the journal of an unfinished apply, which says whether the schedule was on. `resume` overrides
    whether the schedule is to be on. With `last_applied`, changes of the spec are told from drift. `loose` are loose
    tasks: they are put back below their root, or dropped if the desired graph does not have them. Raises
    `ConflictingState` for a root that sfml did not make, unless `adopt` is set.
    """
    if observed is not None and observed.record is None and not adopt:
        raise ConflictingState(
            f"task `{observed.root.name}` in {location(desired)} was not made by sfml",
            help="to take the graph over, see `sfml import` and apply with --adopt; else rename the pipeline",
        )
    deployed = {**{task.name: task for task in loose}, **(observed.by_name if observed else {})}
    moves = moves_of(desired, deployed)
    tasks = {task.name: task for task in desired.all_tasks}
    changes = [
        change_of(desired, task, deployed.get(task.name), last_applied, moves.get(task.name))
        for task in desired.all_tasks
    ]
    gone = [name for name in sorted(deployed) if name not in tasks and name not in {*moves.values()}]
    changes += [dropped(desired, deployed[name], last_applied) for name in gone]
    if observed is not None and observed.record is None:
        changes[0] = adopted(changes[0])
    started = bool(observed and observed.root.started)
    return Plan(
        pipeline=desired.pipeline,
        target=desired.target.name,
        location=location(desired),
        changes=tuple(
            replace(change, risks=risks_of(change, tasks.get(change.name), desired)) for change in changes
        ),
        resume_root=_resumes(desired, observed, unfinished, resume),
        root_started=started,
        notes=(*_notes(observed, unfinished), *_version_notes(desired, observed, changes)),
    )


def location(desired: DesiredGraph) -> str:
    return f"{desired.target.database}.{desired.target.schema}"


def moves_of(desired: DesiredGraph, deployed: Mapping[str, ObservedTask]) -> Mapping[str, str]:
    """New name → old name, of the moved tasks of which only the old name is deployed."""
    return {
        new: old
        for new, old in desired.moved.items()
        if old in deployed and new not in deployed and old != desired.root.name
    }


def change_of(
    desired: DesiredGraph,
    task: DesiredTask,
    deployed: ObservedTask | None,
    last_applied: AppliedGraph | None = None,
    moved_from: str | None = None,
) -> Change:
    """The change of one task of the desired graph; `moved_from` is the old name of a moved task."""
    name = task.task or desired.pipeline
    if deployed is None:
        return Change(name, task.name, Action.MOVE if moved_from else Action.CREATE, moved_from=moved_from)
    was = last_applied.task(task.name) if last_applied else None
    fields = tuple(field_changes(task, deployed, was))
    if any(field.path == "finalize" for field in fields):
        why = "Snowflake turns no finalizer into another task, and no other task into a finalizer"
        return Change(name, task.name, Action.REPLACE, fields, why=why)
    return Change(name, task.name, Action.ALTER if fields else Action.UNCHANGED, fields)


def dropped(desired: DesiredGraph, task: ObservedTask, last_applied: AppliedGraph | None = None) -> Change:
    """The change that drops a task which the spec does not have; it has its former name in the spec, if known."""
    was = last_applied.task(task.name) if last_applied else None
    spec_name = was.task if was and was.task else task.name.removeprefix(f"{desired.root.name}$").lower()
    return Change(spec_name, task.name, Action.DROP)


def adopted(root: Change) -> Change:
    """The root's change with the field that shows the adoption of the graph."""
    mark = FieldChange(RECORD, None, "sfml:{…}", Reason.ADOPTED)
    action = Action.ALTER if root.action is Action.UNCHANGED else root.action
    return replace(root, action=action, fields=(*root.fields, mark))


def field_changes(
    task: DesiredTask, deployed: ObservedTask, was: AppliedTask | None = None
) -> Iterator[FieldChange]:
    """The changes of the body, then of settings in the order of `SETTINGS`; a suspended child task is drift.

    `was` is the task as it was applied last.
    """
    if not is_same_body(deployed.definition, task):
        for change in body_changes(deployed.definition, task):
            yield replace(
                change, reason=_body_reason(change, task, deployed, was), place=place_of(task, change.path)
            )
    new = desired_settings(task)
    for key in SETTINGS:
        old = deployed.settings[key]
        if not same(key, old, new[key]):
            reason = setting_reason(key, old, new[key], was, is_default=is_default(task, key))
            yield from _entries(FieldChange(key, old, new[key], reason, place_of(task, key)), task)
    if task.task is not None and not deployed.started:
        yield FieldChange("state", "suspended", "started", Reason.DRIFTED)


def setting_reason(
    key: str, old: Comparable, new: Comparable, was: AppliedTask | None, *, is_default: bool
) -> Reason:
    """Why the account has `old` and the spec has `new`, according to the last applied value."""
    changed = Reason.DEFAULT_CHANGED if is_default else Reason.SPEC_CHANGED
    if was is None or key not in was.settings:
        return changed
    applied = was.settings[key]
    if same(key, applied, new):
        return Reason.DRIFTED
    return changed if same(key, applied, old) else Reason.BOTH_CHANGED


def is_scheduled(desired: DesiredGraph) -> bool:
    return not isinstance(desired.root.schedule, Manual | None)


def is_on_by_default(target: Target) -> bool:
    """Whether the schedule is turned on when a graph is first deployed; in development targets it stays off."""
    return target.is_local or target.mode is Mode.PRODUCTION


def _body_reason(
    change: FieldChange, task: DesiredTask, deployed: ObservedTask, was: AppliedTask | None
) -> Reason:
    if was is None or observed_body(deployed.definition) == was.body:
        return change.reason
    if was.body.startswith("job:"):
        return Reason.DRIFTED if is_same_body(was.body, task) else Reason.BOTH_CHANGED
    before = body_parts(was.body).get("statement" if change.path == "definition" else change.path)
    if before == change.new or is_same_body(was.body, task):
        return Reason.DRIFTED
    return change.reason if before == change.old else Reason.BOTH_CHANGED


def _entries(change: FieldChange, task: DesiredTask) -> Iterator[FieldChange]:
    """The change of a mapping as one change for each differing entry, such as `config.threshold`; others unchanged."""
    if not (isinstance(change.old, Mapping) and isinstance(change.new, Mapping)):
        yield change
        return
    for key in sorted({*change.old, *change.new}):
        old, new = change.old.get(key), change.new.get(key)
        if not same(change.path, old, new):
            path = f"{change.path}.{key}"
            yield replace(change, path=path, old=old, new=new, place=place_of(task, path))


def _resumes(
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    unfinished: Mapping[str, Comparable] | None,
    resume: bool | None,
) -> bool:
    """Whether the schedule is to be on after the apply: by `resume`, else as it was, else by the target's mode."""
    if not is_scheduled(desired):
        return False
    if resume is not None:
        return resume
    if unfinished is not None and isinstance(unfinished.get("resume_root"), bool):
        return bool(unfinished["resume_root"])
    if observed is not None and (observed.root.settings["schedule"] is not None or observed.root.started):
        return observed.root.started
    return is_on_by_default(desired.target)


def _notes(observed: ObservedGraph | None, unfinished: Mapping[str, Comparable] | None) -> Iterator[str]:
    if unfinished is not None:
        yield "an earlier apply did not finish; this one completes it"
    if observed is not None and observed.record is None:
        yield "the graph was made by somebody else; this apply takes it over"
    record = observed.record if observed is not None else None
    if uncommitted_text(record):
        yield f"deployed from {origin_text(record)}"


def _version_notes(
    desired: DesiredGraph, observed: ObservedGraph | None, changes: Sequence[Change]
) -> Iterator[str]:
    """The note that another version of sfml may be the reason for changes that nobody made in the spec."""
    before = (observed.record or {}).get("version") if observed is not None else None
    now = (split_comment(desired.root.comment)[1] or {}).get("version")
    if before != now and None not in (before, now) and any(change.fields for change in changes):
        yield (
            f"deployed by sfml {before}, and this is sfml {now}: what changes without an edit of yours is"
            " what this version writes or ships differently"
        )
