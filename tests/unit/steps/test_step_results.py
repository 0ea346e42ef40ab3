"""Results of steps as JSON text."""

from __future__ import annotations

import datetime
import enum
import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy
import pandas
import pytest
from snowflake.snowpark import Row

from sfml_steps import Context, StepError
from sfml_steps.results import LIMIT, as_read, result_text


@dataclass
class Point:
    x: float
    label: str


class Colour(enum.Enum):
    RED = "red"


class Size(str, enum.Enum):  # noqa: UP042 - text of such a one is its name
    SMALL = "small"


class Level(enum.IntEnum):
    HIGH = 3


class Score(NamedTuple):
    name: str
    auc: Decimal


CYCLE: list[Any] = []
CYCLE.append(CYCLE)
MORNING = datetime.datetime(2026, 1, 2, 3, 4, 5, 600)


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
        (numpy.float32(0.1), "0.10000000149011612"),
        (numpy.float16(0.5), "0.5"),
        (numpy.uint64(2**64 - 1), "18446744073709551615"),
        (numpy.array(4), "4"),
        (numpy.datetime64("2026-01-01"), '"2026-01-01"'),
        (numpy.datetime64("2026-01-01T02:03:04.123456789"), '"2026-01-01T02:03:04.123456789"'),
        (Decimal("1.750000"), "1.75"),
        (Decimal("2.00"), "2.0"),
        (Decimal("2"), "2"),
        (Decimal("-0.10"), "-0.1"),
        (Decimal("0E-12"), "0.0"),
        (Decimal("1E-12"), "0.000000000001"),
        (Decimal("1E+5"), "100000"),
        (Decimal("1E-60"), "1E-60"),
        (Decimal("12345678901234567890.123456789012"), "12345678901234567890.123456789012"),
        ({"metrics": [{"auc": Decimal("0.5")}]}, '{"metrics":[{"auc":0.5}]}'),
        (MORNING, '"2026-01-02T03:04:05.000600"'),
        (MORNING.replace(tzinfo=datetime.UTC), '"2026-01-02T03:04:05.000600+00:00"'),
        ({"at": datetime.date(2026, 1, 1)}, '{"at":"2026-01-01"}'),
        (datetime.time(1, 2), '"01:02:00"'),
        (pandas.Timestamp("2026-01-01 00:00:00.123456789"), '"2026-01-01T00:00:00.123456789"'),
        (pandas.Timestamp("2026-01-01", tz="Europe/Berlin"), '"2026-01-01T00:00:00+01:00"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Size.SMALL, '"small"'),
        ({Size.SMALL: Level.HIGH}, '{"small":3}'),
        (Score("a", Decimal("0.5")), '{"name":"a","auc":0.5}'),
        (Row(A=Decimal("1.5"), B=datetime.date(2026, 1, 1)), '{"A":1.5,"B":"2026-01-01"}'),
        ([Row(1, "x")], '[[1,"x"]]'),
        ('quote " backslash \\ newline \n', '"quote \\" backslash \\\\ newline \\n"'),
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
        ({"metrics": {"auc": Decimal("NaN")}}, r"its result\.metrics\.auc is NaN, which JSON cannot carry"),
        (Decimal("sNaN"), "its result is sNaN"),
        (Decimal("-Infinity"), "its result is -Infinity"),
        (Decimal("1E+400"), r"its result is 1E\+400"),
        ([10**5000], r"its result\[0\] is a whole number of thousands of digits"),
        ({"took": datetime.timedelta(1)}, r"its result\.took is of type timedelta, .*total_seconds"),
        (pandas.Timedelta(days=1), r"type Timedelta, .*total_seconds"),
        (numpy.timedelta64(1, "D"), r"type timedelta64, .*numpy\.timedelta64"),
        (numpy.longdouble(1), r"type longdouble, .*float"),
        (numpy.complex64(1j), r"type complex"),
        (numpy.bytes_(b"x"), r"type bytes, .*ctx\.write_file"),
        (numpy.ma.masked, "type MaskedConstant, .*missing value"),
        ([numpy.datetime64("NaT")], r"its result\[0\] is of type datetime64, .*missing value"),
        (bytearray(b"x"), r"type bytearray, .*ctx\.write_file"),
        (Fraction(1, 3), "type Fraction"),
        (pandas.Series([1]), r"type Series, .*tolist\(\).*table"),
        (pandas.Period("2026-01"), r"type Period, .*str\("),
        (pandas.Categorical(["a"]), "type Categorical"),
        ({1: "a"}, "the key 1, and JSON's keys are text"),
        ({"a": {datetime.date(2026, 1, 1): 1}}, r"its result\.a has the key datetime"),
        ({"a": {Level.HIGH: 1}}, r"its result\.a has the key <Level\.HIGH: 3>, and JSON's keys are text"),
        ({Colour.RED: 1, "red": 2}, r"its result has two keys that are both written as 'red'"),
        ({"frozen": [frozenset()]}, r"its result\.frozen\[0\] is of type frozenset, .*list"),
        (CYCLE, "s returned a value that holds itself"),
        ({"set": {1}}, r"its result\.set is of type set, .* list"),
        (b"x", r"bytes, .*ctx\.write_file"),
        (numpy.zeros(3), r"type ndarray, .*table"),
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


@pytest.mark.parametrize("digits", ["0.1", "2.00", "0E-12", "-1.750000", "123456789012345.67", "1E-60"])
def test_a_decimal_is_read_as_the_float_of_its_digits(digits: str) -> None:
    read = as_read({"value": Decimal(digits)})["value"]
    assert isinstance(read, float)
    assert read == float(digits)


def test_a_whole_decimal_is_read_with_all_its_digits() -> None:
    assert as_read(Decimal("9" * 38)) == int("9" * 38)


def test_a_result_given_in_a_test_is_read_as_in_a_task() -> None:
    results = {"load": {"mean": Decimal("1.50"), "day": datetime.date(2026, 1, 1)}, "bad": {"a": [b""]}}
    ctx = Context.for_test(results=results)
    assert ctx.result("load") == {"mean": 1.5, "day": "2026-01-01"}
    with pytest.raises(StepError, match=r"its result\.a\[0\] is of type bytes"):
        ctx.result("bad")
