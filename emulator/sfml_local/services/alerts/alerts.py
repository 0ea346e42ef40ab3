"""The alerts of an account that run, and when the others are due."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfml.semantics.schedule import fires
from sfml_local.core.deep import deeply
from sfml_local.services.alerts import store
from sfml_local.services.alerts.model import Alert, AlertRun, State
from sfml_local.services.alerts.running import SERVER_ENDED, RunningAlert
from sfml_local.services.tasks.scheduler import LATENESS
from sfml_local.services.tasks.task_run import INTERNAL

if TYPE_CHECKING:
    from sfml_local.core.account import Account

KEPT = timedelta(days=7)
"""https://docs.snowflake.com/en/sql-reference/functions/alert_history"""


class Alerts:
    """The alerts of one account; the scheduler of tasks calls it when one is due."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lock = threading.RLock()
        self._ended = threading.Condition(self.lock)
        self._running: dict[str, RunningAlert] = {}
        self._waiting: dict[str, AlertRun] = {}
        """By the id of the alert: at most one run executes, and one waits for its end."""

    # -- starting and ending

    def recover(self) -> None:
        """Mark runs that a dead server left executing as failed, and start those that it left waiting."""
        for run in store.runs_in(self.account.store, State.EXECUTING):
            failed = replace(run, state=State.FAILED, completed_time=self.account.clock())
            ended = replace(failed, error_code=INTERNAL, error_message=SERVER_ENDED)
            store.save_run(self.account.store, ended)
        for run in store.runs_in(self.account.store, State.SCHEDULED):
            with self.lock:
                self._launch(run)

    def stop(self, seconds: float = 10) -> None:
        """End every run; no further one starts."""
        with self.lock:
            running = list(self._running.values())
        deadline = time.monotonic() + seconds
        with self._ended:
            while self._running and time.monotonic() < deadline:
                for one in running:
                    one.stop()
                self._ended.wait(0.2)

    def settle(self, seconds: float = 60) -> None:
        """Wait until no alert runs."""
        with self._ended:
            if not self._ended.wait_for(lambda: not self._running, seconds):
                raise TimeoutError(f"alerts go on after {seconds:g} s")

    # -- asking for runs

    def execute(self, alert: Alert) -> None:
        """EXECUTE ALERT: run it now, or after the run that executes; only the latest request waits.

        https://docs.snowflake.com/en/sql-reference/sql/execute-alert
        """
        run = _new_run(alert, self.account.clock())
        with self.lock, self.account.store.transaction():
            store.save_run(self.account.store, run)
            if alert.id not in self._running:
                self._launch(run)
                return
            if (replaced := self._waiting.pop(alert.id, None)) is not None:
                store.delete_run(self.account.store, replaced)
            self._waiting[alert.id] = run

    def next_due(self) -> datetime | None:
        """The next time of a schedule."""
        times = (alert.next_time for alert in store.started(self.account.store))
        return min((moment for moment in times if moment is not None), default=None)

    def fire(self) -> None:
        """Run the alerts that are due now."""
        now = self.account.clock()
        for alert in store.started(self.account.store):
            if alert.next_time is not None and alert.next_time <= now:
                self._fire(alert.id, now)

    def _fire(self, alert_id: str, now: datetime) -> None:
        with self.lock, self.account.store.transaction():
            alert = store.find_by_id(self.account.store, alert_id)
            if alert is None or alert.next_time is None or self.account.stopping.is_set():
                return
            due = _latest_due(alert, now)
            store.set_next_time(self.account.store, alert, alert.time_after(now))
            # A time that comes while the alert runs is passed over, like that of a task.
            if due is not None and alert_id not in self._running:
                run = _new_run(alert, due)
                store.save_run(self.account.store, run)
                self._launch(run)

    # -- carrying a run out

    def _launch(self, run: AlertRun) -> None:
        """Begin a run of an alert that is still there."""
        alert = store.find_by_id(self.account.store, run.alert_id)
        if alert is None:
            store.delete_run(self.account.store, run)
            return
        executing = replace(run, state=State.EXECUTING)
        store.save_run(self.account.store, executing)
        running = self._running[alert.id] = RunningAlert(self.account, alert, executing)
        name = f"alert-{alert.name.name}"
        threading.Thread(target=self._carry_out, args=(running,), name=name, daemon=True).start()

    def _carry_out(self, running: RunningAlert) -> None:
        with self.lock:  # the transaction that recorded the run has ended once the lock is free
            pass
        try:
            store.save_run(self.account.store, deeply(running.execute))
            store.forget_runs(self.account.store, self.account.clock() - KEPT)
        finally:
            with self._ended:
                del self._running[running.alert.id]
                waiting = self._waiting.pop(running.alert.id, None)
                if waiting is not None and not self.account.stopping.is_set():
                    self._launch(waiting)
                self._ended.notify_all()
            self.account.attention.set()


def _new_run(alert: Alert, moment: datetime) -> AlertRun:
    return AlertRun(str(uuid.uuid4()), alert.id, alert.name, alert.condition, alert.action, moment)


def _latest_due(alert: Alert, now: datetime) -> datetime | None:
    """The latest time of the schedule that is due and not missed: no server was there to keep earlier ones."""
    assert alert.next_time is not None
    after = max(alert.next_time - timedelta(microseconds=1), now - LATENESS)
    return max(fires(alert.parsed_schedule, after, now, alert.scheduled_since or after), default=None)


def upcoming(account: Account, horizon: timedelta) -> list[AlertRun]:
    """The next run of each started alert within that time, as runs in state SCHEDULED."""
    end = account.clock() + horizon
    return [
        _new_run(alert, alert.next_time)
        for alert in store.started(account.store)
        if alert.next_time is not None and alert.next_time <= end
    ]
