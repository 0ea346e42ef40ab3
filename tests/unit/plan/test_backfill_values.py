"""The values of a backfill: lists, ranges with both ends, products, and what is refused."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.base.errors import ConflictingState, UsageError
from sfml.plan.backfill_state import BackfillState, FilledValue, state_from, state_json
from sfml.plan.backfill_values import MOST, config_values


def listed(*overs: str) -> list[str]:
    return [" ".join(values.values()) for values in config_values(overs)]


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ("day=2026-01-30..2026-02-01", "2026-01-30 2026-01-31 2026-02-01"),
        ("day=2026-01-01..2026-01-15/1w", "2026-01-01 2026-01-08 2026-01-15"),
        ("day=2026-01-01..2026-01-16/1w", "2026-01-01 2026-01-08 2026-01-15"),
        ("day=2026-01-01..2026-01-05/2d", "2026-01-01 2026-01-03 2026-01-05"),
        ("day=2026-01-31..2026-03-31/1mo", "2026-01-31 2026-02-28 2026-03-31"),
        ("day=2024-02-29..2026-02-28/1y", "2024-02-29 2025-02-28 2026-02-28"),
        ("day=2026-01-01..2026-01-01", "2026-01-01"),
        ("month=2025-11..2026-02", "2025-11 2025-12 2026-01 2026-02"),
        ("month=2025-11..2026-02/2mo", "2025-11 2026-01"),
        ("n=1..10/3", "1 4 7 10"),
        ("n=-1..1", "-1 0 1"),
        ("n=0..2", "0 1 2"),
        ("n=-2..10/6", "-2 4 10"),
        ("store=007..010", "007 008 009 010"),
        ("segment=a,b , a", "a b"),
        ("day=2026-01-01,2026-03-01..2026-03-02", "2026-01-01 2026-03-01 2026-03-02"),
        ("at=2026-01-01T00:00..2026-01-01T12:00/6h", "2026-01-01T00:00 2026-01-01T06:00 2026-01-01T12:00"),
        ("at=2026-01-01T00:00..2026-01-02T00:00/999999999999999999h", "2026-01-01T00:00"),
        ("day=2026-01-01..2026-01-02/999999999999999999w", "2026-01-01"),
        ("day=2026-01-01..2026-01-02/999999999999999999y", "2026-01-01"),
        ("text=a=b", "a=b"),
    ],
)
def test_values_of_a_key(over: str, expected: str) -> None:
    assert listed(over) == expected.split()


def test_several_keys_make_a_product() -> None:
    assert config_values(("day=2026-01-01..2026-01-02", "segment=a,b")) == (
        {"day": "2026-01-01", "segment": "a"},
        {"day": "2026-01-01", "segment": "b"},
        {"day": "2026-01-02", "segment": "a"},
        {"day": "2026-01-02", "segment": "b"},
    )


def test_mappings_are_products_and_lists_of_mappings_are_not() -> None:
    assert len(config_values(('{"day": "2026-01-01..2026-01-03", "segment": ["a", "b"]}',))) == 6
    assert config_values(('[{"day": "2026-01-01", "n": 1}, {"day": "2026-01-05", "n": 2}]', "s=x")) == (
        {"day": "2026-01-01", "n": "1", "s": "x"},
        {"day": "2026-01-05", "n": "2", "s": "x"},
    )


@pytest.mark.parametrize(
    ("overs", "words"),
    [
        ((), "no values to run over"),
        (("day",), "not of the form KEY=VALUES"),
        (("=1",), "not of the form KEY=VALUES"),
        (("day=",), "not of the form KEY=VALUES"),
        (("n=1,,2",), "empty value"),
        (("store=007..10",), "has leading zeros at one end"),
        (("n=-07..007",), "has leading zeros at one end"),
        (("segment=[a, b]",), "is written as a list"),
        (("n=1", "n=2"), "`n` is given twice"),
        (("day=2026-02-01..2026-01-01",), "ends before it begins"),
        (("day=2026-02-30..2026-03-01",), "is not a day of the calendar"),
        (("day=2026-01-01..2026-01-09/0d",), "has no step"),
        (("day=2026-01-01..2026-01-09/1x",), "has no step"),
        (("day=2026-01-01..2026-01-09/1h",), "cannot be stepped by `h`"),
        (("n=1..5/1d",), "cannot be stepped by `d`"),
        (("n=1..",), "is not a range"),
        (("n=a..b",), "is not a range"),
        (("at=2026-01-01T00:00..2026-01-02T00:00",), "needs a step"),
        ((f"n=1..{MOST + 1}",), "has 10,001 values"),
        (("n=1..200", "m=1..200"), "these are 40,000 runs"),
        (("n=1..99999999999999999999",), "values"),
        (("{bad",), "is not JSON"),
        (('{"a": {"b": 1}}',), "is no value of a config"),
        (('[{"a": 1}, {"b": 1}]',), "neither a mapping"),
        (("[]",), "neither a mapping"),
        (("[" * 100_000,), "is not JSON"),
        (('{"n": []}',), "`n` has no values"),
        (('{"n": 1, "m": []}',), "`m` has no values"),
        ((f"n=1..{'9' * 5000}",), "is not a range"),
        ((f"n=1..2/{'9' * 5000}",), "has no step"),
    ],
)
def test_what_is_no_value_is_refused(overs: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError) as refused:
        config_values(overs)
    assert words in refused.value.message


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 400), st.integers(1, 40))
def test_ranges_hold_both_ends_and_nothing_outside(first: date, days: int, step: int) -> None:
    last = date.fromordinal(first.toordinal() + days)
    values = [date.fromisoformat(text) for text in listed(f"day={first}..{last}/{step}d")]
    assert values[0] == first and values[-1] <= last < date.fromordinal(values[-1].toordinal() + step)
    assert {b.toordinal() - a.toordinal() for a, b in pairwise(values)} <= {step}


def test_the_state_is_read_back() -> None:
    value = FilledValue({"day": "2026-01-01", "n": 2}, "failed", "r-1", error="it's broken\n")
    state = BackfillState({}).with_value(value)
    assert state_from(state_json(state).encode()) == state
    assert state.of([{"n": 2, "day": "2026-01-01"}, {"n": 3, "day": "x"}]) == (
        value,
        FilledValue({"n": 3, "day": "x"}),
    )
    with pytest.raises(ConflictingState, match="cannot be read"):
        state_from(b"{}")
