"""SHOW … LIKE."""

from __future__ import annotations

import pytest

from sfml.local.likeness import like


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (None, "ANY", True),
        ("clv%", "CLV_MODEL", True),
        ("%MODEL", "CLV_MODEL", True),
        ("CLV_MODEL", "CLVXMODEL", True),
        ("CLV\\_MODEL", "CLVXMODEL", False),
        ("CLV\\_MODEL", "CLV_MODEL", True),
        ("CLV", "CLV_MODEL", False),
        ("", "", True),
        ("%", "", True),
        ("a.c", "abc", False),
    ],
)
def test_patterns(pattern: str | None, text: str, expected: bool) -> None:
    assert like(pattern, text) is expected
