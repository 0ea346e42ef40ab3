"""The layout in which clients get values of VARIANT, ARRAY and OBJECT: one element a line, two spaces deeper each.

Inside the server, also for TO_JSON and casts to VARCHAR, their text has no whitespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

JSON_TYPES = frozenset({"variant", "object", "array"})

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


def laid_out(text: str) -> str:
    """A JSON text as clients get it; a value that is no array or object stays as it is."""
    return "".join(_pieces(text)) if text.lstrip()[:1] in _OPENING and text else text


def _pieces(text: str) -> Iterator[str]:
    indent, is_empty = "\n", False
    for token in _TOKEN.findall(text):
        if token in _CLOSING:
            indent = indent[:-2]
            yield token if is_empty else indent + token
            is_empty = False
            continue
        if is_empty:
            yield indent
        if is_empty := token in _OPENING:
            indent += "  "
        yield token
        if token == ",":
            yield indent
        elif token == ":":
            yield " "
