"""Carries out the stages of a plan through the ports: group by group, with retries, checking the lease before calls.

If a call fails or the process ends, either nothing has been changed yet, or the root is suspended and the journal is
on the stage. The next apply then finishes the work, or goes back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar, assert_never

from sfml.account.ports import Code, Tasks
from sfml.base.errors import ConflictingState, ConnectionFailed, RecordUnreadable, SfmlError
from sfml.base.record import record
from sfml.base.retry_policy import RetryPolicy
from sfml.lower.beyond import beyond
from sfml.lower.comments import RECORD_PREFIX
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.operations.held_lease import FRESH, FRESH_ENOUGH_TO_START, HeldLease
from sfml.operations.parallel_calls import ParallelCalls
from sfml.operations.retries import retry_call
from sfml.plan.artefact import Artefact, intended_artefact
from sfml.plan.diff import field_changes, make_plan
from sfml.plan.journal import Header, Journal
from sfml.plan.model import Action, FieldChange, ObservedGraph, ObservedTask, Reason
from sfml.plan.settings import OFF_SINCE, split_comment, with_off_since
from sfml.plan.stages import (
    CloseJournal,
    Collect,
    CreateStage,
    DropTask,
    Group,
    NoteSchedule,
    OpenJournal,
    PutTask,
    RegisterJob,
    RemoveFiles,
    ResumeGraph,
    Stage,
    SuspendRoot,
    UploadArchive,
    Verify,
)

T = TypeVar("T")


@record
class Work:
    """The stages to carry out, and the values for the journal.

    `was` is the graph that a restore goes back to: the deployed graph, or the one in the journal of an unfinished
    apply. `suspended` names children that stay suspended; `removes` is true if the work removes the graph.
    """

    groups: tuple[Group, ...]
    desired: DesiredGraph
    header: Header
    observed: ObservedGraph | None = None
    was: Artefact | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    suspended: frozenset[str] = frozenset()
    removes: bool = False
    off_since: str | None = None
    """The time since which the schedule is off on purpose (ISO 8601), for the root's record."""
    strangers: tuple[ObservedTask, ...] = ()
    """Strangers: tasks that somebody else added below the graph; they are not changed."""
    unreadable: RecordUnreadable | None = None
    """The error of an unreadable journal, which the journal of this work replaces."""


class Watcher(Protocol):
    """Receives the progress of a deployer; its methods are called from several threads."""

    def begun(self, group: Group) -> None: ...

    def did(self, stage: Stage) -> None: ...

    def ended(self, group: Group) -> None: ...

    def waits(self, error: ConnectionFailed, seconds: float) -> None: ...


class SilentWatcher:
    """Discards every event."""

    def begun(self, group: Group) -> None: ...

    def did(self, stage: Stage) -> None: ...

    def ended(self, group: Group) -> None: ...

    def waits(self, error: ConnectionFailed, seconds: float) -> None: ...


class StopRequested(SfmlError):
    """The user stopped the command; the current call has ended."""


