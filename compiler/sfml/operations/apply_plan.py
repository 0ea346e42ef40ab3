"""Makes the apply plan for a connected target, and describes its schedule."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfml.account.former_graphs import FormerGraph, former_value
from sfml.account.health import off_of
from sfml.base.errors import RecordUnreadable
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.model import CronSchedule, IntervalSchedule, StreamSchedule
from sfml.lower.desired import Archive, DesiredGraph, MLJobDefinitionSpec
from sfml.operations.deployer import Work
from sfml.operations.former_graphs import former_graphs, known_former_graphs, with_former_graphs
from sfml.operations.ownership import (
    demand_one_owner,
    graph_to_restore,
    may_have_loose_tasks,
    ownership,
    ownership_notes,
    protect_strangers,
)
from sfml.operations.plan_details import detailed_plan
from sfml.operations.target_account import TargetAccount
from sfml.plan.applied_graph import AppliedGraph
from sfml.plan.artefact import Artefact, archives_in, observed_artefact
from sfml.plan.diff import is_scheduled, make_plan
from sfml.plan.journal import Journal, header_of
from sfml.plan.lease import Lease
from sfml.plan.model import Action, ObservedGraph, ObservedTask, Plan
from sfml.plan.part_record import open_marks
from sfml.plan.retention import collected, outdated
from sfml.plan.settings import OFF_SINCE
from sfml.plan.stage_content import StageContent
from sfml.plan.stages import Collect, FilesToWrite, Group, OpenJournal, UnfinishedApply, noted, stages_for
from sfml.render.health import schedule_state_text
from sfml.render.schedule import schedule_text

if TYPE_CHECKING:
    from sfml.operations.deployer import Work

LOCAL_SCHEDULES = "schedules fire while `sfml local start` keeps the server up"


@record
class ApplyPlan:
    """A plan, the groups of stages that carry it out, and the state of the target that it was made for.

    `journal` is the journal of an unfinished apply; if it cannot be read, `unreadable` is the error instead. `was` is
    the graph that a restore would go back to.
    """

    plan: Plan
    groups: tuple[Group, ...]
    observed: ObservedGraph | None
    was: Artefact | None
    staged: StageContent | None
    journal: Journal | None
    off_since: str | None = None
    """The time since which the schedule is off on purpose (ISO 8601), for the root's record; None if it is not."""
    unreadable: RecordUnreadable | None = None
    strangers: tuple[ObservedTask, ...] = ()
    """Strangers: tasks that somebody else added below the graph, or below its loose tasks."""

    former: tuple[FormerGraph, ...] = ()
    """The graphs at former places of the pipeline."""

    @property
    def is_first(self) -> bool:
        """Whether nothing of the pipeline was deployed before, except by an apply that is unfinished."""
        return self.observed is None or (self.journal is not None and self.journal.was is None)

    @property
    def is_unfinished(self) -> bool:
        """Whether the stage holds a journal, readable or not."""
        return self.journal is not None or self.unreadable is not None

    @property
    def is_recorded(self) -> bool:
        """Whether the plan changes tasks, so that it becomes a kept deployment."""
        return any(isinstance(stage, OpenJournal) for group in self.groups for stage in group)

    @property
    def number(self) -> int:
        """The number of the deployment that this plan becomes; an unfinished apply keeps its number."""
        if self.journal is not None:
            return self.journal.header.number
        return self.staged.next_number if self.staged else 1

    @property
    def number_before(self) -> int | None:
        """The number of the last kept deployment before this one; None if there is none."""
        number = self.number
        earlier = [one for one in (self.staged.deployments if self.staged else ()) if one < number]
        return max(earlier, default=None)


def planned(
    compiled_spec: CompiledSpec,
    target: TargetAccount,
    *,
    resume: bool | None = None,
    adopt: bool = False,
    collect: bool = True,
) -> ApplyPlan:
    """Plan an apply of the spec in the target. Reads the target, and changes nothing."""
    work = planned_graph(compiled_spec.desired, target, resume=resume, adopt=adopt, collect=collect)
    former = (
        former_graphs(compiled_spec, target)
        if work.is_first
        else known_former_graphs(work.observed.record if work.observed else None, target)
    )
    plan = with_former_graphs(work.plan, former, compiled_spec.desired)
    return dataclasses.replace(work, plan=plan, former=former or ())


