"""The contents of a stream: the changes of its table since its offset, in a table of the same DuckDB file.

A stream on a view has one for each table below it; `view_changes` makes its contents of them.

Changes are recorded for each statement: the table before and after is compared by DuckDB's row ids, which are
stable within a transaction. They are written in the changing transaction, and read and deleted in the one that
consumes them, which Snowflake calls advancing the offset. So a rollback undoes both.

Rows are identified by their values: a later change of a row finds the earlier one by them. Rows that are
equal in every column are interchangeable.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

from sfml_local.core.account import Account
from sfml_local.core.engine import Run, stored_columns
from sfml_local.core.errors import SqlError
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import duckdb_identifier
from sfml_local.services.streams.store import Stream

PLACE = "_fs_information_schema"
"""The hidden schema in every database with the tables of changes."""

_OWN = ("__seq", "__part", "__row", "__plus", "__batch")


def quoted(name: str) -> str:
    return duckdb_identifier(name)


def table_of(name: ObjectName) -> str:
    return ".".join(quoted(part) for part in name.parts)


def pending(stream: Stream) -> str:
    """The table of changes that were not consumed yet."""
    return f"{quoted(stream.name.database)}.{PLACE}.{quoted(_pending_name(stream))}"


def _pending_name(stream: Stream) -> str:
    return f"_sfml_stream_{stream.id}"


def columns(run: Run, database: str, schema: str, table: str) -> list[tuple[str, str]]:
    """(name, DuckDB type) of a table's columns; empty if there is no such table."""
    return stored_columns(run, (database, schema, table))


def base_columns(run: Run, base: ObjectName) -> list[tuple[str, str]]:
    return columns(run, *base.parts)


def stale(stream: Stream) -> SqlError:
    """The error of reading a stream without what it follows."""
    return SqlError(
        f"Base table '{stream.source}' dropped, cannot read from stream '{stream.name.name}'.",
        91901,
        "55000",
    )


class ChangeNumbers:
    """Numbers of an account's changes, in the order in which they came, also after a restart."""

    def __init__(self, account: Account) -> None:
        self.next = itertools.count(time.time_ns())


def create(run: Run, stream: Stream, number: int, *, initial_rows: bool) -> None:
    """Begin to record changes; with `initial_rows`, the current rows are the first changes."""
    types = base_columns(run, stream.base)
    kept = "".join(f", {quoted(name)} {kind}" for name, kind in types)
    run(
        f"CREATE TABLE {pending(stream)}"
        f" (__seq BIGINT, __part BIGINT, __row VARCHAR, __plus BOOLEAN, __batch VARCHAR{kept})"
    )
    if initial_rows:
        names = _list(name for name, _ in types)
        run(
            f"INSERT INTO {pending(stream)} ({', '.join(_OWN)}, {names}) SELECT {number},"
            f" row_number() OVER (), {_NEW_ROW}, TRUE, '', {names} FROM {table_of(stream.base)}"
        )


def drop(run: Run, stream: Stream) -> None:
    run(f"DROP TABLE IF EXISTS {pending(stream)}")


_NEW_ROW = "replace(uuid()::VARCHAR, '-', '')"


# -- taking changes


def note_before(run: Run, base: ObjectName) -> None:
    """Copy the table's state before a statement."""
    run(f"CREATE OR REPLACE TEMP TABLE _sfml_before AS SELECT rowid AS __key, * FROM {table_of(base)}")


def take(
    run: Run,
    base: ObjectName,
    streams: list[Stream],
    batch: str,
    numbers: Iterator[int],
    *,
    is_update: bool,
) -> None:
    """Record, for every stream of the table, the changes of a statement since `note_before`.

    DuckDB updates columns with an index or a list by deleting and inserting rows; for
    a plain UPDATE, these are paired again in their order.
    """
    types = base_columns(run, base)
    names = [name for name, _ in types]
    differs = " OR ".join(f"b.{quoted(n)} IS DISTINCT FROM t.{quoted(n)}" for n in names)
    joined = (
        f"_sfml_before b FULL JOIN (SELECT rowid AS __key, * FROM {table_of(base)}) t ON b.__key = t.__key"
    )
    old, new = (", ".join(f"{side}.{quoted(n)}" for n in names) for side in "bt")
    [(changed,)] = run(
        "CREATE OR REPLACE TEMP TABLE _sfml_delta AS"
        f" SELECT b.__key, FALSE AS __plus, t.__key IS NOT NULL AS __update, {old} FROM {joined}"
        f" WHERE b.__key IS NOT NULL AND (t.__key IS NULL OR {differs})"
        f" UNION ALL SELECT t.__key, TRUE, b.__key IS NOT NULL, {new} FROM {joined}"
        f" WHERE t.__key IS NOT NULL AND (b.__key IS NULL OR {differs})"
    )
    run("DROP TABLE _sfml_before")
    if is_update and changed:
        _pair(run)
    any_gone = changed and run("SELECT 1 FROM _sfml_delta WHERE NOT __plus LIMIT 1")
    for stream in streams if changed else ():
        _widen(run, stream, types)
        # Rows that came alone are no change of an earlier one, which takes longest to find.
        record = _record if any_gone and not stream.append_only else _append
        record(run, stream, names, batch, next(numbers))
    run("DROP TABLE _sfml_delta")


