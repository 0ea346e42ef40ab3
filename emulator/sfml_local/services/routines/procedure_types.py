"""Types of parameters and results: their SQL names, and conversions of SQL values to Python.

https://docs.snowflake.com/en/developer-guide/udf-stored-procedure-data-type-mapping
"""

from __future__ import annotations

import decimal
import json
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.result import Column
from sfml_local.grammar.tokens import SqlSyntaxError, Tokens

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


class VariantText(str):
    """The JSON text of a VARIANT that a script holds; to all that knows no VARIANT it is a text."""

    __slots__ = ()

    @property
    def plain(self) -> Any:
        """The value that a cast to another type has: the text of a string without quotes, None for null."""
        value = json.loads(self)
        return str(self) if isinstance(value, dict | list) else value


def marked(value: Any, column: Column) -> Any:
    """A value of a result, which stays a VARIANT if its column is one."""
    return VariantText(value) if column.type == "variant" and isinstance(value, str) else value


def scripted(value: Any, declared: str) -> Any:
    """An argument as a script holds it: a semi-structured one as its JSON text."""
    if value is None or column_of("argument", declared).type not in _JSON:
        return value
    return VariantText(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    """A number as JSON has it, and the text of a date or time."""
    return float(value) if isinstance(value, Decimal) else str(value)


_JSON = frozenset({"variant", "object", "array"})
_CAST = frozenset({"date", "time", "timestamp_ntz", "timestamp_ltz", "timestamp_tz"})
"""The types that an argument is cast to by a query, because texts are read as dates and times by many rules."""

_WIRE: dict[Any, str] = {
    exp.DataType.Type.BOOLEAN: "boolean",
    exp.DataType.Type.DATE: "date",
    exp.DataType.Type.TIME: "time",
    exp.DataType.Type.TIMESTAMP: "timestamp_ntz",
    exp.DataType.Type.TIMESTAMPNTZ: "timestamp_ntz",
    exp.DataType.Type.TIMESTAMPLTZ: "timestamp_ltz",
    exp.DataType.Type.TIMESTAMPTZ: "timestamp_tz",
    exp.DataType.Type.BINARY: "binary",
    exp.DataType.Type.VARBINARY: "binary",
    exp.DataType.Type.VARIANT: "variant",
    exp.DataType.Type.OBJECT: "object",
    exp.DataType.Type.MAP: "object",
    exp.DataType.Type.ARRAY: "array",
}


def column_of(name: str, declared: str) -> Column:
    """The result column for values of this declared type."""
    if Tokens(declared).is_words("TABLE"):
        raise not_emulated(f"procedure {name} that RETURNS {declared}")
    parsed = _parsed(declared)
    if parsed.this in exp.DataType.TEXT_TYPES:
        return Column(name, "text")
    if parsed.this in exp.DataType.FLOAT_TYPES or parsed.this is exp.DataType.Type.DOUBLE:
        return Column(name, "real")
    if parsed.this in exp.DataType.NUMERIC_TYPES:
        sizes = [int(size.name) for size in parsed.expressions]
        precision, scale = (*sizes, *(38, 0)[len(sizes) :])
        return Column(name, "fixed", precision, scale)
    if parsed.this in _WIRE:
        return Column(name, _WIRE[parsed.this])
    raise SqlError(f"SQL compilation error:\nUnsupported data type '{declared}'.", 2040, "42601")


_SIZES = {"text": "VARCHAR(16777216)", "binary": "BINARY(8388608)", "real": "FLOAT"}


def shown_type(declared: str) -> str:
    """A declared type as DESCRIBE shows it: by Snowflake's own name, with its sizes and NOT NULL; tables as written."""
    if Tokens(declared).is_words("TABLE"):
        return declared.upper()
    parsed, column = _parsed(declared), column_of("type", declared)
    sizes = ",".join(size.name for size in parsed.expressions)
    if column.type == "fixed":
        shown = f"NUMBER({column.precision},{column.scale})"
    elif column.type in _SIZES:
        shown = _SIZES[column.type] if not sizes or column.type == "real" else ""
        shown = shown or f"{_SIZES[column.type].partition('(')[0]}({sizes})"
    else:
        shown = column.type.upper()
        if shown.startswith("TIME"):
            shown += f"({sizes or 9})"
    return f"{shown} NOT NULL" if declared.upper().split()[-2:] == ["NOT", "NULL"] else shown


_NATURAL: dict[str, type] = {"text": str, "real": float, "boolean": bool}


def is_natural(value: Any, column: Column, declared: str) -> bool:
    """Whether a value needs no cast to the declared type, which has no size."""
    if "(" in declared or isinstance(value, VariantText):
        return False
    if column.type == "fixed":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _NATURAL.get(column.type, ()))


def castable(declared: str) -> str:
    """A declared type as a cast takes it: NOT NULL may follow it, and does not affect conversions."""
    return Tokens(declared).text_until(("NOT", "NULL"), ("NULL",))


def _parsed(declared: str) -> exp.DataType:
    text = castable(declared)
    try:
        return exp.DataType.build(text, dialect="snowflake")
    except (SqlglotError, ValueError) as cause:
        raise SqlError(
            f"SQL compilation error:\nUnsupported data type '{declared}'.", 2040, "42601"
        ) from cause


def argument_value(account: Account, session: Session, expression: str, declared: str) -> Any:
    """The value of an argument's expression in the parameter's type."""
    column = column_of("argument", declared)
    is_cast = column.type in _CAST
    literal = _literal(expression)
    if literal is not None and not is_cast:
        return converted(literal, column)
    text = f"CAST(({expression}) AS {castable(declared)})" if is_cast else expression
    result = account.execute(session, f"SELECT {text}")
    value = result.scalar
    if value is not None and result.columns[0].type in _JSON and isinstance(value, str):
        value = json.loads(value)
    return converted(value, column)


def _literal(expression: str) -> str | None:
    """The value of a string literal, computed without the engine."""
    try:
        tokens = Tokens(expression)
    except SqlSyntaxError:
        return None
    value = tokens.match_string()
    return value if tokens.at_end else None


def converted(value: Any, column: Column) -> Any:
    """A value cast to the column's type like in Snowflake, as a Python value."""
    if value is None or column.type in _JSON:
        return value
    if isinstance(value, VariantText) and (value := value.plain) is None:
        return None
    try:
        match column.type:
            case "text":
                return value if isinstance(value, str) else _text(value)
            case "fixed":
                return _rounded(Decimal(str(value)), column.scale or 0)
            case "real":
                return float(value)
            case "boolean":
                return _boolean(value)
    except (InvalidOperation, ValueError, TypeError) as cause:
        word = {"fixed": "Numeric", "real": "Numeric", "boolean": "Boolean"}[column.type]
        raise SqlError(f"{word} value '{value}' is not recognized", 100038, "22018") from cause
    return value


def _rounded(number: Decimal, scale: int) -> int | Decimal:
    """The number with at most this many places, halves away from zero; with none an int."""
    if scale and -int(number.as_tuple().exponent) <= scale:
        return number
    with decimal.localcontext(prec=80):
        placed = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    return int(placed) if scale == 0 else placed


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in ("true", "t", "yes", "y", "on", "1"):
        return True
    if word in ("false", "f", "no", "n", "off", "0"):
        return False
    raise ValueError(value)
