"""Graphs run: order, joins, WHEN, finalizers, values, configuration, retries, timeouts, cancelling."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from asking import Sql

from sfml_local.core.errors import SqlError
from sfml_local.registry import open_account

OK, FAILED, SKIPPED, CANCELLED = "SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"
FAIL = "SELECT no_such_column FROM nowhere"
SLOW = (
    "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 100000000)) a, TABLE(GENERATOR(ROWCOUNT => 100000)) b"
)


def test_children_run_after_their_predecessors(sql: Sql) -> None:
    sql.graph("r AS SELECT 1", "a AFTER r AS SELECT 1", "b AFTER r AS SELECT 1", "j AFTER a, b AS SELECT 1")
    assert sql.run("r") == {"R": OK, "A": OK, "B": OK, "J": OK}
    ended = {row["NAME"]: row for row in sql.history()}
    assert ended["J"]["QUERY_START_TIME"] >= max(ended["A"]["COMPLETED_TIME"], ended["B"]["COMPLETED_TIME"])


def test_nothing_runs_below_a_failure_but_the_finalizer(sql: Sql) -> None:
    sql.graph("r AS SELECT 1", f"a AFTER r AS {FAIL}", "b AFTER a AS SELECT 1", "f FINALIZE = r AS SELECT 1")
    assert sql.run("r") == {"R": OK, "A": FAILED, "F": OK}
    [graph] = sql("SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())")
    assert (graph["STATE"], graph["FIRST_ERROR_TASK_NAME"]) == (FAILED, "A")
    assert "NOWHERE" in graph["FIRST_ERROR_MESSAGE"].upper()


def test_a_failing_finalizer_fails_the_graph(sql: Sql) -> None:
    sql.graph("r AS SELECT 1", f"f FINALIZE = r AS {FAIL}")
    assert sql.run("r") == {"R": OK, "F": FAILED}
    assert sql("SELECT STATE FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == [{"STATE": FAILED}]


def test_a_branch_chooses_by_return_value(sql: Sql) -> None:
    sql.graph(
        "r CONFIG = '{\"good\": true}' AS SELECT 1",
        "check AFTER r AS CALL SYSTEM$SET_RETURN_VALUE(IFF(SYSTEM$GET_TASK_GRAPH_CONFIG('good') = 'true', 'P', 'Q'))",
        "p AFTER check WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CHECK') = 'P' AS SELECT 1",
        "q AFTER check WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CHECK') = 'Q' AS SELECT 1",
        "below AFTER p AS SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CHECK')",
        "joined AFTER p, q WHEN SYSTEM$PREDECESSORS_STATE('NONE_FAILED_MIN_ONE_SUCCEEDED') AS SELECT 1",
        "plain AFTER p, q AS SELECT 1",
    )
    assert sql.run("r") == {"R": OK, "CHECK": OK, "P": OK, "Q": SKIPPED, "BELOW": OK, "JOINED": OK}
    run = sql.run("r", "USING CONFIG = '{\"good\": false}'")
    assert run == {"R": OK, "CHECK": OK, "P": SKIPPED, "Q": OK, "JOINED": OK}
    assert sql("SELECT STATE FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == [{"STATE": OK}] * 2
    [value] = {row["RETURN_VALUE"] for row in sql.history(NAME="CHECK") if json.loads(row["CONFIG"])["good"]}
    assert value == "P"


def test_a_skipped_root_starts_nothing_and_is_no_graph(sql: Sql) -> None:
    sql.graph("r WHEN 1 = 2 AS SELECT 1", "a AFTER r AS SELECT 1", "f FINALIZE = r AS SELECT 1")
    assert sql.run("r") == {"R": SKIPPED}
    assert sql("SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == []


def test_suspended_tasks_do_not_run(sql: Sql) -> None:
    sql.graph("r AS SELECT 1", "a AFTER r AS SELECT 1", "b AFTER r AS SELECT 1", "j AFTER a, b AS SELECT 1")
    sql("ALTER TASK a SUSPEND")
    assert sql.run("r") == {"R": OK, "B": OK, "J": OK}


@pytest.mark.parametrize("name", ["OTHER", "b", "SFML.PUBLIC.B", "BELOW"])
def test_only_ancestors_have_values(sql: Sql, name: str) -> None:
    sql.graph(
        "r AS SELECT 1",
        "b AFTER r AS CALL SYSTEM$SET_RETURN_VALUE('1')",
        f"c AFTER b AS SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('{name}')",
        "below AFTER c AS SELECT 1",
    )
    assert sql.run("r") == {"R": OK, "B": OK, "C": FAILED}
    [row] = sql.history(NAME="C")
    assert row["ERROR_CODE"] == 91451
    assert row["ERROR_MESSAGE"].endswith("is not a valid or active predecessor for this task.")


def test_a_condition_that_cannot_be_evaluated_fails_the_task(sql: Sql) -> None:
    sql.graph("r AS SELECT 1", "a AFTER r WHEN PARSE_JSON('1') = 1 AS SELECT 1")
    assert sql.run("r") == {"R": OK, "A": FAILED}
    assert "PARSE_JSON" in sql.history(NAME="A")[0]["ERROR_MESSAGE"]


def test_a_return_value_of_more_than_10_kb_is_refused(sql: Sql) -> None:
    sql.graph("r AS CALL SYSTEM$SET_RETURN_VALUE(REPEAT('é', 5001))")
    assert sql.run("r") == {"R": FAILED}
    assert "10,002 bytes" in sql.history()[0]["ERROR_MESSAGE"]


def test_what_a_task_knows_about_its_run(sql: Sql) -> None:
    keys = (
        "CURRENT_TASK_NAME",
        "CURRENT_ROOT_TASK_NAME",
        "CURRENT_ROOT_TASK_UUID",
        "CURRENT_TASK_GRAPH_RUN_GROUP_ID",
    )
    told = " || '|' || ".join(f"SYSTEM$TASK_RUNTIME_INFO('{key}')" for key in keys)
    last = "COALESCE(SYSTEM$TASK_RUNTIME_INFO('LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID'), 'none')"
    sql.graph("r AS SELECT 1", f"a AFTER r AS CALL SYSTEM$SET_RETURN_VALUE({told} || '|' || {last})")
    sql.run("r")
    sql.run("r")
    first, second = sql.history(NAME="A")
    root = sql("DESCRIBE TASK r")[0]["id"]
    group = first["GRAPH_RUN_GROUP_ID"]
    assert first["RETURN_VALUE"] == f"SFML.PUBLIC.A|SFML.PUBLIC.R|{root}|{group}|none"
    assert second["RETURN_VALUE"].endswith(f"|{group}")


def test_the_original_time_reads_as_a_timestamp(sql: Sql) -> None:
    moment = "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP')"
    sql.graph(f"r AS SELECT {moment}::TIMESTAMP_LTZ, TO_TIMESTAMP({moment})")
    assert sql.run("r") == {"R": OK}


def test_session_parameters_and_place_of_a_task(sql: Sql) -> None:
    sql.graph(
        "r WAREHOUSE = my_wh QUERY_TAG = 'tagged' AS CALL SYSTEM$SET_RETURN_VALUE("
        "CURRENT_DATABASE() || '.' || CURRENT_SCHEMA() || '@' || CURRENT_WAREHOUSE() || '/' || CURRENT_ROLE())"
    )
    assert sql.run("r") == {"R": OK}
    assert sql.history()[0]["RETURN_VALUE"] == "SFML.PUBLIC@MY_WH/SYSADMIN"


def test_automatic_retries_run_only_what_failed(sql: Sql) -> None:
    sql("CREATE OR REPLACE TABLE tries (n INT)")
    sql.graph(
        "r TASK_AUTO_RETRY_ATTEMPTS = 2 AS INSERT INTO tries VALUES (1)",
        f"a AFTER r AS {FAIL}",
        "b AFTER a AS SELECT 1",
        "f FINALIZE = r AS SELECT 1",
    )
    assert sql.run("r") == {"A": FAILED, "F": OK}
    rows = [(row["NAME"], row["ATTEMPT_NUMBER"], row["SCHEDULED_FROM"]) for row in sql.history()]
    assert rows == [
        ("R", 1, "EXECUTE TASK"),
        ("A", 1, "EXECUTE TASK"),
        ("F", 1, "EXECUTE TASK"),
        ("A", 2, "AUTOMATIC RETRY"),
        ("F", 2, "AUTOMATIC RETRY"),
        ("A", 3, "AUTOMATIC RETRY"),
        ("F", 3, "AUTOMATIC RETRY"),
    ]
    assert len({row["GRAPH_RUN_GROUP_ID"] for row in sql.history()}) == 1
    assert sql("SELECT n FROM tries") == [{"N": 1}]


def test_retry_last_goes_on_where_it_failed(sql: Sql) -> None:
    sql.graph(
        "r AS CALL SYSTEM$SET_RETURN_VALUE('kept')",
        "a AFTER r AS SELECT * FROM made_later",
        "b AFTER a AS CALL SYSTEM$SET_RETURN_VALUE(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R'))",
    )
    sql("DROP TABLE IF EXISTS made_later")
    assert sql.run("r") == {"R": OK, "A": FAILED}
    sql("CREATE TABLE made_later (n INT)")
    assert sql.run("r", "RETRY LAST") == {"A": OK, "B": OK}
    assert sql.history(NAME="B")[0]["RETURN_VALUE"] == "kept"
    assert {row["ATTEMPT_NUMBER"] for row in sql.history(SCHEDULED_FROM="MANUAL RETRY")} == {2}
    with pytest.raises(SqlError, match="Cannot perform retry"):
        sql("EXECUTE TASK r RETRY LAST")
    with pytest.raises(SqlError, match="Graph run group with ID nope not found"):
        sql("EXECUTE TASK r RETRY GRAPH RUN GROUP 'nope'")


def test_a_modified_graph_is_not_retried(sql: Sql) -> None:
    sql.graph(f"r AS {FAIL}")
    sql.run("r")
    sql("ALTER TASK r MODIFY AS SELECT 1")
    with pytest.raises(SqlError, match="was modified"):
        sql("EXECUTE TASK r RETRY LAST")


def test_a_task_that_runs_too_long_fails(sql: Sql) -> None:
    sql.graph(
        "r AS SELECT 1", f"a AFTER r USER_TASK_TIMEOUT_MS = 300 AS {SLOW}", "f FINALIZE = r AS SELECT 1"
    )
    assert sql.run("r") == {"R": OK, "A": FAILED, "F": OK}
    [row] = sql.history(NAME="A")
    assert row["ERROR_CODE"] == 630
    assert "timeout of 0.3 second(s)" in row["ERROR_MESSAGE"]


def test_the_lower_of_both_timeouts_counts(sql: Sql) -> None:
    sql.graph(f"r USER_TASK_TIMEOUT_MS = 60000 STATEMENT_TIMEOUT_IN_SECONDS = 1 AS {SLOW}")
    assert sql.run("r") == {"R": FAILED}
    assert "timeout of 1 second(s)" in sql.history()[0]["ERROR_MESSAGE"]


def test_more_tasks_than_workers_all_run(sql: Sql) -> None:
    names = [f"t{n}" for n in range(11)]
    sql.graph(
        "r AS SELECT 1",
        *(f"{name} AFTER r AS SELECT 1" for name in names),
        f"j AFTER {', '.join(names)} AS SELECT 1",
    )
    assert set(sql.run("r").values()) == {OK}
    assert len(sql.history()) == 13


def test_a_condition_may_end_in_a_comment(sql: Sql) -> None:
    sql.graph("r WHEN 1 = 1 -- always\n AS SELECT 1")
    assert sql.run("r") == {"R": OK}


def test_the_timeout_of_the_root_is_that_of_the_graph(sql: Sql) -> None:
    sql.graph(
        "r USER_TASK_TIMEOUT_MS = 400 AS SELECT 1",
        f"a AFTER r AS {SLOW}",
        "b AFTER a AS SELECT 1",
        "f FINALIZE = r AS SELECT 1",
    )
    assert sql.run("r") == {"R": OK, "A": FAILED, "F": OK}


def test_cancelling_one_task_leaves_the_others(sql: Sql) -> None:
    sql.graph("r AS SELECT 1", f"a AFTER r AS {SLOW}", "b AFTER r AS SELECT 1", "f FINALIZE = r AS SELECT 1")
    sql("EXECUTE TASK r")
    sql.until(lambda: sql.history(NAME="A", STATE="EXECUTING"))
    sql("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('a')")
    sql.settled()
    assert sql.states() == {"R": OK, "A": CANCELLED, "B": OK, "F": OK}
    assert sql("SELECT STATE FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())") == [{"STATE": CANCELLED}]


def test_executing_while_executing_keeps_the_latest_to_run_after(sql: Sql) -> None:
    sql.graph(f"r AS {SLOW}")
    sql("EXECUTE TASK r")
    sql.until(lambda: sql.history(STATE="EXECUTING"))
    sql("EXECUTE TASK r USING CONFIG = '{\"n\": 2}'")
    sql("EXECUTE TASK r USING CONFIG = '{\"n\": 3}'")
    assert [row["STATE"] for row in sql.history()] == ["EXECUTING", "SCHEDULED"]
    sql("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('r')")
    sql.until(lambda: sql.history(STATE="EXECUTING", CONFIG='{"n":3}'))
    sql("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('r')")
    sql.settled()
    assert [row["CONFIG"] for row in sql.history()] == [None, '{"n":3}']


def test_a_running_graph_keeps_its_version(sql: Sql) -> None:
    sql.graph(f"r AS {SLOW}", "a AFTER r AS SELECT 'old'")
    sql("ALTER TASK r MODIFY AS SELECT 1")
    sql("CREATE OR REPLACE TABLE gate (n INT)")
    sql("ALTER TASK r SET USER_TASK_TIMEOUT_MS = 60000")
    sql(
        "ALTER TASK r MODIFY AS SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 30000000)) a,"
        " TABLE(GENERATOR(ROWCOUNT => 30)) b"
    )
    sql("EXECUTE TASK r")
    sql.until(lambda: sql.history(NAME="R", STATE="EXECUTING"))
    sql("ALTER TASK a MODIFY AS SELECT 'new'")
    sql.settled()
    assert sql.history(NAME="A")[0]["QUERY_TEXT"] == "SELECT 'old'"
    sql("ALTER TASK r MODIFY AS SELECT 1")
    sql.run("r")
    old, new = sql.history(NAME="A")
    assert new["QUERY_TEXT"] == "SELECT 'new'"
    assert new["GRAPH_VERSION"] == old["GRAPH_VERSION"] + 1


def test_what_makes_another_version(sql: Sql) -> None:
    sql.graph("r SCHEDULE = '8 HOURS' AS SELECT 1", "a AFTER r AS SELECT 1")
    sql.run("r")
    for statement in ("r RESUME", "r SUSPEND"):
        sql(f"ALTER TASK {statement}")
        sql.run("r")
    sql("ALTER TASK a SUSPEND")
    sql.run("r")
    first, *same, last = [row["GRAPH_VERSION"] for row in sql.history(NAME="R", STATE=OK)]
    assert same == [first, first]
    assert last == first + 1


def test_the_times_of_an_attempt(sql: Sql) -> None:
    sql.graph("r TASK_AUTO_RETRY_ATTEMPTS = 1 AS SELECT 1", f"a AFTER r AS {FAIL}")
    sql.run("r")
    rows = sql.history()
    assert [(row["NAME"], row["ATTEMPT_NUMBER"]) for row in rows] == [("R", 1), ("A", 1), ("A", 2)]
    root, first, second = (row["SCHEDULED_TIME"] for row in rows)
    assert root == first < second
    assert {row["NEXT_SCHEDULED_TIME"] for row in rows} == {None}


def test_a_parameter_that_is_not_followed_fails_the_run(sql: Sql) -> None:
    sql.graph("r TRANSACTION_ABORT_ON_ERROR = TRUE AS SELECT 1")
    assert sql.run("r") == {"R": FAILED}
    assert "not emulated" in sql.history()[0]["ERROR_MESSAGE"]


def test_limits_of_the_schema_hold_for_tasks_that_set_none(sql: Sql) -> None:
    sql.graph("r SCHEDULE = '8 HOURS' AS SELECT 1", f"a AFTER r AS {FAIL}")
    place = sql("SELECT CURRENT_DATABASE() || '.' || CURRENT_SCHEMA() AS P")[0]["P"]
    sql(f"ALTER SCHEMA {place} SET SUSPEND_TASK_AFTER_NUM_FAILURES = 1 TASK_AUTO_RETRY_ATTEMPTS = 1")
    sql("ALTER TASK r RESUME")
    try:
        assert sql.run("r")["A"] == "FAILED_AND_AUTO_SUSPENDED"
        assert len([row for row in sql.history() if row["NAME"] == "A"]) == 2
        assert sql("DESCRIBE TASK r")[0]["state"] == "suspended"
    finally:
        sql(f"ALTER SCHEMA {place} UNSET SUSPEND_TASK_AFTER_NUM_FAILURES, TASK_AUTO_RETRY_ATTEMPTS")


def test_failures_in_a_row_suspend_the_root(sql: Sql) -> None:
    sql.graph(
        "r SCHEDULE = '8 HOURS' SUSPEND_TASK_AFTER_NUM_FAILURES = 2 AS SELECT 1", f"a AFTER r AS {FAIL}"
    )
    sql("ALTER TASK r RESUME")
    assert sql.run("r")["A"] == FAILED
    assert sql("DESCRIBE TASK r")[0]["state"] == "started"
    assert sql.run("r")["A"] == "FAILED_AND_AUTO_SUSPENDED"
    [root] = sql("DESCRIBE TASK r")
    assert (root["state"], root["last_suspended_reason"]) == ("suspended", "SUSPENDED_DUE_TO_ERRORS")


def test_failures_are_told_to_the_error_integration(sql: Sql) -> None:
    sql.graph("r ERROR_INTEGRATION = errs SUCCESS_INTEGRATION = oks AS SELECT 1", f"a AFTER r AS {FAIL}")
    sql.run("r")
    [sent] = sql("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS")
    message = json.loads(sent["MESSAGE"])
    assert (sent["SOURCE"], sent["INTEGRATION"]) == ("ERROR_INTEGRATION", "ERRS")
    assert (message["messageType"], message["taskName"]) == ("USER_TASK_FAILED", "SFML.PUBLIC.A")
    assert message["messages"][0]["errorMessage"] == sql.history(NAME="A")[0]["ERROR_MESSAGE"]
    sql("ALTER TASK a MODIFY AS SELECT 1")
    sql.run("r")
    last = sql("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS")[-1]
    assert (last["INTEGRATION"], json.loads(last["MESSAGE"])["messageType"]) == ("OKS", "GRAPH_SUCCEEDED")


def test_a_notification_with_values_of_the_run(sql: Sql) -> None:
    sql.graph(
        "r CONFIG = '{\"m\": \"CLV\"}' AS CALL SYSTEM$SET_RETURN_VALUE('0.3')",
        "n AFTER r AS CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION("
        "SNOWFLAKE.NOTIFICATION.TEXT_PLAIN('it''s ' || SYSTEM$GET_TASK_GRAPH_CONFIG('m') || ' '"
        " || SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R')), SNOWFLAKE.NOTIFICATION.INTEGRATION('alerts'))",
    )
    assert sql.run("r") == {"R": OK, "N": OK}
    [sent] = sql("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS")
    assert (sent["INTEGRATION"], sent["CONTENT_TYPE"], sent["MESSAGE"]) == (
        "alerts",
        "text/plain",
        "it's CLV 0.3",
    )
    assert sent["QUERY_ID"] == sql.history(NAME="N")[0]["QUERY_ID"]


LEAVES_A_RUN = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from asking import Sql
from sfml_local.core.account import Account
from sfml_local.registry import open_account
account = open_account(Path(sys.argv[1]))
account.start()
sql = Sql(account)
sql.graph("r AS {slow}", "f FINALIZE = r AS SELECT 1")
sql("EXECUTE TASK r")
sql("EXECUTE TASK r USING CONFIG = '{{\\"again\\": true}}'")
sql.until(lambda: sql.history(STATE="EXECUTING"))
{end}
"""


