"""Quotients and products of NUMBERs, exact to the last of 38 digits, for the columns that DuckDB hands over.

DuckDB divides in doubles; its `decimal_division` refuses the widths that NUMBERs have, and rounds halves to even. Here
numbers of 64 bits are computed as columns: a remainder is right even where numerators wrap around. The others are
computed as Python's integers. The results are texts, because each function of DuckDB's has one type.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sfml_local.core.expressions.number_formats import EXACT
from sfml_local.core.expressions.number_rules import (
    FRAME_PLACES,
    MOST_DIGITS,
    places_of_product,
    places_of_quotient,
)
from sfml_local.core.expressions.refusals import Refusal, too_long

Vector = np.ndarray[Any, np.dtype[Any]]

_MASK = 2**64 - 1
_SIGN = 2**63
_ROOM = 2.0**60
"""A quarter of what 64 bits with a sign have room for."""
_ERROR = 2.0**-50
"""More than the relative error of a quotient of doubles that were made of integers."""


FEW = 16
"""Rows that are not worth computing as columns."""


class _Column(NamedTuple):
    """NUMBERs as integers of 128 bits in two words; each is as many times `10**-places`."""

    low: Vector
    high: Vector
    valid: Vector
    places: int

    def at(self, row: int) -> int:
        return (int(self.high[row]) << 64) | (int(self.low[row]) & _MASK)

    @property
    def is_small(self) -> Vector:
        """Whether the lower word is the whole integer."""
        return np.asarray(self.high == self.low >> 63)


class _Fractions(NamedTuple):
    """What is divided: 64 bits of both sides, what the quotients nearly are, and both sides of a row in full."""

    numerator: Vector
    denominator: Vector
    near: Vector
    is_small: Vector
    exact: Callable[[int], tuple[int, int]]


def quotient(dividend: pa.ChunkedArray, divisor: pa.ChunkedArray) -> pa.Array:
    """dividend / divisor, rounded half away from zero."""
    left, right = _column(dividend), _column(divisor)
    return _quotients(left, right, places_of_quotient(left.places), _half_away)


def mean_in_frame(total: pa.ChunkedArray, count: pa.ChunkedArray) -> pa.Array:
    """The mean over a frame: an account cuts it off after three more places than the values have."""
    left, right = _column(total), _column(count)
    return _quotients(left, right, left.places + FRAME_PLACES, _toward_zero)


@np.errstate(all="ignore")
def _quotients(left: _Column, right: _Column, places: int, rounding: _Rounding) -> pa.Array:
    power = 10 ** (places - left.places + right.places)
    near = left.low * float(power) / right.low
    is_small = left.is_small & right.is_small
    exact = lambda row: (left.at(row) * power, right.at(row))  # noqa: E731
    fractions = _Fractions(left.low * _wrapped(power), right.low, near, is_small, exact)
    return _divided(fractions, left.valid & right.valid, places, rounding)


@np.errstate(all="ignore")
def product(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    """left * right, rounded half away from zero."""
    one, other = _column(left), _column(right)
    places = places_of_product(one.places, other.places)
    power = 10 ** (one.places + other.places - places)
    near = one.low * other.low.astype(float) / power
    is_small = one.is_small & other.is_small & (power < _SIGN)
    exact = lambda row: (one.at(row) * other.at(row), power)  # noqa: E731
    fractions = _Fractions(one.low * other.low, np.full(len(near), _wrapped(power)), near, is_small, exact)
    return _divided(fractions, one.valid & other.valid, places, _half_away)


# -- integers


_Rounding = Callable[[Any, Any, Any], Any]
"""Of a floored quotient, its remainder and the denominator: whether the quotient is one more."""


def _half_away(floored: Any, rest: Any, denominator: Any) -> Any:
    return (2 * rest > denominator) | ((2 * rest == denominator) & (floored >= 0))


def _toward_zero(floored: Any, rest: Any, denominator: Any) -> Any:
    return (floored < 0) & (rest > 0)


def _divided(fractions: _Fractions, rows: Vector, places: int, rounding: _Rounding) -> pa.Array:
    """The quotients as texts with so many decimal places, and NULL in other rows."""
    low, is_right = _divided_by_columns(fractions, rounding) if len(rows) > FEW else _nothing(len(rows))
    high = low >> 63
    for row in map(int, np.flatnonzero(rows & ~is_right)):
        value = _divided_integers(*fractions.exact(row), rounding)
        if abs(value) >= 10**MOST_DIGITS:
            raise too_long(Decimal(value).scaleb(-places, EXACT), places)
        low[row], high[row] = _wrapped(value), value >> 64
    return _texts(low, high, rows, places)


def _divided_by_columns(fractions: _Fractions, rounding: _Rounding) -> tuple[Vector, Vector]:
    """Quotients, and where they are right: where neither they nor their remainders need more than 64 bits."""
    size, denominator = np.abs(fractions.near), np.abs(fractions.denominator)
    is_right = fractions.is_small & (denominator > 0) & (size < _ROOM)
    is_right &= denominator * (4 + size * _ERROR) < _ROOM
    denominator = np.where(is_right, denominator, 1)
    numerator = np.where(fractions.denominator < 0, -fractions.numerator, fractions.numerator)
    floored = np.rint(np.where(is_right, fractions.near, 0)).astype(np.int64)
    rest = numerator - floored * denominator
    floored += rest // denominator
    return floored + rounding(floored, rest % denominator, denominator), is_right


def _nothing(count: int) -> tuple[Vector, Vector]:
    return np.zeros(count, np.int64), np.zeros(count, np.bool_)


def _divided_integers(numerator: int, denominator: int, rounding: _Rounding) -> int:
    if denominator == 0:
        raise Refusal(100051, "22012", "Division by zero")
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    floored, rest = divmod(numerator, denominator)
    return floored + int(rounding(floored, rest, denominator))


def _wrapped(value: int) -> int:
    """The last 64 bits of an integer, as one with a sign."""
    return ((value & _MASK) ^ _SIGN) - _SIGN


# -- columns of Arrow


def _column(column: pa.ChunkedArray) -> _Column:
    array = column.combine_chunks()
    if not pa.types.is_decimal128(array.type):
        array = array.cast(pa.decimal128(MOST_DIGITS, 0))
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    if array.null_count:
        array = array.fill_null(pa.scalar(Decimal(0), array.type))
    words = np.frombuffer(array.buffers()[1], np.int64)[2 * array.offset :][: 2 * len(array)]
    return _Column(words[::2], words[1::2], valid, array.type.scale)


def _texts(low: Vector, high: Vector, rows: Vector, places: int) -> pa.Array:
    buffer = pa.py_buffer(np.column_stack((low, high)))
    numbers = pa.Array.from_buffers(pa.decimal128(MOST_DIGITS, places), len(rows), [None, buffer])
    texts = _without_exponents(numbers, numbers.cast(pa.string()), (low | high) != 0)
    return pc.if_else(pa.array(rows), texts, None)


def _without_exponents(numbers: pa.Array, texts: pa.Array, is_not_zero: Vector) -> pa.Array:
    """Texts that DuckDB reads also where the type has no digit before the point: of `1E-7` it makes no DECIMAL(7,7)."""
    has_exponent = pc.and_(pc.match_substring(texts, "E"), pa.array(is_not_zero))
    if not has_exponent.true_count:
        return texts
    plain = [f"{number:f}" for number in numbers.filter(has_exponent).to_pylist()]
    return pc.replace_with_mask(texts, has_exponent, pa.array(plain, pa.string()))
