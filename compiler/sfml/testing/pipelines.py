"""Whole pipelines in a test's database: a spec compiled, applied, seeded and run as the commands do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sfml.account.history import Run, TaskRun
from sfml.base.diagnostic import has_errors
from sfml.base.errors import InvalidSpec, UsageError
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.frontend.reading import read
from sfml.graph.model import Target
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import ApplyPlan, planned_graph, work_of
from sfml.operations.deploy import Deployer
from sfml.operations.holding import holding, new_lease
from sfml.operations.runs import follow, start
from sfml.operations.target_account import TargetAccount, account_on, local_connection
from sfml.operations.target_watch import Unwatched
from sfml.render.text import diagnostics_text
from sfml.snowflake.seeds import load_seed

INTERVAL = 0.1
"""Seconds between two looks at a run."""


@record
class PipelineRun:
    """A run that is over; tasks have the names of the spec."""

    run: Run

    @property
    def state(self) -> str:
        """SUCCEEDED, FAILED or CANCELLED."""
        return self.run.state

    @property
    def states(self) -> Mapping[str, str | None]:
        """The state of each task, None for one that never ran."""
        return {task.name: task.state for task in self.run.tasks}

    def task(self, name: str) -> TaskRun:
        """One task's state, return value and error; raises KeyError."""
        return {task.name: task for task in self.run.tasks}[name]

    def result(self, name: str) -> Any:
        """What a task returned."""
        return self.task(name).return_value


def opened(
    spec: Path | str, database: str, target: str | None, variables: Mapping[str, str] | None
) -> CompiledSpec:
    """The spec compiled for a target of kind `local`, in this database.

    Raises `InvalidSpec` with every finding in its text. A spec that writes `{{ target.database }}` into a value
    sees the database of `sfml.yaml`.
    """
    path = Path(spec)
    reading = read(path, target=target, variables=variables)
    if reading.graph is None or has_errors(reading.diagnostics):
        raise _Findings(reading.diagnostics, diagnostics_text(reading.diagnostics, reading.sources))
    if not reading.graph.target.is_local:
        raise UsageError(
            f"target `{reading.graph.target.name}` is an account", help="give the name of a local target"
        )
    graph = replace(reading.graph, target=replace(reading.graph.target, database=database))
    reading = replace(reading, graph=graph)
    return CompiledSpec(reading, desired_graph(reading))


class _Findings(InvalidSpec):
    """The findings as text too: a test that fails shows what the command would have printed."""

    def __init__(self, diagnostics: Any, text: str) -> None:
        super().__init__(diagnostics)
        self.text = text

    def __str__(self) -> str:
        return f"{self.message}\n{self.text}"


@contextmanager
def connected(found: CompiledSpec, arguments: Mapping[str, Any]) -> Iterator[TargetAccount]:
    with connected_to(found.desired.target, arguments) as account:
        yield account


@contextmanager
def connected_to(target: Target, arguments: Mapping[str, Any]) -> Iterator[TargetAccount]:
    """A target of kind `local` on the server that takes these arguments, its schema made."""
    with local_connection(arguments, target, Unwatched()) as connection:
        yield account_on(connection, target)


def apply(found: CompiledSpec, arguments: Mapping[str, Any]) -> None:
    with connected(found, arguments) as account:
        apply_graph(found.desired, account)


def apply_graph(
    desired: DesiredGraph,
    account: TargetAccount,
    *,
    resume: bool | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> ApplyPlan:
    """Make the account hold the graph, as `sfml apply` does; answers what was planned."""
    with holding(account.leases, desired.root.name, new_lease("test")) as held:
        plan = planned_graph(desired, account, resume=resume)
        work = work_of(plan, desired, held.lease, provenance)
        Deployer(work, account.tasks, account.stage, held).deploy()
    return plan


def seed(found: CompiledSpec, arguments: Mapping[str, Any]) -> None:
    with connected(found, arguments) as account:
        for one in found.desired.seeds:
            load_seed(account.connection, found.desired.target, one.table, found.root / one.file)


def run(
    found: CompiledSpec,
    arguments: Mapping[str, Any],
    config: Mapping[str, str],
    clock: Callable[[], datetime],
) -> PipelineRun:
    """Run once and follow; the account's clock may be far from the machine's."""
    with connected(found, arguments) as account:
        asked_at = clock()
        started = replace(start(found.desired, account.history, config), asked_at=asked_at)
        *_, last = follow(found.desired, account.history, started, interval=INTERVAL)
    return PipelineRun(last)
