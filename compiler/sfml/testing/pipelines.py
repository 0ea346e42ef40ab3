"""Whole pipelines in a test's database: a spec compiled, applied, seeded and run as the commands do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sfml.cli.opening import Connected, Opened, desired_graph
from sfml.cli.planning import planned
from sfml.deploy import deploy
from sfml.diagnostic import has_errors
from sfml.errors import InvalidSpec, UsageError
from sfml.frontend import read
from sfml.history import Run, TaskRun
from sfml.render.text import diagnostics_text
from sfml.runs import follow, start
from sfml.snowflake.connection import open_local
from sfml.snowflake.history import History
from sfml.snowflake.objects import create_stage, use_schema
from sfml.snowflake.seeds import load_seed
from sfml.snowflake.stage import Stage
from sfml.snowflake.tasks import Tasks

INTERVAL = 0.1
"""Seconds between two looks at a run."""


@dataclass(frozen=True, slots=True)
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
) -> Opened:
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
    return Opened(reading, desired_graph(reading))


class _Findings(InvalidSpec):
    """The findings as text too: a test that fails shows what the command would have printed."""

    def __init__(self, diagnostics: Any, text: str) -> None:
        super().__init__(diagnostics)
        self.text = text

    def __str__(self) -> str:
        return f"{self.message}\n{self.text}"


@contextmanager
def connected(found: Opened, arguments: Mapping[str, Any]) -> Iterator[Connected]:
    target = found.desired.target
    connection = open_local(arguments, target)
    try:
        use_schema(connection, target)
        create_stage(connection, target)
        yield Connected(
            connection, Tasks(connection, target), Stage(connection, target), History(connection, target)
        )
    finally:
        connection.close()


def apply(found: Opened, arguments: Mapping[str, Any]) -> None:
    with connected(found, arguments) as account:
        work = planned(found, account)
        deploy(work.stages, found.desired, account.tasks, account.stage)


def seed(found: Opened, arguments: Mapping[str, Any]) -> None:
    with connected(found, arguments) as account:
        for one in found.desired.seeds:
            load_seed(account.connection, found.desired.target, one.table, found.root / one.file)


def run(
    found: Opened, arguments: Mapping[str, Any], config: Mapping[str, str], clock: Callable[[], datetime]
) -> PipelineRun:
    """Run once and follow; the account's clock may be far from the machine's."""
    with connected(found, arguments) as account:
        asked_at = clock()
        started = replace(start(found.desired, account.history, config), asked_at=asked_at)
        *_, last = follow(found.desired, account.history, started, interval=INTERVAL)
    return PipelineRun(last)
