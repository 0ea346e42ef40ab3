"""Graph runs and task runs in the account's metadata."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sfml.semantics.redaction import redacted
from sfml.semantics.states import State
from sfml_local.core.names import ObjectName
from sfml_local.core.store import Store
from sfml_local.services.tasks.store import text, when

SCHEMA = """
CREATE TABLE IF NOT EXISTS graph_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    root_id TEXT NOT NULL,
    database_name TEXT NOT NULL,
    schema_name TEXT NOT NULL,
    root_name TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    scheduled_from TEXT NOT NULL,
    run_id INTEGER NOT NULL,
    config TEXT,
    original_time TEXT NOT NULL,
    scheduled_time TEXT NOT NULL,
    query_start_time TEXT,
    completed_time TEXT,
    UNIQUE (group_id, attempt)
);
CREATE INDEX IF NOT EXISTS graph_runs_by_root ON graph_runs (root_id, number);
CREATE TABLE IF NOT EXISTS task_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    query_id TEXT,
    query_text TEXT NOT NULL,
    condition_text TEXT,
    state TEXT NOT NULL,
    error_code INTEGER,
    error_message TEXT,
    scheduled_time TEXT NOT NULL,
    query_start_time TEXT,
    completed_time TEXT,
    return_value TEXT,
    spcs_job_id INTEGER,
    UNIQUE (group_id, attempt, name)
);
"""


@dataclass(frozen=True, slots=True)
class GraphRun:
    """One attempt of a run of a graph. `run_id` is the original time in milliseconds since 1970.

    `attempt` counts from 1 within the run group; `original_time` is the group's, `scheduled_time` the
    attempt's.
    """

    group_id: str
    attempt: int
    root_id: str
    root: ObjectName
    version: int
    state: State
    scheduled_from: str
    run_id: int
    config: str | None
    original_time: datetime
    scheduled_time: datetime
    query_start_time: datetime | None = None
    completed_time: datetime | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class TaskRun:
    group_id: str
    attempt: int
    task_id: str
    name: str
    query_text: str
    condition_text: str | None
    state: State
    scheduled_time: datetime
    query_id: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    query_start_time: datetime | None = None
    completed_time: datetime | None = None
    return_value: str | None = None
    spcs_job_id: int | None = None


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value)


def _graph_run(row: sqlite3.Row) -> GraphRun:
    return GraphRun(
        group_id=row["group_id"],
        attempt=row["attempt"],
        root_id=row["root_id"],
        root=ObjectName(row["database_name"], row["schema_name"], row["root_name"]),
        version=row["version"],
        state=State(row["state"]),
        scheduled_from=row["scheduled_from"],
        run_id=row["run_id"],
        config=row["config"],
        original_time=_moment(row["original_time"]),
        scheduled_time=_moment(row["scheduled_time"]),
        query_start_time=when(row["query_start_time"]),
        completed_time=when(row["completed_time"]),
        number=row["number"],
    )


def _task_run(row: sqlite3.Row) -> TaskRun:
    return TaskRun(
        group_id=row["group_id"],
        attempt=row["attempt"],
        task_id=row["task_id"],
        name=row["name"],
        query_text=row["query_text"],
        condition_text=row["condition_text"],
        state=State(row["state"]),
        scheduled_time=_moment(row["scheduled_time"]),
        query_id=row["query_id"],
        error_code=row["error_code"],
        error_message=row["error_message"],
        query_start_time=when(row["query_start_time"]),
        completed_time=when(row["completed_time"]),
        return_value=row["return_value"],
        spcs_job_id=row["spcs_job_id"],
    )


def add_graph_run(store: Store, run: GraphRun) -> GraphRun:
    """The run as stored, with its number."""
    with store.transaction() as connection:
        cursor = connection.execute(
            "INSERT INTO graph_runs (group_id, attempt, root_id, database_name, schema_name, root_name,"
            " version, state, scheduled_from, run_id, config, original_time, scheduled_time)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.group_id,
                run.attempt,
                run.root_id,
                run.root.database,
                run.root.schema,
                run.root.name,
                run.version,
                run.state,
                run.scheduled_from,
                run.run_id,
                run.config,
                text(run.original_time),
                text(run.scheduled_time),
            ),
        )
        return replace(run, number=cursor.lastrowid or 0)


def set_graph_state(store: Store, run: GraphRun, state: State, **times: datetime) -> None:
    """Change a run's state and, by name, its query_start_time or completed_time."""
    assignments = "".join(f", {column} = :{column}" for column in times)
    values: dict[str, Any] = {column: text(moment) for column, moment in times.items()}
    store.execute(
        f"UPDATE graph_runs SET state = :state{assignments} WHERE group_id = :group AND attempt = :attempt",
        {**values, "state": state, "group": run.group_id, "attempt": run.attempt},
    )


def delete_graph_run(store: Store, run: GraphRun) -> None:
    """Delete a run that never started."""
    store.execute("DELETE FROM graph_runs WHERE group_id = ? AND attempt = ?", (run.group_id, run.attempt))


