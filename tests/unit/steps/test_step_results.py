"""Results of steps as JSON text."""

from __future__ import annotations

import datetime
import decimal
import enum
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
import pytest

from sfml_steps import StepError
from sfml_steps.results import LIMIT, result_text


@dataclass
class Point:
    x: float
    label: str


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", '""'),
        (True, "true"),
        (3, "3"),
        ("Gruß", '"Gruß"'),
        ({"a": [1, 2.5, None]}, '{"a":[1,2.5,null]}'),
        ((1, 2), "[1,2]"),
        (Point(1.5, "p"), '{"x":1.5,"label":"p"}'),
        ([Point(1, "p")], '[{"x":1,"label":"p"}]'),
        (Colour.RED, '"red"'),
        (numpy.float64(0.5), "0.5"),
        (numpy.float32(0.5), "0.5"),
        (numpy.int64(4), "4"),
        (numpy.bool_(True), "true"),
        (numpy.str_("a"), '"a"'),
    ],
)
def test_results_become_compact_json(value: Any, text: str | None) -> None:
    assert result_text(value, "s") == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"metrics": {"r2": float("nan")}}, r"its result\.metrics\.r2 is nan, which JSON cannot carry"),
        ([float("inf")], r"its result\[0\] is inf"),
        (numpy.float64("nan"), "its result is nan"),
        ({"at": datetime.date(2026, 1, 1)}, r"its result\.at is of type date, .* isoformat"),
        (decimal.Decimal("1.5"), r"type Decimal, .* float"),
        ({1: "a"}, "JSON's keys are text"),
        ({"set": {1}}, r"its result\.set is of type set, .* list"),
        (b"x", r"bytes, .*ctx\.write_file"),
        (numpy.zeros(3), r"type ndarray, .*table"),
        (numpy.datetime64("2026-01-01"), r"is of type date"),
        (pandas.DataFrame({"a": [1]}), r"type DataFrame, .*table"),
        (Point, "is of type type"),
        (object(), "is of type object"),
        ({"last": pandas.NaT}, r"its result\.last is of type NaTType, .*missing value; return None"),
        ([pandas.NA], r"its result\[0\] is of type NAType, .*missing value; return None"),
        ({"text": "a\ud800"}, r"its result\.text holds '\\ud800', which is half of a character"),
        ({"\udfff": 1}, r"its result holds '\\udfff', which is half of a character"),
    ],
)
def test_what_is_no_json_is_refused_with_a_sentence(value: Any, message: str) -> None:
    with pytest.raises(StepError, match=message):
        result_text(value, "s")


def test_the_limit_counts_bytes_of_utf8() -> None:
    assert result_text("x" * (LIMIT - 2), "s") is not None
    assert result_text("ß" * (LIMIT // 2 - 1), "s") is not None
    with pytest.raises(StepError, match=r"s returned 10,001 bytes, .* 10,000"):
        result_text("x" * (LIMIT - 1), "s")
    with pytest.raises(StepError, match="10,002 bytes"):
        result_text("ß" * (LIMIT // 2), "s")
