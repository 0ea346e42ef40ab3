"""Faults as Snowflake's own clients see them: the connector sends again what it lost, snowflake.core does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import snowflake.connector

from sfml_local.http.faults import Call

if TYPE_CHECKING:
    from snowflake.core.task import TaskCollection

    from sfml.testing.local_snowflake import LocalSnowflake


def tables(local: LocalSnowflake) -> list[str]:
    return [row["name"] for row in local.sql("SHOW TABLES")]


def statements(local: LocalSnowflake, words: str) -> list[Call]:
    """The calls of the test that hold the words, without those of clients about themselves."""
    return [call for call in local.calls if call.kind == "sql" and words in str(call.statement)]


@pytest.fixture
def tasks(local_snowflake: LocalSnowflake) -> TaskCollection:
    from snowflake.core import Root

    root = Root(local_snowflake.connection())
    return root.databases[local_snowflake.database].schemas["PUBLIC"].tasks


def test_a_statement_fails_with_the_code_and_sentence_of_the_rule(local_snowflake: LocalSnowflake) -> None:
    cursor = local_snowflake.connection().cursor()
    rule = local_snowflake.faults.fail("CREATE TABLE", code="000625", sentence="Statement aborted.")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match=r"Statement aborted\.") as failed:
        cursor.execute("create or replace table T (A INT)")
    assert failed.value.errno == 625
    assert (rule.matched, rule.fired) == (1, 1)
    assert tables(local_snowflake) == []
    cursor.execute("create table T (A INT)")
    assert tables(local_snowflake) == ["T"]
    assert [call.code for call in statements(local_snowflake, "table T")] == ["000625", None]


def test_a_failure_after_the_effect_leaves_the_effect(local_snowflake: LocalSnowflake) -> None:
    cursor = local_snowflake.connection().cursor()
    local_snowflake.faults.fail("CREATE TABLE", when="after")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="a fault set by a test"):
        cursor.execute("CREATE TABLE T (A INT)")
    assert tables(local_snowflake) == ["T"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_connector_sends_a_statement_again_whose_connection_was_dropped(
    local_snowflake: LocalSnowflake, when: str
) -> None:
    cursor = local_snowflake.connection().cursor()
    rule = local_snowflake.faults.drop("CREATE TABLE", when=when)  # type: ignore[arg-type]
    # Carried out twice, it would answer that the table exists.
    cursor.execute("CREATE TABLE T (A INT)")
    assert rule.fired == 1
    first, second = statements(local_snowflake, "CREATE TABLE")
    assert first.request_id == second.request_id
    assert [(call.dropped, call.status, call.repeated) for call in (first, second)] == [
        (True, None, False),
        (False, 200, True),
    ]
    assert tables(local_snowflake) == ["T"]


def test_the_connector_waits_out_a_gateway_that_is_unavailable(local_snowflake: LocalSnowflake) -> None:
    cursor = local_snowflake.connection().cursor()
    local_snowflake.faults.fail("SELECT 7", status=503)
    assert cursor.execute("SELECT 7").fetchall() == [(7,)]
    assert [call.status for call in statements(local_snowflake, "SELECT 7")] == [503, 200]


def test_a_rest_call_that_is_dropped_before_its_effect_changed_nothing(
    local_snowflake: LocalSnowflake, tasks: TaskCollection
) -> None:
    from snowflake.core.task import Task

    rule = local_snowflake.faults.drop("POST /tasks")
    with pytest.raises(Exception, match=r"(?i)connection|protocol"):
        tasks.create(Task("T", definition="select 1"))
    assert rule.fired == 1
    assert [task.name for task in tasks.iter()] == []


def test_a_rest_call_that_is_dropped_after_its_effect_has_changed_something(
    local_snowflake: LocalSnowflake, tasks: TaskCollection
) -> None:
    from snowflake.core.exceptions import ConflictError
    from snowflake.core.task import Task

    local_snowflake.faults.drop("POST /tasks", when="after")
    with pytest.raises(Exception, match=r"(?i)connection|protocol"):
        tasks.create(Task("T", definition="select 1"))
    assert [task.name for task in tasks.iter()] == ["T"]
    with pytest.raises(ConflictError):
        tasks.create(Task("T", definition="select 1"))


def test_a_rest_call_fails_with_the_status_of_the_rule(
    local_snowflake: LocalSnowflake, tasks: TaskCollection
) -> None:
    from snowflake.core.exceptions import ForbiddenError
    from snowflake.core.task import Task

    local_snowflake.faults.fail("POST /tasks", status=403, code="003001", sentence="Insufficient privileges")
    with pytest.raises(ForbiddenError, match="Insufficient privileges"):
        tasks.create(Task("T", definition="select 1"))
    [call] = [call for call in local_snowflake.calls if call.method == "POST" and call.kind == "rest"]
    assert (call.status, call.code) == (403, "003001")
    assert call.path == f"/api/v2/databases/{local_snowflake.database}/schemas/PUBLIC/tasks"


def test_only_the_calls_that_were_counted_out_are_hit(local_snowflake: LocalSnowflake) -> None:
    cursor = local_snowflake.connection().cursor()
    rule = local_snowflake.faults.fail(lambda call: "SELECT" in call.text, nth=2, times=2)
    seen = []
    for number in range(5):
        try:
            cursor.execute(f"SELECT {number}")
            seen.append(True)
        except snowflake.connector.errors.ProgrammingError:
            seen.append(False)
    assert seen == [True, False, False, True, True]
    assert (rule.matched, rule.fired) == (5, 2)


def test_a_delay_takes_its_time_before_the_effect(local_snowflake: LocalSnowflake) -> None:
    cursor = local_snowflake.connection().cursor()
    local_snowflake.faults.delay(0.2, "SELECT")
    began = time.monotonic()
    cursor.execute("SELECT 1")
    assert time.monotonic() - began >= 0.2
    local_snowflake.faults.clear()
    assert cursor.execute("SELECT 2").fetchall() == [(2,)]


def test_a_function_is_called_between_the_effect_and_the_answer(local_snowflake: LocalSnowflake) -> None:
    cursor = local_snowflake.connection().cursor()
    found: list[list[str]] = []

    def look(call: Call) -> None:
        found.append(tables(local_snowflake))

    local_snowflake.faults.do(look, "CREATE TABLE", when="before")
    local_snowflake.faults.do(look, "CREATE TABLE", when="after")
    cursor.execute("CREATE TABLE T (A INT)")
    assert found == [[], ["T"]]


def test_a_login_is_hit_only_when_asked_for(local_snowflake: LocalSnowflake) -> None:
    spared = local_snowflake.faults.fail(times=None)
    local_snowflake.faults.fail("login-request", kind="session", code="390100", sentence="No entry.")
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="No entry"):
        local_snowflake.connection()
    local_snowflake.connection()
    assert spared.matched == 0


def test_calls_are_counted_by_kind_and_words(local_snowflake: LocalSnowflake, tasks: TaskCollection) -> None:
    local_snowflake.faults.forget_calls()
    list(tasks.iter())
    local_snowflake.connection().cursor().execute("SELECT 1")
    faults = local_snowflake.faults
    assert faults.count(kind="rest") == faults.count("GET /tasks") == 1
    assert faults.count("SELECT 1") == faults.count(kind="sql") == 1
    assert faults.count() == 2
    assert faults.count(kind="session") >= 1


def test_a_rule_that_can_never_fire_is_refused(local_snowflake: LocalSnowflake) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        local_snowflake.faults.drop(nth=0)
