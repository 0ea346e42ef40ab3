"""TASK_HISTORY, CURRENT_TASK_GRAPHS, COMPLETE_TASK_GRAPHS and TASK_DEPENDENTS."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sfml.semantics.redaction import redacted
from sfml.semantics.states import State
from sfml_local.core.account import TableFunction
from sfml_local.core.arguments import Args, time_of
from sfml_local.core.errors import SqlError
from sfml_local.core.names import resolve
from sfml_local.core.result import Result, columns, table
from sfml_local.grammar.tokens import SqlSyntaxError, parse_name
from sfml_local.services.tasks import commands, run_store, store
from sfml_local.services.tasks import execution as service
from sfml_local.services.tasks.model import Task, next_scheduled
from sfml_local.services.tasks.run_store import GraphRun, TaskRun

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


TASK_HISTORY_COLUMNS = columns(
    "QUERY_ID NAME DATABASE_NAME SCHEMA_NAME QUERY_TEXT CONDITION_TEXT STATE ERROR_CODE:fixed ERROR_MESSAGE"
    " SCHEDULED_TIME:timestamp_ltz QUERY_START_TIME:timestamp_ltz NEXT_SCHEDULED_TIME:timestamp_ltz"
    " COMPLETED_TIME:timestamp_ltz ROOT_TASK_ID GRAPH_VERSION:fixed RUN_ID:fixed RETURN_VALUE SCHEDULED_FROM"
    " ATTEMPT_NUMBER:fixed CONFIG QUERY_HASH QUERY_HASH_VERSION:fixed QUERY_PARAMETERIZED_HASH"
    " QUERY_PARAMETERIZED_HASH_VERSION:fixed GRAPH_RUN_GROUP_ID BACKFILL_INFO:object SPCS_JOB_ID:fixed"
)
_GRAPH_HEAD = (
    "ROOT_TASK_NAME DATABASE_NAME SCHEMA_NAME STATE FIRST_ERROR_TASK_NAME"
    " FIRST_ERROR_CODE:fixed FIRST_ERROR_MESSAGE SCHEDULED_TIME:timestamp_ltz"
    " QUERY_START_TIME:timestamp_ltz NEXT_SCHEDULED_TIME:timestamp_ltz"
)
_GRAPH_TAIL = (
    " ROOT_TASK_ID GRAPH_VERSION:fixed RUN_ID:fixed ATTEMPT_NUMBER:fixed SCHEDULED_FROM CONFIG"
    " GRAPH_RUN_GROUP_ID BACKFILL_INFO:object SCHEDULED_BY_USER"
)
CURRENT_GRAPHS_COLUMNS = columns(_GRAPH_HEAD + _GRAPH_TAIL)
COMPLETE_GRAPHS_COLUMNS = columns(_GRAPH_HEAD + " COMPLETED_TIME:timestamp_ltz" + _GRAPH_TAIL)
DEPENDENTS_COLUMNS = columns(
    "CREATED_ON:timestamp_ltz NAME DATABASE_NAME SCHEMA_NAME OWNER COMMENT WAREHOUSE SCHEDULE PREDECESSORS"
    " STATE DEFINITION CONDITION"
)


@dataclass(frozen=True, slots=True)
class GraphRow:
    """A graph run with data from its task runs and its root."""

    run: GraphRun
    first_error: TaskRun | None
    next_scheduled_time: datetime | None

    def values(self, *, completed: bool) -> tuple[Any, ...]:
        run, error = self.run, self.first_error
        return (
            run.root.name,
            run.root.database,
            run.root.schema,
            str(run.state),
            error.name if error else None,
            error.error_code if error else None,
            error.error_message if error else None,
            run.scheduled_time,
            run.query_start_time,
            self.next_scheduled_time,
            *((run.completed_time,) if completed else ()),
            run.root_id,
            run.version,
            run.run_id,
            run.attempt,
            run.scheduled_from,
            run.config,
            run.group_id,
            None,
            None,
        )


def graph_row(account: Account, run: GraphRun) -> GraphRow:
    failed = run_store.first_error(account.store, run.group_id, run.attempt)
    return GraphRow(run, failed, _next_time(account, run))


def _next_time(account: Account, run: GraphRun) -> datetime | None:
    """When the root is scheduled next after this run. https://docs.snowflake.com/en/sql-reference/functions/task_history"""
    root = store.find_by_id(account.store, run.root_id)
    return next_scheduled(root, run.scheduled_time) if root else None


