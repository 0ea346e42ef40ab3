"""Reads the graphs of many pipelines of one account with few calls, however many pipelines there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfml.account.deployed import SchemaTasks, schema_tasks
from sfml.account.history import MOST_ROWS, GraphRow, TaskRow
from sfml.account.run_reading import are_older, with_later
from sfml.account.run_window import RunWindow
from sfml.base.errors import AccountError
from sfml.base.quoting import identifier, literal, qualified
from sfml.snowflake.history import GRAPH_COLUMNS, ROW_COLUMNS, graph_row, task_row
from sfml.snowflake.shown import NO_SUCH_PLACE
from sfml.snowflake.sql import records, rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.plan.stage_content import StageContent
    from sfml.snowflake.stage import Stage

SHOWN_AT_MOST = 10_000
"""The maximum number of rows of SHOW: https://docs.snowflake.com/en/sql-reference/sql/show-tasks"""

NEWEST = MOST_ROWS
"""The number of rows, and of records of graph runs, that are read of all graphs together."""

STAGES_AT_ONCE = 25
"""The number of stages that one call lists: they are listed one after another."""

ROOTS_AT_ONCE = 20
"""The number of graphs whose histories one statement reads."""


class Fleet:
    """All graphs in the databases of one account, as far as a role sees them."""

    def __init__(self, connection: SnowflakeConnection, role: str | None) -> None:
        self._connection = connection
        self._role = role

    def tasks(self, database: str, schemas: Iterable[str]) -> Mapping[str, SchemaTasks]:
        """Schema, unquoted → its tasks. If a database has more than SHOW lists, each of `schemas` takes one call."""
        shown = self._rows(f"SHOW TASKS IN DATABASE {identifier(database)}")
        if len(shown) >= SHOWN_AT_MOST:
            shown = [
                row
                for schema in sorted(set(schemas))
                for row in self._rows(f"SHOW TASKS IN SCHEMA {qualified(database, schema)}")
            ]
        by_schema: dict[str, list[dict[str, Any]]] = {}
        for row in shown:
            by_schema.setdefault(str(row["schema_name"]), []).append(row)
        return {schema: schema_tasks(rows) for schema, rows in by_schema.items()}

    def schemas(self, database: str) -> frozenset[str]:
        """The schemas of a database, unquoted."""
        return frozenset(
            str(row["name"]) for row in self._rows(f"SHOW SCHEMAS IN DATABASE {identifier(database)}")
        )

    def stages(self, database: str) -> Mapping[tuple[str, str, str], str] | None:
        """Database, schema and name, unquoted, of the stages in a database → their comments.

        None if it has more than SHOW lists.
        """
        shown = self._rows(f"SHOW STAGES IN DATABASE {identifier(database)}")
        if len(shown) >= SHOWN_AT_MOST:
            return None
        return {
            (str(row["database_name"]), str(row["schema_name"]), str(row["name"])): str(row["comment"])
            for row in shown
        }

    def streams(self, database: str) -> Sequence[Mapping[str, Any]]:
        """The rows of SHOW STREAMS for a database; none if there is no such database."""
        try:
            return self._rows(f"SHOW STREAMS IN DATABASE {identifier(database)}")
        except AccountError as error:
            if error.code not in NO_SUCH_PLACE:
                raise
            return ()

    def all_staged(self, stages: Sequence[Stage]) -> tuple[Mapping[str, StageContent], ...]:
        """The code and records on each of these stages, which exist, listed with one call.

        https://docs.snowflake.com/en/sql-reference/operators-flow
        """
        count = len(stages)
        chain = [stage.listing_of_all for stage in stages]
        chain.append(" UNION ALL ".join(f'SELECT {at} AS "at", * FROM ${count - at}' for at in range(count)))
        listed: list[list[tuple[Any, ...]]] = [[] for _ in stages]
        for at, *row in rows(self._connection, " ->> ".join(chain), role=self._role):
            listed[int(at)].append(tuple(row))
        return tuple(stage.all_in(own) for stage, own in zip(stages, listed, strict=True))

    def runs(self, database: str) -> RunWindow:
        """The newest runs of all graphs of the account, with three calls; any of its databases will do."""
        records = self._records(database)
        newest = self._rows(f"SELECT {_columns()} FROM {self._history(database)}")
        found = _by_root(newest)
        now = datetime.now(UTC)
        if records is not None and any(
            are_older(records.get(root, ()), own, now) for root, own in found.items()
        ):
            records = _fitted(records, self._records(database))
        times = [at for own in found.values() for row in own if (at := row.scheduled_time)]
        return RunWindow(
            found,
            records,
            min(times, default=None) if len(newest) >= NEWEST else None,
        )

    def _records(self, database: str) -> dict[str, tuple[GraphRow, ...]] | None:
        """Id of a root → the records of its runs; None if there are more than can be read."""
        graphs = (
            *self._graphs(database, "CURRENT_TASK_GRAPHS"),
            *self._graphs(database, "COMPLETE_TASK_GRAPHS", "COMPLETED_TIME"),
        )
        return None if len(graphs) >= NEWEST else _records_by_root(graphs)

    def rows_of(self, database: str, roots: Sequence[str]) -> Mapping[str, tuple[TaskRow, ...]]:
        """Id of a root → all rows that Snowflake keeps of its graph; some roots are read with one call."""
        found: dict[str, tuple[TaskRow, ...]] = {}
        for at in range(0, len(roots), ROOTS_AT_ONCE):
            each = (
                f"SELECT {_columns()} FROM {self._history(database, root)}"
                for root in roots[at : at + ROOTS_AT_ONCE]
            )
            found |= _by_root(self._rows(" UNION ALL ".join(each)))
        return found

    def _graphs(self, database: str, function: str, *more: str) -> list[dict[str, Any]]:
        schema = f"{identifier(database)}.INFORMATION_SCHEMA"
        return self._rows(
            f"SELECT {', '.join((*GRAPH_COLUMNS, *more))} FROM TABLE("
            f"{schema}.{function}(RESULT_LIMIT => {NEWEST}))"
        )

    def _history(self, database: str, root: str | None = None) -> str:
        most = NEWEST if root is None else MOST_ROWS
        of = "" if root is None else f"ROOT_TASK_ID => {literal(root)}, "
        schema = f"{identifier(database)}.INFORMATION_SCHEMA"
        return f"TABLE({schema}.TASK_HISTORY({of}RESULT_LIMIT => {most}))"

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return records(self._connection, sql, role=self._role)


def _columns() -> str:
    return ", ".join((*ROW_COLUMNS, "ROOT_TASK_ID"))


def _by_root(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[TaskRow, ...]]:
    found: dict[str, list[TaskRow]] = {}
    for row in rows:
        found.setdefault(str(row["ROOT_TASK_ID"]), []).append(task_row(row))
    return {root: tuple(own) for root, own in found.items()}


def _records_by_root(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[GraphRow, ...]]:
    found: dict[str, list[GraphRow]] = {}
    for row in rows:
        found.setdefault(str(row["ROOT_TASK_ID"]), []).append(graph_row(row))
    return {root: tuple(own) for root, own in found.items()}


def _fitted(
    first: Mapping[str, tuple[GraphRow, ...]], later: Mapping[str, tuple[GraphRow, ...]] | None
) -> dict[str, tuple[GraphRow, ...]] | None:
    if later is None:
        return None
    return {root: with_later(first.get(root, ()), later.get(root, ())) for root in {**first, **later}}
