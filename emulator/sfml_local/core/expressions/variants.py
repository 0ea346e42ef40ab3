"""Values of VARIANT, ARRAY and OBJECT in Python, and their JSON text, as which DuckDB stores them.

A number with an exponent is a DOUBLE, one with a point a DECIMAL. SQL's NULL is None and stands outside; JSON's null
is `NULL_VALUE` where it is a value by itself, and None inside an array or object.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from sfml_local.core.expressions import time_formats
from sfml_local.core.expressions.refusals import Refusal


class JsonNull(Enum):
    """JSON's null, which is not SQL's."""

    NULL_VALUE = "null"


NULL_VALUE = JsonNull.NULL_VALUE


def _float(text: str) -> Any:
    return float(text) if "e" in text.lower() else Decimal(text)


def parsed(text: str) -> Any:
    """The value of a JSON text; raises ValueError."""
    value = json.loads(text, parse_float=_float, parse_constant=float)
    return NULL_VALUE if value is None else value


def value_of(value: Any, kind: str) -> Any:
    """An argument of a function as a variant; `kind` is DuckDB's name of its type."""
    if value is None:
        return None
    return parsed(value) if kind == "JSON" else plain(value)


def plain(value: Any) -> Any:
    """A SQL value as the content of a variant."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, dt.datetime):
        return time_formats.moment_text(
            value, "YYYY-MM-DD HH24:MI:SS.FF3" + (" TZHTZM" if value.tzinfo else "")
        )
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return time_formats.moment_text(value, "HH24:MI:SS")
    return value


def text_of(value: Any) -> str | None:
    """The JSON text of a variant; None of SQL's NULL."""
    return None if value is None else _written(value)


def _written(value: Any) -> str:
    if value is None or value is NULL_VALUE:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        shown = f"{value:f}"
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
        return f"{value:.15e}"
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key, ensure_ascii=False)}:{_written(value[key])}" for key in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_written(one) for one in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)


def inside(value: Any) -> Any:
    """A variant as an element of an array or object."""
    return None if value is NULL_VALUE else value


def shown(value: Any) -> str | None:
    """A variant as VARCHAR: texts without quotes, the rest as JSON."""
    if value is None:
        return None
    if isinstance(value, float):
        return float_text(value)
    return value if isinstance(value, str) else _written(value)


def float_text(value: float) -> str:
    """A float as Snowflake writes it: `100` for 100.0."""
    shown = repr(value)
    return shown.removesuffix(".0")


NAMES: Sequence[tuple[type, str]] = (
    *(
        (bool, "BOOLEAN"),
        (int, "INTEGER"),
        (float, "DOUBLE"),
        (str, "VARCHAR"),
        (dict, "OBJECT"),
        (list, "ARRAY"),
    ),
    *((Decimal, "DECIMAL"), (JsonNull, "NULL_VALUE")),
)


