"""The dynamic tables of an account, their refreshes, and when they are due."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.core.full_disk import full_disk_error
from sfml_local.core.log_format import logger
from sfml_local.core.names import ObjectName
from sfml_local.services.dynamic_tables import store
from sfml_local.services.dynamic_tables.model import DynamicTable, Refresh
from sfml_local.services.dynamic_tables.refreshing import Refilled, initial_action, refill, statistics

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

KEPT = timedelta(days=7)
"""https://docs.snowflake.com/en/sql-reference/functions/dynamic_table_refresh_history"""

ERRORS_ALLOWED = 5
"""After this many scheduled refreshes have failed in a row, the table is suspended.

https://docs.snowflake.com/en/user-guide/dynamic-tables-states
"""

USER_SUSPENDED, UPSTREAM_SUSPENDED = "USER_SUSPENDED", "UPSTREAM_SUSPENDED"
SUSPENDED_BY_ERRORS = "SUSPENDED_DUE_TO_ERRORS"


class DynamicTables:
    """The dynamic tables of one account; the scheduler calls it when a refresh is due."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lock = threading.RLock()
        """Acquired while a table is changed or refreshed; one at a time."""
        self._tables: dict[ObjectName, DynamicTable] | None = None
        self._writing: ContextVar[bool] = ContextVar("writing", default=False)
        self._worker: threading.Thread | None = None

    # -- what there is

    @property
    def tables(self) -> dict[ObjectName, DynamicTable]:
        """All dynamic tables by name; the dictionary is replaced, never changed."""
        if self._tables is None:
            with self.lock:
                self._tables = store.every(self.account.store)
        return self._tables

    def find(self, name: ObjectName) -> DynamicTable | None:
        return self.tables.get(name)

    def save(self, table: DynamicTable, trigger: str | None = None) -> DynamicTable:
        """Store a table; with a trigger, as a new description in the graph's history."""
        with self.lock, self.account.store.transaction():
            if trigger is not None:
                table = replace(table, valid_from=self.account.clock())
                store.describe(self.account.store, table, trigger)
            store.save(self.account.store, table)
            self._tables = {
                **{name: one for name, one in self.tables.items() if one.id != table.id},
                table.name: table,
            }
        self.account.attention.set()
        return table

    def forget(self, table: DynamicTable) -> None:
        with self.lock, self.account.store.transaction():
            store.close(self.account.store, table, self.account.clock())
            store.delete(self.account.store, table)
            self._tables = {name: one for name, one in self.tables.items() if one.id != table.id}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Allow statements of this thread to change rows of dynamic tables."""
        mark = self._writing.set(True)
        try:
            yield
        finally:
            self._writing.reset(mark)

    @property
    def is_writing(self) -> bool:
        return self._writing.get()

    # -- the graph

    def upstream(self, table: DynamicTable) -> list[DynamicTable]:
        """The dynamic tables above it, directly or through others, in topological order."""
        found: dict[ObjectName, DynamicTable] = {}
        seen = {table.name}

        def visit(one: DynamicTable) -> None:
            for name in one.reads:
                other = self.tables.get(name)
                if other is not None and other.name not in seen:
                    seen.add(other.name)
                    visit(other)
                    found[other.name] = other

        visit(table)
        return list(found.values())

    def downstream(self, table: DynamicTable) -> list[DynamicTable]:
        """The dynamic tables that read it, directly or through others."""
        return [one for one in self.tables.values() if table.name in {up.name for up in self.upstream(one)}]

    # -- suspending

    def suspend(self, table: DynamicTable, reason: str = USER_SUSPENDED) -> None:
        """Suspend a table and all below it."""
        now = self.account.clock()
        with self.lock:
            self.save(replace(table, suspended=reason, suspended_on=now), "SUSPEND")
            for below in self.downstream(table):
                if below.suspended is None:
                    self.save(replace(below, suspended=UPSTREAM_SUSPENDED, suspended_on=now), "SUSPEND")

    def resume(self, table: DynamicTable) -> None:
        """Resume a table and those below it, except tables that were suspended by hand; raises SqlError."""
        now = self.account.clock()
        with self.lock:
            for above in self.upstream(table):
                if above.suspended is not None:
                    raise SqlError(
                        f"Cannot resume dynamic table '{table.name.fqn()}' because its upstream dynamic table"
                        f" '{above.name.fqn()}' is suspended.",
                        2734,
                        "55000",
                    )
            self.save(_resumed(table, now), "RESUME")
            for below in self.downstream(table):
                is_free = all(up.suspended is None for up in self.upstream(below))
                if below.suspended == UPSTREAM_SUSPENDED and is_free:
                    self.save(_resumed(below, now), "RESUME")

    # -- refreshing

    def refresh(self, name: ObjectName, trigger: str) -> Refresh:
        """Refresh a table and those that it reads, all as of now; returns the result."""
        with self.lock:
            moment = self.account.clock()
            table = self.tables[name]
            for above in self.upstream(table):
                if above.data_timestamp is None or above.data_timestamp < moment:
                    done = self._refresh(self.tables[above.name], moment, trigger)
                    if done.state != "SUCCEEDED":
                        return self._not_begun(self.tables[name], moment, trigger, done)
            return self._refresh(self.tables[name], moment, trigger)

    def created(self, table: DynamicTable, seen: dict[str, int], rows: int) -> None:
        """Record the refresh of a table that was created with its rows."""
        begun = self._begun(table, table.created_on, "CREATION")
        self.save(replace(table, data_timestamp=table.created_on, attempted_on=table.created_on, seen=seen))
        self._ended(begun, action=initial_action(table), statistics=statistics(rows, 0))

    def _refresh(self, table: DynamicTable, moment: datetime, trigger: str) -> Refresh:
        begun = self._begun(table, moment, trigger)
        store.save_refresh(self.account.store, begun)
        try:
            done = self._refill(table, begun.query_id)
        except Exception as error:  # an error of one table must not end the refreshes of all
            error = full_disk_error(error) or error
            code, message = _told(error)
            self._failed(table, moment, trigger)
            return self._ended(begun, state="FAILED", code=code, message=message)
        # The settings may have changed meanwhile, so update only the fields that a refresh determines.
        self.save(
            replace(
                self.tables[table.name],
                data_timestamp=moment,
                attempted_on=moment,
                errors=0,
                reads=done.reads,
                seen=done.seen,
            )
        )
        return self._ended(begun, action=done.action, statistics=dict(done.statistics))

    def _refill(self, table: DynamicTable, query_id: str) -> Refilled:
        session = self._open_session(table)
        try:
            with self.writing():
                return refill(self.account, session, table, query_id)
        finally:
            self.account.sessions.close(session)

    def _open_session(self, table: DynamicTable) -> Session:
        return self.account.sessions.open(
            database=table.database,
            schema=table.schema,
            user="SYSTEM",
            role=table.owner,
            warehouse=table.warehouse,
        )

    def _begun(self, table: DynamicTable, moment: datetime, trigger: str) -> Refresh:
        lag = self._lag(table)
        target = (
            None
            if lag is None or table.data_timestamp is None
            else table.data_timestamp + timedelta(seconds=lag)
        )
        return Refresh(
            id=str(uuid.uuid4()),
            table=table.id,
            name=table.name,
            state="EXECUTING",
            query_id=self.account.new_query_id(),
            data_timestamp=moment,
            started=self.account.clock(),
            trigger=trigger,
            target_lag=lag,
            valid_from=table.valid_from,
            completion_target=target,
            action=None,
        )

    def _lag(self, table: DynamicTable) -> int | None:
        """Its own lag; for a DOWNSTREAM table, the shortest lag of the tables below."""
        if table.target_lag is not None:
            return table.target_lag
        lags = [one.target_lag for one in self.downstream(table) if one.target_lag is not None]
        return min(lags, default=None)

    def _ended(self, refresh: Refresh, *, state: str = "SUCCEEDED", **values: object) -> Refresh:
        done = replace(refresh, state=state, ended=self.account.clock(), **values)  # type: ignore[arg-type]
        store.save_refresh(self.account.store, done)
        return done

    def _not_begun(self, table: DynamicTable, moment: datetime, trigger: str, failed: Refresh) -> Refresh:
        self.save(replace(table, attempted_on=moment))
        message = f"Skipped since the upstream dynamic table {failed.name.fqn()} failed to refresh."
        begun = self._begun(table, moment, trigger)
        return self._ended(begun, state="UPSTREAM_FAILED", code="UPSTREAM_FAILED", message=message)

    def _failed(self, table: DynamicTable, moment: datetime, trigger: str) -> None:
        if self.account.stopping.is_set():
            return
        current = self.tables[table.name]
        errors = current.errors + 1
        self.save(replace(current, attempted_on=moment, errors=errors))
        if trigger == "SCHEDULED" and errors >= ERRORS_ALLOWED and current.suspended is None:
            self.suspend(self.tables[table.name], SUSPENDED_BY_ERRORS)

    # -- the schedule

    def next_due(self) -> datetime | None:
        """When the next refresh is due; None during a refresh, whose end wakes the scheduler."""
        if self._worker is not None:
            return None
        return min((due for one in self.tables.values() if (due := one.next_due) is not None), default=None)

    def fire(self) -> None:
        """Start the due refreshes in a separate thread."""
        now = self.account.clock()
        if self._worker is not None or self.account.stopping.is_set():
            return
        due = [one.name for one in self.tables.values() if one.next_due is not None and one.next_due <= now]
        if due:
            self._worker = threading.Thread(
                target=self._work, args=(due,), name="dynamic-tables", daemon=True
            )
            self._worker.start()

    def _work(self, due: list[ObjectName]) -> None:
        try:
            for name in due:
                with self.lock:
                    table = self.tables.get(name)
                    # It may have been refreshed with a table below it, dropped or suspended meanwhile.
                    is_due = table is not None and table.next_due is not None
                    if self.account.stopping.is_set():
                        return
                    if table is not None and is_due and table.next_due <= self.account.clock():  # type: ignore[operator]
                        self.refresh(name, "SCHEDULED")
            store.forget_refreshes(self.account.store, self.account.clock() - KEPT)
        except Exception:
            if not self.account.stopping.is_set():
                logger.exception("a refresh of dynamic tables failed")
        finally:
            self._worker = None
            self.account.attention.set()

    def settle(self, seconds: float = 60) -> None:
        """Wait until no refresh runs."""
        worker = self._worker
        if worker is not None:
            worker.join(seconds)
            if worker.is_alive():
                raise TimeoutError(f"refreshes of dynamic tables go on after {seconds:g} s")

    def stop(self, seconds: float = 10) -> None:
        """Wait for the running refresh; its sessions are closed if it takes too long."""
        worker = self._worker
        deadline = time.monotonic() + seconds
        while worker is not None and worker.is_alive() and time.monotonic() < deadline:
            worker.join(0.2)


def _resumed(table: DynamicTable, now: datetime) -> DynamicTable:
    return replace(table, suspended=None, resumed_on=now, errors=0)


def _told(error: Exception) -> tuple[str, str]:
    """The code and the message for the history."""
    if isinstance(error, SqlError):
        return error.code, error.message
    logger.error("a refresh failed", exc_info=error)
    return "370001", f"{type(error).__name__}: {error}"
