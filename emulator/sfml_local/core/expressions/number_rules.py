"""The types of quotients, products and means of NUMBERs, from DuckDB's names of their operands' types.

A quotient has six more places than its dividend, up to twelve.
https://docs.snowflake.com/en/sql-reference/operators-arithmetic
The digits of means are as accounts declared them (mlorek/frostlake, AveragingWidthAtHighScaleTest).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sfml_local.core.expressions.refusals import Refusal

MOST_DIGITS = 38
MOST_PLACES = 12
"""The most decimal places of a result, unless an operand has more."""
MORE_PLACES = 6
FRAME_PLACES = 3
"""How many more places a mean over a frame or a partition has than its values."""

_DECIMAL = re.compile(r"DECIMAL\((\d+), ?(\d+)\)")
_DIGITS_OF_INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "UBIGINT": 20}
INEXACT = ("DOUBLE", "FLOAT")


class Number(NamedTuple):
    """NUMBER(digits, places)."""

    digits: int
    places: int

    @property
    def leading(self) -> int:
        """The digits before the point."""
        return self.digits - self.places


def number_of(kind: str) -> Number | None:
    """The NUMBER that a type of DuckDB's is; None for floats."""
    if kind in INEXACT:
        return None
    found = _DECIMAL.fullmatch(kind)
    if found is None:
        return Number(_DIGITS_OF_INTEGERS.get(kind, MOST_DIGITS), 0)
    return Number(int(found[1]), int(found[2]))


def places_of_quotient(dividend: int) -> int:
    """The decimal places of a quotient or a mean."""
    return max(dividend, min(dividend + MORE_PLACES, MOST_PLACES))


def places_of_product(left: int, right: int) -> int:
    return min(left + right, max(left, right, MOST_PLACES))


def _quotient(dividend: Number, divisor: Number) -> Number:
    places = places_of_quotient(dividend.places)
    return Number(dividend.leading + divisor.places + places, places)


def _product(left: Number, right: Number) -> Number:
    places = places_of_product(left.places, right.places)
    return Number(left.leading + right.leading + places, places)


def _mean(value: Number, count: Number) -> Number:
    places = places_of_quotient(value.places)
    return Number(value.leading + 12 + places, places)


def _mean_in_frame(value: Number, count: Number) -> Number:
    places = value.places + FRAME_PLACES
    if places > MOST_DIGITS:
        digits = min(value.digits + 15, MOST_DIGITS + FRAME_PLACES)
        words = f"SQL compilation error: \nInvalid intermediate datatype: NUMBER({digits},{places})."
        raise Refusal(1003, "42000", words)
    return Number(value.digits + 15, places)


def _sum(value: Number, _: Number) -> Number:
    """As accounts declared it: mlorek/frostlake."""
    return Number(value.digits + 12, value.places)


def _kurtosis(_: Number, __: Number) -> Number:
    """As sqlglot records it of an account (`sqlglot.typing.snowflake`)."""
    return Number(MOST_DIGITS, MOST_PLACES)


def _variance(value: Number, _: Number) -> Number:
    """As sqlglot records it of an account (`sqlglot.typing.snowflake`), and Snowpark of values with 18 places."""
    return Number(MOST_DIGITS, MOST_PLACES if value.places else MORE_PLACES)


def _median(value: Number, _: Number) -> Number:
    """https://docs.snowflake.com/en/sql-reference/functions/median"""
    return Number(value.digits + 3, value.places + 3)


_RULES: Mapping[str, Callable[[Number, Number], Number]] = {
    "quotient": _quotient,
    "product": _product,
    "mean": _mean,
    "mean_in_frame": _mean_in_frame,
    "sum": _sum,
    "kurtosis": _kurtosis,
    "variance": _variance,
    "median": _median,
}


def result_type(operation: str, left: str, right: str) -> str:
    """The type of an operation's result as JSON text, which DuckDB reads with `from_json('null', …)`."""
    one, other = number_of(left), number_of(right)
    if one is None or other is None:
        return '"DOUBLE"'
    digits, places = _RULES[operation](one, other)
    return f'"DECIMAL({min(digits, MOST_DIGITS)},{places})"'
