"""Values of conditions: SQL's logic, comparisons and casts, over known and unknown values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TypeAlias

from sfml.base.record import record


@record
class Unknown:
    """A value that was not given; `of` says why it is not known, as a clause."""

    of: str


Known: TypeAlias = str | Decimal | bool | None
Value: TypeAlias = Known | Unknown


class ConditionError(ValueError):
    """A condition that makes Snowflake fail the task, such as a cast of text that is not a number."""


_NUMBERS = frozenset({"NUMBER", "DECIMAL", "NUMERIC", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT"})
_FLOATS = frozenset({"FLOAT", "DOUBLE", "REAL"})
_TEXTS = frozenset({"VARCHAR", "CHAR", "STRING", "TEXT"})
TYPES = _NUMBERS | _FLOATS | _TEXTS | {"BOOLEAN"}
_WORDS_OF_TRUTH = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
"""https://docs.snowflake.com/en/sql-reference/functions/to_boolean"""


def any_of(values: list[Value]) -> Value:
    """OR of SQL's three-valued logic; unknown only if no other value is true."""
    if any(value is True for value in values):
        return True
    for value in values:
        if isinstance(value, Unknown):
            return value
    return None if any(value is None for value in values) else False


def negation(value: Value) -> Value:
    return not value if isinstance(value, bool) else value


def compared(sign: str, one: Value, other: Value) -> Value:
    """A comparison. Text that is compared with a number or a boolean is cast to it, as Snowflake does implicitly.

    https://docs.snowflake.com/en/sql-reference/data-type-conversion
    """
    for value in (one, other):
        if isinstance(value, Unknown):
            return value
    if one is None or other is None:
        return None
    test = _SIGNS[sign]
    if isinstance(one, bool) or isinstance(other, bool):
        return test(boolean(one), boolean(other))
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return test(cast("FLOAT", 0, one), cast("FLOAT", 0, other))
    return test(one, other)


_SIGNS: Mapping[str, Callable[..., bool]] = {
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def like(value: Value, pattern: Value) -> Value:
    """SQL's LIKE, with `%` and `_`; NULL or unknown if either value is."""
    for one in (value, pattern):
        if one is None or isinstance(one, Unknown):
            return one
    parts = [{"%": ".*", "_": "."}.get(char, re.escape(char)) for char in str(cast("TEXT", 0, pattern))]
    return re.fullmatch("".join(parts), str(cast("TEXT", 0, value)), re.DOTALL) is not None


def concatenated(values: list[Value]) -> Value:
    """SQL's `||`; NULL or unknown if any value is."""
    for value in values:
        if value is None or isinstance(value, Unknown):
            return value
    return "".join(str(cast("TEXT", 0, value)) for value in values)


def boolean(value: Value) -> bool | Unknown | None:
    """The value cast to BOOLEAN; raises `ConditionError` for text that is not a boolean."""
    result = cast("BOOLEAN", 0, value)
    assert result is None or isinstance(result, bool | Unknown)
    return result


def cast(kind: str, scale: int, value: Value) -> Value:
    """The value as a type of `TYPES`; raises `ConditionError` for text that does not fit.

    `scale` is the number of digits behind the point; from 38 on, numbers are not rounded.
    """
    if value is None or isinstance(value, Unknown):
        return value
    if kind in _TEXTS:
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "BOOLEAN":
        if isinstance(value, str):
            word = value.strip().lower()
            if word not in _WORDS_OF_TRUTH:
                raise ConditionError(f"Boolean value '{value}' is not recognized")
            return _WORDS_OF_TRUTH[word]
        return bool(value)
    try:
        number = Decimal(int(value)) if isinstance(value, bool) else Decimal(value)
        if not number.is_finite():
            raise InvalidOperation
        if kind in _FLOATS:
            return number
        return number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP) if scale < 38 else number
    except InvalidOperation:
        raise ConditionError(f"Numeric value '{value}' is not recognized") from None
