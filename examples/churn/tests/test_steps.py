"""Steps on real tables: each test has a database of its own on a local Snowflake."""

import pytest

from churn.scoring import score_customers
from churn.training import prepare_customers
from sfml_steps import Context, StepError

COLUMNS = "CUSTOMER_ID INT, TENURE_MONTHS INT, SUPPORT_CALLS INT, LATE_PAYMENTS INT, CHURNED INT"


@pytest.fixture
def ctx(local_snowflake):
    local_snowflake.sql(f"CREATE TABLE CUSTOMERS ({COLUMNS})")
    return Context.for_test(session=local_snowflake.session())


def test_features_lie_between_0_and_1(ctx, local_snowflake):
    local_snowflake.sql("INSERT INTO CUSTOMERS VALUES (1, 30, 5, 0, 0), (4, 600, 99, 9, 1)")
    assert prepare_customers(ctx, "CUSTOMERS") == {"summary": "2 customers", "table": "CHURN_FEATURES"}
    rows = local_snowflake.sql("SELECT * FROM CHURN_FEATURES ORDER BY CUSTOMER_ID")
    assert [tuple(map(float, list(row.values())[1:4])) for row in rows] == [(0.5, 0.5, 0), (1, 1, 1)]
    assert [row["HELD_OUT"] for row in rows] == [False, True]


def test_a_table_without_customers_is_refused(ctx):
    with pytest.raises(StepError, match="no customers"):
        prepare_customers(ctx, "CUSTOMERS")


def test_every_customer_gets_a_score(ctx, local_snowflake):
    local_snowflake.sql("INSERT INTO CUSTOMERS VALUES (1, 60, 0, 0, 0), (2, 1, 9, 5, 1)")
    prepare_customers(ctx, "CUSTOMERS")
    model = {"TENURE": -4.0, "CALLS": 4.0, "LATE": 4.0, "bias": 0.0}
    assert score_customers(ctx, "CHURN_FEATURES", model)["customers"] == 2
    stays, leaves = local_snowflake.sql("SELECT PROBABILITY FROM CHURN_SCORES ORDER BY CUSTOMER_ID")
    assert float(stays["PROBABILITY"]) < 0.1 < 0.9 < float(leaves["PROBABILITY"])
