"""What planning may read and deploying may write, as protocols split by right.

`sfml.snowflake` implements them over Snowflake's own clients; names are unqualified and belong to the schema
that the implementation was opened for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sfml.account.deployed import DeployedGraph
from sfml.account.history import DeployedRoot, GraphRow, TaskRow
from sfml.graph.located import Scalar
from sfml.lower.desired import Archive, DesiredTask, MLJobDefinitionSpec
from sfml.plan.journal import Deployment, Journal, KeptDeployments
from sfml.plan.lease import Lease
from sfml.plan.model import ObservedGraph, ObservedTask
from sfml.plan.staged import StageContent


class TaskReader(Protocol):
    """Reads task graphs."""

    def observed(self, root: str) -> ObservedGraph | None:
        """The graph below this root with its finalizer, or None when there is no such task."""
        ...

    def below(self, name: str) -> ObservedGraph | None:
        """A task, root or not, with everything that hangs on it, or None when there is no such task."""
        ...

    def task(self, name: str) -> ObservedTask | None:
        """One task, or None when there is none of that name."""
        ...

    def names(self) -> frozenset[str]:
        """Every task of the schema, linked to a graph or not."""
        ...


class TaskWriter(Protocol):
    """Changes single tasks; the root must be suspended."""

    def put(self, task: DesiredTask, definition: str, comment: str | None) -> None:
        """Create the task, or alter it to be exactly this, keeping its identity."""
        ...

    def drop(self, name: str) -> None:
        """Drop the task if it is there."""
        ...

    def resume(self, name: str) -> None: ...

    def resume_all(self, names: tuple[str, ...]) -> None:
        """Resume these children with few calls, the root staying as it is."""
        ...

    def resume_graph(self, root: str) -> None:
        """Resume every child, the finalizer and then the root, with one call."""
        ...

    def suspend(self, name: str) -> None: ...

    def annotate(self, name: str, comment: str) -> None:
        """Give the task this comment, and leave the rest of it as it is."""
        ...


class CodeReader(Protocol):
    """Looks at the stage of a pipeline."""

    def staged(self, pipeline: str) -> StageContent | None:
        """What lies there of the pipeline's code and state; None when there is no stage."""
        ...

    def journal(self, pipeline: str) -> Journal | None:
        """The record of an apply that is under way or was cut off, or None."""
        ...

    def content(self, path: str) -> bytes | None:
        """A file by its path below the stage, None when it is not there."""
        ...

    def contents(self, paths: tuple[str, ...]) -> Mapping[str, bytes]:
        """Files of one pipeline by their paths, with one call; those that are not there are left out."""
        ...

    def deployment(self, pipeline: str, number: int) -> Deployment | None:
        """One kept deployment, or None."""
        ...

    def deployments(self, pipeline: str) -> tuple[Deployment, ...]:
        """The kept deployments that can be read, oldest first."""
        ...

    def kept(self, pipeline: str) -> KeptDeployments:
        """The kept deployments, and what cannot be read of them."""
        ...


class CodeWriter(Protocol):
    """Writes to the stage of a pipeline."""

    def create(self) -> None:
        """Create the stage, unless it is there."""
        ...

    def upload(self, archive: Archive) -> None: ...

    def put_aside(self, path: str, content: bytes) -> None:
        """Keep what cannot be read under another name, before something else takes its own."""
        ...

    def open_journal(self, journal: Journal) -> None:
        """Write the journal, and beside it the deployment that it is to become."""
        ...

    def close_journal(self, pipeline: str, *, undone: int | None = None) -> None:
        """Remove the journal; with it the deployment `undone`, which was never made."""
        ...

    def remove_all(self, pipeline: str) -> None:
        """Remove what the pipeline has on the stage, but for its journal."""
        ...

    def remove(self, paths: tuple[str, ...]) -> None:
        """Remove these files and folders of one pipeline, below the stage."""
        ...

    def register_job(self, spec: MLJobDefinitionSpec) -> str:
        """Upload the job's payload and return the statement that a task runs."""
        ...


class Leases(Protocol):
    """Who may change which graph, by the name of its root."""

    def take(self, root: str, lease: Lease) -> None:
        """Take it; raises `LeaseHeld` when somebody has it."""
        ...

    def holder(self, root: str) -> Lease | None:
        """Whose it is, None when nobody has it, or nobody that can be seen."""
        ...

    def replace(self, root: str, lease: Lease) -> None:
        """Take it from whoever has it."""
        ...

    def drop(self, root: str) -> None:
        """Give it back: whoever's it is."""
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

    def deployed(self, name: str) -> DeployedGraph:
        """The graph below the root of that name, and the schema's other tasks."""
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
    """Starts runs, and ends them."""

    def retry(self, name: str) -> None:
        """Run what failed of the graph's last run again."""
        ...

    def cancel(self, name: str) -> None:
        """End what this task is executing; the others of its graph go on."""
        ...

    def execute(self, name: str, config: Mapping[str, Scalar]) -> None:
        """Run the graph once, with these values over its own config; the schedule stays as it is."""
        ...
