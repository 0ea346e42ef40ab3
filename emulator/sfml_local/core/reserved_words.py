"""Words that cannot name a column, and words that can, though DuckDB reserves them.

https://docs.snowflake.com/en/sql-reference/reserved-keywords
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting
from sfml_local.core.unknown_references import unknown_column

RESERVED = frozenset(
    [
        "ALL",
        "ALTER",
        "AND",
        "ANY",
        "AS",
        "BETWEEN",
        "BY",
        "CHECK",
        "COLUMN",
        "CONNECT",
        "CONSTRAINT",
        "CREATE",
        "CURRENT",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "DELETE",
        "DISTINCT",
        "DROP",
        "ELSE",
        "EXISTS",
        "FOLLOWING",
        "FOR",
        "FROM",
        "GRANT",
        "GROUP",
        "HAVING",
        "ILIKE",
        "IN",
        "INCREMENT",
        "INSERT",
        "INTERSECT",
        "INTO",
        "IS",
        "LIKE",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "MINUS",
        "NOT",
        "NULL",
        "OF",
        "ON",
        "OR",
        "ORDER",
        "QUALIFY",
        "REGEXP",
        "REVOKE",
        "RLIKE",
        "ROW",
        "ROWS",
        "SAMPLE",
        "SELECT",
        "SET",
        "SOME",
        "START",
        "TABLE",
        "TABLESAMPLE",
        "THEN",
        "TO",
        "TRIGGER",
        "UNION",
        "UNIQUE",
        "UPDATE",
        "VALUES",
        "WHENEVER",
        "WHERE",
        "WITH",
    ]
)
"""What no column is called without double quotes."""

_OF_DUCKDB = frozenset({"ASC", "DESC", "FULL", "LATERAL"})
ANSWERED = frozenset({"CURRENT_CATALOG", "CURRENT_ROLE", "CURRENT_SCHEMA", "SESSION_USER", "USER"})
"""Names that DuckDB answers by itself where no column has them."""
_WRITTEN = re.compile(rf"\b({'|'.join(_OF_DUCKDB | ANSWERED)})\b", re.IGNORECASE)


@looks_for(exp.Identifier)
def reserved_words(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse columns with a reserved name, or that DuckDB would answer; and quote names that DuckDB reserves."""
    if isinstance(tree, exp.Create | exp.Alter):
        for column in tree.find_all(exp.ColumnDef):
            name = column.this
            if isinstance(name, exp.Identifier) and not name.quoted and name.name.upper() in RESERVED:
                raise _unexpected(name.name, rewriting.written)
    if rewriting.written is None or _WRITTEN.search(rewriting.written):
        for name in tree.find_all(exp.Identifier):
            if not name.quoted and name.name.upper() in _OF_DUCKDB:
                name.set("this", name.name.upper())
                name.set("quoted", True)
        _refuse_answered(tree)
    return tree


def _refuse_answered(tree: Expr) -> None:
    """Refuse a name that only a column could have where nothing has columns; over a relation, DuckDB answers it."""
    for column in tree.find_all(exp.Column):
        if not column.table and column.name.upper() in ANSWERED and not _has_relations(column):
            raise unknown_column(column.name.upper())


def _has_relations(column: exp.Column) -> bool:
    """Whether what is around a column may have one of this name: a query's relations, a changed table, parameters."""
    below: Expr = column
    around = column.parent
    while around is not None:
        if isinstance(around, exp.Update | exp.Delete | exp.Merge | exp.Lambda):
            return True
        is_read = isinstance(around, exp.Select) and around.args.get("from_") is not None
        if is_read and not isinstance(below, exp.From):
            return True
        below, around = around, around.parent
    return False


def _unexpected(word: str, written: str | None) -> SqlError:
    found = re.search(rf"\b{re.escape(word)}\b", written or "", re.IGNORECASE)
    line = (written or "")[: found.start()].count("\n") + 1 if found else 1
    place = found.start() - ((written or "").rfind("\n", 0, found.start()) + 1) if found else 0
    message = f"syntax error line {line} at position {place} unexpected '{word}'."
    return SqlError(f"SQL compilation error:\n{message}", 1003, "42000")
