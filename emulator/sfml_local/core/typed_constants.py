"""Values as expressions of the types that they had in an answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.result import Column
from sfml_local.core.rewriting import literal


def constant(value: Any, column: Column) -> Expr:
    """The value with the column's type; whole numbers and texts are bare, as LIMIT and IDENTIFIER take them."""
    if value is not None and column.type == "fixed" and not column.scale:
        return literal(int(value))
    if value is not None and column.type in ("text", "boolean"):
        return literal(value)
    text = None if value is None else _text(value)
    return exp.cast(exp.null() if text is None else exp.Literal.string(text), _sql_type(column))


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex().upper()
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _sql_type(column: Column) -> str:
    if column.type == "fixed":
        return f"NUMBER({column.precision or 38}, {column.scale or 0})"
    return {"text": "VARCHAR", "real": "FLOAT"}.get(column.type, column.type.upper())
