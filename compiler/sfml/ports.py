"""What planning may read and deploying may write, as protocols split by right.

`sfml.snowflake` implements them over Snowflake's own clients; names are unqualified and belong to the schema
that the implementation was opened for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sfml.graph.model import Scalar
from sfml.history import DeployedRoot, GraphRow, TaskRow
from sfml.lower.desired import Archive, DesiredTask, MLJobDefinitionSpec
from sfml.plan.model import Comparable, ObservedGraph


class TaskReader(Protocol):
    """Reads task graphs."""

    def observed(self, root: str) -> ObservedGraph | None:
        """The graph below this root with its finalizer, or None when there is no such task."""
        ...


class TaskWriter(Protocol):
    """Changes single tasks; the root must be suspended."""

    def put(self, task: DesiredTask, definition: str, comment: str | None) -> None:
        """Create the task, or alter it to be exactly this, keeping its identity."""
        ...

    def drop(self, name: str) -> None: ...

    def resume(self, name: str) -> None: ...

    def suspend(self, name: str) -> None: ...


class CodeReader(Protocol):
    """Looks at the stage of a pipeline."""

    def missing_archives(self, archives: tuple[Archive, ...]) -> tuple[Archive, ...]:
        """Those that are not on the stage yet."""
        ...

    def journal(self, pipeline: str) -> Mapping[str, Comparable] | None:
        """The record of an apply that did not finish, or None."""
        ...


class CodeWriter(Protocol):
    """Writes to the stage of a pipeline."""

    def upload(self, archive: Archive) -> None: ...

    def write_journal(self, pipeline: str, record: Mapping[str, Comparable]) -> None: ...

    def remove_journal(self, pipeline: str) -> None: ...

    def register_job(self, spec: MLJobDefinitionSpec) -> str:
        """Upload the job's payload and return the statement that a task runs."""
        ...


class Tasks(TaskReader, TaskWriter, Protocol):
    """What an apply does to tasks."""


class Code(CodeReader, CodeWriter, Protocol):
    """What an apply does to the stage."""


class RunReader(Protocol):
    """Reads what ran."""

    def root(self, name: str) -> DeployedRoot | None:
        """The root task as SHOW TASKS has it, or None."""
        ...

    def rows(self, root: DeployedRoot, since: datetime | None = None) -> tuple[TaskRow, ...]:
        """The runs of the graph's tasks, newest first; at most seven days back."""
        ...

    def graphs(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        """The graph runs that are executing or have ended in the last hour."""
        ...

    def log(self, row: TaskRow) -> str:
        """What the task wrote while it ran, as far as the account kept it."""
        ...


class RunStarter(Protocol):
    """Starts runs."""

    def execute(self, name: str, config: Mapping[str, Scalar]) -> None:
        """Run the graph once, with these values over its own config; the schedule stays as it is."""
        ...
