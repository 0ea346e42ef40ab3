"""Runs graphs and reads their history by SQL. It needs only the connector, which is fast to import."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml.account.deployed import DeployedGraph, deployed_graph, deployed_root, utc
from sfml.account.former_graphs import RecordedRoot, RootPlace, recorded_root
from sfml.account.history import MOST_ROWS, DeployedRoot, GraphRow, TaskRow
from sfml.account.task_log import HEAD, LogLine, text_of
from sfml.base.errors import AccountError
from sfml.base.quoting import identifier, literal, qualified, raw
from sfml.graph.located import Scalar
from sfml.graph.model import Target
from sfml.lower.names import folded_name
from sfml.snowflake.shown import MOST_ROWS as MOST_SHOWN
from sfml.snowflake.shown import NO_SUCH_PLACE
from sfml.snowflake.sql import records

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

ROW_COLUMNS = (
    "NAME",
    "STATE",
    "QUERY_ID",
    "SCHEDULED_TIME",
    "QUERY_START_TIME",
    "COMPLETED_TIME",
    "RETURN_VALUE",
    "ERROR_CODE",
    "ERROR_MESSAGE",
    "GRAPH_RUN_GROUP_ID",
    "ATTEMPT_NUMBER",
    "CONFIG",
    "SCHEDULED_FROM",
)
GRAPH_COLUMNS = (
    "ROOT_TASK_ID",
    "GRAPH_RUN_GROUP_ID",
    "ATTEMPT_NUMBER",
    "STATE",
    "SCHEDULED_FROM",
    "FIRST_ERROR_TASK_NAME",
    "FIRST_ERROR_CODE",
    "FIRST_ERROR_MESSAGE",
    "QUERY_START_TIME",
)


class History:
    """Runs and their history in one schema."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target

    def root(self, name: str) -> DeployedRoot | None:
        """The root task with this name. LIKE treats `_` and `%` as wildcards, so the name is compared again."""
        schema = qualified(self._target.database, self._target.schema)
        bare = raw(name)
        for row in self._rows(f"SHOW TASKS LIKE {literal(bare)} IN SCHEMA {schema}"):
            if row["name"] == bare:
                return deployed_root(row)
        return None

    def deployed(self, name: str) -> DeployedGraph:
        """The graph of the root with this name, and the other tasks of the schema, with one call.

        All tasks of the schema are read, because tasks of a graph may have any name, and loose tasks have no root.
        """
        schema = qualified(self._target.database, self._target.schema)
        return deployed_graph(self._rows(f"SHOW TASKS IN SCHEMA {schema}"), name)

    def roots(self) -> tuple[RecordedRoot, ...] | None:
        """The roots in the account that have sfml's record and that the role sees; None if SHOW leaves some out."""
        shown = self._rows("SHOW TASKS IN ACCOUNT ROOT ONLY")
        return None if len(shown) >= MOST_SHOWN else tuple(filter(None, map(recorded_root, shown)))

    def root_at(self, place: RootPlace) -> RecordedRoot | None:
        """The root at this place, which may be in any schema; None if there is none with sfml's record."""
        database, schema, name = place
        within = qualified(folded_name(database), folded_name(schema))
        try:
            shown = self._rows(f"SHOW TASKS LIKE {literal(name)} IN SCHEMA {within}")
        except AccountError as error:
            if error.code not in NO_SUCH_PLACE:
                raise
            return None
        return next((recorded_root(row) for row in shown if row["name"] == name), None)

    def now(self) -> datetime:
        """The account's current time, which may differ from this machine's."""
        (row,) = self._rows("SELECT CURRENT_TIMESTAMP() AS NOW")
        now: datetime = row["NOW"]
        return now

    def rows(self, root: DeployedRoot, since: datetime | None = None) -> tuple[TaskRow, ...]:
        start = ""
        if since is not None:
            start = f", SCHEDULED_TIME_RANGE_START => {_ltz(since)}"
        tasks = self._rows(
            f"SELECT {', '.join(ROW_COLUMNS)} FROM TABLE({identifier(self._target.database)}"
            f".INFORMATION_SCHEMA.TASK_HISTORY(ROOT_TASK_ID => {literal(root.id)}, RESULT_LIMIT => {MOST_ROWS}{start}))"
        )
        return tuple(task_row(row) for row in tasks)

    def rows_starting(self, prefix: str, since: datetime, until: datetime | None) -> tuple[TaskRow, ...]:
        """The rows of the schema's tasks whose names begin so, in a time within the last seven days, newest first.

        The graphs of these tasks need not exist any more.
        """
        end = "" if until is None else f", SCHEDULED_TIME_RANGE_END => {_ltz(until)}"
        tasks = self._rows(
            f"SELECT {', '.join(ROW_COLUMNS)} FROM TABLE({identifier(self._target.database)}"
            f".INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => {MOST_ROWS},"
            f" SCHEDULED_TIME_RANGE_START => {_ltz(since)}{end}))"
            f" WHERE DATABASE_NAME = {literal(raw(self._target.database))}"
            f" AND SCHEMA_NAME = {literal(raw(self._target.schema))} AND STARTSWITH(NAME, {literal(prefix)})"
        )
        return tuple(task_row(row) for row in tasks)

    def graphs(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        return (*self.going_on(root), *self.ended(root))

    def going_on(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        return self._graphs(root, "CURRENT_TASK_GRAPHS", GRAPH_COLUMNS)

    def ended(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        return self._graphs(root, "COMPLETE_TASK_GRAPHS", (*GRAPH_COLUMNS, "COMPLETED_TIME"))

    def _graphs(self, root: DeployedRoot, function: str, columns: Sequence[str]) -> tuple[GraphRow, ...]:
        rows = self._rows(
            f"SELECT {', '.join(columns)} FROM TABLE({identifier(self._target.database)}.INFORMATION_SCHEMA"
            f".{function}(ROOT_TASK_NAME => {literal(root.name)}, RESULT_LIMIT => 1000))"
        )
        return tuple(graph_row(row) for row in rows if str(row["ROOT_TASK_ID"]) == root.id)

    def log(self, row: TaskRow) -> str:
        """The text of all lines of a task run, oldest first."""
        return text_of(self.log_lines(row))

    def log_lines(self, row: TaskRow) -> tuple[LogLine, ...]:
        """The lines in the account's event table for the query of a task run, oldest first.

        The instance of a job has two names in Snowflake's documentation:
        https://docs.snowflake.com/en/release-notes/bcr-bundles/2024_07/bcr-1682
        https://docs.snowflake.com/en/sql-reference/functions/spcs_get_logs
        """
        if row.query_id is None:
            return ()
        events = self._rows(
            "SELECT VALUE, RESOURCE_ATTRIBUTES['snow.service.container.instance'] AS CONTAINER,"
            " RESOURCE_ATTRIBUTES['snow.service.instance'] AS INSTANCE, SCOPE['name'] AS LOGGER"
            " FROM SNOWFLAKE.TELEMETRY.EVENTS WHERE RECORD_TYPE = 'LOG'"
            f" AND RESOURCE_ATTRIBUTES['snow.query.id'] = {literal(row.query_id)} ORDER BY TIMESTAMP"
        )
        return tuple(line for event in events for line in _event_lines(event))

    def execute(self, name: str, config: Mapping[str, Scalar]) -> None:
        text = json.dumps(dict(config), ensure_ascii=False)
        self._rows(f"EXECUTE TASK {self._qualified(name)} USING CONFIG = {literal(text)}")

    def retry(self, name: str) -> None:
        """Retry the last run: https://docs.snowflake.com/en/sql-reference/sql/execute-task"""
        self._rows(f"EXECUTE TASK {self._qualified(name)} RETRY LAST")

    def cancel(self, name: str) -> None:
        """Cancel the current executions of a task.

        https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
        """
        self._rows(f"SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS({literal(self._qualified(name))})")

    def _qualified(self, name: str) -> str:
        return qualified(self._target.database, self._target.schema, name)

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return records(self._connection, sql, role=self._target.owner_role)


def _ltz(at: datetime) -> str:
    return f"TO_TIMESTAMP_LTZ({literal(at.isoformat())})"


def task_row(row: Mapping[str, Any]) -> TaskRow:
    return TaskRow(
        name=str(row["NAME"]),
        state=str(row["STATE"]),
        query_id=row["QUERY_ID"],
        scheduled_time=utc(row["SCHEDULED_TIME"]),
        started_at=utc(row["QUERY_START_TIME"]),
        completed_at=utc(row["COMPLETED_TIME"]),
        return_value=row["RETURN_VALUE"],
        error_code=None if row["ERROR_CODE"] is None else str(row["ERROR_CODE"]),
        error_message=row["ERROR_MESSAGE"],
        run_group=str(row["GRAPH_RUN_GROUP_ID"] or ""),
        attempt=int(row["ATTEMPT_NUMBER"] or 1),
        config=row["CONFIG"],
        scheduled_from=str(row["SCHEDULED_FROM"] or ""),
    )


def graph_row(row: Mapping[str, Any]) -> GraphRow:
    code = row["FIRST_ERROR_CODE"]
    return GraphRow(
        run_group=str(row["GRAPH_RUN_GROUP_ID"]),
        attempt=int(row["ATTEMPT_NUMBER"] or 1),
        state=str(row["STATE"]),
        scheduled_from=str(row["SCHEDULED_FROM"] or ""),
        started_at=utc(row["QUERY_START_TIME"]),
        completed_at=utc(row.get("COMPLETED_TIME")),
        error_task=row["FIRST_ERROR_TASK_NAME"],
        error_code=None if code is None else str(code),
        error_message=row["FIRST_ERROR_MESSAGE"],
    )


def _event_lines(event: Mapping[str, Any]) -> Iterator[LogLine]:
    """The lines of one event, of which a message with several lines is one."""
    number = _event_text(event["CONTAINER"]) or _event_text(event["INSTANCE"])
    instance = int(number) if number.isdecimal() else HEAD
    logger = _event_text(event["LOGGER"]) or None
    for text in _event_text(event["VALUE"]).splitlines() or [""]:
        yield LogLine(text, instance, logger)


def _event_text(value: Any) -> str:
    """The text of an event's VALUE, which is a VARIANT: text in it is a JSON string."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value
