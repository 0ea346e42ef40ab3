"""Plans a part of a run: reads the runs that are known, and decides what runs and whose results are reused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sfml.account.history import DeployedRoot, run_activity_of
from sfml.base.errors import ConflictingState
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.base.release import VERSION
from sfml.cost.amount import Amount
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.located import Scalar
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.lower.lower import DUMMY_ROOT
from sfml.lower.names import folded_name
from sfml.operations.apply_plan import read_stage
from sfml.operations.expected_cost import expected_cost
from sfml.operations.known_runs import KnownRuns, known_runs, run_named
from sfml.operations.removed_files import refuse_removed_files
from sfml.operations.reviewed_files import provenance
from sfml.operations.rollback import goal_of
from sfml.operations.runs import checked_overrides, not_deployed
from sfml.operations.target_account import TargetAccount
from sfml.plan.part import (
    Part,
    ReusesTask,
    part_graph,
    part_root,
    planned_part,
    recovered_tasks,
    selected_reasons,
)
from sfml.plan.part_record import PartRecord
from sfml.plan.provenance import origin_text
from sfml.plan.rehoming import EarlierRun, call_of
from sfml.plan.run_activity import RunActivity, next_runs
from sfml.plan.selection import selectable_tasks, selection, words_of
from sfml.plan.stages import Group, creation_groups
from sfml.render.part import ShownPart

SOON = timedelta(hours=24)
"""A scheduled run within this time is named, because a part may take hours."""

_ASKING = (b"GET_PREDECESSOR_RETURN_VALUE", b"TASK_RUNTIME_INFO", b"TaskContext")


@record
class PartRequest:
    """What the user asks for: selectors of tasks, a run to recover, a deployment whose code is to run."""

    only: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    recover: str | None = None
    deployment: int | None = None
    config: Mapping[str, str] | None = None
    beside: bool = False

    @property
    def is_part(self) -> bool:
        return bool(self.only or self.start or self.recover is not None)

    @property
    def selectors(self) -> tuple[str, ...]:
        starts = (name for names in self.start for name in words_of(names) or ("",))
        return (*self.only, *(name if name.endswith("+") else f"{name}+" for name in starts))


@record
class PartPlan:
    """A part that can be carried out: its graph, the groups of stages that make it, and what is to be known before.

    `changed` says of tasks what differs from the code that ran in the run that is recovered. `kept_number` is the
    deployment that run ran on, `running_since` when an executing run of the deployed graph began.
    """

    part: Part
    graph: DesiredGraph
    record: PartRecord
    groups: tuple[Group, ...]
    deployed: DeployedRoot
    changed: Mapping[str, str]
    recovered_at: datetime | None = None
    retryable: tuple[str, datetime] | None = None
    """The id and time of a failed run that `sfml retry` can still go on with."""
    running_since: datetime | None = None
    notes: tuple[str, ...] = ()
    credits: Amount | None = None
    """What it costs; None for a local target."""


def check_request(desired: DesiredGraph, request: PartRequest) -> None:
    """Raise `UsageError` for a wrong config, and for a selector that fits no task of the files, if those are to run."""
    if request.deployment is not None:
        return  # what it has is known once it is read
    checked_overrides(desired, request.config or {})
    if request.selectors:
        selection(selectable_tasks(desired), request.selectors)


def part_plan(
    compiled_spec: CompiledSpec, target: TargetAccount, request: PartRequest, owner: str
) -> PartPlan:
    """Plan a part of a run of the pipeline. Reads the target, and changes nothing.

    Raises `UsageError` for a selector or run that does not exist, and `ConflictingState` if the part cannot run.
    """
    desired = compiled_spec.desired
    staged, _ = read_stage(desired, target)
    root = target.history.root(desired.root.name)
    if root is None:
        raise not_deployed(desired)
    graph, origin = _code(compiled_spec, target, request, owner)
    known = known_runs(desired, graph, target, root, staged)
    now = datetime.now(UTC)
    activity = _activity(known, request, desired, now)
    recovered = None if request.recover is None else run_named(request.recover, known, desired)
    part = _part(graph, known, request, recovered)
    refuse_removed_files(part, target)
    # A deployment may have other keys than the files.
    of_graph = replace(desired, root=replace(desired.root, config=graph.root.config))
    overrides = checked_overrides(of_graph, request.config or {})
    mark = uuid.uuid4().hex[:8]
    record = PartRecord(
        mark=mark,
        root=raw(part_root(desired.root.name, mark)),
        nonce=uuid.uuid4().hex,
        owner=owner,
        began_at=now.isoformat(timespec="milliseconds"),
        selectors=request.selectors,
        running=part.running,
        reused=part.reused,
        recovers=recovered,
        run=part.run,
        deployment=request.deployment,
        commit=origin,
        config=_config(graph, known, recovered, overrides),
    )
    of_root = {"part": mark, "of": recovered, "version": VERSION}
    made = part_graph(
        part, folded_name(record.root), record.config or {}, of_root, known.root_value(recovered)
    )
    missing = staged.missing(made.archives) if staged else made.archives
    groups = creation_groups(made, missing, has_stage=staged is not None)
    cost = expected_cost(compiled_spec, part.running, known.rows)
    can_be_retried = activity.retryable is not None and known.can_be_retried(activity.retryable_run)
    return PartPlan(
        part=part,
        graph=made,
        record=record,
        groups=tuple(group for group in groups if group),
        deployed=root,
        changed=_changed(part, known, recovered),
        recovered_at=None if recovered is None else known.began(recovered),
        retryable=(activity.retryable_run, activity.retryable)
        if activity.retryable is not None and can_be_retried
        else None,
        running_since=activity.running_since,
        notes=(
            *_notes(part, known, target, desired, now),
            *_config_notes(part, known, recovered, record.config or {}),
            *([cost.basis] if cost is not None and cost.basis else []),
        ),
        credits=None if cost is None else cost.credits,
    )


def _code(
    compiled_spec: CompiledSpec, target: TargetAccount, request: PartRequest, owner: str
) -> tuple[DesiredGraph, str | None]:
    """The graph whose code runs: that of the files, or of a kept deployment; and where it comes from."""
    desired = compiled_spec.desired
    if request.deployment is None:
        return desired, origin_text(provenance(compiled_spec, owner))
    artefact, _ = goal_of(desired, target, request.deployment)
    return artefact.graph(desired.target), origin_text(artefact.record)


def _activity(known: KnownRuns, request: PartRequest, desired: DesiredGraph, now: datetime) -> RunActivity:
    """The newest run of the deployed graph; raises `ConflictingState` if it is executing, unless that is wanted."""
    activity = run_activity_of(known.rows, now)
    if activity.running_since is not None and not request.beside:
        raise ConflictingState(
            f"a run of {desired.pipeline} is executing since {activity.running_since:%Y-%m-%d %H:%M:%S} UTC;"
            " nothing was run",
            help="wait for its end, or run the part while it executes:  --beside",
        )
    return activity


def _part(graph: DesiredGraph, known: KnownRuns, request: PartRequest, recovered: str | None) -> Part:
    """The part with the run that it continues."""
    part = _planned(graph, known, request, recovered)
    run = known.earlier_run(recovered) if recovered is not None else _run_of_values(part, known)
    return replace(part, run=run, is_whole_recovery=_is_whole_recovery(known, request, recovered))


def _planned(graph: DesiredGraph, known: KnownRuns, request: PartRequest, recovered: str | None) -> Part:
    selected = selection(selectable_tasks(graph), request.selectors) if request.selectors else None
    results = known.results(recovered)
    if recovered is None:
        assert selected is not None, "without a run to recover, tasks are selected"
        return planned_part(graph, results, selected_reasons(selected), selected.named)
    failed = recovered_tasks(graph, results)
    part = known.part(recovered)
    if part is not None:
        # The rest of the run that this part was of is either among its results, or was not wanted.
        failed = {name: why for name, why in failed.items() if name in part.running}
    if selected is not None:
        return planned_part(graph, results, selected_reasons(selected, failed), selected.named)
    if not failed:
        raise ConflictingState(
            f"every task of run {recovered} succeeded, or was not chosen: there is nothing to recover",
            help="choose what is to run again:  --from TASK, or --only SELECTOR",
        )
    return planned_part(graph, results, failed)


def _is_whole_recovery(known: KnownRuns, request: PartRequest, recovered: str | None) -> bool:
    """Whether all that a run of the whole graph left open is run, also over parts that were to do so."""
    if recovered is None or request.selectors:
        return False
    parts = {one.outcome.run_id: one for one in known.parts if one.outcome is not None}
    while recovered is not None and (earlier := parts.get(recovered)) is not None:
        if earlier.selectors:
            return False
        recovered = earlier.recovers
    return True


def _run_of_values(part: Part, known: KnownRuns) -> EarlierRun | None:
    """The newest of the runs whose results are reused; None if none are, so that the part is a run of its own."""
    first = datetime.min.replace(tzinfo=UTC)
    newest = max(part.reused.values(), key=lambda result: result.completed_at or first, default=None)
    return None if newest is None else known.earlier_run(newest.run_id)


# -- what it runs with


def _config(
    graph: DesiredGraph, known: KnownRuns, recovered: str | None, overrides: Mapping[str, Scalar]
) -> Mapping[str, Scalar]:
    """The config of the part: that of its graph, with what the recovered run overrode, and what the user overrides."""
    config = dict(graph.root.config or {})
    if recovered is not None:
        config |= {key: value for key, value in known.overridden(recovered).items() if key in config}
    return {**config, **overrides}


def _changed(part: Part, known: KnownRuns, recovered: str | None) -> Mapping[str, str]:
    """Task → what differs from the graph that its result is of, or that the recovered run ran on.

    Tasks of which that is not kept are left out.
    """
    changed: dict[str, str] = {}
    for task in part.graph.all_tasks:
        fate = part.by_name.get(task.task or "")
        run_id = fate.result.run_id if isinstance(fate, ReusesTask) else recovered
        ran_on = known.ran_on(run_id) if run_id is not None else None
        if task.task is None or fate is None or ran_on is None:
            continue
        old = next((one for one in ran_on.artefact.tasks if one.task == task.task), None)
        if old is None:
            changed[task.task] = "new"
        elif old.code_sha256 != task.code_sha256:
            changed[task.task] = "code"
        elif task.fingerprint and old.fingerprint and old.fingerprint != task.fingerprint:
            changed[task.task] = "settings"
    return changed


# -- what is to be known


def _notes(
    part: Part, known: KnownRuns, target: TargetAccount, desired: DesiredGraph, now: datetime
) -> Iterator[str]:
    runs = {result.run_id for result in part.reused.values()}
    if part.run is not None and len(runs) > 1:
        yield f"results come from {len(runs)} runs; the id of the run that steps see is {part.run.id}"
    suspended = {task.name for task in target.history.deployed(desired.root.name).suspended}
    off = [
        task.task for task in desired.all_tasks if task.task in part.running and raw(task.name) in suspended
    ]
    if off:
        yield f"suspended in the deployed graph, and run here: {', '.join(map(str, off))}"
    if desired.root.definition != DUMMY_ROOT:
        yield "the statement of the root does not run again"
    if desired.root.condition is not None:
        yield "the condition of the root is not asked"
    soon = next_runs(desired.root.schedule, now, 1) if known.root.started else ()
    if soon and soon[0] - now < SOON:
        yield f"the schedule is on: the run of {soon[0]:%a} {soon[0].day} {soon[0]:%b %H:%M %Z} may begin beside it"
    asking = [str(task.task) for task in part.graph.all_tasks if task.task in part.running and _asks(task)]
    if asking:
        yield f"{', '.join(asking)}: what the script itself asks Snowflake for is of the part, not of the earlier run"


def _config_notes(
    part: Part, known: KnownRuns, recovered: str | None, config: Mapping[str, Scalar]
) -> Iterator[str]:
    """What is to be known of the config of the part and of the runs whose results it reuses."""
    if recovered is not None and known.part(recovered) is None and known.ran_on(recovered) is None:
        yield f"the deployment of run {recovered} is not kept: the part has the whole config of that run"
    made: dict[str, list[str]] = {}
    for name, result in part.reused.items():
        made.setdefault(result.run_id, []).append(name)
    for run_id, names in made.items():
        had = known.config(run_id)
        others = [f"{key} {had[key]}" for key in sorted(config) if key in had and had[key] != config[key]]
        if others:
            yield f"reused results of {', '.join(names)} were made with {', '.join(others)}"
    gone = sorted({*known.overridden(recovered)} - {*config}) if recovered is not None else []
    if gone:
        yield f"the run was given {', '.join(gone)}, which the config does not have now"


def _asks(task: DesiredTask) -> bool:
    """Whether the script of a job asks Snowflake for results or the run by itself."""
    definition = task.definition
    if not isinstance(definition, MLJobDefinitionSpec) or call_of(definition) is not None:
        return False
    return any(word in content for content in definition.payload.values() for word in _ASKING)


def shown_part(plan: PartPlan) -> ShownPart:
    """The plan, to be shown."""
    return ShownPart(
        part=plan.part,
        record=plan.record,
        changed=plan.changed,
        recovered_at=plan.recovered_at,
        retryable=plan.retryable,
        running_since=plan.running_since,
        notes=plan.notes,
        cost=plan.credits,
    )