def planned_graph(
    desired: DesiredGraph,
    target: TargetAccount,
    *,
    resume: bool | None = None,
    adopt: bool = False,
    collect: bool = True,
) -> ApplyPlan:
    """Plan an apply of this graph, which comes from a spec or from a kept deployment.

    `resume` turns the schedule on or off, None keeps it; `adopt` takes over a graph that sfml did not make; `collect`
    also removes old deployments from the stage. Raises `ConflictingState` when the plan would affect foreign tasks.
    """
    staged, journal, unreadable = inspect_stage(desired, target)
    # Before the first apply in a schema, one list of names says both that there is no graph and which names are taken.
    names = target.tasks.names() if staged is None and not adopt else None
    is_deployed = names is None or desired.root.name in names
    observed = target.tasks.observed(desired.root.name) if is_deployed else None
    traces = traces_of(journal, unreadable, desired, target)
    if traces and observed is not None:
        observed = target.tasks.in_doubt(observed, traces)
    # An interrupted apply may have been adopting the graph: the root gets its record last, so adopt again.
    adopt = adopt or journal is not None
    if adopt and observed is not None and observed.record is None:
        observed = target.tasks.in_full(observed)
    own = ownership(desired, observed, staged, traces, target)
    if observed is None and own.names is None:
        own = dataclasses.replace(own, names=names)
    observed = own.observed
    missing = staged.missing(desired.archives) if staged else desired.archives
    broken = staged.broken_jobs(_jobs(desired, observed)) if staged else ()
    is_unfinished = journal is not None or unreadable is not None
    unfinished = _unfinished(journal, traces, observed) if is_unfinished else None

    def make(last: AppliedGraph | None) -> Plan:
        return make_plan(
            *(desired, observed),
            unfinished=unfinished,
            resume=resume,
            last_applied=last,
            adopt=adopt,
            loose=own.loose,
        )

    off = off_since(desired, observed, journal, resume)
    plan, last = detailed_plan(make, desired, own, staged, target, unfinished=is_unfinished)
    if not is_unfinished and may_have_loose_tasks(own, desired, last):
        own = ownership(desired, observed, staged, traces, target, thorough=True)
        if own.loose:
            plan, _ = detailed_plan(make, desired, own, staged, target)
    plan = dataclasses.replace(plan, notes=(*plan.notes, *ownership_notes(own, desired)))
    plan = dataclasses.replace(plan, notes=(*plan.notes, *_schedule_notes(desired, plan, observed, target)))
    if desired.target.is_local and plan.resume_root:
        plan = dataclasses.replace(plan, notes=(*plan.notes, LOCAL_SCHEDULES))
    now = observed_artefact(desired.pipeline, desired.target, observed)
    groups = stages_for(
        plan,
        desired,
        FilesToWrite(missing, broken, has_stage=staged is not None),
        was=now,
        unfinished=UnfinishedApply() if is_unfinished else None,
        loose_on=own.started_roots,
    )
    protect_strangers(groups, own, desired)
    demand_one_owner(groups, own, desired, target.connection.role)
    plan = dataclasses.replace(
        plan, notes=(*plan.notes, *_stage_notes(plan, observed, missing, broken, unreadable))
    )
    was = graph_to_restore(now, own) if journal is None else journal.was
    if _is_news(off, plan, observed) and not any(isinstance(stage, OpenJournal) for (stage, *_) in groups):
        groups = noted(groups, plan, desired.root.name, off)
    if collect and staged is not None and any(isinstance(stage, OpenJournal) for (stage, *_) in groups):
        groups = (*groups, *collecting(staged, desired, (now, was), target))
    return ApplyPlan(plan, groups, observed, was, staged, journal, off, unreadable, own.strangers)


