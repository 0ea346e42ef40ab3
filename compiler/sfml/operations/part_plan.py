"""Plans a part of a run: reads the runs that are known, and decides what runs and whose results are reused."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sfml.account.history import DeployedRoot, TaskRow, run_activity_of
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.base.release import VERSION
from sfml.cost.one_run import run_cost
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.located import Scalar
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.lower.lower import DUMMY_ROOT
from sfml.operations.apply_plan import read_stage
from sfml.operations.reviewed_files import provenance
from sfml.operations.rollback import goal_of
from sfml.operations.runs import NONCE, checked_overrides, not_deployed
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import depths_of
from sfml.plan.journal import Deployment, KeptDeployments, deployment_before
from sfml.plan.model import Action
from sfml.plan.part import (
    EarlierResults,
    Part,
    TaskResult,
    part_graph,
    part_root,
    planned_part,
    recovered_tasks,
    selected_reasons,
)
from sfml.plan.part_record import PartRecord, record_from, record_paths
from sfml.plan.provenance import origin_text
from sfml.plan.rehoming import EarlierRun, call_of, results_read
from sfml.plan.run_activity import next_runs
from sfml.plan.selection import selectable_tasks, selection
from sfml.plan.stage_content import StageContent
from sfml.plan.stages import (
    CreateStage,
    Group,
    PutTask,
    RegisterJob,
    ResumeGraph,
    UploadArchive,
    Verify,
)
from sfml.render.part import ShownPart
from sfml.semantics.states import State

SOON = timedelta(hours=24)
"""A scheduled run within this time is named, because a part may take hours."""

_ASKING = (b"GET_PREDECESSOR_RETURN_VALUE", b"TASK_RUNTIME_INFO", b"TaskContext")

LAST = "last"
"""What `--recover` takes for the last run that did not succeed."""


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
        return (*self.only, *(f"{name}+" for name in self.start))


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


@record
class _KnownRuns:
    """The rows of the deployed graph's runs, the records of parts, and the names of tasks in the spec."""

    rows: tuple[TaskRow, ...]
    parts: tuple[PartRecord, ...]
    names: Mapping[str, str]
    root: DeployedRoot

    def group(self, run_id: str) -> Mapping[str, TaskRow]:
        """Task → its row of the latest attempt, for one run."""
        own = sorted((row for row in self.rows if row.run_group == run_id), key=lambda row: row.attempt)
        return {self.names[row.name]: row for row in own if row.name in self.names}

    def began(self, run_id: str) -> datetime | None:
        """The time for which the run was first scheduled."""
        own = [row for row in self.rows if row.run_group == run_id]
        roots = [row for row in own if row.name == self.root.name] or own
        return min((row.scheduled_time for row in roots if row.scheduled_time), default=None)

    def earlier_run(self, run_id: str) -> EarlierRun | None:
        """The run that steps are told of: of a part, the run that it continues."""
        part = next((one for one in self.parts if one.outcome and one.outcome.run_id == run_id), None)
        if part is not None and part.run is not None:
            return part.run
        at = self.began(run_id)
        if part is not None:
            return EarlierRun(run_id, part.outcome.started_at if part.outcome else None, self.root.name)
        text = None if at is None else at.isoformat(sep=" ", timespec="milliseconds")
        return EarlierRun(run_id, text, self.root.name)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The ids of all runs and parts, the newest first."""
        first = datetime.min.replace(tzinfo=UTC)
        began: dict[str, datetime] = {}
        for row in self.rows:
            if row.run_group and row.state != "SCHEDULED":
                began[row.run_group] = max(began.get(row.run_group, first), row.scheduled_time or first)
        for part in self.parts:
            if part.outcome is not None:
                began[part.outcome.run_id] = datetime.fromisoformat(part.began_at)
        return tuple(sorted(began, key=lambda run_id: began[run_id], reverse=True))


def check_request(desired: DesiredGraph, request: PartRequest) -> None:
    """Raise `UsageError` for a wrong config, and for a selector that fits no task of the files, if those are to run."""
    checked_overrides(desired, request.config or {})
    if request.selectors and request.deployment is None:
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
    graph = desired
    if request.deployment is None:
        origin = origin_text(provenance(compiled_spec, owner))
    else:
        artefact, _ = goal_of(desired, target, request.deployment)
        graph, origin = artefact.graph(desired.target), origin_text(artefact.record)
    kept = target.stage.kept(desired.pipeline) if staged and staged.deployments else KeptDeployments(())
    rows = target.history.rows(root)
    known = _KnownRuns(rows, part_records(staged, target), _names(desired, graph, kept), root)
    now = datetime.now(UTC)
    activity = run_activity_of(rows, now)
    if activity.running_since is not None and not request.beside:
        raise ConflictingState(
            f"a run of {desired.pipeline} is executing since {activity.running_since:%Y-%m-%d %H:%M:%S} UTC;"
            " nothing was run",
            help="wait for its end, or run the part while it executes:  --beside",
        )
    recovered = None if request.recover is None else _run_named(request.recover, known, desired)
    part = _planned(graph, known, request, recovered)
    run = known.earlier_run(recovered) if recovered is not None else _run_of_values(part, known)
    part = replace(part, run=run, is_whole_recovery=_is_whole_recovery(known, request, recovered))
    _refuse_files_gone(part, target)
    config = _config(graph, desired, known, recovered, kept, request.config or {})
    mark = uuid.uuid4().hex[:8]
    name = part_root(desired.root.name, mark)
    record_of_root = {"part": mark, "of": recovered, "version": VERSION}
    made = part_graph(part, name, config, record_of_root, _root_value(known, recovered))
    record = PartRecord(
        mark=mark,
        root=raw(name),
        nonce=uuid.uuid4().hex,
        owner=owner,
        began_at=now.isoformat(timespec="milliseconds"),
        selectors=request.selectors,
        running=part.running,
        reused=part.reused,
        recovers=recovered,
        run=run,
        deployment=request.deployment,
        commit=origin,
        config=config,
    )
    missing = staged.missing(made.archives) if staged else made.archives
    groups = tuple(group for group in creation_groups(made, missing, has_stage=staged is not None) if group)
    ran_on = _ran_on(kept, known, recovered)
    return PartPlan(
        part=part,
        graph=made,
        record=record,
        groups=groups,
        deployed=root,
        changed=_changed(part, ran_on),
        recovered_at=None if recovered is None else known.began(recovered),
        retryable=None if activity.retryable is None else (activity.retryable_run, activity.retryable),
        running_since=activity.running_since,
        notes=tuple(_notes(part, known, target, desired, now)),
    )


def _planned(graph: DesiredGraph, known: _KnownRuns, request: PartRequest, recovered: str | None) -> Part:
    selected = selection(selectable_tasks(graph), request.selectors) if request.selectors else None
    results = _results(known, recovered)
    if recovered is None:
        assert selected is not None, "without a run to recover, tasks are selected"
        return planned_part(graph, results, selected_reasons(selected), selected.named)
    failed = recovered_tasks(graph, results)
    part = next((one for one in known.parts if one.outcome and one.outcome.run_id == recovered), None)
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


def _is_whole_recovery(known: _KnownRuns, request: PartRequest, recovered: str | None) -> bool:
    """Whether all that a run of the whole graph left open is run, also over parts that were to do so."""
    if recovered is None or request.selectors:
        return False
    parts = {one.outcome.run_id: one for one in known.parts if one.outcome is not None}
    while recovered is not None and (earlier := parts.get(recovered)) is not None:
        if earlier.selectors:
            return False
        recovered = earlier.recovers
    return True


# -- which runs are known


def part_records(staged: StageContent | None, target: TargetAccount) -> tuple[PartRecord, ...]:
    """The records of earlier parts, read with one call if there are any."""
    paths = record_paths(staged)
    contents = target.stage.contents(paths) if paths else {}
    found = (record_from(contents[path]) for path in sorted(contents))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.began_at))


def _names(desired: DesiredGraph, graph: DesiredGraph, kept: KeptDeployments) -> Mapping[str, str]:
    """Name in Snowflake → name in the spec, for tasks of the files, of the graph that runs, and of deployments."""
    names: dict[str, str] = {}
    for deployment in kept.deployments:
        names |= {raw(task.name): task.task for task in deployment.artefact.tasks if task.task}
    for one in (graph, desired):
        names |= {raw(old): task for new, old in one.moved.items() if (task := _spec_name(one, new))}
        names |= {raw(task.name): task.task for task in one.all_tasks if task.task is not None}
    return names


def _spec_name(graph: DesiredGraph, name: str) -> str | None:
    return next((task.task for task in graph.all_tasks if task.name == name), None)


def _run_named(text: str, known: _KnownRuns, desired: DesiredGraph) -> str:
    """The id of the run that the user means: all of it, the start of it, or `last`."""
    ids = known.run_ids
    if text == LAST:
        mended = _mended(known)
        for run_id in ids:
            if run_id in mended:
                continue
            states = {result.state for result in _results(known, run_id).results.values()}
            if states & {State.FAILED, State.FAILED_AND_AUTO_SUSPENDED, State.CANCELLED}:
                return run_id
        raise ConflictingState(
            f"no run of {desired.pipeline} that failed is kept in target `{desired.target.name}`",
            help=f"list the runs:  sfml history {desired.where}",
        )
    fitting = [run_id for run_id in ids if run_id == text] or [
        run_id for run_id in ids if text and run_id.startswith(text)
    ]
    if len(fitting) == 1:
        _refuse_executing(fitting[0], known)
        return fitting[0]
    if fitting:
        raise UsageError(
            f"several runs begin with `{text}`: {', '.join(fitting[:3])}", help="write more of the id"
        )
    raise ConflictingState(
        f"run `{text}` of {desired.pipeline} is not kept: Snowflake keeps its history for seven days",
        help=f"list the runs:  sfml history {desired.where}",
    )


def _mended(known: _KnownRuns) -> frozenset[str]:
    """The runs that a part recovered with success, and the parts that failed to recover them before."""
    mended: set[str] = set()
    for part in reversed(known.parts):
        outcome = part.outcome
        if outcome is None or part.recovers is None:
            continue
        if outcome.state == "SUCCEEDED" or outcome.run_id in mended or part.recovers in mended:
            mended |= {part.recovers, outcome.run_id}
    return frozenset(mended)


def _refuse_executing(run_id: str, known: _KnownRuns) -> None:
    if any(row.state in ("EXECUTING", "SCHEDULED") for row in known.group(run_id).values()):
        raise ConflictingState(f"run {run_id} is executing; nothing was run", help="wait for its end")


def _results(known: _KnownRuns, recovered: str | None) -> EarlierResults:
    if recovered is None:
        return EarlierResults(_latest_results(known))
    part = next((one for one in known.parts if one.outcome and one.outcome.run_id == recovered), None)
    if part is None:
        return EarlierResults(_run_results(known, recovered), recovered)
    before = {} if part.recovers is None else _results(known, part.recovers).results
    return EarlierResults({**before, **part.results()}, recovered)


def _run_results(known: _KnownRuns, run_id: str) -> Mapping[str, TaskResult]:
    return {name: _result(row) for name, row in known.group(run_id).items() if row.state in State.__members__}


def _result(row: TaskRow) -> TaskResult:
    return TaskResult(State(row.state), row.run_group, row.return_value, row.completed_at)


def _latest_results(known: _KnownRuns) -> Mapping[str, TaskResult]:
    """The latest success of every task; of one that never succeeded, how it ended last."""
    ended: list[tuple[str, TaskResult]] = [
        (known.names[row.name], _result(row))
        for row in known.rows
        if row.name in known.names and row.state in State.__members__ and State(row.state).is_final
    ]
    for part in known.parts:
        own = part.results().items()
        ended += [(name, result) for name, result in own if name not in part.reused]
    first = datetime.min.replace(tzinfo=UTC)
    latest: dict[str, TaskResult] = {}
    for name, result in sorted(ended, key=lambda one: one[1].completed_at or first):
        before = latest.get(name)
        if result.state is State.SUCCEEDED or before is None or before.state is not State.SUCCEEDED:
            latest[name] = result
    return latest


def _run_of_values(part: Part, known: _KnownRuns) -> EarlierRun | None:
    """The newest of the runs whose results are reused; None if none are, so that the part is a run of its own."""
    first = datetime.min.replace(tzinfo=UTC)
    newest = max(part.reused.values(), key=lambda result: result.completed_at or first, default=None)
    return None if newest is None else known.earlier_run(newest.run_id)


def _root_value(known: _KnownRuns, recovered: str | None) -> str | None:
    """What the root returned in the recovered run, else in its latest success; most roots return nothing."""
    rows = [row for row in known.rows if row.name == known.root.name and row.state == "SUCCEEDED"]
    own = [row for row in rows if row.run_group == recovered] or rows
    return own[0].return_value if own else None


# -- what it runs with


def _config(
    graph: DesiredGraph,
    desired: DesiredGraph,
    known: _KnownRuns,
    recovered: str | None,
    kept: KeptDeployments,
    overrides: Mapping[str, str],
) -> Mapping[str, Scalar]:
    """The config of the part: that of its graph, with what the recovered run overrode, and what the user overrides."""
    config = dict(graph.root.config or {})
    if recovered is not None:
        config |= {key: value for key, value in _overridden(known, recovered, kept).items() if key in config}
    return {**config, **checked_overrides(desired, overrides)}


def _overridden(known: _KnownRuns, run_id: str, kept: KeptDeployments) -> Mapping[str, Any]:
    """The keys of the config that the run had with other values than its deployment."""
    part = next((one for one in known.parts if one.outcome and one.outcome.run_id == run_id), None)
    if part is not None:
        return dict(part.config or {}) if part.recovers is None else _overridden(known, part.recovers, kept)
    texts = [row.config for row in known.rows if row.run_group == run_id and row.config]
    values = _config_of(texts[0]) if texts else {}
    deployment = _ran_on(kept, known, run_id)
    usual = deployment.artefact.root.config or {} if deployment is not None else {}
    return {
        key: value for key, value in values.items() if key != NONCE and key in usual and usual[key] != value
    }


def _config_of(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _ran_on(kept: KeptDeployments, known: _KnownRuns, run_id: str | None) -> Deployment | None:
    """The deployment that a run ran on: the last one that was begun before the run; None if it is not kept."""
    at = None if run_id is None else known.began(run_id)
    if at is None:
        return None
    return deployment_before(kept.deployments, at)


def _changed(part: Part, ran_on: Deployment | None) -> Mapping[str, str]:
    """Task → what differs from the graph that the recovered run ran on; empty if that is not kept."""
    if ran_on is None:
        return {}
    before = {task.task: task for task in ran_on.artefact.tasks if task.task is not None}
    changed: dict[str, str] = {}
    for task in part.graph.all_tasks:
        if task.task is None or task.task not in part.by_name:
            continue
        old = before.get(task.task)
        if old is None:
            changed[task.task] = "new"
        elif old.code_sha256 != task.code_sha256:
            changed[task.task] = "code"
        elif task.fingerprint and old.fingerprint and old.fingerprint != task.fingerprint:
            changed[task.task] = "settings"
    return changed


def creation_groups(made: DesiredGraph, missing: Sequence[Any], *, has_stage: bool) -> Iterator[Group]:
    """The groups that make the graph; its root stays suspended, so that nothing runs before it is executed."""
    if not has_stage:
        yield (CreateStage(),)
    jobs = (
        RegisterJob(task, task.definition)
        for task in made.all_tasks
        if isinstance(task.definition, MLJobDefinitionSpec)
    )
    yield (*map(UploadArchive, missing), *jobs)
    yield (PutTask(made.root, Action.CREATE),)
    depths = depths_of({task.name: task for task in made.all_tasks})
    for depth in range(1, max(depths.values()) + 1):
        yield tuple(PutTask(task, Action.CREATE) for task in made.all_tasks[1:] if depths[task.name] == depth)
    yield (Verify(),)
    yield (ResumeGraph(made.root.name, False),)


# -- what is gone


def _refuse_files_gone(part: Part, target: TargetAccount) -> None:
    """Raise `ConflictingState` if a task reads the path of a file that has been removed. Costs a call for each run."""
    named = {raw(task.name): task.task for task in part.graph.all_tasks if task.task is not None}
    seen_files: dict[str, frozenset[str]] = {}
    for task in part.graph.all_tasks:
        if task.task not in part.running:
            continue
        for name, path in _files_read(part, task, named):
            run_id = path.split("/")[2]
            if run_id not in seen_files:
                seen_files[run_id] = target.stage.files_of_run(part.graph.pipeline, run_id)
            if path not in seen_files[run_id]:
                raise ConflictingState(
                    f"`{task.task}` reads the file {path}, which `{name}` wrote and which has been removed since;"
                    " nothing was run",
                    help=f"run it as well:  --only '{name},{task.task}'",
                )


def _files_read(part: Part, task: Any, named: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The files of runs in the results that a task is known to read: the task that wrote it, and the path."""
    call = call_of(task.definition)
    reads = list(_references(call.get("with", {}))) if call is not None else []
    if call is None:
        reads = [(name, []) for name in results_read(task)]
    pattern = re.compile(rf"(?<![\w.-]){re.escape(part.graph.pipeline)}/runs/[\w-]+/[\w./=-]*[\w=-]")
    for raw_name, keys in reads:
        name = named.get(raw_name, "")
        result = part.reused.get(name)
        if result is None or result.value is None:
            continue
        try:
            value = json.loads(result.value)
            for key in keys:
                value = value[key]
        except (ValueError, KeyError, IndexError, TypeError):
            continue
        yield from ((name, path) for text in _texts(value) for path in pattern.findall(text))


