"""Amounts with two ends: the least and the most; the most of what is unknown is None."""

from __future__ import annotations

from collections.abc import Iterable

from sfml.base.record import record


@record
class Amount:
    """From `low` to `high`. Where `high` is None, there is no bound: a part of it is unknown."""

    low: float
    high: float | None

    def __add__(self, other: Amount) -> Amount:
        high = None if self.high is None or other.high is None else self.high + other.high
        return Amount(self.low + other.low, high)

    def times(self, other: Amount) -> Amount:
        """The product; nothing of what is unknown is nothing."""
        if self.high == 0 or other.high == 0:
            return NOTHING
        high = None if self.high is None or other.high is None else self.high * other.high
        return Amount(self.low * other.low, high)

    @property
    def is_nothing(self) -> bool:
        return self.high == 0


NOTHING = Amount(0.0, 0.0)
UNKNOWN = Amount(0.0, None)


def exactly(number: float) -> Amount:
    return Amount(number, number)


def total(amounts: Iterable[Amount]) -> Amount:
    """The sum; it has no upper bound if one of the amounts has none."""
    return sum(amounts, NOTHING)