def name_of(value: Any) -> str | None:
    """The result of TYPEOF for a variant."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return "INTEGER"
    return next((name for kind, name in NAMES if isinstance(value, kind)), None)


def key_of(value: Any) -> Any:
    """A key for comparing elements: 5 equals 5.00, but neither '5' nor true."""
    if isinstance(value, dict):
        return ("object", tuple((key, key_of(value[key])) for key in sorted(value)))
    if isinstance(value, list):
        return ("array", tuple(key_of(one) for one in value))
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, int | float | Decimal):
        return ("number", Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    return ("null",) if value is None or value is NULL_VALUE else ("text", value)


# -- reading JSON that is not quite JSON ----------------------------------------------------------------------


def read_json(text: str, *, allows_duplicates: bool = False) -> Any:
    """The result of PARSE_JSON; SQL's NULL for an empty text, and of a key's values the last where several may be.

    Raises Refusal, and RecursionError where this Python goes no deeper, which says nothing of the text. How deep
    that is depends on its version: from 3.12 on, no setting of the interpreter is asked by its reader of JSON.
    https://docs.snowflake.com/en/sql-reference/functions/parse_json
    """
    if not text.strip():
        return None
    try:
        return parsed(text) if allows_duplicates else _parsed_once(text)
    except ValueError:
        pass
    try:
        return _Reader(text, allows_duplicates=allows_duplicates).document()
    except ValueError as cause:
        raise Refusal(100069, "22P02", f"Error parsing JSON: {str(cause) or 'invalid JSON'}") from cause


def _parsed_once(text: str) -> Any:
    value = json.loads(text, parse_float=_float, parse_constant=float, object_pairs_hook=_of_unlike_keys)
    return NULL_VALUE if value is None else value


def _of_unlike_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that is there twice is told by `_Reader`, which knows its place."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


_BARE_KEY = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


class _Reader:
    """JSON with Snowflake's extensions.

    Words in any case, single quotes, keys without quotes, empty elements, and a comma at the end.
    """

    def __init__(self, text: str, *, allows_duplicates: bool = False) -> None:
        self._text = text
        self._allows_duplicates = allows_duplicates
        self._at = 0
        self._unfinished = "incomplete object value"
        """What the text ends in the middle of."""

    def document(self) -> Any:
        try:
            value = self._value()
        except IndexError:
            raise ValueError(f"{self._unfinished}, pos {len(self._text) + 1}") from None
        self._skip()
        if self._at < len(self._text):
            raise ValueError(f"more than one document in the input, pos {self._at}")
        return NULL_VALUE if value is None else value

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _next(self) -> str:
        self._skip()
        return self._text[self._at]

    def _value(self) -> Any:
        char = self._next()
        if char == "{":
            return self._object()
        if char == "[":
            return self._array()
        if char in "\"'":
            return self._string(char)
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in ",]}: \t\r\n":
            self._at += 1
        return self._word(self._text[start : self._at], start)

    def _word(self, word: str, start: int) -> Any:
        lowered = word.lower()
        if lowered in ("null", "undefined"):
            return None
        if lowered in ("true", "false"):
            return lowered == "true"
        try:
            number = json.loads(word.lstrip("+"), parse_float=_float)
        except ValueError:
            raise ValueError(f'unknown keyword "{word}", pos {start + 1}') from None
        return number

    def _string(self, quote: str) -> str:
        end, around, self._unfinished = self._at + 1, self._unfinished, "unfinished string"
        while self._text[end] != quote:
            end += 2 if self._text[end] == "\\" else 1
        body, self._at = self._text[self._at + 1 : end], end + 1
        if quote == "'":
            body = body.replace("\\'", "'").replace('"', '\\"')
        self._unfinished = around
        found: str = json.loads(f'"{body}"', strict=False)
        return found

    def _key(self, char: str) -> str:
        if char in "\"'":
            return self._string(char)
        bare = _BARE_KEY.match(self._text, self._at)
        if bare is None:
            raise ValueError(f"misplaced {char!r}, pos {self._at + 1}")
        self._at = bare.end()
        return bare[0]

    def _array(self) -> list[Any]:
        self._at += 1
        self._unfinished = "incomplete array value"
        items: list[Any] = []
        if self._next() == "]":
            self._at += 1
            return items
        while True:
            items.append(None if self._next() in ",]" else self._value())
            char = self._next()
            self._at += 1
            if char == "]":
                return items
            if char != ",":
                raise ValueError(f"missing comma, pos {self._at}")

    def _object(self) -> dict[str, Any]:
        self._at += 1
        self._unfinished = "incomplete object value"
        pairs: dict[str, Any] = {}
        while self._next() != "}":
            key = self._key(self._next())
            if self._next() != ":":
                raise ValueError(f"missing colon, pos {self._at + 1}")
            self._at += 1
            if key in pairs and not self._allows_duplicates:
                raise ValueError(f'duplicate object attribute "{key}", pos {self._at}')
            pairs[key] = self._value()
            if self._next() == ",":
                self._at += 1
        self._at += 1
        return pairs
