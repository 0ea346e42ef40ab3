"""Results of steps as text, which Snowflake keeps as the return value of their tasks."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from sfml_steps.errors import StepError

# https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value
LIMIT = 10_000

DIGITS_IN_FULL = 40
"""Decimals with more digits, which no NUMBER has, are written with an exponent."""

LONGEST_INTEGER = 14_000
"""The most bits of an integer, because Python reads no number of more than 4,300 digits from a text."""


def result_text(value: Any, step: str) -> str | None:
    """Return a step's result as compact JSON, or None for no result.

    Raise StepError if JSON cannot hold it, or if it is larger than `LIMIT` bytes.
    """
    if value is None:
        return None
    try:
        text = json_text(plain(value, "its result"))
    except RecursionError:
        raise StepError(f"{step} returned a value that holds itself or is nested too deep for JSON") from None
    size = len(text.encode("utf-8"))
    if size > LIMIT:
        raise StepError(
            f"{step} returned {size:,} bytes, and a task's result may have {LIMIT:,}: "
            "keep the data in a table or with ctx.write_file and return its name"
        )
    return text


def as_read(value: Any, step: str = "the step") -> Any:
    """Return the value that later tasks read for a result; it is written, read and refused as in a task.

    >>> from decimal import Decimal
    >>> from sfml_steps.results import as_read
    >>> as_read({"average": Decimal("1.750000"), "rows": Decimal(12)})
    {'average': 1.75, 'rows': 12}
    """
    text = result_text(value, step)
    return None if text is None else json.loads(text)


def outcome_text(value: Any, outcomes: Mapping[str, str], step: str) -> str:
    """Return the return value that Snowflake compares for an outcome; raise StepError for an undeclared outcome."""
    if isinstance(value, enum.Enum):
        value = value.value
    if not isinstance(value, str) or value not in outcomes:
        raise StepError(
            f"{step} returned {value!r}, which is none of its outcomes ({', '.join(outcomes)}): no arm would "
            "run, and the graph would still count as succeeded; declare it in the spec or return another"
        )
    return outcomes[value]


def plain(value: Any, where: str) -> Any:
    """Return the value in the types of JSON, and decimals; `where` names it in errors."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value, where)
    if is_missing_value(value):
        raise refusal(value, where)
    if isinstance(value, str):
        return writable(str.__str__(value), where)
    if is_numpy_scalar(value):
        return plain(numpy_item(value, where), where)
    if isinstance(value, (int, float, decimal.Decimal)):
        return number(value, where)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return container(value, where)


def container(value: Any, where: str) -> Any:
    """Return a mapping or a value with fields as a dict, and a list or tuple as a list."""
    fields = field_values(value)
    if fields is not None:
        return mapping(fields, where)
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise refusal(value, where)


def field_values(value: Any) -> Mapping[Any, Any] | None:
    """Return the content of a mapping, a dataclass, a NamedTuple or a row of Snowpark; None for any other value."""
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    names = getattr(value, "_fields", None) if isinstance(value, tuple) else None
    # A row with two columns of the same name becomes a list, because a mapping could not hold both.
    if names and len(set(names)) == len(names) == len(value):
        return dict(zip(names, value, strict=True))
    return None


def mapping(content: Mapping[Any, Any], where: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, item in content.items():
        name = text_key(key, where)
        if name in result:
            raise StepError(f"{where} has two keys that are both written as {name!r}: one would be lost")
        result[name] = plain(item, f"{where}.{name}")
    return result


def text_key(key: Any, where: str) -> str:
    text = key.value if isinstance(key, enum.Enum) else key
    if not isinstance(text, str):
        raise StepError(f"{where} has the key {key!r}, and JSON's keys are text: use str(…)")
    return writable(str.__str__(text), where)


def number(value: int | float | decimal.Decimal, where: str) -> int | float | decimal.Decimal:
    """Return the number; raise StepError for NaN, infinity, and integers that a later task could not read."""
    if isinstance(value, int):
        if value.bit_length() > LONGEST_INTEGER:
            raise StepError(f"{where} is a whole number of thousands of digits: return str(…) of it")
        return int(value)
    value = float(value) if isinstance(value, float) else value
    if (isinstance(value, decimal.Decimal) and value.is_nan()) or not math.isfinite(value):
        raise StepError(f"{where} is {value}, which JSON cannot carry: return None or leave it out")
    return value


def json_text(value: Any) -> str:
    """Return compact JSON for a value of `plain`, with all digits of its decimals."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json_text(key)}:{json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, decimal.Decimal):
        return decimal_text(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def decimal_text(value: decimal.Decimal) -> str:
    """Return the digits of a decimal without zeros at the end: `1.75`, `2.0`; without a point if it has no scale.

    So a column of NUMBER(10,2) is always read as floats, and one of NUMBER(10,0) as integers.
    """
    if abs(value.adjusted()) > DIGITS_IN_FULL:
        return str(value)
    whole, point, fraction = format(value, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}" if point else whole


def is_numpy_scalar(value: Any) -> bool:
    """Return whether a value is a NumPy scalar, by the name of its type, so that numpy is not imported."""
    return type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and hasattr(value, "item")


def numpy_item(value: Any, where: str) -> Any:
    """Return a NumPy scalar as a value of Python; a time of any precision becomes text."""
    kind = value.dtype.kind
    if kind == "M":
        return str(value)
    # `item` returns an integer for a duration, a tuple without names for a record, and a longdouble as it is.
    if kind in "mV" or type(value.item()) is type(value):
        raise refusal(value, where)
    return value.item()


def writable(text: str, where: str) -> str:
    """Return the text; raise StepError if it holds a surrogate, which UTF-8 cannot encode."""
    half = next((character for character in text if "\ud800" <= character <= "\udfff"), None)
    if half is None:
        return text
    raise StepError(
        f"{where} holds {half!r}, which is half of a character and cannot be written as UTF-8: read the text "
        'with the encoding it has, or return text.encode("utf-8", "replace").decode() of it'
    )


def is_missing_value(value: Any) -> bool:
    """Return whether a value is pandas' `NaT` or `NA`, or NumPy's `NaT` or `masked`, without importing either."""
    kind = type(value)
    if kind.__module__.startswith("pandas"):
        return kind.__name__ in ("NaTType", "NAType")
    if kind.__module__ == "numpy":
        return kind.__name__ in ("datetime64", "timedelta64") and str(value) == "NaT"
    return kind.__name__ == "MaskedConstant"


def refusal(value: Any, where: str) -> StepError:
    return StepError(f"{where} is of type {type(value).__name__}, which is not JSON: {advice(value)}")


def advice(value: Any) -> str:
    if is_missing_value(value):
        return "it stands for a missing value; return None instead"
    if isinstance(value, datetime.timedelta):
        return "return its total_seconds()"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "keep it with ctx.write_file and return the path"
    if type(value).__module__.split(".")[0] in ("numpy", "pandas", "polars", "pyarrow", "snowflake"):
        return foreign_advice(value)
    if isinstance(value, Collection):
        return "return list(…) of it"
    return "return a mapping, a dataclass, a list, text, a number or None"


def foreign_advice(value: Any) -> str:
    """Return the advice for a value of a data library, by the name of its type."""
    if type(value).__name__ == "timedelta64":
        return 'return float(value / numpy.timedelta64(1, "s"))'
    if is_numpy_scalar(value) or type(value).__name__ in ("Period", "Interval"):
        return "return float(…) or str(…) of it"
    short = "return its tolist() if it is short, or " if hasattr(value, "tolist") else ""
    return f"{short}keep it in a table or with ctx.write_file, and return its name"
