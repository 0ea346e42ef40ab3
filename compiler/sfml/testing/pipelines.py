"""Compiles, applies, seeds and runs pipelines in a test's database, as the commands do."""

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
from sfml.operations.deployer import Deployer
from sfml.operations.held_lease import holding, new_lease
from sfml.operations.runs import follow, start
from sfml.operations.target_account import TargetAccount, account_on, local_connection
from sfml.operations.target_watch import SilentTargetWatch
from sfml.render.text import diagnostics_text
from sfml.snowflake.seeds import load_seed

INTERVAL = 0.1
"""Seconds between two readings of a run."""


@record
class PipelineRun:
    """A run that has ended; tasks have their names in the spec."""

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
        """The state, return value and error of one task; raises `KeyError` for an unknown name."""
        return {task.name: task for task in self.run.tasks}[name]

    def result(self, name: str) -> Any:
        """The return value of a task, parsed from JSON."""
        return self.task(name).return_value


def compile_spec(
    spec: Path | str, database: str, target: str | None, variables: Mapping[str, str] | None
) -> CompiledSpec:
    """Compile the spec for a target of kind `local`, for this database.

    Raises `InvalidSpec` with every finding in its text, and `UsageError` if the target is an account. The expression
    `{{ target.database }}` in a spec gives the database of `sfml.yaml`, not this one.
    """
    path = Path(spec)
    reading = read(path, target=target, variables=variables)
    if reading.graph is None or has_errors(reading.diagnostics):
        raise _SpecWithFindings(reading.diagnostics, diagnostics_text(reading.diagnostics, reading.sources))
    if not reading.graph.target.is_local:
        raise UsageError(
            f"target `{reading.graph.target.name}` is an account", help="give the name of a local target"
        )
    graph = replace(reading.graph, target=replace(reading.graph.target, database=database))
    reading = replace(reading, graph=graph)
    return CompiledSpec(reading, desired_graph(reading))


class _SpecWithFindings(InvalidSpec):
    """An error that shows the findings as the command would print them, for the output of a failed test."""

    def __init__(self, diagnostics: Any, text: str) -> None:
        super().__init__(diagnostics)
        self.text = text

    def __str__(self) -> str:
        return f"{self.message}\n{self.text}"


@contextmanager
def connected(spec: CompiledSpec, arguments: Mapping[str, Any]) -> Iterator[TargetAccount]:
    with connected_to(spec.desired.target, arguments) as account:
        yield account


@contextmanager
def connected_to(target: Target, arguments: Mapping[str, Any]) -> Iterator[TargetAccount]:
    """Connect to the server with these arguments, and create the schema of the target."""
    with local_connection(arguments, target, SilentTargetWatch()) as connection:
        yield account_on(connection, target)


def apply(spec: CompiledSpec, arguments: Mapping[str, Any]) -> None:
    with connected(spec, arguments) as account:
        apply_graph(spec.desired, account)


def apply_graph(
    desired: DesiredGraph,
    account: TargetAccount,
    *,
    resume: bool | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> ApplyPlan:
    """Deploy the graph, as `sfml apply` does; returns the plan that was carried out."""
    with holding(account.leases, desired.root.name, new_lease("test")) as held_lease:
        plan = planned_graph(desired, account, resume=resume)
        work = work_of(plan, desired, held_lease.lease, provenance)
        Deployer(work, account.tasks, account.stage, held_lease).deploy()
    return plan


def seed(spec: CompiledSpec, arguments: Mapping[str, Any]) -> None:
    with connected(spec, arguments) as account:
        for table_seed in spec.desired.seeds:
            load_seed(account.connection, spec.desired.target, table_seed.table, spec.root / table_seed.file)


def run(
    spec: CompiledSpec,
    arguments: Mapping[str, Any],
    config: Mapping[str, str],
    clock: Callable[[], datetime],
) -> PipelineRun:
    """Run the deployed graph once, and wait for its end. Times are those of the account's clock."""
    with connected(spec, arguments) as account:
        asked_at = clock()
        started = replace(start(spec.desired, account.history, config), asked_at=asked_at)
        *_, last = follow(spec.desired, account.history, started, interval=INTERVAL)
    return PipelineRun(last)