# -- TASK_HISTORY

KEPT = timedelta(days=7)


def task_history(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/task_history

    Tasks that never ran have no row; runs whose WHEN was false are SKIPPED.
    """
    given = arguments.by_name(
        "TASK_HISTORY",
        "SCHEDULED_TIME_RANGE_START SCHEDULED_TIME_RANGE_END RESULT_LIMIT TASK_NAME DATABASE_NAME"
        " SCHEMA_NAME ERROR_ONLY ROOT_TASK_ID",
    )
    if given.get("SCHEMA_NAME") and not given.get("DATABASE_NAME"):
        raise SqlError("SCHEMA_NAME must be qualified by DATABASE_NAME in TASK_HISTORY.", 1008, "22023")
    now = account.clock()
    start = time_of(given.get("SCHEDULED_TIME_RANGE_START")) or now - KEPT
    end = time_of(given.get("SCHEDULED_TIME_RANGE_END"))
    demand_recent("TASK_HISTORY", now, start, end)
    limit = result_limit(given.get("RESULT_LIMIT"), 100)
    database, schema = _folded(given.get("DATABASE_NAME")), _folded(given.get("SCHEMA_NAME"))
    name = str(given["TASK_NAME"]).upper() if given.get("TASK_NAME") else None
    error_only = _truth(given.get("ERROR_ONLY"))
    found = []
    root_id = given.get("ROOT_TASK_ID")
    upcoming = service.scheduler_of(account).upcoming(root_id)
    for run in (*upcoming, *run_store.graph_runs(account.store, root_id=root_id)):
        if (database and run.root.database != database) or (schema and run.root.schema != schema):
            continue
        if run.scheduled_time < start or (end is not None and run.scheduled_time > end):
            continue
        following = _next_time(account, run)
        for row in reversed(_task_rows(account, run)):
            if name and row.name.upper() != name:
                continue
            if error_only and not (row.state.is_failure or row.state is State.CANCELLED):
                continue
            found.append(_history_values(run, row, following))
        if len(found) >= limit:
            break
    return table(TASK_HISTORY_COLUMNS, found[:limit])


def demand_recent(function: str, now: datetime, start: datetime, end: datetime | None) -> None:
    """Refuse a time range that begins or ends before the last seven days; the message is assumed."""
    # Seven days before the time when the statement was written are a little more than seven days ago.
    for moment in (start, end):
        if moment is not None and moment < now - KEPT - timedelta(minutes=5):
            raise SqlError(
                f"Invalid time range for {function}: SCHEDULED_TIME_RANGE_START and SCHEDULED_TIME_RANGE_END "
                "must lie within the last 7 days.",
                1008,
                "22023",
            )


def _task_rows(account: Account, run: GraphRun) -> list[TaskRun]:
    """The task runs of an attempt; for a waiting run, that of its root."""
    if run.state is not State.SCHEDULED:
        return run_store.task_runs(account.store, run.group_id, run.attempt)
    root = next(
        task for task in store.version(account.store, run.root_id, run.version) if task.id == run.root_id
    )
    settings = root.settings
    return [
        TaskRun(
            run.group_id,
            run.attempt,
            root.id,
            root.name.name,
            settings.definition,
            settings.condition,
            State.SCHEDULED,
            run.scheduled_time,
        )
    ]


def _history_values(run: GraphRun, row: TaskRun, following: datetime | None) -> tuple[Any, ...]:
    query_hash = hashlib.md5(row.query_text.encode(), usedforsecurity=False).hexdigest()
    return (
        row.query_id,
        row.name,
        run.root.database,
        run.root.schema,
        redacted(row.query_text),
        row.condition_text and redacted(row.condition_text),
        str(row.state),
        row.error_code,
        row.error_message,
        row.scheduled_time,
        row.query_start_time,
        following,
        row.completed_time,
        run.root_id,
        run.version,
        run.run_id,
        row.return_value,
        run.scheduled_from,
        run.attempt,
        run.config,
        query_hash,
        2,
        query_hash,
        1,
        run.group_id,
        None,
        row.spcs_job_id,
    )


# -- graphs


def current_task_graphs(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/current_task_graphs"""
    given = arguments.by_name("CURRENT_TASK_GRAPHS", "RESULT_LIMIT ROOT_TASK_NAME")
    runs = _named(service.current_runs(account), given.get("ROOT_TASK_NAME"))
    limit = result_limit(given.get("RESULT_LIMIT"), 1000)
    rows = [graph_row(account, run).values(completed=False) for run in runs[:limit]]
    return table(CURRENT_GRAPHS_COLUMNS, rows)


def complete_task_graphs(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/complete_task_graphs"""
    given = arguments.by_name("COMPLETE_TASK_GRAPHS", "RESULT_LIMIT ROOT_TASK_NAME ERROR_ONLY")
    found = service.complete_runs(account, error_only=_truth(given.get("ERROR_ONLY")))
    runs = _named(found, given.get("ROOT_TASK_NAME"))
    runs.sort(key=lambda run: run.completed_time or run.scheduled_time, reverse=True)
    limit = result_limit(given.get("RESULT_LIMIT"), 1000)
    rows = [graph_row(account, run).values(completed=True) for run in runs[:limit]]
    return table(COMPLETE_GRAPHS_COLUMNS, rows)


def _named(runs: list[GraphRun], name: Any) -> list[GraphRun]:
    return [run for run in runs if not name or run.root.name.upper() == str(name).upper()]


def task_dependents(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/task_dependents"""
    given = arguments.by_name("TASK_DEPENDENTS", "TASK_NAME RECURSIVE")
    if not given.get("TASK_NAME"):
        raise SqlError("TASK_DEPENDENTS needs TASK_NAME.", 938, "22023")
    recursive = _truth(given.get("RECURSIVE", True))
    try:
        name = resolve(str(given["TASK_NAME"]), session)
    except SqlSyntaxError as cause:
        raise _no_task(given["TASK_NAME"]) from cause
    if store.find(account.store, name) is None:
        raise _no_task(given["TASK_NAME"])
    tasks = commands.dependents(account, name, recursive)
    return table(DEPENDENTS_COLUMNS, [_dependent_values(task) for task in tasks])


def _no_task(given: Any) -> SqlError:
    return SqlError(
        f"SQL compilation error:\nInvalid value [{given}] for function 'TASK_DEPENDENTS_SCAN', parameter 1: "
        "must be a valid task name",
        1008,
        "22023",
    )


def _dependent_values(task: Task) -> tuple[Any, ...]:
    settings = task.settings
    return (
        task.created_on,
        task.name.name,
        task.name.database,
        task.name.schema,
        task.owner,
        settings.comment,
        settings.warehouse,
        settings.schedule,
        predecessors_json(task),
        task.state,
        settings.definition,
        settings.condition,
    )


def predecessors_json(task: Task) -> str:
    """A JSON array of qualified names, quoted where needed."""
    return json.dumps([task.name.sibling(p).fqn() for p in task.settings.predecessors])


# -- arguments


def result_limit(value: Any, default: int) -> int:
    if value is None:
        return default
    limit = int(value)
    if limit > 10_000:
        raise SqlError(
            "Value for parameter RESULT_LIMIT exceeds maximum allowable value (10,000).", 1008, "22023"
        )
    if limit < 0:
        raise SqlError(f"Invalid value [{limit}] for parameter RESULT_LIMIT.", 1008, "22023")
    return limit


def _truth(value: Any) -> bool:
    return value.strip().upper() == "TRUE" if isinstance(value, str) else bool(value)


def _folded(value: Any) -> str | None:
    return parse_name(str(value)).last if value else None


TABLE_FUNCTIONS: Mapping[str, TableFunction] = {
    "TASK_HISTORY": task_history,
    "CURRENT_TASK_GRAPHS": current_task_graphs,
    "COMPLETE_TASK_GRAPHS": complete_task_graphs,
    "TASK_DEPENDENTS": task_dependents,
}
