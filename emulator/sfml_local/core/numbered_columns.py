"""AUTOINCREMENT and IDENTITY columns: a sequence beside the table, by its full name, and a default that reads it.

fakesnow names the sequence without its schema, so it would be made in the current one, and it writes the names of
temporary tables, which have points, into its name.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from sfml_local.core.errors import not_emulated
from sfml_local.grammar.quoting import duckdb_identifier, duckdb_literal

if TYPE_CHECKING:
    import duckdb

BEGINNING = "_FS_SEQ_"
"""How the names of these sequences begin; an account shows none."""

_NUMBERED = (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)
_MOST = 2**63 - 1
_COUNTED = re.compile(r"nextval\('(?:.*\.)?\"?(_fs_seq_[^'\"]*)", re.IGNORECASE)


def sequence_in(default: str | None) -> str | None:
    """The name of the sequence that a default reads to number rows; None for other defaults."""
    found = None if default is None else _COUNTED.search(default)
    return None if found is None else found[1]


def split(tree: Expr, parts: tuple[str, ...] | None) -> tuple[list[str], Expr]:
    """DuckDB's statements for the sequences of a CREATE TABLE, and the statement with defaults that read them."""
    if parts is None or not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
        return [], tree
    made: list[str] = []
    new = tree.copy()
    numbered = list(_constraints(new))
    if len(numbered) > 1:
        raise not_emulated("several AUTOINCREMENT columns in one table")
    for constraint in numbered:
        start, step = _numbers(constraint.args["kind"])
        name = fresh_name(parts)
        made.append(creation(name, start, step))
        constraint.set("kind", exp.DefaultColumnConstraint(this=_next_value(name)))
    return made, new


def _constraints(tree: exp.Create) -> Iterator[exp.ColumnConstraint]:
    for column in tree.this.expressions:
        for one in column.args.get("constraints") or () if isinstance(column, exp.ColumnDef) else ():
            if isinstance(one, exp.ColumnConstraint) and isinstance(one.args.get("kind"), _NUMBERED):
                yield one


def _numbers(kind: Expr) -> tuple[int, int]:
    """The first number and the step."""
    written = (kind.args.get("start"), kind.args.get("increment"))
    start, step = (1 if one is None else int(one.sql().replace(" ", "")) for one in written)
    return start, step


def fresh_name(parts: tuple[str, ...]) -> tuple[str, ...]:
    """A name for a sequence in the place of a table; the old one of a replaced table may still be read."""
    return (*parts[:-1], f"{BEGINNING}{secrets.token_hex(8).upper()}")


def creation(name: tuple[str, ...], start: int, step: int) -> str:
    """DuckDB's statement for a sequence that may count down."""
    kind = "TEMPORARY SEQUENCE" if name[0] == "temp" else "SEQUENCE"
    limits = f"MINVALUE {-_MOST} MAXVALUE {_MOST}"
    return f"CREATE {kind} {duckdb_identifier(*name)} START WITH {start} INCREMENT BY {step} {limits}"


def default_of(name: tuple[str, ...]) -> str:
    """The default that reads a sequence, in DuckDB's dialect."""
    return f"nextval({duckdb_literal(duckdb_identifier(*name))})"


def _next_value(name: tuple[str, ...]) -> exp.Anonymous:
    return exp.Anonymous(this="NEXTVAL", expressions=[exp.Literal.string(duckdb_identifier(*name))])


def copied_default(
    duck: duckdb.DuckDBPyConnection, default: str, parts: tuple[str, ...], *, goes_on: bool
) -> str:
    """The default of a copied column: it counts for itself, from the beginning or where its table is."""
    counted = sequence_in(default)
    if counted is None:
        return default
    query = (
        "SELECT start_value, increment_by, last_value FROM duckdb_sequences()"
        " WHERE upper(sequence_name) = upper(?)"
    )
    rows = duck.execute(query, [counted]).fetchall()
    start, step, last = rows[0] if rows else (1, 1, None)
    name = fresh_name(parts)
    duck.execute(creation(name, start, step))
    if goes_on and last is not None:
        done = (last - start) // step + 1
        duck.execute(f"SELECT count({default_of(name)}) FROM range({done})").fetchall()
    return default_of(name)
