"""Two statements line by line: what a changed body of SQL differs in."""

from __future__ import annotations

from difflib import unified_diff

from sfml.render.printable import printable

MAX_LINES = 200


def statement_diff(old: str, new: str) -> list[str]:
    """Lines that begin with a blank, `-`, `+` or `@@`; a last line says how many more there would be."""
    before, after = (text.splitlines() for text in (old, new))
    found = [printable(line.rstrip("\n")) for line in unified_diff(before, after, n=2, lineterm="")][2:]
    if len(found) <= MAX_LINES:
        return found
    return [*found[:MAX_LINES], f"@@ and {len(found) - MAX_LINES:,} more lines @@"]


def is_long(old: object, new: object) -> bool:
    """Whether two values are texts that are better told apart line by line."""
    return (
        isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new or len(old + new) > 120)
    )
