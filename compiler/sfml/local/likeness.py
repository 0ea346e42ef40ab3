"""What SHOW leaves of a list: LIKE, STARTS WITH, LIMIT … FROM.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Shown = TypeVar("Shown")

MAX_ROWS = 10_000
"""More rows than these no SHOW answers."""


def selected(
    items: Iterable[Shown],
    name_of: Callable[[Shown], str],
    *,
    pattern: str | None = None,
    starts_with: str | None = None,
    from_name: str | None = None,
    limit: int | None = None,
) -> list[Shown]:
    """The items that are shown, in the order given.

    FROM takes what follows the first name that begins with its text; where none does, what sorts behind it.
    https://docs.snowflake.com/en/sql-reference/sql/show-tasks
    """
    kept = [item for item in items if like(pattern, name_of(item))]
    kept = [item for item in kept if name_of(item).startswith(starts_with or "")]
    if from_name is not None:
        first = next((n for n, item in enumerate(kept) if name_of(item).startswith(from_name)), None)
        kept = [i for i in kept if name_of(i) > from_name] if first is None else kept[first + 1 :]
    return kept[: min(MAX_ROWS, MAX_ROWS if limit is None else limit)]


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
