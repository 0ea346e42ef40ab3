"""Rows of alerts and of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from sqlite3 import Row

from sfml_local.core.account import Account
from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store
from sfml_local.services.alerts.model import SUCCESSFUL, Alert, AlertRun, State
from sfml_local.services.tasks.store import text, when

SCHEMA = """
CREATE TABLE IF NOT EXISTS alerts (
    id TEXT PRIMARY KEY,
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_on TEXT NOT NULL,
    condition TEXT NOT NULL,
    "action" TEXT NOT NULL,
    schedule TEXT NOT NULL,
    warehouse TEXT,
    comment TEXT,
    started INTEGER NOT NULL,
    scheduled_since TEXT,
    next_time TEXT,
    UNIQUE (database, schema, name)
);
CREATE TABLE IF NOT EXISTS alert_runs (
    id TEXT PRIMARY KEY,
    alert_id TEXT NOT NULL,
    database TEXT NOT NULL,
    schema TEXT NOT NULL,
    name TEXT NOT NULL,
    condition TEXT NOT NULL,
    "action" TEXT NOT NULL,
    scheduled_time TEXT NOT NULL,
    state TEXT NOT NULL,
    condition_query_id TEXT,
    action_query_id TEXT,
    error_code INTEGER,
    error_message TEXT,
    completed_time TEXT
);
CREATE INDEX IF NOT EXISTS alert_runs_by_time ON alert_runs (scheduled_time);
"""

_ONE = "database = ? AND schema = ? AND name = ?"
_BY_NAME = "ORDER BY database, schema, name"


def _name(row: Row) -> ObjectName:
    return ObjectName(row["database"], row["schema"], row["name"])


def _alert(row: Row) -> Alert:
    return Alert(
        id=row["id"],
        name=_name(row),
        owner=row["owner"],
        created_on=datetime.fromisoformat(row["created_on"]),
        condition=row["condition"],
        action=row["action"],
        schedule=row["schedule"],
        warehouse=row["warehouse"],
        comment=row["comment"],
        started=bool(row["started"]),
        scheduled_since=when(row["scheduled_since"]),
        next_time=when(row["next_time"]),
    )


def find(store: Store, name: ObjectName) -> Alert | None:
    row = store.row(f"SELECT * FROM alerts WHERE {_ONE}", name.parts)
    return _alert(row) if row else None


def find_by_id(store: Store, id: str) -> Alert | None:
    row = store.row("SELECT * FROM alerts WHERE id = ?", (id,))
    return _alert(row) if row else None


def every(store: Store) -> list[Alert]:
    """All alerts, by name."""
    return [_alert(row) for row in store.rows(f"SELECT * FROM alerts {_BY_NAME}")]


def started(store: Store) -> list[Alert]:
    """The alerts that are resumed, by name."""
    return [_alert(row) for row in store.rows(f"SELECT * FROM alerts WHERE started {_BY_NAME}")]


def names(account: Account, database: str, schema: str) -> Sequence[ObjectName]:
    """The alerts of a schema, by name."""
    rows = account.store.rows(
        "SELECT * FROM alerts WHERE database = ? AND schema = ? ORDER BY name", (database, schema)
    )
    return [_name(row) for row in rows]


def save(store: Store, alert: Alert) -> None:
    """Insert the alert, or replace the one with its id."""
    store.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(alert.id, *alert.name.parts, alert.owner, text(alert.created_on)),
            *(alert.condition, alert.action, alert.schedule, alert.warehouse, alert.comment),
            *(int(alert.started), text(alert.scheduled_since), text(alert.next_time)),
        ),
    )


def set_next_time(store: Store, alert: Alert, moment: datetime | None) -> None:
    store.execute("UPDATE alerts SET next_time = ? WHERE id = ?", (text(moment), alert.id))


def delete(store: Store, alert: Alert) -> None:
    """Delete the alert; its runs stay in the history."""
    store.execute("DELETE FROM alerts WHERE id = ?", (alert.id,))


def schema_dropped(account: Account, database: str, schema: str) -> None:
    account.store.execute("DELETE FROM alerts WHERE database = ? AND schema = ?", (database, schema))


# -- runs


def _run(row: Row) -> AlertRun:
    return AlertRun(
        id=row["id"],
        alert_id=row["alert_id"],
        name=_name(row),
        condition=row["condition"],
        action=row["action"],
        scheduled_time=datetime.fromisoformat(row["scheduled_time"]),
        state=State(row["state"]),
        condition_query_id=row["condition_query_id"],
        action_query_id=row["action_query_id"],
        error_code=row["error_code"],
        error_message=row["error_message"],
        completed_time=when(row["completed_time"]),
    )


def save_run(store: Store, run: AlertRun) -> None:
    """Insert the run, or replace the one with its id."""
    store.execute(
        "INSERT OR REPLACE INTO alert_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(run.id, run.alert_id, *run.name.parts, run.condition, run.action, text(run.scheduled_time)),
            *(str(run.state), run.condition_query_id, run.action_query_id),
            *(run.error_code, run.error_message, text(run.completed_time)),
        ),
    )


def delete_run(store: Store, run: AlertRun) -> None:
    store.execute("DELETE FROM alert_runs WHERE id = ?", (run.id,))


def runs(store: Store) -> list[AlertRun]:
    """All runs that are kept, the latest first."""
    return [
        _run(row) for row in store.rows("SELECT * FROM alert_runs ORDER BY scheduled_time DESC, rowid DESC")
    ]


def runs_in(store: Store, state: State) -> list[AlertRun]:
    """The runs in a state, the earliest first."""
    rows = store.rows("SELECT * FROM alert_runs WHERE state = ? ORDER BY scheduled_time", (str(state),))
    return [_run(row) for row in rows]


def forget_runs(store: Store, before: datetime) -> None:
    """Delete the runs that ended before that moment, but the last successful one of each alert."""
    store.execute(
        "DELETE FROM alert_runs WHERE completed_time < ? AND id NOT IN (SELECT id FROM ("
        f"SELECT id, max(scheduled_time) FROM alert_runs WHERE {_SUCCESSFUL} GROUP BY alert_id))",
        (text(before),),
    )


_SUCCESSFUL = f"state IN ({', '.join(repr(str(state)) for state in SUCCESSFUL)})"


def last_successful(store: Store, alert_id: str) -> datetime | None:
    """The scheduled time of the last run whose condition and action succeeded."""
    found = f"SELECT max(scheduled_time) AS time FROM alert_runs WHERE alert_id = ? AND {_SUCCESSFUL}"
    row = store.row(found, (alert_id,))
    return when(row["time"]) if row else None
