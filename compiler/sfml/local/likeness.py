"""SHOW … LIKE: a pattern of SQL, compared without regard to case.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations


def like(pattern: str | None, text: str) -> bool:
    """Whether the text has the form: `%` is any characters, `_` one, a backslash takes the next as it is."""
    return True if pattern is None else _matches(pattern.upper(), text.upper())


def _matches(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    head = pattern[0]
    if head == "%":
        return any(_matches(pattern[1:], text[start:]) for start in range(len(text) + 1))
    if head == "\\" and len(pattern) > 1:
        return text[:1] == pattern[1] and _matches(pattern[2:], text[1:])
    return bool(text) and head in ("_", text[0]) and _matches(pattern[1:], text[1:])
