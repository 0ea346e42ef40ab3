"""The layout in which clients get values of VARIANT, ARRAY and OBJECT: one element a line, and each level deeper.

Inside the server, also for TO_JSON and casts to VARCHAR, their text has no whitespace; so it has for clients of a
session whose JSON_INDENT is 0. https://docs.snowflake.com/en/sql-reference/parameters#json-indent
"""

from __future__ import annotations

import re
from collections.abc import Iterator

JSON_TYPES = frozenset({"variant", "object", "array"})

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


SPACES = 2
"""The default of JSON_INDENT."""


def laid_out(text: str, spaces: int = SPACES) -> str:
    """A JSON text as clients get it; a value that is no array or object stays as it is."""
    if text.lstrip()[:1] not in _OPENING or not text:
        return text
    return "".join(_pieces(text, spaces) if spaces else _TOKEN.findall(text))


def _pieces(text: str, spaces: int) -> Iterator[str]:
    indent, is_empty = "\n", False
    for token in _TOKEN.findall(text):
        if token in _CLOSING:
            indent = indent[:-spaces]
            yield token if is_empty else indent + token
            is_empty = False
            continue
        if is_empty:
            yield indent
        if is_empty := token in _OPENING:
            indent += " " * spaces
        yield token
        if token == ",":
            yield indent
        elif token == ":":
            yield " "
