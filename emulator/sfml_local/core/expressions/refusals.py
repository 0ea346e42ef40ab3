"""Errors that functions raise inside DuckDB; a mark separates their text from what DuckDB writes around it."""

from __future__ import annotations

import re

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
