"""Clustering keys: expressions over columns of their table, kept as they were written.

https://docs.snowflake.com/en/user-guide/tables-clustering-keys
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.dialect import WRITTEN, parse_one
from sfml_local.core.rewriting import dotted


def written_keys(keys: Iterable[Expr]) -> str:
    """The keys of CREATE TABLE as text."""
    return ", ".join(key.meta.get(WRITTEN) or key.sql(dialect="snowflake") for key in keys)


def parsed_keys(text: str) -> list[Expr]:
    """The keys of ALTER TABLE … CLUSTER BY as trees."""
    return list(parse_one(f"SELECT {text}").expressions)


def demand_columns(keys: Iterable[Expr], known: Collection[str]) -> None:
    """Refuse keys over columns that the table does not have."""
    for name in (name for key in keys for name in _columns(key)):
        if name not in known:
            words = f"SQL compilation error: error line 1 at position 0\ninvalid identifier '{name}'"
            raise SqlError(words, 904, "42000")


def _columns(key: Expr) -> Iterator[str]:
    """The columns outside of calls, whose arguments may be words such as MONTH."""
    for column in key.find_all(exp.Column):
        if not any(map(_is_call, _above(column, key))):
            yield dotted(column.parts[0])


def _above(node: Expr, top: Expr) -> Iterator[Expr]:
    while node is not top and node.parent is not None:
        node = node.parent
        yield node


def _is_call(node: Expr) -> bool:
    """Whether a node is a function; sqlglot counts paths, casts and choices among them."""
    return isinstance(node, exp.Func) and not isinstance(node, exp.JSONExtract | exp.Cast | exp.Case)
