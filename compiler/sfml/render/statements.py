"""The difference of two SQL statements, line by line."""

from __future__ import annotations

from difflib import unified_diff

from sfml.render.plan import hidden
from sfml.render.printable import printable

MAX_LINES = 200


def statement_diff(path: str, old: str, new: str) -> list[str]:
    """Lines of a unified diff of two values of the setting `path`, without secrets.

    At most `MAX_LINES`; if there are more, a last line counts the rest.
    """
    before, after = (str(hidden(path, text)).splitlines() for text in (old, new))
    lines = [printable(line.rstrip("\n")) for line in unified_diff(before, after, n=2, lineterm="")][2:]
    if not lines and old != new:
        return ["@@ what is hidden, or how lines end, differs @@"]
    if len(lines) <= MAX_LINES:
        return lines
    return [*lines[:MAX_LINES], f"@@ and {len(lines) - MAX_LINES:,} more lines @@"]


def is_long(old: object, new: object) -> bool:
    """Whether two values are texts long enough to be compared line by line."""
    return (
        isinstance(old, str) and isinstance(new, str) and ("\n" in old or "\n" in new or len(old + new) > 120)
    )
