"""The whole pipeline: compiled, applied and run on a local Snowflake, through Snowflake's own clients."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

SPEC = Path(__file__).parents[1] / "specs" / "churn.yaml"


@pytest.fixture
def churn(local_snowflake):
    """The test's Snowflake with the pipeline and its seed table in it."""
    local_snowflake.apply(SPEC)
    local_snowflake.seed(SPEC)
    return local_snowflake


def test_a_good_model_scores_every_customer(churn):
    run = churn.run(SPEC)
    assert run.state == "SUCCEEDED"
    assert run.result("train_model")["auc"] > 0.75
    assert run.result("check_model") == "score_customers"
    assert run.states["report_weak_model"] == "SKIPPED"
    [row] = churn.sql(f"SELECT COUNT(*) AS N FROM {churn.database}.CHURN.CHURN_SCORES")
    assert row["N"] == run.result("score_customers")["customers"] == 160


def test_a_weak_model_leaves_the_scores_alone(churn):
    run = churn.run(SPEC, config={"at_least": "0.999"})
    assert run.state == "SUCCEEDED"
    assert (run.states["score_customers"], run.states["report_weak_model"]) == ("SKIPPED", "SUCCEEDED")
    assert churn.sql(f"SHOW TABLES LIKE 'CHURN_SCORES' IN SCHEMA {churn.database}.CHURN") == []


def test_the_schedule_fires_on_the_first_of_the_month(local_snowflake):
    local_snowflake.clock.hold(datetime(2026, 1, 30, tzinfo=UTC))
    local_snowflake.apply(SPEC)
    local_snowflake.seed(SPEC)
    local_snowflake.sql(f"ALTER TASK {local_snowflake.database}.CHURN.CHURN RESUME")
    local_snowflake.clock.advance(timedelta(days=3))
    history = "TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'CHURN'))"
    [row] = local_snowflake.sql(f"SELECT STATE, SCHEDULED_TIME FROM {history} WHERE STATE <> 'SCHEDULED'")
    assert row["STATE"] == "SUCCEEDED"
    assert row["SCHEDULED_TIME"].astimezone(UTC) == datetime(2026, 2, 1, 5, tzinfo=UTC)


def test_an_apply_survives_a_lost_connection(local_snowflake):
    lost = local_snowflake.faults.drop("CREATE STAGE", when="after")
    local_snowflake.apply(SPEC)
    assert lost.fired == 1
    names = {row["name"] for row in local_snowflake.sql(f"SHOW TASKS IN DATABASE {local_snowflake.database}")}
    assert {"CHURN", "CHURN$PREPARE_CUSTOMERS", "CHURN$CHECK_MODEL"} <= {name.upper() for name in names}
