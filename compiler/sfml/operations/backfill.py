"""Backfills: one run for each value, in lanes beside the deployed graph; resumable, with its state on the stage."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sfml.account.history import DeployedRoot, Run, TaskRow
from sfml.account.part_graphs import PartGraph, lane_graphs
from sfml.base.errors import AccountError, ConflictingState, ConnectionFailed, UsageError
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.base.release import VERSION
from sfml.cost.amount import Amount, exactly
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.located import Scalar
from sfml.graph.model import StreamSchedule
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import folded_name
from sfml.operations.apply_plan import read_stage
from sfml.operations.begun_values import ended_value, since_of
from sfml.operations.deployer import Deployer, Work
from sfml.operations.expected_cost import ExpectedCost, expected_cost
from sfml.operations.held_lease import HeldLease
from sfml.operations.runs import (
    NONCE,
    START_WITHIN,
    AwaitedRun,
    checked_overrides,
    interval_of,
    not_deployed,
    read_run,
)
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import Artefact, observed_artefact
from sfml.plan.backfill_state import (
    BackfillState,
    FilledValue,
    backfill_path,
    has_backfill,
    key_of,
    state_from,
    state_json,
)
from sfml.plan.journal import KeptDeployments, header_of
from sfml.plan.lane import lane_graph, lane_root
from sfml.plan.run_activity import next_runs
from sfml.plan.settings import split_comment
from sfml.plan.stages import DropTask, creation_groups
from sfml.semantics.conditions import reads_streams

LOOKS_FOR_A_RUN = 20
"""How often the history is read for a run that was asked for before the command was killed."""


@record
class BackfillRequest:
    """What the user asks for: the config of each run as text, and which of them to run."""

    configs: tuple[Mapping[str, str], ...]
    at_once: int = 1
    retry_failed: bool = False
    again: bool = False


@record
class BackfillPlan:
    """The values of a backfill with what is known of them, and those that are to run.

    `graph` is the deployed graph, `suspended` are its suspended tasks; `origin` is its fingerprint.
    """

    desired: DesiredGraph
    graph: DesiredGraph
    origin: str
    values: tuple[FilledValue, ...]
    todo: tuple[FilledValue, ...]
    at_once: int
    suspended: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    credits: Amount | None = None
    """What the values that are to run cost together; None for a local target."""


def backfill_plan(
    compiled_spec: CompiledSpec, target: TargetAccount, request: BackfillRequest
) -> BackfillPlan:
    """Plan a backfill of the deployed graph. Reads the target, and changes nothing.

    Raises `ConflictingState` for a graph that is not deployed or that a stream starts, and `UsageError` for a config
    key that does not exist or may not be overridden, and for fewer than one run at once.
    """
    if request.at_once < 1:
        raise UsageError(f"{request.at_once} runs at once are none", help="run one at a time, or more")
    desired = compiled_spec.desired
    staged, _ = read_stage(desired, target)
    root = target.history.root(desired.root.name)
    if root is None:
        raise not_deployed(desired)
    observed = target.tasks.observed(desired.root.name)
    there = observed_artefact(desired.pipeline, desired.target, observed)
    assert there is not None, "the root is there"
    kept = target.stage.kept(desired.pipeline) if staged and staged.deployments else KeptDeployments(())
    artefact = next(
        (one.artefact for one in kept.deployments if one.artefact.fingerprint == there.fingerprint), there
    )
    graph = artefact.graph(desired.target)
    _refuse_streams(desired, graph)
    lane_graph(
        graph, lane_root(desired.root.name, request.at_once), {}
    )  # so that names are known to be short enough
    deployed = replace(desired, root=replace(desired.root, config=graph.root.config))
    configs = tuple(checked_overrides(deployed, config) for config in request.configs)
    state = read_state(desired, target) if has_backfill(staged) else BackfillState({})
    values = state.of(_without_duplicates(configs))
    todo = tuple(value for value in values if _is_wanted(value, request))
    cost = None if desired.target.is_local else _cost(compiled_spec, graph, target.history.rows(root))
    return BackfillPlan(
        desired=desired,
        graph=graph,
        origin=there.fingerprint,
        values=values,
        todo=todo,
        at_once=request.at_once,
        suspended=frozenset(there.suspended),
        notes=(
            *_notes(desired, graph, artefact, root, values, there.fingerprint),
            *_lost_notes(desired, target, todo),
            *([cost.basis] if cost is not None and cost.basis else []),
        ),
        credits=None if cost is None else cost.credits.times(exactly(len(todo))),
    )


def _cost(compiled_spec: CompiledSpec, graph: DesiredGraph, rows: Sequence[TaskRow]) -> ExpectedCost | None:
    """The cost of one value."""
    return expected_cost(
        compiled_spec, [task.task for task in graph.all_tasks if task.task is not None], rows
    )


def _refuse_streams(desired: DesiredGraph, graph: DesiredGraph) -> None:
    if isinstance(graph.root.schedule, StreamSchedule) or reads_streams(graph.root.condition or ""):
        raise ConflictingState(
            f"{desired.pipeline} is started by a stream, which has no past to be filled; nothing was run",
            help=f"run it for the rows that the stream holds:  sfml run {desired.where}",
        )


def _without_duplicates(configs: Sequence[Mapping[str, Scalar]]) -> tuple[Mapping[str, Scalar], ...]:
    return tuple({key_of(config): config for config in configs}.values())


def _is_wanted(value: FilledValue, request: BackfillRequest) -> bool:
    if request.again or value.state in ("pending", "running"):
        return True
    return request.retry_failed and value.state in ("failed", "cancelled")


def _notes(
    desired: DesiredGraph,
    graph: DesiredGraph,
    artefact: Artefact,
    root: DeployedRoot,
    values: Sequence[FilledValue],
    origin: str,
) -> Iterator[str]:
    if desired.fingerprint and artefact.fingerprint != desired.fingerprint:
        yield f"it runs what is deployed, which differs from the files:  sfml plan {desired.where}"
    others = sum(value.state == "succeeded" and value.origin != origin for value in values)
    if others:
        yield f"{others} of these ran on another version of the graph; --again repeats them"
    if root.started and (runs := next_runs(graph.root.schedule, datetime.now(UTC), 1)):
        yield f"the schedule is on: the run of {runs[0]:%a} {runs[0].day} {runs[0]:%b %H:%M %Z} may overlap with these"
    elif root.started:
        yield "the schedule is on: its runs may overlap with these"


def _lost_notes(desired: DesiredGraph, target: TargetAccount, todo: Sequence[FilledValue]) -> Iterator[str]:
    """What is to be known of values that were begun in lanes which are gone. Costs a call if some were begun."""
    if not any(value.state == "running" for value in todo):
        return
    lanes = lane_graphs(target.history.deployed(desired.root.name), desired.root.name)
    there = {lane.root for lane in lanes if lane.has_root}
    lost = sum(value.state == "running" and value.lane not in there for value in todo)
    if lost:
        yield (
            f"{lost} of these began on copies of the graph that are gone: how they ended is not known,"
            " and they run again"
        )


def read_state(desired: DesiredGraph, target: TargetAccount) -> BackfillState:
    """The state of the pipeline's backfills."""
    return state_from(target.stage.content(backfill_path(desired.pipeline)))