@dataclass(slots=True)
class Deployer:
    """Carries out the work; holds the ports for its calls, and the results that later stages need."""

    work: Work
    tasks: Tasks
    code: Code
    held: HeldLease
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    watcher: Watcher = field(default_factory=SilentWatcher)
    stop: threading.Event = field(default_factory=threading.Event)
    parallel: ParallelCalls = field(default_factory=ParallelCalls)
    job_sql: dict[str, str] = field(default_factory=dict)
    read_back: ObservedGraph | None = None
    not_collected: SfmlError | None = None
    """The error that prevented the removal of old archives, if any."""
    is_done: bool = False
    """Whether the account holds the intended graph and the journal is removed; only old files remain to be removed."""
    _fresh_for: float = FRESH

    def deploy(self) -> None:
        """Carry out every group in order. Raises the errors of the account; the root then stays suspended."""
        with self.parallel.threads():
            self._carry_out_groups()
        self.is_done = True

    def _carry_out_groups(self) -> None:
        needed = sum(not _is_tidying(group) for group in self.work.groups)
        for number, group in enumerate(self.work.groups, 1):
            if self.is_done and self.stop.is_set():
                return  # the next apply removes old files
            self._refuse_to_go_on()
            turns_on = any(isinstance(stage, ResumeGraph) for stage in group)
            self._fresh_for = FRESH_ENOUGH_TO_START if turns_on else FRESH
            if not self.held.is_fresh(self._fresh_for):
                self.parallel.run_all([self._look])
            self.watcher.begun(group)
            self.parallel.run_all([partial(self._do, stage) for stage in group])
            self.is_done = self.is_done or number == needed
            self.watcher.ended(group)

    def _do(self, stage: Stage) -> None:
        self._refuse_to_go_on()
        self._carry_out(stage)
        self.watcher.did(stage)

    def _refuse_to_go_on(self) -> None:
        if self.stop.is_set() and not self.is_done:
            raise StopRequested("stopped as you asked")

    def _carry_out(self, stage: Stage) -> None:
        match stage:
            case CreateStage():
                self._insist(self.code.create)
            case UploadArchive(archive):
                self._insist(partial(self.code.upload, archive))
            case RegisterJob(task, spec):
                self.job_sql[task.name] = self._read(partial(self.code.register_job, spec))
            case OpenJournal(resume_root):
                old = self.work.unreadable
                if old is not None:
                    self._insist(partial(self.code.put_aside, old.path, old.content))
                self._insist(partial(self.code.open_journal, self._journal(resume_root)))
            case SuspendRoot(name):
                # Snowflake refuses to change any task of a graph whose root is started (091421).
                # https://docs.snowflake.com/en/sql-reference/sql/alter-task
                self._insist(partial(self.tasks.suspend, name), partial(self._is_off, name))
            case PutTask(task):
                put = partial(self.tasks.put, task, self._definition(task), self._comment(task))
                self._insist(put, partial(self._is_written, task))
            case DropTask(name):
                self._insist(partial(self.tasks.drop, name), lambda: self.tasks.task(name) is None)
            case Verify():
                self.read_back = self._verified()
            case ResumeGraph(name, with_root):
                self._resume(name, with_root)
            case NoteSchedule(name, off_since):
                self._insist(partial(self.tasks.annotate, name, self._noted(off_since)))
            case CloseJournal(undone):
                close = partial(self.code.close_journal, self.work.desired.pipeline, undone=undone)
                self._insist(close)
            case RemoveFiles():
                self._insist(partial(self.code.remove_all, self.work.desired.pipeline))
            case Collect(paths):
                self._collect(paths)
            case _:
                assert_never(stage)

    def _collect(self, paths: tuple[str, ...]) -> None:
        """Remove unneeded files. An error is kept in `not_collected`, not raised, because the graph is deployed."""
        try:
            self._insist(partial(self.code.remove, paths))
        except SfmlError as error:
            self.not_collected = error

    def _insist(self, call: Callable[[], None], is_done: Callable[[], bool] | None = None) -> None:
        retry_call(partial(self._in_turn, call), self.retry_policy, is_done=is_done, waiting=self._waits)

    def _read(self, call: Callable[[], T]) -> T:
        """The result of a call that is safe to repeat."""
        answers: list[T] = []
        self._insist(lambda: answers.append(call()))
        return answers[-1]

    def _in_turn(self, call: Callable[[], None]) -> None:
        with self.parallel.turn():
            # Check before each call, not only before each group: a group may have hundreds of calls, and the machine
            # may sleep between them.
            self._look()
            call()

    def _look(self) -> None:
        retry_call(partial(self.held.look, self._fresh_for), self.retry_policy, waiting=self._waits)

    def _waits(self, error: ConnectionFailed, seconds: float) -> None:
        self.parallel.note_collision(error)
        self._refuse_to_go_on()
        self.watcher.waits(error, seconds)

    # -- what is written

    def _journal(self, resume_root: bool) -> Journal:
        if self.work.removes:
            return Journal(self.work.header, self.work.was, None)
        every = self.work.desired.all_tasks
        intended = intended_artefact(
            self.work.desired,
            {task.name: self._definition(task) for task in every},
            {task.name: self._comment(task) for task in every},
            started=resume_root,
        )
        return Journal(self.work.header, self.work.was, intended)

    def _definition(self, task: DesiredTask) -> str:
        """The statement that the task runs; for an ML Job, the one from its registration, now or at deployment."""
        match task.definition:
            case SqlDefinition(sql):
                return sql
            case MLJobDefinitionSpec():
                registered = self.job_sql.get(task.name)
                if registered is not None:
                    return registered
                assert self.work.observed is not None, "what is not registered now was deployed before"
                return self.work.observed.by_name[task.name].definition
            case _:
                assert_never(task.definition)

    def _comment(self, task: DesiredTask) -> str | None:
        return stamped_comment(task, self.work.provenance, self.work.off_since)

    def _noted(self, off_since: str | None) -> str:
        """The comment of the deployed root with a changed `off_since` in its record."""
        assert self.work.observed is not None, "only a deployed graph is noted without being written"
        comment = self.work.observed.root.values.get("comment")
        return with_off_since(None if comment is None else str(comment), off_since)

    # -- what is seen

    def _is_off(self, name: str) -> bool:
        task = self.tasks.task(name)
        return task is None or not task.started

    def _is_on(self, name: str) -> bool:
        task = self.tasks.task(name)
        return task is not None and task.started

    def _is_written(self, task: DesiredTask) -> bool:
        """Whether a task whose answer was lost has been written.

        False, so that it is written again, if the task has or had settings that the API does not return.
        """
        observed = self.tasks.task(task.name)
        before = {one.name: one for one in self.work.was.tasks} if self.work.was else {}
        if observed is None or beyond(task) or (task.name in before and beyond(before[task.name])):
            return False
        return is_written_as(observed, task, self._comment(task))

    def _verified(self) -> ObservedGraph | None:
        """Read the graph back; raises `ConflictingState` if it differs from what was written."""
        root = self.work.desired.root.name
        observed = self._without_strangers(self._read(lambda: self.tasks.observed(root)))
        # A restored graph that sfml did not make has no record, and must not get one; hence adopt.
        left = make_plan(self.work.desired, observed, adopt=True)
        wrong = [
            (change, [one.path for one in change.fields if not _is_beside(one)])
            for change in left.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE, Action.DROP)
        ]
        details = [
            f"{change.task} ({'; '.join(paths) or change.action.value})"
            for change, paths in wrong
            if paths or change.action is not Action.ALTER
        ]
        if details:
            raise self._wrong(", ".join(details))
        return observed

    def _wrong(self, details: str) -> ConflictingState:
        if self.work.header.work in ("part", "backfill"):
            return ConflictingState(
                f"the copy of the graph differs in the account from what was written: {details}; nothing was run",
                help="somebody may have changed it; run the command again",
            )
        return ConflictingState(
            f"after the apply the account differs from the spec: {details}",
            help="the schedule stays off; look at `sfml plan`, then run `sfml apply` again",
        )

    def _without_strangers(self, graph: ObservedGraph | None) -> ObservedGraph | None:
        names = {task.name for task in self.work.strangers}
        if graph is None or not names:
            return graph
        return replace(
            graph,
            tasks=tuple(task for task in graph.tasks if task.name not in names),
            strangers=tuple(task for task in graph.tasks if task.name in names),
        )

    def _resume(self, root: str, with_root: bool) -> None:
        read_back = self.read_back
        children = read_back.tasks if read_back else ()
        for task in children:
            if task.started and task.name in self.work.suspended:
                self._insist(partial(self.tasks.suspend, task.name))
        off = tuple(
            task.name for task in children if not task.started and task.name not in self.work.suspended
        )
        # One call for the whole graph would also resume suspended strangers.
        others_off = any(not task.started for task in read_back.strangers) if read_back else False
        if with_root and off and not (self.work.suspended or others_off):
            self._insist(partial(self.tasks.resume_graph, root), partial(self._is_on, root))
            return
        if off:
            self._insist(partial(self.tasks.resume_all, off))
        if with_root:
            self._insist(partial(self.tasks.resume, root), partial(self._is_on, root))


