"""A pipeline's target, connected: plan, apply, run, look back, go back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sfml.api.models import Models
from sfml.api.plan import Applied, Plan
from sfml.api.run import Run, Runs
from sfml.base.errors import ConflictingState, ConnectionFailed, UsageError
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import planned, planned_graph, work_of
from sfml.operations.target_account import TargetAccount, target_account
from sfml.operations.target_watch import Unwatched
from sfml.render.stages import done_text, wait_words

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.operations.deploy import Work
    from sfml.operations.holding import HeldLease
    from sfml.plan.stages import Group, Stage


class Account:
    """The target of one pipeline, open until the block of `Pipeline.connect` ends."""

    def __init__(self, opened: CompiledSpec, connected: TargetAccount, user: str) -> None:
        self._opened = opened
        self._connected = connected
        self._user = user

    @property
    def connection(self) -> SnowflakeConnection:
        """The connector's own connection, in the target's database and schema."""
        return self._connected.connection

    def plan(self, *, resume: bool | None = None, adopt: bool = False) -> Plan:
        """What an apply would change now; changes nothing.

        `resume` turns the schedule on or off, None leaves it as it is; `adopt` takes over a graph that sfml did
        not make.
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
        """Make the target match the spec; `approve=True` says that its changes are agreed to.

        With a plan just that is done, and `ConflictingState` raised when the target moved on since it was made.
        `progress` is given a line for each thing done. Whatever call fails, the next apply finishes what this one
        began. `create_missing` makes database, schema and pool where they are not there yet.
        """
        from sfml.operations.environment import demand_environment
        from sfml.operations.reviewed_files import provenance, refuse_unreviewed

        if not approve:
            raise UsageError("an apply changes the target", help="look at the plan, then say approve=True")
        refuse_unreviewed(self._opened)
        resume, adopt = (plan.resume, plan.adopt) if plan is not None else (None, False)
        with self._held() as held:
            work = planned(self._opened, self._connected, resume=resume, adopt=adopt)
            if plan is not None and Plan(work.plan, self._opened.desired).likeness != plan.likeness:
                raise ConflictingState(
                    "the target has moved on since the plan was made; nothing was changed", help="plan again"
                )
            if work.groups:
                demand_environment(
                    self._opened,
                    self.connection,
                    plan=work.plan,
                    create_missing=create_missing,
                )
                full = work_of(work, self._opened.desired, held.lease, provenance(self._opened, self._user))
                self._carry_out(full, held, progress, is_open=work.is_unfinished)
        return Applied(Plan(work.plan, self._opened.desired), work.number if work.is_recorded else None)

    def run(self, config: Mapping[str, object] | None = None) -> Run:
        """Start the deployed graph once; `config` overrides values of its config. `Run.wait` follows it.

        Raises `ConflictingState` when it is not deployed, or half applied.
        """
        from sfml.operations.graph_health import demand_whole, suspended_names
        from sfml.operations.runs import follow, interval_of, start

        desired, history = self._opened.desired, self._connected.history
        demand_whole(self._opened, self._connected)
        suspended = suspended_names(history.deployed(desired.root.name))
        texts = {key: _config_text(value) for key, value in (config or {}).items()}
        started = start(desired, history, texts)
        states = follow(desired, history, started, interval=interval_of(desired.target), suspended=suspended)
        return Run(next(states), history, states)

    def runs(self, limit: int = 10) -> Runs:
        """The runs of the last seven days, newest first; those whose root was skipped count."""
        from sfml.operations.runs import recent_runs

        desired, history = self._opened.desired, self._connected.history
        root = history.root(desired.root.name)
        found = recent_runs(desired, history, root, limit=limit, with_skipped=True) if root else ()
        return Runs(desired, tuple(Run(one, history) for one in found))

    def models(self, name: str | None = None) -> Models:
        """The versions of a model in the registry, or of those that the steps are given as `model_name`."""
        from sfml.account.registered import models_of
        from sfml.snowflake.registry import versions

        graph, target = self._opened.reading.graph, self._opened.desired.target
        assert graph is not None, "a spec that compiles has a graph"
        names = (name,) if name is not None else models_of(graph)
        return Models({one: versions(self.connection, target, one) for one in names})

    def rollback(self, to: int | None = None) -> Applied:
        """Put an earlier deployment back, by its number, or the last that differs; models and tables stay.

        Raises `ConflictingState` where it is not kept, or its code is gone.
        """
        from sfml.operations.rollback import goal_of

        desired = self._opened.desired
        with self._held() as held:
            goal, _ = goal_of(desired, self._connected, to)
            graph = goal.graph(desired.target)
            work = planned_graph(graph, self._connected)
            if work.groups:
                full = work_of(work, graph, held.lease, {"user": self._user}, kind="rollback")
                self._carry_out(full, held, None, is_open=work.is_unfinished, command="rollback")
        return Applied(Plan(work.plan, graph), work.number if work.is_recorded else None)

    @contextmanager
    def _held(self) -> Iterator[HeldLease]:
        from sfml.operations.holding import holding, new_lease

        leases, root = self._connected.leases, self._opened.desired.root.name
        with holding(leases, root, new_lease(self._user, None)) as held:
            yield held

    def _carry_out(
        self,
        work: Work,
        held: HeldLease,
        progress: Callable[[str], object] | None,
        *,
        is_open: bool,
        command: str = "apply",
    ) -> None:
        """Raises what the account answers, with how to go on; `is_open`: an unfinished apply left a journal."""
        from sfml.operations.deploy import Deployer, SilentWatcher
        from sfml.operations.guided_deployer import GuidedDeployer

        watcher = SilentWatcher() if progress is None else _Progress(progress)
        deployer = Deployer(work, self._connected.tasks, self._connected.stage, held, watcher=watcher)
        GuidedDeployer(deployer, self._opened.desired.where, is_open=is_open, command=command).deploy()


class _Progress:
    """Gives a line for each group of an apply that is done, and one when the account makes us wait."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell

    def begun(self, group: Group) -> None: ...

    def did(self, stage: Stage) -> None: ...

    def ended(self, group: Group) -> None:
        text = done_text(group)
        if text is not None:
            self._tell(text)

    def waits(self, error: ConnectionFailed, seconds: float) -> None:
        self._tell(wait_words(error, seconds))


@contextmanager
def connected_account(opened: CompiledSpec, user: str) -> Iterator[Account]:
    """The target of a pipeline, open for the block."""
    with target_account(opened, _Warnings()) as connected:
        yield Account(opened, connected, user)


class _Warnings(Unwatched):
    """What there is to tell of a connection as warnings of Python."""

    def warns(self, text: str) -> None:
        warnings.warn(text, stacklevel=9)

    notes = warns


def _config_text(value: object) -> str:
    """A value as `--config` takes it."""
    return value if isinstance(value, str) else json.dumps(value)
