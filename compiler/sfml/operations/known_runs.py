"""What is known of a pipeline's runs and of parts of them: from Snowflake's history, records, and kept deployments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sfml.account.history import MOST_ROWS, DeployedRoot, TaskRow
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import DUMMY_ROOT
from sfml.operations.runs import NONCE
from sfml.operations.target_account import TargetAccount
from sfml.plan.journal import Deployment, KeptDeployments, deployment_before
from sfml.plan.part import EarlierResults, TaskResult
from sfml.plan.part_record import PartRecord, record_from, record_paths
from sfml.plan.rehoming import EarlierRun
from sfml.plan.stage_content import StageContent
from sfml.semantics.states import State

LAST = "last"
"""What `--recover` takes for the last run that did not succeed."""

_FAILURES = (State.FAILED, State.FAILED_AND_AUTO_SUSPENDED, State.CANCELLED)

_FIRST = datetime.min.replace(tzinfo=UTC)


@record
class KnownRuns:
    """The rows of the deployed graph's runs, the records of parts, the deployments, and the names of tasks."""

    rows: tuple[TaskRow, ...]
    parts: tuple[PartRecord, ...]
    kept: KeptDeployments
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

    def root_state(self, run_id: str) -> State | None:
        """How the root ended in the latest attempt of a run; None for a part, and for a state that is none of ours."""
        own = [row for row in self.rows if row.run_group == run_id and row.name == self.root.name]
        latest = max(own, key=lambda row: row.attempt, default=None)
        return State(latest.state) if latest is not None and latest.state in State.__members__ else None

    def part(self, run_id: str) -> PartRecord | None:
        """The record of the part with this id; None for a run of the whole graph."""
        return next((one for one in self.parts if one.outcome and one.outcome.run_id == run_id), None)

    def earlier_run(self, run_id: str) -> EarlierRun:
        """The run that steps are told of: of a part, the run that it continues."""
        part = self.part(run_id)
        if part is not None and part.run is not None:
            return part.run
        if part is not None:
            return EarlierRun(run_id, part.outcome.started_at if part.outcome else None, self.root.name)
        at = self.began(run_id)
        text = None if at is None else at.isoformat(sep=" ", timespec="milliseconds")
        return EarlierRun(run_id, text, self.root.name)

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The ids of all runs and parts, the newest first."""
        began: dict[str, datetime] = {}
        for row in self.rows:
            if row.run_group and row.state != "SCHEDULED":
                began[row.run_group] = max(began.get(row.run_group, _FIRST), row.scheduled_time or _FIRST)
        for part in self.parts:
            if part.outcome is not None:
                began[part.outcome.run_id] = datetime.fromisoformat(part.began_at)
        return tuple(sorted(began, key=lambda run_id: began[run_id], reverse=True))

    @property
    def mended(self) -> frozenset[str]:
        """The runs that a part recovered with success, and the parts that failed to recover them before.

        One that was retried since the part began is not recovered by it.
        """
        mended: set[str] = set()
        for part in reversed(self.parts):
            outcome = part.outcome
            if (
                outcome is None
                or part.recovers is None
                or self._was_retried(part.recovers, outcome.started_at)
            ):
                continue
            if outcome.state == "SUCCEEDED" or outcome.run_id in mended or part.recovers in mended:
                mended |= {part.recovers, outcome.run_id}
        return frozenset(mended)

    def _was_retried(self, run_id: str, began: str | None) -> bool:
        """Whether a task of the run ended after this time of the account's clock."""
        ends = (row.completed_at for row in self.group(run_id).values() if row.completed_at)
        return began is not None and any(end > datetime.fromisoformat(began) for end in ends)

    def results(self, recovered: str | None) -> EarlierResults:
        """The results of a run; without one, the latest success of every task."""
        if recovered is None:
            return EarlierResults(self._latest_results())
        part = self.part(recovered)
        if part is None:
            own = {
                name: _result(row)
                for name, row in self.group(recovered).items()
                if row.state in State.__members__
            }
            return EarlierResults(own, recovered)
        before = {} if part.recovers is None else self.results(part.recovers).results
        return EarlierResults({**before, **part.results()}, recovered)

    def _latest_results(self) -> Mapping[str, TaskResult]:
        """The latest success of every task; of one that never succeeded, how it ended last."""
        ended: list[tuple[str, TaskResult]] = [
            (self.names[row.name], _result(row))
            for row in self.rows
            if row.name in self.names and row.state in State.__members__ and State(row.state).is_final
        ]
        for part in self.parts:
            own = part.results().items()
            ended += [(name, result) for name, result in own if name not in part.reused]
        latest: dict[str, TaskResult] = {}
        for name, result in sorted(ended, key=lambda one: one[1].completed_at or _FIRST):
            before = latest.get(name)
            if result.state is State.SUCCEEDED or before is None or before.state is not State.SUCCEEDED:
                latest[name] = result
        return latest

    def root_value(self, recovered: str | None) -> str | None:
        """What the root returned in the recovered run, else in its latest success; most roots return nothing."""
        rows = [row for row in self.rows if row.name == self.root.name and row.state == "SUCCEEDED"]
        own = [row for row in rows if row.run_group == recovered] or rows
        return own[0].return_value if own else None

    def config(self, run_id: str) -> Mapping[str, Any]:
        """The config that a run had; empty where it is not known."""
        part = self.part(run_id)
        if part is not None:
            return dict(part.config or {})
        texts = [row.config for row in self.rows if row.run_group == run_id and row.config]
        values = _config_of(texts[0]) if texts else {}
        return {key: value for key, value in values.items() if key != NONCE}

    def overridden(self, run_id: str) -> Mapping[str, Any]:
        """The keys of the config that the run had with other values than its deployment.

        All keys where that deployment is not kept: which of them were overridden is not known then.
        """
        part = self.part(run_id)
        if part is not None and part.recovers is not None:
            return self.overridden(part.recovers)
        values, deployment = self.config(run_id), self.ran_on(run_id)
        if part is not None or deployment is None:
            return values
        usual = deployment.artefact.root.config or {}
        return {key: value for key, value in values.items() if key in usual and usual[key] != value}

    def ran_on(self, run_id: str) -> Deployment | None:
        """The deployment that a run ran on: the last one that was begun before the run; None if it is not kept."""
        at = self.began(run_id)
        return None if at is None else deployment_before(self.kept.deployments, at)

    def can_be_retried(self, run_id: str) -> bool:
        """Whether no later deployment is known, which makes Snowflake forget the run."""
        deployment = self.ran_on(run_id)
        newest = max((one.header.number for one in self.kept.deployments), default=None)
        return newest is None or (deployment is not None and deployment.header.number == newest)