def off_since(
    desired: DesiredGraph, observed: ObservedGraph | None, journal: Journal | None, resume: bool | None
) -> str | None:
    """The time since which `--no-resume` keeps the schedule off (ISO 8601); None if it does not."""
    if resume is True or not is_scheduled(desired):
        return None
    before = observed.record if observed is not None and not observed.root.started else None
    if journal is not None and journal.meant is not None:
        before = None if journal.meant.root_started else journal.meant.record
    since = (before or {}).get(OFF_SINCE)
    if resume is None:
        return None if since is None else str(since)
    return str(since or datetime.now(UTC).isoformat(timespec="seconds"))


def _is_news(off: str | None, plan: Plan, observed: ObservedGraph | None) -> bool:
    """Whether the record of the deployed root has another value for `off_since`, and must be changed."""
    if observed is None or observed.record is None or (plan.root_started and plan.resume_root):
        return False
    return observed.record.get(OFF_SINCE) != off


def _schedule_notes(
    desired: DesiredGraph, plan: Plan, observed: ObservedGraph | None, target: TargetAccount
) -> Iterator[str]:
    """A note on why the schedule is off, if it stays off. Costs a call only in that case."""
    if observed is None or observed.root.started or plan.resume_root or not is_scheduled(desired):
        return
    root = target.history.root(desired.root.name)
    off = off_of(desired, root) if root is not None else None
    if off is not None:
        yield f"the schedule is {schedule_state_text(off)}"


def _jobs(desired: DesiredGraph, observed: ObservedGraph | None) -> tuple[MLJobDefinitionSpec, ...]:
    """The ML Jobs of tasks that are already deployed."""
    there = observed.by_name if observed else {}
    return tuple(
        task.definition
        for task in desired.all_tasks
        if isinstance(task.definition, MLJobDefinitionSpec) and task.name in there
    )


def _unfinished(
    journal: Journal | None, traces: tuple[Artefact | None, ...], observed: ObservedGraph | None
) -> dict[str, bool]:
    """Whether the unfinished apply was to turn the schedule on; without a journal, as in the last deployment."""
    if journal is not None:
        return {"resume_root": is_meant_on(journal)}
    is_on = bool(observed and observed.root.started)
    return {"resume_root": is_on or any(trace is not None and trace.root_started for trace in traces[-1:])}


def _stage_notes(
    plan: Plan,
    observed: ObservedGraph | None,
    missing: tuple[Archive, ...],
    broken: tuple[MLJobDefinitionSpec, ...],
    unreadable: RecordUnreadable | None,
) -> Iterator[str]:
    """Notes about damaged or missing files on the stage, and how the apply repairs them."""
    if unreadable is not None:
        on = "on" if plan.resume_root else "off"
        yield (
            f"{unreadable.message}; the file is kept under another name. The previous graph is unknown,"
            f" so --restore is not possible; the schedule will be {on}: --resume or --no-resume says otherwise"
        )
    unchanged = plan.of(Action.UNCHANGED)
    if observed is not None and missing and any(change.name != observed.root.name for change in unchanged):
        used = {path for task in observed.tasks for path in archives_in(task.definition)}
        gone = [archive for archive in missing if archive.stage_path.rpartition("/")[0] in used]
        if gone:
            yield f"deployed code is incomplete on the stage and is uploaded again: {gone[0].stage_path}"
    names = {change.name for change in unchanged}
    if broken and observed is not None and names:
        yield f"the payload of an ML Job is incomplete on the stage and is uploaded again: {broken[0].stage_path}"


def collecting(
    staged: StageContent, desired: DesiredGraph, graphs: tuple[Artefact | None, ...], target: TargetAccount
) -> tuple[Group, ...]:
    """The stages that remove old deployments and their code. Costs a call only if a deployment is old enough."""
    gone = outdated(staged, desired.target.keep_deployments, datetime.now(UTC))
    if not gone or open_marks(staged):
        return ()  # the graph of a part of a run may need code that no deployment names
    kept = target.stage.kept(desired.pipeline)
    if kept.unreadable:
        return ()  # an unreadable record may need any of the code
    # Check with the account's clock, because a wrong clock of this machine could make every deployment look old.
    gone = outdated(staged, desired.target.keep_deployments, target.history.now())
    return ((Collect(collected(staged, gone, kept.deployments, desired, graphs)),),) if gone else ()


