"""What is read in PyYAML's words, with the rule that rests on it."""

from __future__ import annotations

import pytest

from sfml.spec.compose import compose


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
def test_nesting_beyond_its_own_limit_is_told_as_ours(opening: str) -> None:
    _, findings = compose(opening * 5000, "f")
    message = "spec/compose.py: PyYAML refuses deep nesting in other words now"
    assert [finding.code for finding in findings] == ["SF104"], f"{message}: {findings[-1].message}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "quote text that holds `: `"),
        ("a: {b: c", "close the"),
        ("a: @b", "quote text that begins with a special character"),
        ("a: 'b", "close the quote"),
        ("a: 1\n  b: 2", "check"),
        ("a: [${x}, y]", "quote references"),
    ],
)
def test_syntax_errors_have_help(text: str, words: str) -> None:
    _, findings = compose(text, "f")
    assert findings[-1].code == "SF101"
    message = f"spec/compose.py: PyYAML says this in other words now: {findings[-1].message}"
    assert words in (findings[-1].help or ""), message