def graph_runs(
    store: Store, *, root_id: str | None = None, states: Iterable[State] = tuple(State)
) -> list[GraphRun]:
    """The runs in these states, of one or all roots, the latest first."""
    wanted = [str(state) for state in states]
    marks = ", ".join("?" for _ in wanted)
    # Not `? IS NULL OR root_id = ?`: SQLite would read the runs of all roots.
    of_root = "" if root_id is None else " AND root_id = ?"
    rows = store.rows(
        f"SELECT * FROM graph_runs WHERE state IN ({marks}){of_root} ORDER BY number DESC",
        (*wanted, *([] if root_id is None else [root_id])),
    )
    return [_graph_run(row) for row in rows]


def attempts(store: Store, group_id: str) -> list[GraphRun]:
    """The attempts of a run group, the first one first."""
    rows = store.rows("SELECT * FROM graph_runs WHERE group_id = ? ORDER BY attempt", (group_id,))
    return [_graph_run(row) for row in rows]


def start_task_run(store: Store, run: TaskRun) -> None:
    """Record that a task runs, or was skipped."""
    store.execute(
        "INSERT INTO task_runs (group_id, attempt, task_id, name, query_id, query_text, condition_text,"
        " state, error_code, error_message, scheduled_time, query_start_time, completed_time)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.group_id,
            run.attempt,
            run.task_id,
            run.name,
            run.query_id,
            redacted(run.query_text),
            run.condition_text,
            run.state,
            run.error_code,
            run.error_message and redacted(run.error_message),
            text(run.scheduled_time),
            text(run.query_start_time),
            text(run.completed_time),
        ),
    )


def finish_task_run(store: Store, run: TaskRun) -> None:
    """Record the end of a task's run; its return value is recorded while it runs."""
    store.execute(
        "UPDATE task_runs SET state = ?, error_code = ?, error_message = ?, completed_time = ?"
        " WHERE group_id = ? AND attempt = ? AND name = ?",
        (
            run.state,
            run.error_code,
            run.error_message and redacted(run.error_message),
            text(run.completed_time),
            run.group_id,
            run.attempt,
            run.name,
        ),
    )


def set_return_value(store: Store, group_id: str, attempt: int, name: str, value: str) -> None:
    store.execute(
        "UPDATE task_runs SET return_value = ? WHERE group_id = ? AND attempt = ? AND name = ?",
        (value, group_id, attempt, name),
    )


def set_job_id(store: Store, run: GraphRun, name: str, job_id: int) -> None:
    """Record the container job that a task's run started (SPCS_JOB_ID)."""
    store.execute(
        "UPDATE task_runs SET spcs_job_id = ? WHERE group_id = ? AND attempt = ? AND name = ?",
        (job_id, run.group_id, run.attempt, name),
    )


def task_runs(store: Store, group_id: str, attempt: int | None = None) -> list[TaskRun]:
    """A group's task runs in the order of their starts, of one or all attempts."""
    rows = store.rows(
        "SELECT * FROM task_runs WHERE group_id = ? AND (? IS NULL OR attempt = ?) ORDER BY number",
        (group_id, attempt, attempt),
    )
    return [_task_run(row) for row in rows]


def first_error(store: Store, group_id: str, attempt: int) -> TaskRun | None:
    """The first task run of an attempt that ended with an error."""
    row = store.row(
        "SELECT * FROM task_runs WHERE group_id = ? AND attempt = ? AND error_code <> 0"
        " ORDER BY completed_time IS NULL, completed_time, number LIMIT 1",
        (group_id, attempt),
    )
    return _task_run(row) if row else None


def latest_task_run(store: Store, group_id: str, name: str, attempt: int) -> TaskRun | None:
    """A task's run in this attempt, or in an earlier attempt that is still valid."""
    row = store.row(
        "SELECT * FROM task_runs WHERE group_id = ? AND name = ? AND attempt <= ?"
        " ORDER BY attempt DESC LIMIT 1",
        (group_id, name, attempt),
    )
    return _task_run(row) if row else None


def last_scheduled_time(store: Store, root_id: str, scheduled_from: str) -> datetime | None:
    """The scheduled time of the latest run with this origin."""
    return when(
        store.value(
            "SELECT scheduled_time FROM graph_runs WHERE root_id = ? AND scheduled_from = ?"
            " ORDER BY number DESC LIMIT 1",
            (root_id, scheduled_from),
        )
    )


def unfinished_task_runs(store: Store) -> list[TaskRun]:
    rows = store.rows("SELECT * FROM task_runs WHERE state IN ('SCHEDULED', 'EXECUTING')")
    return [_task_run(row) for row in rows]


def last_successful(store: Store, root_id: str, before: int) -> GraphRun | None:
    """The latest successful run of a root before the run with that number."""
    row = store.row(
        "SELECT * FROM graph_runs WHERE root_id = ? AND state = 'SUCCEEDED' AND number < ?"
        " ORDER BY number DESC LIMIT 1",
        (root_id, before),
    )
    return _graph_run(row) if row else None
