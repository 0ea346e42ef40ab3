"""What SHOW leaves of a list: LIKE, STARTS WITH, LIMIT … FROM.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
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
    """Whether the text has the form: `%` is any characters, `_` one, a backslash takes the next as it is.

    The time that it takes grows with the product of both lengths at the most, whatever the pattern.
    """
    if pattern is None:
        return True
    first, *others = _pieces(pattern.upper())
    text = text.upper()
    if not others:
        return len(text) == len(first) and _fits(first, text, 0)
    last = others.pop()
    end = len(text) - len(last)
    at = len(first)
    if end < at or not _fits(first, text, 0) or not _fits(last, text, end):
        return False
    # Between two `%` the first place that fits is as good as any later one.
    for piece in others:
        found = next((start for start in range(at, end - len(piece) + 1) if _fits(piece, text, start)), None)
        if found is None:
            return False
        at = found + len(piece)
    return True


Piece = tuple[str | None, ...]
"""Characters in their order, None for any one."""


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[Piece, ...]:
    """What stands between the `%` of a pattern; there is one more of them than of `%`."""
    pieces: list[list[str | None]] = [[]]
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            pieces.append([])
        elif character == "\\":
            pieces[-1].append(next(characters, "\\"))
        else:
            pieces[-1].append(None if character == "_" else character)
    return tuple(map(tuple, pieces))


def _fits(piece: Piece, text: str, at: int) -> bool:
    """Whether the piece stands at this place of the text, which is long enough."""
    return all(wanted is None or text[at + n] == wanted for n, wanted in enumerate(piece))