def _pair(run: Run) -> None:
    """Turn deletions and insertions of an UPDATE into updates."""
    half = "SELECT __key, row_number() OVER (ORDER BY __key) AS n FROM _sfml_delta WHERE NOT __update AND"
    run(
        f"UPDATE _sfml_delta SET __key = m.__key, __update = TRUE FROM ({half} NOT __plus) m"
        f" JOIN ({half} __plus) p USING (n) WHERE _sfml_delta.__plus AND _sfml_delta.__key = p.__key"
        f" AND NOT _sfml_delta.__update"
    )
    run(
        "UPDATE _sfml_delta SET __update = TRUE WHERE NOT __plus"
        " AND __key IN (SELECT __key FROM _sfml_delta WHERE __plus AND __update)"
    )


def _widen(run: Run, stream: Stream, types: list[tuple[str, str]]) -> None:
    """Add columns that were added to the table meanwhile."""
    kept = {name for name, _ in columns(run, stream.name.database, PLACE, _pending_name(stream))}
    for name, kind in types:
        if name not in kept:
            run(f"ALTER TABLE {pending(stream)} ADD COLUMN {quoted(name)} {kind}")


def _append(run: Run, stream: Stream, names: list[str], batch: str, number: int) -> None:
    columns = _list(names)
    run(
        f"INSERT INTO {pending(stream)} ({', '.join(_OWN)}, {columns}) SELECT {number},"
        f" row_number() OVER (ORDER BY __key), {_NEW_ROW}, TRUE, ?, {columns}"
        " FROM _sfml_delta WHERE __plus AND NOT __update",
        [batch],
    )


def _record(run: Run, stream: Stream, names: list[str], batch: str, number: int) -> None:
    columns = _list(names)
    same = " AND ".join(f"d.{quoted(n)} IS NOT DISTINCT FROM k.{quoted(n)}" for n in names)
    # Of equal rows, the first inserted one is the first deleted one.
    run(
        "CREATE OR REPLACE TEMP TABLE _sfml_rows AS"
        f" SELECT d.__key, coalesce(k.__row, {_NEW_ROW}) AS __row FROM"
        f" (SELECT *, row_number() OVER (PARTITION BY {columns} ORDER BY __key) AS __n"
        "   FROM _sfml_delta WHERE NOT __plus) d LEFT JOIN"
        f" (SELECT *, row_number() OVER (PARTITION BY {columns} ORDER BY __seq, __part) AS __n"
        f"   FROM (SELECT * FROM {pending(stream)}"
        "         QUALIFY row_number() OVER (PARTITION BY __row ORDER BY __seq DESC, __part DESC) = 1)"
        f"  WHERE __plus) k ON d.__n = k.__n AND {same}"
    )
    run(
        f"INSERT INTO {pending(stream)} ({', '.join(_OWN)}, {columns}) SELECT {number},"
        f" row_number() OVER (ORDER BY d.__plus, d.__key), coalesce(r.__row, {_NEW_ROW}), d.__plus, ?,"
        f" {', '.join(f'd.{quoted(n)}' for n in names)}"
        " FROM _sfml_delta d LEFT JOIN _sfml_rows r ON d.__key = r.__key AND (d.__update OR NOT d.__plus)",
        [batch],
    )
    run("DROP TABLE _sfml_rows")


# -- giving them away


def contents(run: Run, stream: Stream, batch: str | None = None, claimed: bool = False) -> str:
    """A query for the stream's rows: the net change of each row; for an append-only stream, every insert.

    A transaction does not see its own changes (`batch`). With `claimed`, only changes that `claim` has marked.
    """
    shown = shown_columns(run, stream, [name for name, _ in base_columns(run, stream.base)])
    return net(stream, shown, batch, claimed)