def _references(value: Any) -> Iterator[tuple[str, list[Any]]]:
    match value:
        case {"$result": [str(name), *keys]} if len(value) == 1:
            yield name, keys
        case {"$literal": _} if len(value) == 1:
            return
        case dict():
            for item in value.values():
                yield from _references(item)
        case list():
            for item in value:
                yield from _references(item)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


# -- what is to be known


def _notes(
    part: Part, known: _KnownRuns, target: TargetAccount, desired: DesiredGraph, now: datetime
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


def _asks(task: DesiredTask) -> bool:
    """Whether the script of a job asks Snowflake for results or the run by itself."""
    definition = task.definition
    if not isinstance(definition, MLJobDefinitionSpec) or call_of(definition) is not None:
        return False
    return any(word in content for content in definition.payload.values() for word in _ASKING)


def shown_part(compiled_spec: CompiledSpec, plan: PartPlan) -> ShownPart:
    """The plan with its cost, to be shown."""
    graph = compiled_spec.reading.graph
    return ShownPart(
        part=plan.part,
        record=plan.record,
        changed=plan.changed,
        recovered_at=plan.recovered_at,
        retryable=plan.retryable,
        running_since=plan.running_since,
        notes=plan.notes,
        cost=None if graph is None else run_cost(graph, plan.part.running),
    )
