"""From what is deployed and what should be to a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.errors import ConflictingState
from sfml.graph.model import Manual, Mode
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.plan.bodies import body_changes, is_same_body
from sfml.plan.model import Action, Change, Comparable, FieldChange, ObservedGraph, ObservedTask, Plan, Reason
from sfml.plan.renderings import same
from sfml.plan.settings import SETTINGS, desired_settings


def make_plan(
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    *,
    unfinished: Mapping[str, Comparable] | None = None,
    resume: bool | None = None,
) -> Plan:
    """What an apply would change.

    `unfinished` is the journal of an apply that did not finish: it says whether the schedule was on.
    `resume` overrides whether the schedule is to be on. Raises `ConflictingState` for a root that is not ours.
    """
    if observed is not None and observed.record is None:
        raise ConflictingState(
            f"task `{observed.root.name}` in {location(desired)} was not made by sfml",
            help="rename the pipeline, or drop or rename that task first",
        )
    deployed = observed.by_name if observed else {}
    wanted = {task.name for task in desired.all_tasks}
    changes = [change_of(desired, task, deployed.get(task.name)) for task in desired.all_tasks]
    changes += [dropped(desired, task) for name, task in sorted(deployed.items()) if name not in wanted]
    started = bool(observed and observed.root.started)
    return Plan(
        pipeline=desired.pipeline,
        target=desired.target.name,
        location=location(desired),
        changes=tuple(changes),
        resume_root=_resumes(desired, observed, unfinished, resume),
        root_started=started,
        notes=tuple(_notes(observed, unfinished)),
    )


def location(desired: DesiredGraph) -> str:
    return f"{desired.target.database}.{desired.target.schema}"


def change_of(desired: DesiredGraph, task: DesiredTask, deployed: ObservedTask | None) -> Change:
    """What happens to one task of the spec."""
    name = task.task or desired.pipeline
    if deployed is None:
        return Change(name, task.name, Action.CREATE)
    fields = tuple(field_changes(task, deployed))
    return Change(name, task.name, Action.ALTER if fields else Action.UNCHANGED, fields)


def dropped(desired: DesiredGraph, task: ObservedTask) -> Change:
    spec_name = task.name.removeprefix(f"{desired.root.name}$").lower()
    return Change(spec_name, task.name, Action.DROP, risks=("drops the task and its grants",))


def field_changes(task: DesiredTask, deployed: ObservedTask) -> Iterator[FieldChange]:
    """The body and the settings that differ, in the order of `SETTINGS`; a suspended child counts as drifted."""
    if not is_same_body(deployed.definition, task):
        yield from body_changes(deployed.definition, task)
    new = desired_settings(task)
    for key in SETTINGS:
        if not same(key, deployed.settings[key], new[key]):
            yield FieldChange(key, deployed.settings[key], new[key], Reason.SPEC_CHANGED)
    if task.task is not None and not deployed.started:
        yield FieldChange("state", "suspended", "started", Reason.DRIFTED)


def is_scheduled(desired: DesiredGraph) -> bool:
    return not isinstance(desired.root.schedule, Manual | None)


def _resumes(
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    unfinished: Mapping[str, Comparable] | None,
    resume: bool | None,
) -> bool:
    """Whether the schedule is on afterwards: as asked, else as it was, else as the target's mode has it."""
    if not is_scheduled(desired):
        return False
    if resume is not None:
        return resume
    if unfinished is not None and isinstance(unfinished.get("resume_root"), bool):
        return bool(unfinished["resume_root"])
    if observed is not None and observed.root.settings["schedule"] is not None:
        return observed.root.started
    return desired.target.is_local or desired.target.mode is Mode.PRODUCTION


def _notes(observed: ObservedGraph | None, unfinished: Mapping[str, Comparable] | None) -> Iterator[str]:
    if unfinished is not None:
        yield "an earlier apply did not finish; this one completes it"
