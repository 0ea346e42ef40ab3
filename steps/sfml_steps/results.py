"""The result of a step as the text that Snowflake keeps as its task's return value."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from sfml_steps.errors import StepError

# https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value
LIMIT = 10_000


def result_text(value: Any, step: str) -> str | None:
    """A step's result as compact JSON, None for no result; refused if it is no JSON or too large."""
    if value is None:
        return None
    text = json.dumps(plain(value, "its result"), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    size = len(text.encode("utf-8"))
    if size > LIMIT:
        raise StepError(
            f"{step} returned {size:,} bytes, and a task's result may have {LIMIT:,}: "
            "keep the data in a table or with ctx.write_file and return its name"
        )
    return text


def outcome_text(value: Any, outcomes: Mapping[str, str], step: str) -> str:
    """The raw return value that Snowflake compares for a branch's outcome; refused if it is undeclared."""
    if isinstance(value, enum.Enum):
        value = value.value
    if not isinstance(value, str) or value not in outcomes:
        raise StepError(
            f"{step} returned {value!r}, which is none of its outcomes ({', '.join(outcomes)}): no arm would "
            "run, and the graph would still count as succeeded; declare it in the spec or return another"
        )
    return outcomes[value]


def plain(value: Any, where: str) -> Any:
    """The value in JSON's own types; `where` names it in errors."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return writable(str(value), where)
    if isinstance(value, enum.Enum):
        return plain(value.value, where)
    if is_numpy_scalar(value):
        return plain(value.item(), where)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return finite(float(value), where)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: plain(getattr(value, name), f"{where}.{name}") for name in names}
    if isinstance(value, Mapping):
        return {text_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise StepError(f"{where} is of type {type(value).__name__}, which is no JSON: {advice(value)}")


def is_numpy_scalar(value: Any) -> bool:
    """By name, so that numpy is not imported for steps that do without it."""
    return type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and hasattr(value, "item")


def finite(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise StepError(f"{where} is {value}, which JSON cannot carry: return None or leave it out")
    return value


def writable(text: str, where: str) -> str:
    """The text; refused with half of a character in it, which no encoding can write."""
    half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    if half is None:
        return text
    raise StepError(
        f"{where} holds {half!r}, which is half of a character and cannot be written as UTF-8: read the text "
        'with the encoding it has, or return text.encode("utf-8", "replace").decode() of it'
    )


def text_key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise StepError(f"{where} has the key {key!r}, and JSON's keys are text: use str(…)")
    return writable(str(key), where)


def is_missing_value(value: Any) -> bool:
    """Whether it is pandas' `NaT` or `NA`, by name, so that pandas is not imported."""
    return type(value).__name__ in ("NaTType", "NAType") and type(value).__module__.startswith("pandas")


def advice(value: Any) -> str:
    if is_missing_value(value):
        return "it stands for a missing value; return None instead"
    if isinstance(value, (datetime.date, datetime.time)):
        return "return its isoformat()"
    if isinstance(value, decimal.Decimal):
        return "return float(…) or str(…) of it"
    if isinstance(value, (bytes, bytearray)):
        return "keep it with ctx.write_file and return the path"
    if type(value).__module__.split(".")[0] in {"numpy", "pandas", "snowflake"}:
        return "keep it in a table or with ctx.write_file, and return its name"
    if isinstance(value, Collection):
        return "return list(…) of it"
    return "return a mapping, a dataclass, a list, text, a number or None"
