"""Quotients, products and means of NUMBERs: exact to the last digit, in the types of an account."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_settings import examples

from sfml_local.core.account import Account
from sfml_local.core.errors import SqlError
from sfml_local.core.expressions import exact_numbers
from sfml_local.core.expressions.number_rules import result_type
from sfml_local.core.expressions.refusals import Refusal
from sfml_local.core.session import Session
from sfml_local.registry import open_account

EXACT = Context(prec=200)
Rule = Callable[[int, int], int]
Exact = Callable[[Fraction, Fraction], Fraction]


def nearest(value: Fraction, places: int) -> Decimal:
    """The value with so many decimal places, rounded half away from zero."""
    scaled = abs(value) * 10**places
    whole = scaled.numerator // scaled.denominator
    whole += scaled - whole >= Fraction(1, 2)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places, EXACT)


def cut(value: Fraction, places: int) -> Decimal:
    scaled = abs(value) * 10**places
    whole = scaled.numerator // scaled.denominator
    return Decimal(whole if value >= 0 else -whole).scaleb(-places, EXACT)


def quotient_places(left: int, right: int) -> int:
    return max(left, min(left + 6, 12))


def product_places(left: int, right: int) -> int:
    return min(left + right, max(left, right, 12))


OPERATIONS: dict[str, tuple[Any, Rule, Exact, Any]] = {
    "/": (exact_numbers.quotient, quotient_places, lambda left, right: left / right, nearest),
    "*": (exact_numbers.product, product_places, lambda left, right: left * right, nearest),
    "cut": (exact_numbers.mean_in_frame, lambda left, right: left + 3, lambda left, right: left / right, cut),
}


def fits(value: Decimal, places: int) -> bool:
    """`abs` would round to the 28 digits of the current context, and 38 nines to what does not fit."""
    return value.scaleb(places, EXACT).copy_abs() < 10**38


@cache
def integers(digits: int) -> st.SearchStrategy[int]:
    """Integers of any length, round ones and halves among them."""
    return st.integers(1, digits).flatmap(of_length)


@cache
def of_length(digits: int) -> st.SearchStrategy[int]:
    powers = st.sampled_from([10**zeros for zeros in (0, 0, digits // 2, digits - 1)])
    return st.builds(rounded_down, st.integers(0, 10**digits - 1), powers, st.sampled_from((1, -1)))


def rounded_down(value: int, power: int, sign: int) -> int:
    return sign * (value // power * power)


DIGITS = st.integers(1, 38)


@cache
def places_of(digits: int) -> st.SearchStrategy[int]:
    return st.integers(0, min(digits, 37))


@st.composite
def columns(draw: Any, rows: int) -> tuple[int, list[Decimal]]:
    """How many places the numbers of a column have, and the numbers."""
    digits = draw(DIGITS)
    places = draw(places_of(digits))
    values = draw(st.lists(integers(digits), min_size=rows, max_size=rows))
    return places, [Decimal(value).scaleb(-places, EXACT) for value in values]


def arrow(places: int, values: list[Decimal | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.decimal128(38, places))])


@pytest.mark.parametrize("rows", [1, exact_numbers.FEW + 1])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_columns_are_computed_exactly(operation: str, rows: int) -> None:
    """Few rows are computed as integers of Python's, many as columns."""
    compute, rule, exact, rounded = OPERATIONS[operation]

    @examples(120)
    @given(columns(rows), columns(rows))
    def check(left: tuple[int, list[Decimal]], right: tuple[int, list[Decimal]]) -> None:
        places = rule(left[0], right[0])
        divisors = [value or Decimal(1).scaleb(-right[0]) for value in right[1]]
        pairs = zip(left[1], divisors, strict=True)
        expected = [rounded(exact(Fraction(one), Fraction(other)), places) for one, other in pairs]
        kept = [fits(value, places) and places <= 38 for value in expected]
        lefts = [value if keep else None for value, keep in zip(left[1], kept, strict=True)]
        if places <= 38:
            found = compute(arrow(left[0], lefts), arrow(right[0], divisors)).to_pylist()
            assert [None if text is None else Decimal(text) for text in found] == [
                value if keep else None for value, keep in zip(expected, kept, strict=True)
            ]
        if places <= 38 and not all(kept):
            with pytest.raises(Refusal, match=f"out of representable range: type FIXED.SB16..38,{places}."):
                compute(arrow(left[0], left[1]), arrow(right[0], divisors))

    check()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    account = open_account(tmp_path_factory.mktemp("exact"))
    yield account
    account.close()


@pytest.fixture(scope="module")
def session(account: Account) -> Session:
    return account.sessions.open(database="SFML", schema="PUBLIC")