# -- carrying out

_NO_SUCH_OBJECT = ("002003", "2003")


@dataclass(slots=True)
class _Lane:
    """A lane, and the value that runs in it; `looks` counts the readings in which its run was not found."""

    graph: DesiredGraph
    root: DeployedRoot
    value: FilledValue | None = None
    looks: int = 0
    is_taken_over: bool = False
    """Whether another command wrote that the value runs, and may have been killed before it began the run."""


@dataclass(slots=True)
class Backfill:
    """Runs the values of a plan. `locked` holds the lease of the pipeline while its tasks are changed.

    `held_lease` is the lease of the backfill, which is looked at before every change.
    """

    plan: BackfillPlan
    target: TargetAccount
    held_lease: HeldLease
    locked: Callable[[], AbstractContextManager[HeldLease]]
    pause: Callable[[float], None] = time.sleep
    is_stopped: Callable[[], bool] = lambda: False
    state: BackfillState = field(default_factory=lambda: BackfillState({}))
    lanes: list[_Lane] = field(default_factory=list)
    strangers: frozenset[str] = frozenset()
    """Names of the schema's other tasks, which no lane may have."""

    def run(self) -> Iterator[FilledValue]:
        """Run the values; yields each when it has begun and when it has ended. The lanes are removed at the end.

        Once `is_stopped` returns true, no other run is begun; runs that are executing go on, and are found again by
        the next backfill. Raises `ConflictingState` if somebody removes a lane meanwhile.
        """
        try:
            yield from self._run()
        except AccountError as error:
            if error.code not in _NO_SUCH_OBJECT:
                raise
            raise self._removed() from error

    def _removed(self) -> ConflictingState:
        """What is said where a task of a lane is gone, which only another command or a person can have dropped."""
        desired = self.plan.desired
        if self.target.history.root(desired.root.name) is None:
            return ConflictingState(
                f"{desired.pipeline} was destroyed while its backfill ran; the values that were left did not run",
                help=f"deploy it, and run the same command again:  sfml apply {desired.where}",
            )
        return ConflictingState(
            "a copy of the graph was removed while values ran on it; how they ended is not known",
            help="run the same command again: it repeats these values, and goes on with the rest",
        )

    def _run(self) -> Iterator[FilledValue]:
        desired, target = self.plan.desired, self.target
        self.state = (
            read_state(desired, target) if has_backfill(target.stage.staged(desired.pipeline)) else self.state
        )
        self._find_lanes()
        todo = [value for value in self.plan.todo if not self._is_running(value)]
        while self._busy or (todo and not self.is_stopped()):
            yield from self._ended(todo)
            if not self.is_stopped():
                yield from self._begun(todo)
            elif self._busy:
                return  # these runs go on; the next backfill finds them
            if self._busy:
                self.pause(interval_of(desired.target))
        if not self._busy:
            self._remove_lanes()

    @property
    def _busy(self) -> list[_Lane]:
        return [lane for lane in self.lanes if lane.value is not None]

    def _is_running(self, value: FilledValue) -> bool:
        known = self.state.values.get(value.key)
        return known is not None and known.state == "running"

    # lanes

    def _lanes_there(self) -> tuple[PartGraph, ...]:
        root = self.plan.desired.root.name
        deployed = self.target.history.deployed(root)
        graphs = lane_graphs(deployed, root)
        own = {task.name for graph in graphs for task in graph.tasks}
        self.strangers = frozenset(task.name for task in deployed.others if task.name not in own)
        return graphs

    def _find_lanes(self) -> None:
        """Take over the lanes of a backfill that was cut off, with the values that may run in them."""
        running = {value.lane: value for value in self.state.values.values() if value.state == "running"}
        unused: list[PartGraph] = []
        for graph in self._lanes_there():
            root = self.target.history.root(folded_name(graph.root)) if graph.has_root else None
            value = None if root is None else running.pop(graph.root, None)
            if root is None or (value is None and _origin(root) != self.plan.origin):
                unused.append(graph)
                continue
            made = lane_graph(self.plan.graph, folded_name(graph.root), {})
            if value is not None or _is_whole(made, graph):
                self.lanes.append(_Lane(made, root, value, is_taken_over=True))
            else:
                unused.append(graph)
        if unused:
            self._remove(unused)
        if running:  # their lanes are gone, and nobody knows how they ended
            self._write(*(replace(value, state="pending") for value in running.values()))

    def _lane(self) -> _Lane | None:
        """A lane without a run, made if there are fewer than wanted; None if all are busy."""
        free = next((lane for lane in self.lanes if lane.value is None), None)
        if free is not None and _origin(free.root) != self.plan.origin:
            # It ran an earlier version of the graph.
            self.lanes.remove(free)
            self._remove([one for one in self._lanes_there() if one.root == free.root.name])
            free = None
        if free is not None or len(self._busy) >= self.plan.at_once or len(self.lanes) >= self.plan.at_once:
            return free
        taken = {lane.root.name for lane in self.lanes} | self.strangers
        number = next(
            n for n in range(1, len(taken) + 2) if raw(lane_root(self.plan.desired.root.name, n)) not in taken
        )
        self.lanes.append(self._made(lane_root(self.plan.desired.root.name, number)))
        return self.lanes[-1]

    def _made(self, name: str) -> _Lane:
        graph = lane_graph(self.plan.graph, name, {"lane": self.plan.origin, "version": VERSION})
        groups = tuple(group for group in creation_groups(graph, (), has_stage=True) if group)
        suspended = frozenset(
            made.name
            for made, old in zip(graph.all_tasks, (one for one in self.plan.graph.all_tasks), strict=False)
            if old.name in self.plan.suspended
        )
        with self.locked() as held_lease:
            work = Work(groups, graph, header_of(held_lease.lease, 0, work="backfill"), suspended=suspended)
            Deployer(work, self.target.tasks, self.target.stage, held_lease).deploy()
        root = self.target.history.root(name)
        if root is None:
            raise ConflictingState(f"`{name}` was removed before it could run")
        return _Lane(graph, root)

    def _remove_lanes(self) -> None:
        self._remove(self._lanes_there())
        self.lanes.clear()

    def _remove(self, graphs: Sequence[PartGraph]) -> None:
        children = tuple(
            DropTask(folded_name(task.name))
            for graph in graphs
            for task in graph.tasks
            if task.name != graph.root
        )
        roots = tuple(DropTask(folded_name(graph.root)) for graph in graphs if graph.has_root)
        groups = tuple(group for group in (children, roots) if group)
        if not groups:
            return
        with self.locked() as held_lease:
            work = Work(groups, self.plan.desired, header_of(held_lease.lease, 0, work="backfill"))
            Deployer(work, self.target.tasks, self.target.stage, held_lease).deploy()

    # values

    def _begun(self, todo: list[FilledValue]) -> Iterator[FilledValue]:
        """Begin as many values as there are lanes without a run: one call for each lane, never two that wait."""
        started: list[_Lane] = []
        while todo and (lane := self._lane()) is not None:
            value = todo.pop(0)
            lane.looks, lane.is_taken_over = 0, False
            lane.value = FilledValue(
                value.config,
                "running",
                nonce=uuid.uuid4().hex,
                lane=lane.root.name,
                started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                origin=self.plan.origin,
            )
            started.append(lane)
        if not started:
            return
        # The state is written first: whatever happens then, the run is known by its nonce.
        self._write(*(lane.value for lane in started if lane.value is not None))
        for lane in started:
            begun = lane.value
            assert begun is not None and begun.nonce is not None
            self.held_lease.look()
            self.target.history.execute(lane.graph.root.name, {**begun.config, NONCE: begun.nonce})
            yield begun

    def _ended(self, todo: list[FilledValue]) -> Iterator[FilledValue]:
        """The values whose runs have ended since the last reading."""
        ended: list[FilledValue] = []
        for lane in self._busy:
            value = lane.value
            assert value is not None
            found, now = self._read(lane, value)
            if found is None:
                lane.looks += 1
                if lane.is_taken_over and lane.looks > LOOKS_FOR_A_RUN:
                    lane.value = None
                    todo.insert(0, value)
                elif lane.looks * interval_of(self.plan.desired.target) > START_WITHIN:
                    raise ConnectionFailed(
                        f"a run did not appear in the history within {START_WITHIN:.0f} s",
                        help="run the same command again: it goes on where this one stopped",
                    )
                continue
            lane.value = None if now else replace(value, run_id=found.run_id)
            if now:
                ended.append(ended_value(value, found))
        if ended:
            self._write(*ended)
            yield from ended

    def _read(self, lane: _Lane, value: FilledValue) -> tuple[Run | None, bool]:
        history = self.target.history
        since = since_of(value)
        group = value.run_id
        if group is None:
            rows = history.rows(lane.root, since)
            group = next((row.run_group for row in rows if (value.nonce or "-") in (row.config or "")), None)
        if not group:
            return None, False
        retries = lane.graph.root.task_auto_retry_attempts or 0
        return read_run(lane.graph, history, AwaitedRun(lane.root, group, since, retries))

    def _write(self, *values: FilledValue) -> None:
        self.held_lease.look()
        for value in values:
            self.state = self.state.with_value(value)
        path = backfill_path(self.plan.desired.pipeline)
        self.target.stage.write(path, state_json(self.state).encode())


def _origin(root: DeployedRoot) -> str:
    record = split_comment(root.comment)[1] or {}
    return str(record.get("lane", ""))


def _is_whole(made: DesiredGraph, graph: PartGraph) -> bool:
    there = {task.name for task in graph.tasks}
    return {raw(task.name) for task in made.all_tasks} == there and all(
        task.started for task in graph.tasks if task.name != graph.root
    )
