"""One run of an alert: its condition, then its action, in a session of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.core.full_disk import full_disk_error
from sfml_local.core.log_format import logger
from sfml_local.core.nested_statements import nested
from sfml_local.services.alerts import store
from sfml_local.services.alerts.model import Alert, AlertRun, State
from sfml_local.services.tasks.task_run import INTERNAL, interrupt

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

SERVER_ENDED = "The local Snowflake server ended while this alert was running."


class AlertContext:
    """The run for which a session works, and for which its parents do."""

    def __init__(self, session: Session) -> None:
        parent = session.parent
        self.run: AlertRun | None = None if parent is None else parent.part(AlertContext).run


class RunningAlert:
    """An executing run of an alert; `stop` may be called from any thread."""

    def __init__(self, account: Account, alert: Alert, run: AlertRun) -> None:
        self.account, self.alert, self.run = account, alert, run
        self.session: Session | None = None

    def execute(self) -> AlertRun:
        """Execute the run and return how it ended; never raises."""
        try:
            self.session = self._open_session()
            try:
                return self._ended(self._condition(self.session))
            finally:
                self.account.sessions.close(self.session)
        except Exception as error:  # an internal error must not end other alerts
            return self._ended(self._failed(State.FAILED, error))

    def stop(self) -> None:
        """End its statement and its processes."""
        if self.session is not None:
            interrupt(self.account, self.session)

    def _open_session(self) -> Session:
        return self.account.sessions.open(
            database=self.alert.name.database,
            schema=self.alert.name.schema,
            user="SYSTEM",
            role=self.alert.owner,
            warehouse=self.alert.warehouse,
        )

    def _condition(self, session: Session) -> AlertRun:
        query_id = self.account.new_query_id()
        self._note(session, replace(self.run, condition_query_id=query_id))
        try:
            has_rows = bool(len(self.account.execute(session, self.run.condition, query_id=query_id).rows))
        except Exception as error:
            return self._failed(State.CONDITION_FAILED, error)
        return self._action(session) if has_rows else replace(self.run, state=State.CONDITION_FALSE)

    def _action(self, session: Session) -> AlertRun:
        query_id = self.account.new_query_id()
        self._note(session, replace(self.run, action_query_id=query_id))
        try:
            with nested():
                self.account.execute(session, self.run.action, query_id=query_id)
        except Exception as error:
            return self._failed(State.ACTION_FAILED, error)
        return replace(self.run, state=State.TRIGGERED)

    def _note(self, session: Session, run: AlertRun) -> None:
        """Keep what is known of the run, for the history and for the functions of alerts."""
        self.run = session.part(AlertContext).run = run
        store.save_run(self.account.store, run)

    def _failed(self, state: State, error: Exception) -> AlertRun:
        if self.account.stopping.is_set():
            return replace(self.run, state=State.FAILED, error_code=INTERNAL, error_message=SERVER_ENDED)
        error = full_disk_error(error) or error
        if isinstance(error, SqlError):
            return replace(self.run, state=state, error_code=error.errno, error_message=error.message)
        logger.error("an alert failed", exc_info=error)
        message = f"{type(error).__name__}: {error}"
        return replace(self.run, state=state, error_code=INTERNAL, error_message=message)

    def _ended(self, run: AlertRun) -> AlertRun:
        return replace(run, completed_time=self.account.clock())
