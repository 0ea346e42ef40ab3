"""A pipeline's target account: plan, apply, run, history, models, rollback."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sfml.api.backfill import Backfill, BackfillPlan
from sfml.api.models import Models
from sfml.api.plan import Applied, Plan
from sfml.api.run import Run, Runs
from sfml.api.run_plan import RunPlan
from sfml.base.errors import ConflictingState, UsageError
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import planned, planned_graph, work_of
from sfml.operations.part_plan import PartRequest, shown_part
from sfml.operations.target_account import TargetAccount, target_account
from sfml.operations.target_watch import SilentTargetWatch
from sfml.operations.told_progress import ToldProgress

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.account import history
    from sfml.account.registered import AliasChange, DefaultChange
    from sfml.account.trace import Trace
    from sfml.operations.deployer import Work
    from sfml.operations.held_lease import HeldLease
    from sfml.operations.models import RegisteredModel


class Account:
    """The target account of one pipeline; it is open until the block of `Pipeline.connect` ends."""

    def __init__(self, compiled_spec: CompiledSpec, connected: TargetAccount, user: str) -> None:
        self._opened = compiled_spec
        self._connected = connected
        self._user = user

    @property
    def connection(self) -> SnowflakeConnection:
        """The connection of `snowflake.connector`, with the target's database and schema."""
        return self._connected.connection

    def plan(self, *, resume: bool | None = None, adopt: bool = False) -> Plan:
        """Compute what an apply would change now, without changing anything.

        `resume` turns the schedule on or off, None keeps it; `adopt` takes over a graph that sfml did not make.
        """
        work = planned(self._opened, self._connected, resume=resume, adopt=adopt)
        return Plan(work.plan, self._opened.desired, resume=resume, adopt=adopt)

    def apply(
        self,
        plan: Plan | None = None,
        *,
        approve: bool = False,
        progress: Callable[[str], object] | None = None,
        create_missing: bool = False,
    ) -> Applied:
        """Make the target match the spec. Raises `UsageError` without `approve=True`.

        Raises `InvalidSpec` with their findings if the project's policies do not let it be applied.

        With a plan, exactly its changes are made; `ConflictingState` is raised if the target has changed since the plan
        was made. `progress` is called with one line for each group of stages that is done. If a call fails, the next
        apply finishes what this one began. `create_missing` creates a missing database, schema or compute pool.
        """
        from sfml.operations.environment import demand_environment
        from sfml.operations.part_runs import remove_left_over
        from sfml.operations.policies import plan_findings
        from sfml.operations.reviewed_files import provenance, refuse_unreviewed

        if not approve:
            raise UsageError("an apply changes the target", help="look at the plan, then say approve=True")
        refuse_unreviewed(self._opened)
        resume, adopt = (plan.resume, plan.adopt) if plan is not None else (None, False)
        with self._held() as held_lease:
            work = planned(self._opened, self._connected, resume=resume, adopt=adopt)
            if plan is not None and Plan(work.plan, self._opened.desired).likeness != plan.likeness:
                raise ConflictingState(
                    "the target has changed since the plan was made; nothing was changed", help="plan again"
                )
            plan_findings(self._opened, work.plan).demand()
            remove_left_over(self._opened.desired, self._connected, held_lease, work.staged)
            if work.groups:
                demand_environment(
                    self._opened,
                    self.connection,
                    plan=work.plan,
                    create_missing=create_missing,
                )
                full = work_of(
                    work, self._opened.desired, held_lease.lease, provenance(self._opened, self._user)
                )
                self._carry_out(full, held_lease, progress, is_open=work.is_unfinished)
        return Applied(Plan(work.plan, self._opened.desired), work.number if work.is_recorded else None)

    def run(
        self,
        config: Mapping[str, object] | None = None,
        *,
        only: str | Sequence[str] = (),
        from_: str | Sequence[str] = (),
        recover: str | None = None,
        deployment: int | None = None,
        beside: bool = False,
    ) -> Run:
        """Start one run of the deployed graph; `config` overrides values of its config. `Run.wait` waits for its end.

        With `only`, `from_` or `recover`, a part of a run is started, as `sfml run --only`, `--from` and `--recover`
        do; `plan_run` shows it before. `Run.wait` removes its graph at the end, else the next command does.

        Raises `ConflictingState` when the graph is not deployed, or when an apply is unfinished.
        """
        from sfml.operations.graph_health import demand_finished_apply, suspended_names
        from sfml.operations.runs import follow, interval_of, start

        desired, history = self._opened.desired, self._connected.history
        demand_finished_apply(self._opened, self._connected)
        request = _part_request(config, only, from_, recover, deployment, beside)
        if request is not None:
            return self._run_part(request)
        suspended = suspended_names(history.deployed(desired.root.name))
        texts = {key: _config_text(value) for key, value in (config or {}).items()}
        started = start(desired, history, texts)
        states = follow(desired, history, started, interval=interval_of(desired.target), suspended=suspended)
        return Run(next(states), history, states)

    def plan_run(
        self,
        config: Mapping[str, object] | None = None,
        *,
        only: str | Sequence[str] = (),
        from_: str | Sequence[str] = (),
        recover: str | None = None,
        deployment: int | None = None,
        beside: bool = False,
    ) -> RunPlan:
        """What `run` with the same arguments would run, and what it would reuse; nothing is changed."""
        from sfml.operations.part_plan import part_plan

        request = _part_request(config, only, from_, recover, deployment, beside)
        if request is None:
            raise UsageError("a whole run has no plan", help="give only=, from_= or recover=")
        plan = part_plan(self._opened, self._connected, request, self._user)
        return RunPlan(shown_part(plan), plan.graph)

    def _run_part(self, request: PartRequest) -> Run:
        """Start a part of a run. The graph of the part is removed when the last state is read."""
        from sfml.operations.part_plan import part_plan
        from sfml.operations.part_runs import demand_alone, end_part, remove_left_over, start_part
        from sfml.operations.reviewed_files import refuse_unreviewed
        from sfml.operations.runs import interval_of

        desired, target = self._opened.desired, self._connected
        if request.deployment is None:
            refuse_unreviewed(self._opened)
        with self._held() as held_lease:
            staged = target.stage.staged(desired.pipeline)
            remove_left_over(desired, target, held_lease, staged)
            demand_alone(desired, target, staged, beside=request.beside)
            plan = part_plan(self._opened, target, request, self._user)
            started = start_part(desired, target, held_lease, plan, interval=interval_of(desired.target))

        def states() -> Iterator[history.Run]:
            for run in started.states(desired):
                if run.is_over:
                    with self._held() as held_lease:
                        end_part(desired, target, held_lease, started, run)
                yield run

        found = states()
        return Run(next(found), target.history, found)

    def backfill(
        self,
        over: Mapping[str, object],
        *,
        config: Mapping[str, object] | None = None,
        at_once: int = 1,
        retry_failed: bool = False,
        again: bool = False,
        progress: Callable[[str], object] | None = None,
    ) -> Backfill:
        """Run the deployed graph once for each value, as `sfml backfill` does; returns when all have ended.

        `over` maps a config key to a range such as `"2026-01-01..2026-03-31/1w"`, a value, or a list of both; several
        keys make a product. `progress` is called with one line for each value that has ended. Raises `LeaseHeld` while
        another command fills in values of the pipeline.
        """
        from sfml.operations import backfill as operation
        from sfml.operations.graph_health import demand_finished_apply
        from sfml.operations.held_lease import holding, new_lease
        from sfml.plan.lane import backfill_lease
        from sfml.render.backfill import value_line
        from sfml.render.symbols import Symbols

        desired, target = self._opened.desired, self._connected
        demand_finished_apply(self._opened, target)
        request = operation.BackfillRequest(_configs(over, config), at_once, retry_failed, again)
        name, ran = backfill_lease(desired.root.name), 0
        with holding(target.leases, name, new_lease(self._user, None)) as held_lease:
            plan = operation.backfill_plan(self._opened, target, request)
            work = operation.Backfill(plan, target, held_lease, self._held)
            for value in work.run() if plan.todo else ():
                if value.state != "running":
                    ran += 1
                    if progress is not None:
                        progress(value_line(value, Symbols()).strip())
            state = work.state if plan.todo else operation.read_state(desired, target)
        values = state.of([value.config for value in plan.values])
        return Backfill(desired.pipeline, desired.target.name, values, ran)

    def plan_backfill(
        self,
        over: Mapping[str, object],
        *,
        config: Mapping[str, object] | None = None,
        retry_failed: bool = False,
        again: bool = False,
    ) -> BackfillPlan:
        """What `backfill` with the same arguments would run; nothing is changed."""
        from sfml.operations import backfill as operation
        from sfml.plan.lane import lane_graph, lane_root

        request = operation.BackfillRequest(_configs(over, config), 1, retry_failed, again)
        plan = operation.backfill_plan(self._opened, self._connected, request)
        lane = lane_graph(plan.graph, lane_root(plan.desired.root.name, 1), {"lane": plan.origin})
        return BackfillPlan(lane, plan.values, plan.todo, plan.notes)

    def runs(self, limit: int = 10) -> Runs:
        """The last runs and parts of runs, newest first, including runs whose root was skipped.

        Runs go seven days back at most, parts thirty.
        """
        from sfml.operations.part_runs import history_of

        desired = self._opened.desired
        return Runs(desired, history_of(desired, self._connected, limit=limit), self._connected.history)

    def models(self, name: str | None = None) -> Models:
        """The versions of a model in the registry; without a name, of all models that steps get as `model_name`."""
        from sfml.account.registered import models_of
        from sfml.snowflake.registry import versions

        graph, target = self._opened.reading.graph, self._opened.desired.target
        assert graph is not None, "a spec that compiles has a graph"
        names = (name,) if name is not None else models_of(graph)
        return Models({one: versions(self.connection, target, one) for one in names})

    def promote(
        self, version: str, *, model: str | None = None, reason: str | None = None, approve: bool = False
    ) -> DefaultChange:
        """Make a version, given by name or alias, the default, which scoring uses; the reason is kept with it.

        Raises `UsageError` without `approve=True`, if there is no such version, or if the model must be named.
        """
        from sfml.operations.models import promote

        return promote(self._model(model), version, reason=reason, approve=_approved(approve))

    def rollback_model(
        self, *, model: str | None = None, reason: str | None = None, approve: bool = False
    ) -> DefaultChange:
        """Make the version before the default one the default again, as `sfml models rollback` does.

        Raises `ConflictingState` without one, `UsageError` without `approve=True`.
        """
        from sfml.operations.models import roll_back

        return roll_back(self._model(model), reason=reason, approve=_approved(approve))

    def set_alias(
        self,
        alias: str,
        version: str | None,
        *,
        model: str | None = None,
        reason: str | None = None,
        approve: bool = False,
    ) -> AliasChange:
        """Give an alias to a version, or take it away with None.

        Raises `UsageError` without `approve=True` if another version has the alias.
        """
        from sfml.operations.models import change_alias

        return change_alias(self._model(model), alias, version, reason=reason, approve=_approved(approve))

    def trace(self, subject: str) -> Trace:
        """Trace `MODEL@VERSION` to the run that made it, or a run, by its id or `last`, to what it made.

        Raises `ConflictingState` if the model or run is not there, `UsageError` if there is no such version.
        """
        from sfml.operations.trace import trace

        return trace(self._opened, self._connected, subject)

    def _model(self, name: str | None) -> RegisteredModel:
        from sfml.operations.models import RegisteredModel, only_model

        target = self._opened.desired.target
        return RegisteredModel(self.connection, target, name or only_model(self._opened), self._user)

    def rollback(self, to: int | None = None) -> Applied:
        """Go back to an earlier deployment: number `to`, or else the latest one that differs. Models and tables stay.

        Raises `ConflictingState` when the deployment is not kept, or its code has been removed.
        """
        from sfml.operations.rollback import goal_of

        desired = self._opened.desired
        with self._held() as held_lease:
            goal, _ = goal_of(desired, self._connected, to)
            graph = goal.graph(desired.target)
            work = planned_graph(graph, self._connected)
            if work.groups:
                full = work_of(work, graph, held_lease.lease, {"user": self._user}, kind="rollback")
                self._carry_out(full, held_lease, None, is_open=work.is_unfinished, command="rollback")
        return Applied(Plan(work.plan, graph), work.number if work.is_recorded else None)

    @contextmanager
    def _held(self) -> Iterator[HeldLease]:
        from sfml.operations.held_lease import holding, new_lease

        leases, root = self._connected.leases, self._opened.desired.root.name
        with holding(leases, root, new_lease(self._user, None)) as held_lease:
            yield held_lease

    def _carry_out(
        self,
        work: Work,
        held_lease: HeldLease,
        progress: Callable[[str], object] | None,
        *,
        is_open: bool,
        command: str = "apply",
    ) -> None:
        """Make the changes. Adds help on how to go on to an error; `is_open` says that a journal was left before."""
        from sfml.operations.deployer import Deployer, SilentWatcher
        from sfml.operations.guided_deployer import GuidedDeployer

        watcher = SilentWatcher() if progress is None else ToldProgress(progress)
        deployer = Deployer(work, self._connected.tasks, self._connected.stage, held_lease, watcher=watcher)
        GuidedDeployer(deployer, self._opened.desired.where, is_open=is_open, command=command).deploy()


