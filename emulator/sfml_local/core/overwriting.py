"""INSERT OVERWRITE, whose query may read the table that it fills: its rows are written before the old ones go.

https://docs.snowflake.com/en/sql-reference/sql/insert
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlglot import Expr, exp

from sfml_local.core.definitions import parts_of
from sfml_local.core.errors import not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.core.rewriting import Rewriting
from sfml_local.core.temporaries import full_name
from sfml_local.core.transactions import begin_dml, transaction
from sfml_local.grammar.quoting import duckdb_identifier


def is_overwriting(tree: Expr) -> bool:
    return isinstance(tree, exp.Insert) and bool(tree.args.get("overwrite"))


@contextmanager
def overwriting(rewriting: Rewriting, tree: Expr) -> Iterator[None]:
    """One transaction around the INSERT of the new rows, which becomes a plain one, and the end of the old ones."""
    session = rewriting.session
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name = full_name(target, session) if isinstance(target, exp.Table) else None
    begin_dml(session)
    with transaction(session):
        last = None if name is None else _last_row(rewriting, name)
        tree.set("overwrite", None)
        yield
        if last is not None and name is not None:
            session.duck.execute(f"DELETE FROM {_place(rewriting, name)} WHERE rowid <= {last}")


def _last_row(rewriting: Rewriting, name: ObjectName) -> int | None:
    """The number of a table's last row; those that follow are larger, also in the transaction that wrote it."""
    held = rewriting.account.engine.held_types(rewriting.session, name)
    if any(column.upper() == "ROWID" for column in held):
        raise not_emulated("INSERT OVERWRITE into a table with a column ROWID")
    parts = parts_of(name, temporary=name in rewriting.session.temporaries)
    if rewriting.account.engine.kind_of(rewriting.session, parts) != "TABLE":
        return None
    rows = rewriting.session.rows(f"SELECT max(rowid) FROM {duckdb_identifier(*parts)}")
    return None if rows[0][0] is None else int(rows[0][0])


def _place(rewriting: Rewriting, name: ObjectName) -> str:
    return duckdb_identifier(*parts_of(name, temporary=name in rewriting.session.temporaries))