def work_of(
    plan: ApplyPlan,
    desired: DesiredGraph,
    lease: Lease,
    provenance: Mapping[str, Any] | None = None,
    *,
    kind: str = "apply",
) -> Work:
    """The work that carries out the plan under this lease; `kind` is `apply` or `rollback`."""
    refuse_newer(plan.unreadable)
    return Work(
        plan.groups,
        desired,
        header_of(lease, plan.number, work=kind),
        observed=plan.observed,
        was=plan.was,
        provenance={**(provenance or {}), **former_value(plan.former)},
        off_since=plan.off_since,
        strangers=plan.strangers,
        unreadable=plan.unreadable,
    )


def read_stage(desired: DesiredGraph, target: TargetAccount) -> tuple[StageContent | None, Journal | None]:
    """The content of the stage (None without a stage), and the journal of an unfinished apply (None without one).

    Raises `RecordUnreadable`, with help, if the journal cannot be read.
    """
    staged, journal, unreadable = inspect_stage(desired, target)
    if unreadable is not None:
        raise unreadable
    return staged, journal


def inspect_stage(
    desired: DesiredGraph, target: TargetAccount
) -> tuple[StageContent | None, Journal | None, RecordUnreadable | None]:
    """The content of the stage, the journal, and the error if the journal cannot be read."""
    staged = target.stage.staged(desired.pipeline)
    try:
        return staged, journal_on(staged, desired, target), None
    except RecordUnreadable as error:
        return staged, None, error


def journal_on(staged: StageContent | None, desired: DesiredGraph, target: TargetAccount) -> Journal | None:
    """The journal of an unfinished apply, if the stage holds one. Raises `RecordUnreadable`, with help."""
    if staged is None or not staged.has_journal:
        return None
    try:
        return target.stage.journal(desired.pipeline)
    except RecordUnreadable as error:
        raise error.advised(unreadable_help(error, desired.where)) from error.__cause__


def unreadable_help(error: RecordUnreadable, where: str) -> str:
    """The help for a journal that cannot be read: the commands that work without it."""
    if error.is_newer:
        return "finish or restore with that version of sfml: this version cannot read its journal"
    return (
        f"the previous graph is unknown. The file stays; these commands work without it:"
        f"\n      sfml apply {where}   makes the target what the spec says"
        f"\n      sfml history {where} --deployments   lists what sfml rollback --to N can put back"
        f"\n      sfml destroy {where}   takes the pipeline away"
    )


def refuse_newer(unreadable: RecordUnreadable | None) -> None:
    """Raise the error of a journal that a newer version of sfml wrote, because only that version can finish it."""
    if unreadable is not None and unreadable.is_newer:
        raise unreadable


def traces_of(
    journal: Journal | None, unreadable: RecordUnreadable | None, desired: DesiredGraph, target: TargetAccount
) -> tuple[Artefact | None, ...]:
    """The graphs that an interrupted command may have left in part: the previous one, then the intended one."""
    if journal is not None:
        return journal.was, journal.meant
    if unreadable is None:
        return ()
    return tuple(deployment.artefact for deployment in target.stage.deployments(desired.pipeline)[-2:])


def is_meant_on(journal: Journal) -> bool:
    """Whether the schedule was to be on after the unfinished apply; for a removal, whether it was on before."""
    either = journal.meant or journal.was
    return either is not None and either.root_started


def schedule_words(desired: DesiredGraph) -> str | None:
    """The schedule in words with its next run, or None for a pipeline without one."""
    schedule = desired.root.schedule
    if not isinstance(schedule, CronSchedule | IntervalSchedule | StreamSchedule):
        return None
    return schedule_text(schedule)
