"""Features of a handful of customers, computed by hand, in Snowpark's own local engine."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from clv.features import prepare_data
from sfml_steps import Context, StepError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

ROWS = [
    # bought twice on one day, never again
    (1, "1997-01-01", 1, 10.0),
    (1, "1997-01-01", 2, 5.0),
    # came back twice, the last time a few weeks before the end; bought on the first day after it and too late
    (2, "1997-01-05", 1, 20.0),
    (2, "1997-07-04", 1, 30.0),
    (2, "1997-09-02", 2, 50.0),
    (2, "1997-10-01", 1, 7.0),
    (2, "1998-06-30", 1, 3.0),
    (2, "1998-07-01", 1, 99.0),
    # came back once, but long ago
    (3, "1997-02-01", 1, 9.0),
    (3, "1997-02-11", 1, 11.0),
    # came back once, on the last day that counts
    (4, "1997-09-20", 1, 8.0),
    (4, "1997-09-30", 1, 6.0),
    # not a customer yet
    (5, "1997-10-03", 1, 1.0),
]
INPUTS = ("FREQUENCY", "RECENCY", "MONETARY_VALUE", "GAP_MEAN", "GAP_STD", "GAP_LAST")
NOT_ACTIVE = (0, 182, 0, 182, 0, 182)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    from snowflake.snowpark import Session
    from snowflake.snowpark.types import DateType, DoubleType, LongType, StructField, StructType

    schema = StructType(
        [
            StructField("CUSTOMER_ID", LongType()),
            StructField("PURCHASED_ON", DateType()),
            StructField("UNITS", LongType()),
            StructField("AMOUNT", DoubleType()),
        ]
    )
    with Session.builder.config("local_testing", True).create() as session:
        rows = [(c, datetime.date.fromisoformat(day), units, amount) for c, day, units, amount in ROWS]
        session.create_dataframe(rows, schema=schema).write.save_as_table("PURCHASES")
        yield session


@pytest.fixture(scope="module")
def features(session: Session) -> dict[int, dict[str, Any]]:
    prepare_data(Context.for_test(session=session), "PURCHASES", "1997-09-30")
    rows: Any = session.table("CLV_FEATURES").collect()
    return {row["CUSTOMER_ID"]: row.as_dict() for row in rows}


def test_the_result_names_the_table_and_counts(session: Session) -> None:
    result = prepare_data(Context.for_test(session=session), "PURCHASES", "1997-09-30", table="OTHER")
    assert result == {
        "summary": "4 customers, 2 active",
        "features": "OTHER",
        "customers": 4,
        "active": 2,
        "calibration_end": "1997-09-30",
        "target_end": "1998-06-30",
    }


def test_purchases_of_one_day_are_one(features: dict[int, dict[str, Any]]) -> None:
    one = features[1]
    assert (one["PURCHASES"], one["UNITS"], one["SPEND"]) == (1, 3, 15)
    assert (one["TENURE_DAYS"], one["DAYS_SINCE_LAST"]) == (272, 272)


def test_an_active_customer_is_described_by_coming_back(features: dict[int, dict[str, Any]]) -> None:
    # gaps of 180 and 60 days: mean 120, deviation sqrt(2 * 60²)
    expected = (2, 28, 40, 120, pytest.approx(84.8528, abs=1e-4), 60)
    assert tuple(features[2][name] for name in INPUTS) == expected
    assert tuple(features[4][name] for name in INPUTS) == (1, 0, 6, 10, 0, 10)


@pytest.mark.parametrize("customer", [1, 3])
def test_customers_who_are_not_active_share_their_inputs(
    features: dict[int, dict[str, Any]], customer: int
) -> None:
    assert features[customer]["ACTIVE"] == 0
    assert tuple(features[customer][name] for name in INPUTS) == NOT_ACTIVE


def test_the_target_is_what_is_spent_in_the_weeks_after(features: dict[int, dict[str, Any]]) -> None:
    assert {customer: row["TARGET"] for customer, row in features.items()} == {1: 0, 2: 10, 3: 0, 4: 0}


def test_input_that_cannot_work_is_a_sentence(session: Session) -> None:
    ctx = Context.for_test(session=session)
    with pytest.raises(StepError, match="a day such as 1997-09-30, not `end of 1997`"):
        prepare_data(ctx, "PURCHASES", "end of 1997")
    with pytest.raises(StepError, match="no customer in PURCHASES bought anything until 1990-01-01"):
        prepare_data(ctx, "PURCHASES", "1990-01-01")
    with pytest.raises(StepError, match="lacks the columns AMOUNT, PURCHASED_ON, UNITS"):
        session.table("PURCHASES").select("CUSTOMER_ID").write.mode("overwrite").save_as_table("NARROW")
        prepare_data(ctx, "NARROW", "1997-09-30")
