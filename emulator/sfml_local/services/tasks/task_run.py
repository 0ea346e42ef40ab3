"""One run of one task: WHEN, then the body, in its own session."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sfml.semantics.conditions import forbidden_functions
from sfml.semantics.graph import GraphShape
from sfml.semantics.states import State
from sfml_local.core import followed_parameters
from sfml_local.core.errors import SqlError
from sfml_local.core.full_disk import full_disk_error
from sfml_local.core.nested_statements import nested
from sfml_local.processes import children
from sfml_local.services.tasks import run_store
from sfml_local.services.tasks.context import Stop, TaskRunContext
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.run_store import GraphRun, TaskRun

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

TIMEOUT = 630
CANCELLED = 604
INTERNAL = 370001
SERVER_ENDED = "The local Snowflake server ended while this task was running."


@dataclass(slots=True)
class RunningTask:
    """An executing task run; `stop_with` may be called from any thread."""

    account: Account
    run: GraphRun
    task: Task
    graph: GraphShape
    states: Mapping[str, State]
    stop: Stop = field(default_factory=Stop)
    session: Session | None = None
    query_id: str = ""

    def execute(self) -> TaskRun:
        """Execute the run and record it; never raises."""
        self.query_id = self.account.new_query_id()
        try:
            return self._execute()
        except Exception as error:  # an internal error must not block the graph
            row = replace(self._row(State.EXECUTING), query_id=self.query_id)
            with contextlib.suppress(sqlite3.IntegrityError):
                run_store.start_task_run(self.account.store, row)
            return self._finished(row, State.FAILED, INTERNAL, f"{type(error).__name__}: {error}")

    def _execute(self) -> TaskRun:
        self.session = session = self._open_session()
        try:
            skipped = self._skipped(session)
            if skipped is not None:
                run_store.start_task_run(self.account.store, skipped)
                return skipped
            row = replace(
                self._row(State.EXECUTING), query_id=self.query_id, query_start_time=self.account.clock()
            )
            run_store.start_task_run(self.account.store, row)
            return self._run_body(session, row)
        finally:
            self.account.sessions.close(session)

    def _open_session(self) -> Session:
        settings = self.task.settings
        parameters: dict[str, Any] = dict(settings.session_parameters)
        if settings.log_level:
            parameters["LOG_LEVEL"] = settings.log_level
        return self.account.sessions.open(
            database=self.task.name.database,
            schema=self.task.name.schema,
            user=settings.execute_as_user or "SYSTEM",
            role=self.task.owner,
            warehouse=settings.warehouse,
            parameters=parameters,
            task=TaskRunContext(self.run, self.task, self.graph, dict(self.states), self.query_id, self.stop),
        )

    def _skipped(self, session: Session) -> TaskRun | None:
        """The row of a run whose WHEN is false (SKIPPED) or cannot be evaluated (FAILED)."""
        condition = self.task.settings.condition
        if condition is None:
            return None
        now = self.account.clock()
        try:
            forbidden = forbidden_functions(condition)
            if forbidden:
                raise SqlError(
                    f"SQL compilation error:\nInvalid expression for task condition expression: "
                    f"function {forbidden[0]} is not allowed in WHEN.",
                    2214,
                    "0A000",
                )
            passed = self.account.evaluate(session, f"({condition}\n)::BOOLEAN")
        except SqlError as error:
            return replace(
                self._row(State.FAILED),
                query_id=self.query_id,
                error_code=error.errno,
                error_message=error.message,
                query_start_time=now,
                completed_time=self.account.clock(),
            )
        if passed:
            return None
        return replace(self._row(State.SKIPPED), completed_time=now)

    def _run_body(self, session: Session, row: TaskRun) -> TaskRun:
        try:
            if (refusal := followed_parameters.unfollowed(session.parameters)) is not None:
                raise refusal
            if self.stop.state is None:
                with nested():
                    self.account.execute(session, self.task.settings.definition, query_id=self.query_id)
            if self.stop.state is None:
                return self._finished(row, State.SUCCEEDED)
        except Exception as error:
            if self.account.stopping.is_set():
                return self._finished(row, State.FAILED, INTERNAL, SERVER_ENDED)
            error = full_disk_error(error) or error
            if self.stop.state is None and isinstance(error, SqlError):
                return self._finished(row, State.FAILED, error.errno, error.message)
            if self.stop.state is None:
                return self._finished(row, State.FAILED, INTERNAL, f"{type(error).__name__}: {error}")
        assert self.stop.state is not None
        return self._finished(row, self.stop.state, self.stop.code, self.stop.message)

    def _row(self, state: State) -> TaskRun:
        return TaskRun(
            group_id=self.run.group_id,
            attempt=self.run.attempt,
            task_id=self.task.id,
            name=self.task.name.name,
            query_text=self.task.settings.definition,
            condition_text=self.task.settings.condition,
            state=state,
            scheduled_time=self.run.scheduled_time,
        )

    def _finished(
        self, row: TaskRun, state: State, code: int | None = None, message: str | None = None
    ) -> TaskRun:
        done = replace(
            row, state=state, error_code=code, error_message=message, completed_time=self.account.clock()
        )
        run_store.finish_task_run(self.account.store, done)
        return done

    def abandoned(self) -> TaskRun:
        """Record the end of a run that was asked to stop and does not return."""
        assert self.stop.state is not None
        return self._finished(self._row(self.stop.state), self.stop.state, self.stop.code, self.stop.message)

    # -- ending it early

    def time_out(self, seconds: float) -> None:
        """End it as FAILED, like a statement that timed out in Snowflake."""
        self.stop_with(
            State.FAILED,
            TIMEOUT,
            f"Statement reached its statement or warehouse timeout of {seconds:g} second(s) "
            "and was canceled.",
        )

    def cancel(self, by: str = "SQL execution canceled") -> None:
        self.stop_with(State.CANCELLED, CANCELLED, by)

    def stop_with(self, state: State, code: int, message: str) -> None:
        self.stop.ask(state, code, message, self._interrupt)

    def _interrupt(self) -> None:
        """End the task's processes, and cancel its statement in the engine."""
        if self.session is None:
            return
        interrupt(self.account, self.session)

    def interrupt_again(self) -> None:
        """End work that the task started after it was asked to stop."""
        self._interrupt()


def interrupt(account: Account, session: Session) -> None:
    """End the processes of a session, and the statements of it and of those that work for it."""
    children.interrupt(account, session)
    for one in account.sessions:
        if _works_for(one, session):
            one.interrupt()


def _works_for(session: Session, ancestor: Session) -> bool:
    current: Session | None = session
    while current is not None:
        if current is ancestor:
            return True
        current = current.parent
    return False