def known_runs(
    desired: DesiredGraph,
    graph: DesiredGraph,
    target: TargetAccount,
    root: DeployedRoot,
    staged: StageContent | None,
) -> KnownRuns:
    """Read what is known of the runs of a pipeline, with the names of tasks of the files and of the graph to run."""
    kept = target.stage.kept(desired.pipeline) if staged and staged.deployments else KeptDeployments(())
    rows = _whole_runs(target.history.rows(root), root)
    return KnownRuns(rows, part_records(staged, target), kept, _names(desired, graph, kept), root)


def _whole_runs(rows: tuple[TaskRow, ...], root: DeployedRoot) -> tuple[TaskRow, ...]:
    """The rows without those of a run that the limit of the history has cut off: its root's row is the oldest."""
    if len(rows) < MOST_ROWS:
        return rows
    whole = {row.run_group for row in rows if row.name == root.name}
    return tuple(row for row in rows if row.run_group in whole)


def part_records(staged: StageContent | None, target: TargetAccount) -> tuple[PartRecord, ...]:
    """The records of earlier parts, read with one call if there are any."""
    paths = record_paths(staged)
    contents = target.stage.contents(paths) if paths else {}
    found = (record_from(contents[path]) for path in sorted(contents))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.began_at))


def run_named(text: str, known: KnownRuns, desired: DesiredGraph) -> str:
    """The id of the run that the user means: all of it, the start of it, or `last`."""
    ids = known.run_ids
    if text == LAST:
        return _last_failed(known, desired)
    fitting = [run_id for run_id in ids if run_id == text] or [
        run_id for run_id in ids if text and run_id.startswith(text)
    ]
    if len(fitting) == 1:
        _refuse_executing(fitting[0], known)
        _refuse_without_root(fitting[0], known, desired)
        return fitting[0]
    if fitting:
        raise UsageError(
            f"several runs begin with `{text}`: {', '.join(fitting[:3])}", help="write more of the id"
        )
    raise ConflictingState(
        f"run `{text}` of {desired.pipeline} is not kept: Snowflake keeps its history for seven days",
        help=f"list the runs:  sfml history {desired.where}   (not those of a backfill, which parts cannot use)",
    )


def _last_failed(known: KnownRuns, desired: DesiredGraph) -> str:
    mended = known.mended
    for run_id in known.run_ids:
        if run_id in mended:
            continue
        states = {result.state for result in known.results(run_id).results.values()}
        if {*states, known.root_state(run_id)} & {*_FAILURES}:
            _refuse_without_root(run_id, known, desired)
            return run_id
    which = "every run that failed was recovered since" if mended else "no run that failed is kept"
    raise ConflictingState(
        f"there is nothing to recover for {desired.pipeline} in target `{desired.target.name}`: {which}",
        help=f"list the runs:  sfml history {desired.where}",
    )


def _refuse_executing(run_id: str, known: KnownRuns) -> None:
    if any(row.state in ("EXECUTING", "SCHEDULED") for row in known.group(run_id).values()):
        raise ConflictingState(f"run {run_id} is executing; nothing was run", help="wait for its end")


def _refuse_without_root(run_id: str, known: KnownRuns, desired: DesiredGraph) -> None:
    """Raise `ConflictingState` for a run in which no task began because of its root, which a part does not run."""
    state = known.root_state(run_id)
    if state is State.SKIPPED:
        raise ConflictingState(
            f"run {run_id} was skipped, because the condition of its root did not hold: there is nothing to recover",
            help=f"run what you choose, with the latest results:  sfml run {desired.where} --from TASK",
        )
    if state in _FAILURES and desired.root.definition != DUMMY_ROOT:
        raise ConflictingState(
            f"the root failed in run {run_id}, and a part does not run its statement; nothing was run",
            help=f"run the pipeline anew:  sfml run {desired.where}",
        )


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


def _result(row: TaskRow) -> TaskResult:
    return TaskResult(State(row.state), row.run_group, row.return_value, row.completed_at)


def _config_of(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
