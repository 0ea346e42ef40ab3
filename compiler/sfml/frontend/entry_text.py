"""Tells an entry file by its text, without parsing it: YAML whose top-level mapping has a key `pipeline`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_QUICK = re.compile(rb"p\0?i\0?p\0?e\0?l\0?i\0?n\0?e")
_BEFORE = re.compile(r"(?:[ \t]*(?:#[^\n]*|%[^\n]*|\.\.\.[ \t]*|---[ \t]*(?:#[^\n]*)?)?\n)*(?:---[ \t]+)?")
"""Blank lines, comments, directives and markers before the first key."""

_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*(?:"|\\?\Z)|'(?:''|[^'])*(?:'|\Z))|(?P<comment>(?<!\S)\#[^\n]*)|(?P<open>[{\[])"""
    r"""|(?P<close>[}\]])|(?P<word>[^\s{}\[\],:"'\#]+)""",
    re.DOTALL,
)
"""A text that does not end goes to the end of the file, so that each character is read once."""

_COLON = re.compile(r"\s*:")
_VALUE = re.compile(r"[ \t\n]*[\"']?([A-Za-z_][A-Za-z0-9_]*)")


def is_entry_text(content: bytes) -> bool:
    """Whether the beginning of a YAML file looks like that of an entry file."""
    return _name_position(content) is not None


def name_in(content: bytes) -> str | None:
    """The name of the pipeline in an entry file; None where the text has none."""
    place = _name_position(content)
    match = None if place is None else _VALUE.match(place[0], place[1])
    return match[1] if match else None


def _name_position(content: bytes) -> tuple[str, int] | None:
    """The text, and where the value of its key `pipeline` begins."""
    if _QUICK.search(content) is None:
        return None
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    indent = text[start : len(text) - len(text[start:].lstrip(" "))]
    if text.startswith("{", start + len(indent)):
        end = next(_flow_ends(text, start), None)
    else:
        key = re.compile(rf"^{indent}(?:pipeline|\"pipeline\"|'pipeline')\s*:(?=\s|$)", re.MULTILINE)
        match = key.search(text, start)
        end = match.end() if match else None
    return None if end is None else (text, end)


def _decoded(content: bytes) -> str:
    """The text; one in UTF-16 is found too, so that its encoding is reported and it is not passed over."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if wide else "utf-8-sig", errors="replace")


def _flow_ends(text: str, start: int) -> Iterator[int]:
    """Where values of keys `pipeline` begin that stand in the outermost braces."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        depth += (token["open"] is not None) - (token["close"] is not None)
        if depth == 1 and (token["word"] or (token["text"] or "")[1:-1]) == "pipeline":
            colon = _COLON.match(text, token.end())
            if colon:
                yield colon.end()