def _is_tidying(group: Group) -> bool:
    return all(isinstance(stage, Collect) for stage in group)


def _is_beside(field: FieldChange) -> bool:
    """Whether a difference does not matter: the state, which is set next, and the adoption of a graph."""
    return field.path == "state" or field.reason is Reason.ADOPTED


def is_written_as(observed: ObservedTask, task: DesiredTask, comment: str | None) -> bool:
    """Whether a task has the intended settings and this comment, started or suspended."""
    changed = any(field_change.path != "state" for field_change in field_changes(task, observed))
    return not changed and (observed.values.get("comment") or None) == (comment or None)


def stamped_comment(
    task: DesiredTask, provenance: Mapping[str, Any], off_since: str | None = None
) -> str | None:
    """The comment with provenance (user, commit) and `off_since` added to the root's record.

    A restored graph is written without them, because its comment already contains them.
    """
    text, record = split_comment(task.comment)
    if record is None or not (provenance or off_since):
        return task.comment
    kept = {key: value for key, value in record.items() if key != OFF_SINCE}
    noted = {OFF_SINCE: off_since} if off_since else {}
    line = RECORD_PREFIX + json.dumps({**kept, **provenance, **noted}, sort_keys=True, separators=(",", ":"))
    return f"{text}\n{line}"
