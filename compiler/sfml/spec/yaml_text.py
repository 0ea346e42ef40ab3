"""Writing values as YAML text that both YAML 1.1 and 1.2 read back as the same values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sfml.base.escapes import escape
from sfml.spec.nodes import Plain

WIDTH = 100
"""The most characters of a line that holds a whole mapping or list."""

# Only plain words; a text that some reader may take for a number, a date, a boolean or syntax gets quotes.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./$-]*(?: [A-Za-z0-9_./$-]+)*|(?:[0-9]+[smhd])+")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def scalar_text(value: bool | int | float | str | None) -> str:
    """One value: `true`, `0.4`, `ML_WH`, `"0 0 * * 0"`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case str():
            return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)


def flow_text(value: Plain) -> str:
    """A value on one line: `{cron: "0 0 * * 0", timezone: UTC}`."""
    match value:
        case dict():
            return "{" + ", ".join(f"{scalar_text(key)}: {flow_text(value[key])}" for key in value) + "}"
        case list():
            return "[" + ", ".join(flow_text(item) for item in value) + "]"
        case _:
            return scalar_text(value)


def block_text(value: Mapping[str, Plain], depth: int = 0) -> str:
    """A mapping in block style, one entry to a line; short inner mappings and lists in flow style."""
    return "".join(f"{line}\n" for line in _lines(value, depth))


def without_expressions(text: str) -> str:
    """The text with each `{{` and `{%` escaped, so that it is the same after expressions are evaluated."""
    return re.sub(r"\{[{%]", lambda match: '{{ "' + match[0] + '" }}', text)


def _lines(value: Mapping[str, Plain], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, inner in value.items():
        head = f"{indent}{scalar_text(key)}:"
        line = f"{head} {flow_text(inner)}"
        if isinstance(inner, dict) and inner and (len(line) > WIDTH or depth == 0 or _is_deep(inner)):
            yield head
            yield from _lines(inner, depth + 1)
        else:
            yield line


def _is_deep(value: Mapping[str, Plain]) -> bool:
    """Whether a mapping holds mappings of mappings, which are not written on one line."""
    return any(
        isinstance(item, dict) and any(isinstance(deep, dict) for deep in item.values())
        for item in value.values()
    )


def _number(value: float) -> str:
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")  # YAML 1.1 requires a dot in a float
    return text


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else escape(char)
