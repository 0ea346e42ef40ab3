"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.graph.durations import in_words, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1 h 30 min", 5400),
        ("2 days", 172800),
        ("12 HOURS", 43200),
        ("+5 minute", 300),
        ("0s", 0),
        ("", None),
        ("5", None),
        ("h", None),
        ("1h 3", None),
        ("3 fortnights", None),
        ("-1h", None),
        ("1.5h", None),
    ],
)
def test_durations(text: str, value: int | None) -> None:
    assert seconds(text) == value


@given(st.integers(0, 10**9))
def test_words_read_back(duration: int) -> None:
    assert seconds(in_words(duration)) == duration