def net(stream: Stream, shown: str, batch: str | None = None, claimed: bool = False) -> str:
    """The same with the columns that `shown_columns` has told."""
    rows = _recorded(stream, batch, claimed)
    if stream.append_only:
        return (
            f'SELECT {shown}, \'INSERT\' AS "METADATA$ACTION", FALSE AS "METADATA$ISUPDATE",'
            f' __row AS "METADATA$ROW_ID" FROM ({rows})'
        )
    back = "PARTITION BY __row ORDER BY __seq DESC, __part DESC"
    return (
        f"SELECT {shown}, CASE WHEN __plus THEN 'INSERT' ELSE 'DELETE' END AS \"METADATA$ACTION\","
        f' (NOT __first AND __last) AS "METADATA$ISUPDATE", __row AS "METADATA$ROW_ID" FROM (SELECT *,'
        f" row_number() OVER ({_ORDER}) AS __n, row_number() OVER ({back}) AS __m,"
        f" first_value(__plus) OVER ({_ORDER}) AS __first, first_value(__plus) OVER ({back}) AS __last"
        f" FROM ({rows})) WHERE (__n = 1 AND NOT __plus) OR (__m = 1 AND __plus)"
    )


_ORDER = "PARTITION BY __row ORDER BY __seq, __part"


def appended(stream: Stream, shown: str, batch: str | None = None, claimed: bool = False) -> str:
    """A query for the inserts that a standard stream has recorded, as `net` gives them of an append-only one."""
    rows = _recorded(stream, batch, claimed)
    return (
        f'SELECT {shown}, \'INSERT\' AS "METADATA$ACTION", __row AS "METADATA$ROW_ID" FROM'
        f" (SELECT *, row_number() OVER ({_ORDER}) AS __n FROM ({rows})) WHERE __n = 1 AND __plus"
    )


def shown_columns(run: Run, stream: Stream, names: list[str]) -> str:
    """The columns of the stream's table, of which some may have been added since the last change."""
    kept = {name for name, _ in columns(run, stream.name.database, PLACE, _pending_name(stream))}
    return ", ".join(quoted(n) if n in kept else f"NULL AS {quoted(n)}" for n in names)


def _recorded(stream: Stream, batch: str | None, claimed: bool) -> str:
    """A query for the records that are seen."""
    where = f"__batch <> '{batch or '-'}'"
    if claimed:
        where += f" AND __seq IN (SELECT __seq FROM temp.main.{quoted(_claim(stream))})"
    return f"SELECT * FROM {pending(stream)} WHERE {where}"


def are_recorded(run: Run, stream: Stream) -> bool:
    return bool(run(f"SELECT 1 FROM {pending(stream)} LIMIT 1"))


def copy(run: Run, source: Stream, stream: Stream) -> None:
    """Begin to record changes from the offset of another stream."""
    run(f"CREATE TABLE {pending(stream)} AS FROM {pending(source)}")


def consume(run: Run, stream: Stream, batch: str | None = None) -> None:
    """Advance the offset to the state that this transaction reads; its own changes stay."""
    run(f"DELETE FROM {pending(stream)} WHERE __batch <> ?", [batch or "-"])


def _claim(stream: Stream) -> str:
    return f"_sfml_claim_{stream.id}"


def prepare_claim(run: Run, stream: Stream) -> None:
    """Let `claim`'s marks be named before it makes them."""
    run(f"CREATE OR REPLACE TEMP TABLE {quoted(_claim(stream))} (__seq BIGINT)")


def claim(run: Run, stream: Stream) -> None:
    """Mark the stream's current changes, for a statement that cannot be part of a transaction."""
    run(
        f"CREATE OR REPLACE TEMP TABLE {quoted(_claim(stream))} AS SELECT DISTINCT __seq FROM {pending(stream)}"
    )


def release(run: Run, stream: Stream, *, consumed: bool) -> None:
    """Remove the marks, and the marked changes if the statement has succeeded."""
    if consumed:
        run(
            f"DELETE FROM {pending(stream)} WHERE __seq IN (SELECT __seq FROM temp.main.{quoted(_claim(stream))})"
        )
    run(f"DROP TABLE IF EXISTS temp.main.{quoted(_claim(stream))}")


def _list(names: Any) -> str:
    return ", ".join(quoted(name) for name in names)
