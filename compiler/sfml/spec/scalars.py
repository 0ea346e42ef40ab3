"""The value of a plain YAML scalar by the core schema of YAML 1.2, in which `NO`, `1_000` and dates are text.

https://yaml.org/spec/1.2.2/#103-core-schema
"""

from __future__ import annotations

import re

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_MAX_DIGITS = 400

CORE_TAG = "tag:yaml.org,2002:"
CORE_TAGS = frozenset(CORE_TAG + kind for kind in ("null", "bool", "int", "float", "str"))


class NotAValue(ValueError):
    """A scalar that is a number which JSON cannot hold, or whose tag does not fit its text."""


def core_value(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar. Raises NotAValue for infinite numbers, NaN, and numbers of too many digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INT.match(text):
        if len(text) > _MAX_DIGITS:
            raise NotAValue("a number of this many digits cannot be held")
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.match(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise NotAValue(f"`{text[:40]}` is too large a number")
        return number
    if _NOT_FINITE.match(text):
        raise NotAValue(f"`{text}` is not a number that Snowflake or JSON can hold")
    return text


def tagged_value(tag: str, text: str) -> bool | int | float | str | None:
    """The value of a scalar with one of the core tags (`!!str 1`). Raises NotAValue where text and tag do not fit."""
    kind = tag.removeprefix(CORE_TAG)
    if kind == "str":
        return text
    value = core_value(text)
    fits = {
        "null": value is None,
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, (int, float)) and not isinstance(value, bool),
    }.get(kind, False)
    if not fits:
        raise NotAValue(f"`{text[:40]}` does not fit its tag `!!{kind}`")
    return float(value) if kind == "float" and isinstance(value, int) else value
