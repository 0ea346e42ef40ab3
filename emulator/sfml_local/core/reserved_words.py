"""Words that cannot name a column, and words that can, though DuckDB reserves them.

https://docs.snowflake.com/en/sql-reference/reserved-keywords
"""

from __future__ import annotations

import re

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting

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
_WRITTEN = re.compile(rf"\b({'|'.join(_OF_DUCKDB)})\b", re.IGNORECASE)


@looks_for(exp.Identifier)
def reserved_words(tree: Expr, rewriting: Rewriting) -> Expr:
    """Refuse columns with a reserved name, and quote names that DuckDB reserves."""
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
    return tree


def _unexpected(word: str, written: str | None) -> SqlError:
    found = re.search(rf"\b{re.escape(word)}\b", written or "", re.IGNORECASE)
    line = (written or "")[: found.start()].count("\n") + 1 if found else 1
    place = found.start() - ((written or "").rfind("\n", 0, found.start()) + 1) if found else 0
    message = f"syntax error line {line} at position {place} unexpected '{word}'."
    return SqlError(f"SQL compilation error:\n{message}", 1003, "42000")