@contextmanager
def connected_account(compiled_spec: CompiledSpec, user: str) -> Iterator[Account]:
    """Connect to the target of a pipeline for the duration of the block."""
    with target_account(compiled_spec, _Warnings()) as connected:
        yield Account(compiled_spec, connected, user)


class _Warnings(SilentTargetWatch):
    """Reports the warnings of a connection as Python warnings."""

    def warns(self, text: str) -> None:
        warnings.warn(text, stacklevel=9)

    notes = warns


def _approved(approve: bool) -> Callable[[str], None]:
    """Answers the question of a change: raises `UsageError` unless it is approved."""

    def answer(question: str) -> None:
        if not approve:
            raise UsageError(question, help="say approve=True")

    return answer


def _part_request(
    config: Mapping[str, object] | None,
    only: str | Sequence[str],
    from_: str | Sequence[str],
    recover: str | None,
    deployment: int | None,
    beside: bool,
) -> PartRequest | None:
    """The part of a run that is asked for; None for a whole run. Raises `UsageError` for arguments of parts alone."""
    texts = {key: _config_text(value) for key, value in (config or {}).items()}
    request = PartRequest(_texts(only), _texts(from_), recover, deployment, texts, beside)
    if request.is_part:
        return request
    if deployment is not None or beside:
        raise UsageError(
            "deployment= and beside= go with a part of a run", help="give only=, from_= or recover="
        )
    return None


def _configs(
    over: Mapping[str, object], config: Mapping[str, object] | None
) -> tuple[Mapping[str, str], ...]:
    """The config of each run of a backfill as text."""
    from sfml.plan.backfill_values import run_configs

    others = {key: _config_text(value) for key, value in (config or {}).items()}
    return run_configs((json.dumps(dict(over)),), others)


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _config_text(value: object) -> str:
    """A value as text, as in `--config key=value`."""
    return value if isinstance(value, str) else json.dumps(value)