@pytest.mark.parametrize("end", ["account.close()", "import os; os.kill(os.getpid(), 9)"])
def test_a_run_that_the_server_left_is_failed_when_it_starts_again(folder: Path, end: str) -> None:
    code = LEAVES_A_RUN.format(slow=SLOW, end=end)
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", code, str(folder), here], timeout=60, check=False)
    account = open_account(folder)
    account.start()
    try:
        sql = Sql(account)
        sql.until(lambda: sql.history(NAME="R", CONFIG='{"again":true}', STATE="EXECUTING"))
        sql("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('r')")
        sql.settled()
        left, waited, finalizer = sql.history()
        assert (left["NAME"], left["STATE"]) == ("R", FAILED)
        assert "server ended while this task was running" in left["ERROR_MESSAGE"]
        assert (waited["NAME"], waited["STATE"]) == ("R", CANCELLED)
        assert (finalizer["NAME"], finalizer["STATE"]) == ("F", OK)
        graphs = sql("SELECT STATE FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS())")
        assert [graph["STATE"] for graph in graphs] == [CANCELLED, FAILED]
        assert [task["name"] for task in sql("SHOW TASKS")] == ["F", "R"]
    finally:
        account.close()


@pytest.mark.parametrize("body", ["{}", "EXECUTE IMMEDIATE $$BEGIN {}; END$$", "BEGIN {}; END"])
@pytest.mark.parametrize("command", ["PUT file:///no_such @transferred", "GET @transferred file:///tmp/"])
def test_a_task_cannot_transfer_files(sql: Sql, body: str, command: str) -> None:
    sql("CREATE OR REPLACE STAGE transferred")
    sql.graph(f"r AS {body.format(command)}")
    assert sql.run("r") == {"R": FAILED}
    [row] = sql.history(NAME="R")
    assert row["ERROR_CODE"] == 90236
    assert f"Unsupported statement type '{command[:3]}_FILES'" in row["ERROR_MESSAGE"]
