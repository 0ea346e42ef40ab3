"""LIKE of SHOW commands: held against a plain definition of it, and quick for patterns that were made to be slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from machine_speed import SLOWNESS

from sfml_local.core.likeness import like


def by_definition(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "%":
        return any(by_definition(rest, text[start:]) for start in range(len(text) + 1))
    if head == "\\" and rest:
        return text[:1] == rest[0] and by_definition(rest[1:], text[1:])
    return bool(text) and head in ("_", text[0]) and by_definition(rest, text[1:])


@given(st.text("AB_%\\", max_size=8), st.text("AB_%\\", max_size=8))
def test_it_is_what_its_definition_says(pattern: str, text: str) -> None:
    assert like(pattern, text) is by_definition(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (None, "anything", True),
        ("", "", True),
        ("", "a", False),
        ("%", "", True),
        ("clv$%", "CLV$TRAIN", True),
        ("clv\\_%", "CLV_TRAIN", True),
        ("clv\\_%", "CLVXTRAIN", False),
        ("a%b%c", "axxbyyc", True),
        ("a%b%c", "acb", False),
        ("ab%ba", "aba", False),
        ("a\\", "a\\", True),
    ],
)
def test_examples(pattern: str | None, text: str, expected: bool) -> None:
    assert like(pattern, text) is expected


def test_no_pattern_takes_long() -> None:
    began = time.process_time()
    assert not like("%a" * 60 + "%b", "a" * 255)
    assert time.process_time() - began < 0.5 * SLOWNESS
