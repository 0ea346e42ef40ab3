"""Refuses a DEFAULT of a new table's column whose type the column does not take, as recorded of an account.

A number takes no text and a text takes no number; a DATE reaches a TIMESTAMP, and a TIMESTAMP no DATE. TRUE, FALSE and
NULL are taken everywhere but in BINARY, which has no defaults.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted

_T = exp.DataType.Type
_NUMBERS = frozenset({"fixed", "real"})
_MOMENTS = frozenset({"timestamp_ntz", "timestamp_ltz", "timestamp_tz"})
_TEXT = frozenset({"text"})
_REFUSED: Mapping[str, frozenset[str]] = {
    "number": _TEXT,
    "date": _TEXT | _MOMENTS,
    "time": _TEXT | _MOMENTS,
    "timestamp": _TEXT,
    "text": _NUMBERS | _MOMENTS | {"date", "time"},
    "boolean": _NUMBERS,
    "variant": _NUMBERS,
}
"""The family of a column's type → types of defaults that it does not take."""


@looks_for(exp.Create)
def column_defaults(tree: Expr, rewriting: Rewriting) -> Expr:
    if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema):
        for column in tree.this.expressions:
            if isinstance(column, exp.ColumnDef) and isinstance(column.kind, exp.DataType):
                _check(column, column.kind, rewriting)
    return tree


def _check(column: exp.ColumnDef, kind: exp.DataType, rewriting: Rewriting) -> None:
    default = column.find(exp.DefaultColumnConstraint)
    if default is None:
        return
    family = _family(kind)
    if family == "binary":
        words = "Default values are not allowed on 'BINARY' columns."
        raise SqlError(f"SQL compilation error: {words}", 2262, "22000")
    refused = _REFUSED.get(family)
    if (
        refused
        and not isinstance(default.this, exp.Null | exp.Boolean)
        and _type(default.this, rewriting) in refused
    ):
        words = f"Default value data type does not match data type for column {dotted(column.this)}"
        raise SqlError(f"SQL compilation error:\n{words}", 2262, "22000")


def _family(kind: exp.DataType) -> str:
    type = kind.this
    if type in exp.DataType.TEXT_TYPES:
        return "text"
    if type in exp.DataType.NUMERIC_TYPES:
        return "number"
    if type in (_T.BINARY, _T.VARBINARY):
        return "binary"
    if type in (_T.DATE, _T.TIME, _T.BOOLEAN, _T.VARIANT):
        return str(type.value).lower()
    return "timestamp" if type in exp.DataType.TEMPORAL_TYPES else ""


def _type(default: Expr, rewriting: Rewriting) -> str | None:
    """None where the expression is refused for something else, or is no query: the next value of a sequence."""
    if isinstance(default, exp.Literal):
        return "text" if default.is_string else "fixed"
    try:
        query = exp.select(default.copy())
        found = rewriting.account.run_tree(rewriting.session, query, describe_only=True)
    except SqlError:
        return None
    return found.columns[0].type
