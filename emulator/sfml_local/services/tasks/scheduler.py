"""Fires schedules and triggers, according to the account's clock.

A schedule fires at its time. A time that did not fire (the server was down, or fired no schedules, or the
machine slept) is missed: it does not fire later, and the history shows it as SKIPPED with the reason, which
is this server's own representation, because an account is never down.
"""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfml.semantics.schedule import fires
from sfml.semantics.states import State
from sfml.semantics.triggering import is_triggered
from sfml_local.core.clock import Follower, ManualClock
from sfml_local.core.log_format import logger
from sfml_local.services.tasks import run_store, slot_store, store
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.run_store import GraphRun, TaskRun
from sfml_local.services.tasks.runner import Runner, new_run
from sfml_local.services.tasks.triggers import Triggers

if TYPE_CHECKING:
    from sfml_local.core.account import Account

LATENESS = timedelta(seconds=60)
"""The longest delay of a schedule; after it, the time is missed."""

REST = 60.0
"""Seconds between checks of the clock, because the machine may have slept, or its clock may have been set."""

BREATH, FAULT = 0.01, 5.0
"""The minimum of seconds between checks, and the pause after a failed one."""

HORIZON = timedelta(days=8)
"""How far ahead TASK_HISTORY and CURRENT_TASK_GRAPHS show scheduled runs.

https://docs.snowflake.com/en/sql-reference/functions/task_history
"""

MISSED_KEPT = 100
MISSED_WITHIN = timedelta(days=7)
"""The most missed times in a row that are recorded, and their greatest age, at which the history ends."""

MISSED = "Missed: the local Snowflake did not keep schedules at this time."


class Scheduler:
    """The schedules and triggers of one account. It fires nothing until it is enabled."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.runner = account.part(Runner)
        self.triggers = Triggers(account, self.runner)
        self.is_on = False
        self.others: list[Follower] = []
        """Other components with due times besides tasks."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def turn_on(self) -> None:
        """Enable firing; times that were due before are missed."""
        with self._lock:
            if self.is_on or self.account.stopping.is_set():
                return
            self.is_on = True
        clock = self.account.clock
        for root in self._scheduled():
            self._miss(root, clock())
        if isinstance(clock, ManualClock):
            clock.follow(self)
        else:
            self._thread = threading.Thread(target=self._work, name="scheduler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Disable firing, because the account stops."""
        self.is_on = False
        if isinstance(self.account.clock, ManualClock):
            self.account.clock.leave(self)
        self.account.attention.set()
        if self._thread is not None:
            self._thread.join(10)

    def _work(self) -> None:
        while not self.account.stopping.is_set():
            # Clear the event first, so that later changes wake this thread again.
            self.account.attention.clear()
            try:
                pause = self._look()
            except Exception:
                if self.account.stopping.is_set():
                    return
                # An internal error with one task must not end the schedules of all.
                logger.exception("a look at the schedules failed")
                pause = FAULT
            self.account.attention.wait(pause)

    def _look(self) -> float:
        """Do all due work; returns the seconds until the next check."""
        self.fire()
        due = self.next_due()
        pause = REST if due is None else (due - self.account.clock()).total_seconds()
        return min(max(pause, BREATH), REST)

    # -- what is due

    def next_due(self) -> datetime | None:
        """The next moment with work, as far as known now."""
        moments = [slot_store.next_slot(self.account.store, root) for root in self._scheduled()]
        moments += [self.triggers.next_due(root) for root in self._triggered()]
        moments += [other.next_due() for other in self.others]
        return min((moment for moment in moments if moment is not None), default=None)

    def fire(self) -> None:
        """Start everything that is due now."""
        for root in self._scheduled():
            self._fire(root.id)
        for root in self._triggered():
            self.triggers.fire(root)
        for other in self.others:
            other.fire()

    def settle(self) -> None:
        """Wait until no run executes."""
        self.runner.settle()
        for other in self.others:
            other.settle()

    def _started(self) -> list[Task]:
        return [task for task in store.started(self.account.store) if task.settings.is_root]

    def _scheduled(self) -> list[Task]:
        return [task for task in self._started() if task.settings.schedule]

    def _triggered(self) -> list[Task]:
        return [t for t in self._started() if is_triggered(t.settings.schedule, t.settings.condition)]

    # -- schedules

    def _fire(self, root_id: str) -> None:
        with self.runner.lock, self.account.store.transaction():
            root = store.find_by_id(self.account.store, root_id)
            if root is None or not root.started or self.account.stopping.is_set():
                return
            now = self.account.clock()
            self._miss(root, now - LATENESS)
            slots = self._slots(root, now)
            if not slots:
                return
            # Of several times that came since the last check, only the latest counts.
            self.runner.begin(root, slots[-1], "SCHEDULE", group_id(root, slots[-1]))
            slot_store.pass_slot(self.account.store, root, slots[-1])

    def _slots(self, root: Task, until: datetime) -> list[datetime]:
        """The due times until `until` in order; if there are many, only the latest ones."""
        first = slot_store.next_slot(self.account.store, root)
        schedule = root.settings.parsed_schedule
        if first is None or schedule is None or first > until:
            return []
        start = max(first, until - MISSED_WITHIN)
        later = fires(schedule, start, until, root.scheduled_since or start)
        return list(deque((first, *later), maxlen=MISSED_KEPT))

    def _miss(self, root: Task, until: datetime) -> None:
        """Record missed times."""
        with self.account.store.transaction():
            slots = self._slots(root, until)
            for slot in slots:
                self._write_missed(root, slot)
            if slots:
                slot_store.pass_slot(self.account.store, root, slots[-1])

    def _write_missed(self, root: Task, slot: datetime) -> None:
        group = group_id(root, slot)
        if run_store.attempts(self.account.store, group):
            return
        config = root.settings.config
        run = replace(new_run(root, root.graph_version, slot, "SCHEDULE", group, config), state=State.SKIPPED)
        run_store.add_graph_run(self.account.store, run)
        row = TaskRun(
            group_id=group,
            attempt=1,
            task_id=root.id,
            name=root.name.name,
            query_text=root.settings.definition,
            condition_text=root.settings.condition,
            state=State.SKIPPED,
            scheduled_time=slot,
            error_message=MISSED,
            completed_time=self.account.clock(),
        )
        run_store.start_task_run(self.account.store, row)

    # -- what the history shows beforehand

    def upcoming(self, root_id: str | None = None) -> list[GraphRun]:
        """The next scheduled run of each started root, the latest first, as runs in state SCHEDULED.

        A root with a waiting run has none, because EXECUTE TASK replaces the scheduled run.
        https://docs.snowflake.com/en/sql-reference/sql/execute-task
        """
        if not self.is_on:
            return []
        waiting = {run.root_id for run in run_store.graph_runs(self.account.store, states=(State.SCHEDULED,))}
        horizon = self.account.clock() + HORIZON
        runs = []
        for root in self._scheduled():
            slot = slot_store.next_slot(self.account.store, root)
            if slot is None or slot > horizon or root.id in waiting or root_id not in (None, root.id):
                continue
            config, group = root.settings.config, group_id(root, slot)
            runs.append(new_run(root, root.graph_version, slot, "SCHEDULE", group, config))
        return sorted(runs, key=lambda run: run.scheduled_time, reverse=True)


def group_id(root: Task, slot: datetime) -> str:
    """The run group of a scheduled run, which is known before it runs."""
    return str(uuid.uuid5(uuid.UUID(root.id), f"{slot.timestamp():.0f}"))
