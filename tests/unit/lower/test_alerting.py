"""The block around a finalizer: what goes in comes out, and graphs without alerts stay as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sfml.base.quoting import literal
from sfml.lower.alerting import alerted, alerted_parts, own_statement, unquoted
from sfml.lower.desired import AlertsCall
from sfml.plan.bodies import body_parts, deployed_job_name
from sfml.plan.code import archive_path

CALL = AlertsCall(
    '{"retries": 1, "channels": [{"kind": "slack", "integration": "S", "events": ["failure"]}]}', "ab", "@A"
)
SHA = "0" * 64


@given(st.text())
def test_any_statement_comes_out_as_it_went_in(sql: str) -> None:
    assert own_statement(alerted(CALL, sql)) == sql
    assert unquoted(literal(sql)) == sql


@given(st.text())
def test_any_call_comes_out_as_it_went_in(call: str) -> None:
    parts = alerted_parts(alerted(AlertsCall(call, "ab", "@A"), "select 1"))
    assert parts is not None and (parts.call, parts.inner) == (call, "select 1")


def test_a_plan_sees_the_statement_and_the_channels() -> None:
    parts = body_parts(alerted(CALL, "select 1"))
    assert (parts["statement"], parts["alerts.channels.slack.S"]) == ("select 1", "failure")
    assert body_parts(alerted(CALL, "select 2"))["alerts"] == parts["alerts"]
    other = AlertsCall(CALL.json.replace("1", "2"), "ab", "@A")
    assert body_parts(alerted(other, "select 1"))["alerts"] != parts["alerts"]
    assert body_parts(alerted(CALL, None))["statement"] == ""


def test_jobs_and_code_are_found_inside() -> None:
    job = "CALL SYSTEM$EXECUTE_ML_JOB('D.S.SHOP_LAST_0A_', 'P', '{}', '{}')"
    assert deployed_job_name(alerted(CALL, job)) == "SHOP_LAST_0A"
    step = f"IMPORTS = ('@D.S.SFML/shop/code/{SHA}/steps.zip')"
    assert archive_path(alerted(CALL, step)) == f"shop/code/{SHA}/steps.zip"
