"""Protocols for reading and writing a target, split so that a plan gets no right to write.

`sfml.snowflake` implements them with Snowflake's clients. Names are unqualified; they belong to the schema that the
implementation was opened for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from sfml.account.deployed import DeployedGraph
from sfml.account.former_graphs import RecordedRoot, RootPlace
from sfml.account.history import DeployedRoot, GraphRow, TaskRow
from sfml.account.task_log import LogLine
from sfml.graph.located import Scalar
from sfml.lower.desired import Archive, DesiredTask, MLJobDefinitionSpec
from sfml.plan.journal import Deployment, Journal, KeptDeployments
from sfml.plan.lease import Lease
from sfml.plan.model import ObservedGraph, ObservedTask
from sfml.plan.stage_content import StageContent


class TaskReader(Protocol):
    """Reads task graphs."""

    def observed(self, root: str) -> ObservedGraph | None:
        """The graph of this root with its finalizer, or None when there is no such task."""
        ...

    def below(self, name: str) -> ObservedGraph | None:
        """A task, root or not, with all tasks that run after it, or None when there is no such task."""
        ...

    def task(self, name: str) -> ObservedTask | None:
        """The task with this name, or None."""
        ...

    def names(self) -> frozenset[str]:
        """The names of all tasks of the schema, in a graph or not."""
        ...


class TaskWriter(Protocol):
    """Changes single tasks; the root must be suspended."""

    def put(self, task: DesiredTask, definition: str, comment: str | None) -> None:
        """Create the task, or alter the existing one to match exactly; its identity and history stay."""
        ...

    def drop(self, name: str) -> None:
        """Drop the task if it exists."""
        ...

    def resume(self, name: str) -> None: ...

    def resume_all(self, names: tuple[str, ...]) -> None:
        """Resume these children with few calls, without resuming the root."""
        ...

    def resume_graph(self, root: str) -> None:
        """Resume every child and the finalizer, then the root, with one call."""
        ...

    def suspend(self, name: str) -> None: ...

    def annotate(self, name: str, comment: str) -> None:
        """Set the comment of the task and change nothing else."""
        ...


class CodeReader(Protocol):
    """Reads the stage of a pipeline."""

    def staged(self, pipeline: str) -> StageContent | None:
        """The pipeline's archives, deployments and other files on the stage; None when there is no stage."""
        ...

    def journal(self, pipeline: str) -> Journal | None:
        """The journal of an unfinished apply, or None."""
        ...

    def content(self, path: str) -> bytes | None:
        """The content of a file by its path on the stage, or None when there is no such file."""
        ...

    def contents(self, paths: tuple[str, ...]) -> Mapping[str, bytes]:
        """The contents of files of one pipeline by their paths, read with one call; missing files are left out."""
        ...

    def files_of_run(self, pipeline: str, run_id: str) -> frozenset[str]:
        """The paths on the stage of the files that steps of this run wrote."""
        ...

    def deployment(self, pipeline: str, number: int) -> Deployment | None:
        """The kept deployment with this number, or None."""
        ...

    def deployments(self, pipeline: str) -> tuple[Deployment, ...]:
        """The readable kept deployments, oldest first."""
        ...

    def kept(self, pipeline: str) -> KeptDeployments:
        """The kept deployments, and the errors of those that cannot be read."""
        ...


class CodeWriter(Protocol):
    """Writes to the stage of a pipeline."""

    def create(self) -> None:
        """Create the stage if it does not exist."""
        ...

    def upload(self, archive: Archive) -> None: ...

    def write(self, path: str, content: bytes) -> None:
        """Write a file by its path on the stage; an existing one is overwritten."""
        ...

    def put_aside(self, path: str, content: bytes) -> None:
        """Keep the content of an unreadable file under another name, before the file is overwritten."""
        ...

    def open_journal(self, journal: Journal) -> None:
        """Write the journal, and the record of the deployment that the apply will complete."""
        ...

    def close_journal(self, pipeline: str, *, undone: int | None = None) -> None:
        """Remove the journal, and the record of the deployment with the number `undone`, which was not completed."""
        ...

    def remove_all(self, pipeline: str) -> None:
        """Remove all files of the pipeline from the stage except its journal."""
        ...

    def remove(self, paths: tuple[str, ...]) -> None:
        """Remove these files and folders of one pipeline; paths are relative to the stage."""
        ...

    def register_job(self, spec: MLJobDefinitionSpec) -> str:
        """Upload the job's payload and return the statement that a task runs."""
        ...


class Leases(Protocol):
    """Reads and changes the leases of graphs; each is identified by the name of its root."""

    def take(self, root: str, lease: Lease) -> None:
        """Acquire the lease; raises `LeaseHeld` when it is held."""
        ...

    def holder(self, root: str) -> Lease | None:
        """The lease that is held on the graph; None when there is none, or none that the role can see."""
        ...

    def replace(self, root: str, lease: Lease) -> None:
        """Acquire the lease, even if another one is held."""
        ...

    def drop(self, root: str) -> None:
        """Release the lease, whoever holds it."""
        ...


class Tasks(TaskReader, TaskWriter, Protocol):
    """The access of an apply to tasks."""


class Code(CodeReader, CodeWriter, Protocol):
    """The access of an apply to the stage."""


class RunReader(Protocol):
    """Reads runs of deployed graphs."""

    def root(self, name: str) -> DeployedRoot | None:
        """The root task from SHOW TASKS, or None."""
        ...

    def deployed(self, name: str) -> DeployedGraph:
        """The graph of the root with this name, and the other tasks of the schema."""
        ...

    def roots(self) -> tuple[RecordedRoot, ...] | None:
        """The roots in the account that have sfml's record and that the role sees; None if there are too many."""
        ...

    def root_at(self, place: RootPlace) -> RecordedRoot | None:
        """The root at this place, which may be in any schema; None if there is none with sfml's record."""
        ...

    def rows(self, root: DeployedRoot, since: datetime | None = None) -> tuple[TaskRow, ...]:
        """The rows of the task history for the graph, newest first; seven days back at most."""
        ...

    def graphs(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        """Snowflake's records of the graph runs that are executing or ended within the last hour."""
        ...

    def going_on(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        """Those of the graph runs that are executing or scheduled: half the calls."""
        ...

    def ended(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        """Those of the graph runs that ended within the last hour."""
        ...

    def log(self, row: TaskRow) -> str:
        """The log of a task run, as far as the account kept it."""
        ...

    def log_lines(self, row: TaskRow) -> tuple[LogLine, ...]:
        """The lines of that log, each with the instance of a job that wrote it."""
        ...


class RunStarter(Protocol):
    """Starts and cancels runs."""

    def retry(self, name: str) -> None:
        """Retry the failed tasks of the graph's last run."""
        ...

    def cancel(self, name: str) -> None:
        """Cancel the current execution of this task; other tasks of its graph continue."""
        ...

    def execute(self, name: str, config: Mapping[str, Scalar]) -> None:
        """Run the graph once, with these values overriding its config; the schedule does not change."""
        ...