@st.composite
def numbers(draw: Any) -> tuple[str, Decimal]:
    """A type, and a number of it."""
    digits = draw(DIGITS)
    places = draw(places_of(digits))
    value = Decimal(draw(integers(digits))).scaleb(-places, EXACT)
    return f"NUMBER({digits},{places})", value


@examples(40)
@given(st.lists(numbers(), min_size=2, max_size=2), st.booleans())
def test_statements_are_computed_exactly(
    account: Account, session: Session, pair: list[tuple[str, Decimal]], is_written: bool
) -> None:
    """Whether a number is written down or of a column."""
    (left_type, left), (right_type, right) = pair
    divisor = right or Decimal(1).scaleb(right.as_tuple().exponent)
    operands = [f"'{left:f}'::{left_type}", f"'{divisor:f}'::{right_type}"]
    query = f"SELECT {operands[0]} / {operands[1]}"
    if not is_written:
        query = f"SELECT a / b FROM (SELECT {operands[0]} AS a, {operands[1]} AS b)"
    places = quotient_places(-left.as_tuple().exponent, 0)
    expected = nearest(Fraction(left) / Fraction(divisor), places)
    if not fits(expected, places):
        with pytest.raises(SqlError, match="Number out of representable range") as refused:
            account.execute(session, query)
        assert refused.value.code == "100046"
        return
    result = account.execute(session, query)
    assert [row[0] for row in result.rows] == [expected]
    digits, scale = left_type.removeprefix("NUMBER(").removesuffix(")").split(",")
    leading = int(digits) - int(scale) - (divisor.as_tuple().exponent)
    assert (result.columns[0].precision, result.columns[0].scale) == (min(38, leading + places), places)


@examples(30)
@given(columns(5))
def test_means_are_exact(account: Account, session: Session, column: tuple[int, list[Decimal]]) -> None:
    places, values = column
    values = [value.quantize(Decimal(1).scaleb(-places), context=EXACT) / 1000 for value in values]
    values = [nearest(Fraction(value), places) for value in values]
    written = ", ".join(f"('{value:f}'::NUMBER(38,{places}))" for value in values)
    source = f"FROM (SELECT COLUMN1 AS a FROM VALUES {written})"
    exact, more = sum(map(Fraction, values), Fraction()) / len(values), quotient_places(places, 0)
    if fits(nearest(exact, more), more):
        [row] = account.execute(session, f"SELECT AVG(a), SUM(a) / COUNT(*) {source}").rows
        assert tuple(row) == (nearest(exact, more),) * 2
    if places <= 35 and fits(cut(exact, places + 3), places + 3):
        rows = account.execute(session, f"SELECT AVG(a) OVER () {source}").rows
        assert {row[0] for row in rows} == {cut(exact, places + 3)}


TYPES = (
    ("/", "DECIMAL(1,0)", "DECIMAL(1,0)", "DECIMAL(7,6)"),
    ("/", "DECIMAL(10,2)", "DECIMAL(22,2)", "DECIMAL(18,8)"),
    ("/", "DECIMAL(38,12)", "DECIMAL(38,12)", "DECIMAL(38,12)"),
    ("/", "DECIMAL(38,37)", "BIGINT", "DECIMAL(38,37)"),
    ("/", "DOUBLE", "DECIMAL(10,2)", "DOUBLE"),
    ("*", "DECIMAL(4,2)", "DECIMAL(2,1)", "DECIMAL(6,3)"),
    ("*", "DECIMAL(10,2)", "FLOAT", "DOUBLE"),
)


@pytest.mark.parametrize(("operation", "left", "right", "type"), TYPES)
def test_types_have_the_digits_of_their_operands(operation: str, left: str, right: str, type: str) -> None:
    name = {"/": "quotient", "*": "product"}[operation]
    assert json.loads(result_type(name, left, right)) == type


