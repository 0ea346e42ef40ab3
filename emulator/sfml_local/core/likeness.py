"""The filters of SHOW: LIKE, STARTS WITH, LIMIT … FROM.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from sfml_local.core.errors import not_emulated
from sfml_local.grammar.shows import Listing

Shown = TypeVar("Shown")

MAX_ROWS = 10_000
"""The most rows of a SHOW."""


def selected(
    items: Iterable[Shown],
    name_of: Callable[[Shown], str],
    listing: Listing,
) -> list[Shown]:
    """The items that pass LIKE, STARTS WITH and LIMIT … FROM, in the order given.

    FROM takes the names after the first one that begins with its text; if there is none, the names that sort after it.
    https://docs.snowflake.com/en/sql-reference/sql/show-tasks
    """
    if listing.history:
        raise not_emulated("SHOW … HISTORY", "what was dropped is gone")
    kept = [item for item in items if like(listing.like, name_of(item))]
    kept = [item for item in kept if name_of(item).startswith(listing.starts_with or "")]
    start = listing.from_name
    if start is not None:
        first = next((n for n, item in enumerate(kept) if name_of(item).startswith(start)), None)
        kept = [i for i in kept if name_of(i) > start] if first is None else kept[first + 1 :]
    return kept[: min(MAX_ROWS, MAX_ROWS if listing.limit is None else listing.limit)]


def like(pattern: str | None, text: str) -> bool:
    """Whether the text matches: `%` is any characters, `_` is one, a backslash escapes the next character.

    The time grows at most with the product of both lengths, whatever the pattern.
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
    # Between two `%`, the first match is as good as any later one.
    for piece in others:
        found = next((start for start in range(at, end - len(piece) + 1) if _fits(piece, text, start)), None)
        if found is None:
            return False
        at = found + len(piece)
    return True


Piece = tuple[str | None, ...]
"""Characters in order, None for any character."""


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[Piece, ...]:
    """The pieces between the `%` of a pattern; there is one more piece than `%`."""
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
    """Whether the piece matches at this place of the text, which must be long enough."""
    return all(wanted is None or text[at + n] == wanted for n, wanted in enumerate(piece))
