"""Errors that functions raise inside DuckDB; a mark separates their text from what DuckDB writes around it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

MARK = "\u2063"
"""An invisible separator, which DuckDB keeps in the text of an error and users do not write."""

_MARKED = re.compile(rf"{MARK}(\d+)\|(\w+)\|(.*?){MARK}", re.DOTALL)


class Refusal(Exception):
    """An invalid argument of a function, with Snowflake's code, SQL state and message."""

    def __init__(self, code: int, state: str, sentence: str) -> None:
        super().__init__(f"{MARK}{code}|{state}|{sentence.replace(MARK, '')}{MARK}")


def marked(code: int, state: str, sentence: str) -> str:
    """The text of such an error, for `error()` in SQL."""
    return str(Refusal(code, state, sentence))


def found(message: str) -> tuple[int, str, str] | None:
    """The code, SQL state and sentence in the text of an error; None where there is no mark."""
    match = _MARKED.search(message)
    return None if match is None else (int(match[1]), match[2], match[3])


def not_a_number(text: object) -> Refusal:
    return Refusal(100038, "22018", f"Numeric value '{text}' is not recognized")


def out_of_range(value: object) -> Refusal:
    return Refusal(100039, "22003", f"Numeric value '{value}' is out of range")


def too_long(value: Decimal, places: int) -> Refusal:
    """A result that has more than 38 digits."""
    words = f"Number out of representable range: type FIXED[SB16](38,{places}){{nullable}}, value {value:f}"
    return Refusal(100046, "22003", words)


def not_a_date(text: object) -> Refusal:
    return Refusal(100040, "22007", f"Date '{text}' is not recognized")


def not_a_time(text: object) -> Refusal:
    return Refusal(100108, "22007", f"Time '{text}' is not recognized")


def not_a_timestamp(text: object) -> Refusal:
    return Refusal(100035, "22007", f"Timestamp '{text}' is not recognized")


def not_a_boolean(text: object) -> Refusal:
    return Refusal(100037, "22018", f"Boolean value '{text}' is not recognized")


def unparsable(text: object, kind: str, format: str) -> Refusal:
    return Refusal(100096, "22007", f"Can't parse '{text}' as {kind} with format '{format}'")


def not_a_variant(value: object, kind: str) -> Refusal:
    return Refusal(100071, "22000", f"Failed to cast variant value {value} to {kind}")


_KINDS: Mapping[type, str] = {
    bool: "BOOLEAN", int: "NUMBER(38,0)", Decimal: "NUMBER(38,0)", float: "FLOAT", str: "VARCHAR(16777216)",
    bytes: "BINARY(8388608)", dt.datetime: "TIMESTAMP_NTZ(9)", dt.date: "DATE", dt.time: "TIME(9)",
    list: "ARRAY", dict: "OBJECT", type(None): "NULL",
}  # fmt: skip
_NAMES: Mapping[str, str] = {
    "to_text": "TO_VARCHAR", "to_ntz": "TO_TIMESTAMP_NTZ", "to_ltz": "TO_TIMESTAMP_LTZ", "rounded": "ROUND",
}  # fmt: skip
_TYPE = re.compile(
    r"(?:VARCHAR|DATE|TIME|TIMESTAMP|TIMESTAMP WITH TIME ZONE|BOOLEAN|DOUBLE|FLOAT|BLOB|JSON|\"NULL\"|"
    r"(?:TINY|SMALL|BIG|HUGE)INT|INTEGER|DECIMAL\(\d+, ?\d+\)|STRUCT\(.*\)|.*\[\])",
    re.DOTALL,
)
"""DuckDB's names of types, which functions get beside values."""
_UNREAD = re.compile(r"(?:with base 10|string to float): '(.*)'", re.DOTALL)


def argument_refusal(name: str, values: Sequence[object], cause: Exception) -> Refusal:
    """The refusal of arguments with which a function failed: a text that is no number, or types it does not take."""
    if (unread := _UNREAD.search(str(cause))) is not None:
        return not_a_number(unread[1])
    given = [one for one in values if not (isinstance(one, str) and _TYPE.fullmatch(one))]
    texts = [one for one in given if isinstance(one, str)]
    if isinstance(cause, ArithmeticError) and texts:
        return not_a_number(texts[-1])
    name = name.removeprefix("sf_").removeprefix("try_")
    shown = ", ".join(
        _KINDS.get(type(one), "VARIANT") for one in given[: 2 if name.startswith("to_") else None]
    )
    words = f"Invalid argument types for function '{_NAMES.get(name, name.upper())}': ({shown})"
    return Refusal(1044, "42P13", f"SQL compilation error:\n{words}")