def test_a_float_among_numbers_stays_a_float(account: Account, session: Session) -> None:
    table = "FROM (SELECT 1.5::FLOAT AS f, 3::NUMBER(38,0) AS n)"
    result = account.execute(
        session, f"SELECT f / n, n / f, AVG(f), f / n * n, AVG(f) OVER () {table} GROUP BY f, n"
    )
    assert [column.type for column in result.columns] == ["real"] * 5
    assert [tuple(row) for row in result.rows] == [(0.5, 2.0, 1.5, 1.5, 1.5)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("5 / 10000000", "0.000001"),
        ("-5 / 10000000", "-0.000001"),
        ("0.0000005 / 1", "0.000000500000"),
        ("0.0000001::NUMBER(7, 7) / -3", "-0.000000033333"),
        ("12345678901234567.25 / 3", "4115226300411522.41666667"),
        ("99999999999999999999999999999999 / 7", "14285714285714285714285714285714.142857"),
        ("DIV0(12345678901234567890123456, 7)", "1763668414462081127160493.714286"),
        ("12345678901234567.25 / 3 * 3", "12345678901234567.25000001"),
        ("CEIL(12345678901234567890.12345, 2)", "12345678901234567890.13"),
        ("FLOOR(-12345678901234567890.12345, 2)", "-12345678901234567890.13"),
        ("CEIL(-12345678901234567890.12345, 2)", "-12345678901234567890.12"),
        ("FLOOR(12345678901234567890123, -3)", "12345678901234567890000"),
        ("CEIL(12345678901234567890123, 1 - 4)", "12345678901234567891000"),
        ("CEIL(1.20, 2)", "1.20"),
        ("12345678901234567.25 * 12345.67 / 3", "50805225880201519953.7691666667"),
        ("PARSE_JSON('1234567890123') / 7", "176366841446.14285714286"),
        ("'1234567890123.5' / 7", "176366841446.21428571429"),
    ],
)
def test_no_digit_is_lost(account: Account, session: Session, expression: str, value: str) -> None:
    [row] = account.execute(session, f"SELECT {expression}").rows
    assert f"{row[0]:f}" == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("99999999999999999999999999999999999999 / 3", "33333333333333333333333333333333333333.000000"),
        ("-1 / 1e-37::NUMBER(38,37)", "-10000000000000000000000000000000000000.000000"),
        (
            "1000 / 3 * 99999999999999999999999999999999999999",
            "33333333299999999999999999999999999999666.666667",
        ),
    ],
)
def test_what_has_more_than_38_digits_is_refused(
    account: Account, session: Session, expression: str, value: str
) -> None:
    with pytest.raises(SqlError) as refused:
        account.execute(session, f"SELECT {expression}")
    assert (refused.value.code, refused.value.sqlstate) == ("100046", "22003")
    words = "Number out of representable range: type FIXED[SB16](38,6){nullable}, value"
    assert refused.value.message == f"{words} {value}"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT CEIL(x, -2) FROM (SELECT 99999999999999999999999999999999999999 AS x)", "100046"),
        ("SELECT x * x FROM (SELECT 99999999999999999999999999999999999999 AS x)", "100046"),
        ("SELECT x + 1 FROM (SELECT 99999999999999999999999999999999999999 AS x)", "100046"),
        ("SELECT x * x FROM (SELECT 1::NUMBER(38, 20) AS x)", "100046"),
        (
            "SELECT AVG(x) FROM (SELECT 99999999999999999999999999999999999999 AS x UNION ALL SELECT 9)",
            "100058",
        ),
        (
            "SELECT SUM(x) FROM (SELECT 99999999999999999999999999999999999999 AS x UNION ALL SELECT 9)",
            "100058",
        ),
    ],
)
def test_other_numbers_of_more_than_38_digits_are_refused(
    account: Account, session: Session, query: str, code: str
) -> None:
    with pytest.raises(
        SqlError, match=r"Number out of representable range: type FIXED|Value overflow in a SUM"
    ) as refused:
        account.execute(session, query)
    assert refused.value.code == code


def test_steps_to_places_of_each_row_are_exact(account: Account, session: Session) -> None:
    table = "FROM VALUES (12345678901234567890.12345, 2), (-12345678901234567890.12345, 4) AS t(a, i)"
    rows = account.execute(session, f"SELECT CEIL(a, i), FLOOR(a, i) {table} ORDER BY i").rows
    assert [[f"{value:f}" for value in row] for row in rows] == [
        ["12345678901234567890.13000", "12345678901234567890.12000"],
        ["-12345678901234567890.12340", "-12345678901234567890.12350"],
    ]
    floats = "CEIL(2.345::FLOAT, 2), FLOOR(2.345::FLOAT, i), CEIL(1.1::FLOAT, 1), FLOOR(-1.1::FLOAT, 1)"
    [row] = account.execute(session, f"SELECT {floats} FROM (SELECT 1 AS i)").rows
    assert tuple(row) == (2.35, 2.3, 1.1, -1.1)


@pytest.mark.parametrize("divisor", ["0", "0.00", "0::NUMBER(38,37)", "n - 3"])
def test_a_division_by_zero_is_refused(account: Account, session: Session, divisor: str) -> None:
    with pytest.raises(SqlError, match="Division by zero") as refused:
        account.execute(session, f"SELECT 1 / ({divisor}) FROM (SELECT 3 AS n)")
    assert refused.value.code == "100051"
    [row] = account.execute(session, f"SELECT NULL / ({divisor}) FROM (SELECT 3 AS n)").rows
    assert row[0] is None
