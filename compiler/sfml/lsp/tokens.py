"""The colours of `{{ }}` and `${ }`, which YAML takes for plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsprotocol import types

from sfml.lsp.cursor import Cursor

LEGEND = types.SemanticTokensLegend(
    token_types=["macro", "namespace", "function", "property", "variable", "string", "number"],
    token_modifiers=[],
)
_MACRO, _NAMESPACE, _FUNCTION, _PROPERTY, _VARIABLE, _STRING, _NUMBER = range(7)

_OPENED = re.compile(r"(?P<expression>\{\{(?:[^}\n]|\}(?!\}))*\}\})|(?<!\$)(?P<reference>\$\{[^}\n]*\})")
_PART = re.compile(
    r"(?P<text>'[^'\n]*'|\"[^\"\n]*\")|(?P<number>\b\d+(?:\.\d+)?\b)"
    r"|(?P<name>[A-Za-z_][\w-]*)(?P<more>(?:\.[A-Za-z_][\w-]*)*)"
)
_NAMES = ("var", "target", "env", "git", "each", "param", "config", "run")


def tokens(cursor: Cursor) -> types.SemanticTokens:
    """The tokens of the document, as the protocol packs them: each relative to the one before."""
    data: list[int] = []
    line = column = 0
    for start, end, kind in sorted(_tokens(cursor.text)):
        at = cursor.places.position(start)
        length = cursor.places.position(end).character - at.character
        data += [at.line - line, at.character - (column if at.line == line else 0), length, kind, 0]
        line, column = at.line, at.character
    return types.SemanticTokens(data=data)


def _tokens(text: str) -> Iterator[tuple[int, int, int]]:
    for match in _OPENED.finditer(text):
        begin = text.rfind("\n", 0, match.start()) + 1
        if text[begin : match.start()].lstrip().startswith("#"):
            continue
        is_reference = match["reference"] is not None
        closed = 1 if is_reference else 2
        yield match.start(), match.start() + 2, _MACRO
        yield match.end() - closed, match.end(), _MACRO
        for part in _PART.finditer(text, match.start() + 2, match.end() - closed):
            yield from _part(part, is_reference)


def _part(part: re.Match[str], is_reference: bool) -> Iterator[tuple[int, int, int]]:
    if part["text"] is not None:
        yield part.start(), part.end(), _STRING
    elif part["number"] is not None:
        yield part.start(), part.end(), _NUMBER
    else:
        first = _FUNCTION if is_reference else _VARIABLE
        yield *part.span("name"), _NAMESPACE if part["name"] in _NAMES else first
        position = part.start("more")
        for name in part["more"].split(".")[1:]:
            yield position + 1, position + 1 + len(name), _PROPERTY
            position += len(name) + 1
