"""The contents of a stream on a view: the view's rows at the offset against its rows now.

The changes of each table below the view are recorded as for a stream on that table, so both states of the table are
known: its rows now, without those that came, and with those that went. The view's query over either gives its rows
of either moment. A row whose parts are all unchanged is in both, so it is not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import Expr

from sfml_local.core.engine import Run
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.core.translating import translating
from sfml_local.services.streams import changes
from sfml_local.services.streams.changes import base_columns, quoted, table_of
from sfml_local.services.streams.store import Stream, with_sources
from sfml_local.services.streams.view_queries import (
    ID,
    UNCHANGED,
    Weaver,
    relation_of,
    shown_columns,
)

_CHANGED = "x"
"""The beginning of the ids of changed rows; no other id has this letter."""


def of_view(run: Run, stream: Stream) -> Stream:
    """The stream with all that it follows; refuses a view that no stream can be on."""
    weaver = Weaver(run)
    woven = weaver.of_view(stream.base)
    if not weaver.tables:
        raise not_emulated("a stream on a view of no table")
    for source in (*weaver.tables, *weaver.views):
        if source.database != stream.name.database:
            raise not_emulated("a stream on a view of a table of another database")
    _check(run, stream.base, woven, weaver.tables)
    return with_sources(stream, weaver.tables, weaver.views)


def _check(run: Run, view: ObjectName, woven: Expr, tables: list[ObjectName]) -> None:
    """Refuse a view whose query is not the same with ids woven into it."""
    named = ", ".join(
        f"{relation_of(n)} AS (SELECT *, '' AS {quoted(ID)} FROM {table_of(table)})"
        for n, table in enumerate(tables)
    )
    query = f"WITH {named} SELECT * EXCLUDE ({quoted(ID)}) FROM ({woven.sql(dialect='duckdb')})"
    try:
        with translating(f"CREATE STREAM ON VIEW {view.fqn()}"):
            found = run(f"DESCRIBE {query}")
    except SqlError as cause:
        raise not_emulated(f"a stream on the view {view.fqn()}", cause.message) from None
    if [(row[0], row[1]) for row in found] != shown_columns(run, view):
        raise not_emulated(f"a stream on the view {view.fqn()}", "its query is too unusual")


def contents(run: Run, stream: Stream, batch: str | None = None, claimed: bool = False) -> str:
    """A query of DuckDB's for the stream's rows, as `changes.contents` has it for a stream on a table."""
    weaver = Weaver(run)
    woven = weaver.of_view(stream.base).sql(dialect="duckdb")
    if tuple(weaver.tables) != stream.tables:
        # Another table has got the name of one of them.
        raise changes.stale(stream)
    tables = [_table(run, number, leg) for number, leg in enumerate(stream.legs)]
    parts = [text for table in tables for text in (*table.changes(stream, batch, claimed), *table.moments())]
    parts += [_moment(when, woven, len(tables)) for when in ("was", "now")]
    names = [name for name, _ in shown_columns(run, stream.base)]
    return f"WITH {', '.join(parts)} {_difference(names)}"


@dataclass(frozen=True, slots=True)
class _Table:
    """A table below the view, in SQL: its rows at the offset and now, with their ids.

    All changes since the offset lead to the table as it stands; those that are read, perhaps, only part of the way.
    """

    number: int
    leg: Stream
    columns: str
    same: str
    """The condition that row `t` of the table and row `i` of its changes are equal."""
    shown: str
    """The columns in the query for the changes."""

    def named(self, what: str) -> str:
        return f"__sfml_{what}_{self.number}"

    def changes(self, stream: Stream, batch: str | None, claimed: bool) -> tuple[str, str, str]:
        """The rows of the table that came since the offset, those that went, and the changes that are read."""
        every = changes.net(self.leg, self.shown)
        read = (changes.appended if stream.append_only else changes.net)(self.leg, self.shown, batch, claimed)
        came = f"SELECT {self.columns} FROM ({every}) WHERE {_INSERTS}"
        rank = f"row_number() OVER (PARTITION BY {self.columns}"
        return (
            # Of equal rows, any may be the one that came.
            f"{self.named('came')} AS MATERIALIZED (SELECT t.__key FROM"
            f" (SELECT t.*, {rank} ORDER BY __key) AS __n FROM ({self._rows}) t SEMI JOIN ({came}) i ON {self.same}) t"
            f" JOIN (SELECT *, {rank}) AS __n FROM ({came})) i ON t.__n = i.__n AND {self.same})",
            f"{self.named('gone')} AS MATERIALIZED (SELECT * FROM ({every}) WHERE {_DELETES})",
            f"{self.named('read')} AS MATERIALIZED ({read})",
        )

    @property
    def _rows(self) -> str:
        return f"SELECT rowid AS __key, {self.columns} FROM {table_of(self.leg.base)}"

    def moments(self) -> tuple[str, str]:
        """The rows at the offset, and what the reading transaction sees of the table now."""
        kept = (
            f"SELECT {self.columns}, '{UNCHANGED}' || __key AS {quoted(ID)} FROM ({self._rows})"
            f" WHERE __key NOT IN (FROM {self.named('came')})"
        )
        came = f"SELECT {self.columns}, '{_CHANGED}' || {_ROW} FROM {self.named('read')} WHERE {_INSERTS}"
        was = f"{kept} UNION ALL SELECT {self.columns}, '{_CHANGED}' || {_ROW} FROM {self.named('gone')}"
        # For an append-only stream, none of what is read is a DELETE: the rows at the offset stay.
        read = f"SELECT {_ROW} FROM {self.named('read')} WHERE {_DELETES}"
        return (
            f"{self.named('was')} AS ({was})",
            f"{self.named('now')} AS ({was} WHERE {_ROW} NOT IN ({read}) UNION ALL {came})",
        )


_ROW = '"METADATA$ROW_ID"'
_INSERTS, _DELETES = (f"\"METADATA$ACTION\" = '{action}'" for action in ("INSERT", "DELETE"))


def _table(run: Run, number: int, leg: Stream) -> _Table:
    names = [name for name, _ in base_columns(run, leg.base)]
    all_quoted = [quoted(name) for name in names]
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM i.{name}" for name in all_quoted)
    return _Table(number, leg, ", ".join(all_quoted), same, changes.shown_columns(run, leg, names))


def _moment(when: str, woven: str, tables: int) -> str:
    """The view's rows at one of the two moments."""
    named = ", ".join(f"{relation_of(n)} AS (FROM __sfml_{when}_{n})" for n in range(tables))
    return (
        f"__sfml_{when} AS (WITH {named} SELECT * FROM ({woven}) WHERE contains({quoted(ID)}, '{_CHANGED}'))"
    )


def _difference(names: list[str]) -> str:
    """The rows of one moment that are not the same at the other."""
    key = quoted(ID)
    differs = " OR ".join(f"w.{quoted(n)} IS DISTINCT FROM n.{quoted(n)}" for n in names)
    both = f"__sfml_was w FULL JOIN __sfml_now n ON w.{key} = n.{key}"

    def side(one: str, other: str, action: str) -> str:
        shown = ", ".join(f"{one}.{quoted(n)}" for n in names)
        return (
            f"SELECT {shown}, '{action}' AS \"METADATA$ACTION\","
            f' {other}.{key} IS NOT NULL AS "METADATA$ISUPDATE", md5({one}.{key}) AS "METADATA$ROW_ID"'
            f" FROM {both} WHERE {one}.{key} IS NOT NULL AND ({other}.{key} IS NULL OR {differs})"
        )

    return f"{side('w', 'n', 'DELETE')} UNION ALL {side('n', 'w', 'INSERT')}"
