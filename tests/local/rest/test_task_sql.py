"""What SQL has and REST has not: forms of the statements, arguments of the table functions, settings of the server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from doors import Refused, Sql

from sfml_local.http.app import LocalServer

HISTORY = "SELECT * FROM TABLE({}.TASK_HISTORY({}))"
SHOWN = (
    *(
        "created_on",
        "name",
        "id",
        "database_name",
        "schema_name",
        "owner",
        "comment",
        "warehouse",
        "schedule",
    ),
    *("predecessors", "state", "definition", "condition", "allow_overlapping_execution", "error_integration"),
    *("last_committed_on", "last_suspended_on", "owner_role_type", "config", "task_relations"),
    *("last_suspended_reason", "success_integration", "scheduling_mode", "target_completion_interval"),
    *("execute_as_user", "overlap_policy", "created_by_user"),
)


def test_columns_of_show_and_describe(sql: Sql) -> None:
    sql.create("t")
    [shown], [described] = sql.query("SHOW TASKS"), sql.query("DESC TASK sfml.public.t")
    assert tuple(shown) == SHOWN
    assert shown == described


def test_scopes_of_show(sql: Sql) -> None:
    sql.create("t")

    def names(scope: str) -> list[str]:
        return [row["name"] for row in sql.query(f"SHOW TASKS LIKE 't' IN {scope}")]

    for scope in (
        "ACCOUNT",
        "DATABASE",
        "DATABASE sfml",
        "SCHEMA",
        "SCHEMA public",
        "SCHEMA sfml.public",
        "sfml.public",
    ):
        assert names(scope) == ["T"], scope
    for scope, what in (("DATABASE nope", "Database 'NOPE'"), ("SCHEMA sfml.nope", r"Schema 'SFML\.NOPE'")):
        with pytest.raises(Refused, match=f"{what} does not exist or not authorized"):
            names(scope)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("SET COMMENT = 'x', USER_TASK_TIMEOUT_MS = 5", {"comment": "x"}),
        ("SET SCHEDULE = '5 MINUTE'", {"schedule": "5 MINUTE"}),
        ("""SET CONFIG = $${"a": 1}$$""", {"config": '{"a": 1}'}),
        ("SET ALLOW_OVERLAPPING_EXECUTION = TRUE", {"overlap_policy": "ALLOW_CHILD_OVERLAP"}),
        ("SET WAREHOUSE = local_wh", {"warehouse": "LOCAL_WH"}),
        ("SET EXECUTE AS USER bob", {"execute_as_user": "BOB"}),
        (
            "SET ERROR_INTEGRATION = e SUCCESS_INTEGRATION = s",
            {"error_integration": "E", "success_integration": "S"},
        ),
        (
            "SET FINALIZE = r",
            {"task_relations": '{"FinalizedRootTask":"SFML.PUBLIC.R","Predecessors":[]}'},
        ),
        ("ADD AFTER r", {"predecessors": '["SFML.PUBLIC.R"]'}),
        ("ADD AFTER r, sfml.public.s", {"predecessors": '["SFML.PUBLIC.R", "SFML.PUBLIC.S"]'}),
        ("MODIFY AS SELECT 2", {"definition": "SELECT 2"}),
        ("MODIFY WHEN 1 = 2", {"condition": "1 = 2"}),
        ("REMOVE WHEN", {"condition": None}),
        ("UNSET COMMENT, SCHEDULE", {"comment": None, "schedule": None}),
        ("UNSET FINALIZE", {"state": "suspended"}),
        ("SET TAG cost = 'ml'", {"comment": None}),
        ("UNSET TAG cost", {"comment": None}),
        ("SUSPEND", {"state": "suspended"}),
        ("RESUME", {"state": "started"}),
    ],
)
def test_alter(sql: Sql, action: str, expected: dict[str, Any]) -> None:
    for name in ("r", "s", "t"):
        sql.create(name)
    sql.query(f"ALTER TASK IF EXISTS t {action}")
    [row] = sql.query("DESCRIBE TASK t")
    assert {key: row[key] or None for key in expected} == expected
    sql.query(f"ALTER TASK IF EXISTS nope {action}")
    with pytest.raises(Refused, match="does not exist or not authorized"):
        sql.query(f"ALTER TASK nope {action}")


def test_contacts_are_kept_by_purpose_and_go_with_the_task(sql: Sql) -> None:
    sql.query("CREATE TASK t WITH CONTACT (steward = c, support = d.s.e) AS SELECT 1")
    sql.query("ALTER TASK t SET CONTACT steward = other")
    sql.query("ALTER TASK t UNSET CONTACT support")
    shown = "SELECT PURPOSE, CONTACT FROM SNOWFLAKE.LOCAL.TASK_CONTACTS WHERE TASK_NAME = 'T'"
    [row] = sql.query(shown)
    assert row["PURPOSE"] == "STEWARD"
    assert row["CONTACT"].endswith(".OTHER")
    with pytest.raises(Refused, match="CONTACT is not supported in CREATE OR ALTER TASK"):
        sql.query("CREATE OR ALTER TASK t WITH CONTACT (steward = c) AS SELECT 1")
    sql.query("DROP TASK t")
    assert sql.query(shown) == []


def test_tag_references_of_a_task(sql: Sql) -> None:
    sql.query("CREATE TASK t WITH TAG (cost = 'ml', gov.tags.owner = 'me') AS SELECT 1")
    rows = sql.query("SELECT * FROM TABLE(INFORMATION_SCHEMA.TAG_REFERENCES('T', 'task')) ORDER BY TAG_NAME")
    assert [(row["TAG_NAME"], row["TAG_VALUE"], row["LEVEL"]) for row in rows] == [
        ("COST", "ml", "TASK"),
        ("OWNER", "me", "TASK"),
    ]


def test_execution_with_a_configuration_and_retries_of_a_group(sql: Sql) -> None:
    sql.create("r", config={"a": {"b": 1, "c": 2}}, definition="select no_such_column")
    sql.query("""EXECUTE TASK r USING CONFIG = $${"a": {"b": 5}, "d": 6}$$""")
    sql.settled("r")
    [first] = sql.history("r")
    assert json.loads(first["CONFIG"]) == {"a": {"b": 5, "c": 2}, "d": 6}
    sql.execute("r")
    sql.settled("r")
    sql.query(f"EXECUTE TASK r RETRY GRAPH RUN GROUP '{first['GRAPH_RUN_GROUP_ID']}'")
    sql.settled("r")
    of_group = [row for row in sql.history("r") if row["GRAPH_RUN_GROUP_ID"] == first["GRAPH_RUN_GROUP_ID"]]
    assert [(row["ATTEMPT_NUMBER"], row["SCHEDULED_FROM"]) for row in of_group] == [
        (2, "MANUAL RETRY"),
        (1, "EXECUTE TASK"),
    ]
    assert {json.loads(row["CONFIG"])["d"] for row in of_group} == {6}
    with pytest.raises(Refused, match="Cannot perform retry: Graph run group with ID nope not found"):
        sql.query("EXECUTE TASK r RETRY GRAPH RUN GROUP 'nope'")


def test_arguments_of_task_history(sql: Sql) -> None:
    sql.create("r")
    sql.create("bad", definition="select no_such_column")
    for name in ("r", "bad", "r"):
        sql.execute(name)
        sql.settled(name)
    ids = {name: sql.fetch(name)["id"] for name in ("r", "bad")}

    def names(arguments: str) -> list[str]:
        rows = sql.query(HISTORY.format("INFORMATION_SCHEMA", arguments))
        return [row["NAME"] for row in rows if row["ROOT_TASK_ID"] in ids.values()]

    assert names("") == names("RESULT_LIMIT => 100") == ["R", "BAD", "R"]
    assert names("RESULT_LIMIT => 1") == ["R"]
    assert (
        names("TASK_NAME => 'bad'")
        == names("TASK_NAME => 'BAD'")
        == names("ERROR_ONLY => TRUE")[:1]
        == ["BAD"]
    )
    assert names(f"ROOT_TASK_ID => '{ids['r']}'") == ["R", "R"]
    assert names("SCHEDULED_TIME_RANGE_START => DATEADD('hour', 1, CURRENT_TIMESTAMP())") == []
    assert names("SCHEDULED_TIME_RANGE_END => DATEADD('hour', -1, CURRENT_TIMESTAMP())") == []
    week = "SCHEDULED_TIME_RANGE_START => DATEADD('day', -7, CURRENT_TIMESTAMP())"
    assert names(f"{week}, SCHEDULED_TIME_RANGE_END => CURRENT_TIMESTAMP()") == ["R", "BAD", "R"]
    with pytest.raises(Refused, match="within the last 7 days"):
        names("SCHEDULED_TIME_RANGE_START => DATEADD('day', -8, CURRENT_TIMESTAMP())")
    for wrong in ("RESULT_LIMIT => -1", "RESULT_LIMIT => 10001", "NO_SUCH => 1"):
        with pytest.raises(Refused, match=r"RESULT_LIMIT|NO_SUCH"):
            names(wrong)


@pytest.mark.parametrize(
    "function", ["TASK_HISTORY", "CURRENT_TASK_GRAPHS", "COMPLETE_TASK_GRAPHS", "NOTIFICATION_HISTORY"]
)
def test_the_information_schema_of_any_database(sql: Sql, function: str) -> None:
    sql.query("CREATE DATABASE IF NOT EXISTS another")
    sql.query("USE SCHEMA sfml.public")
    for place in ("INFORMATION_SCHEMA", "sfml.information_schema", '"ANOTHER".INFORMATION_SCHEMA'):
        sql.query(f"SELECT * FROM TABLE({place}.{function}())")
    with pytest.raises(Refused, match="Database 'NOPE' does not exist"):
        sql.query(f"SELECT * FROM TABLE(nope.INFORMATION_SCHEMA.{function}())")
    for place in ("", "public.", "sfml.public."):
        with pytest.raises(Refused, match="Unknown user-defined table function"):
            sql.query(f"SELECT * FROM TABLE({place}{function}())")


def test_what_is_sent_stays_in_the_outbox(sql: Sql) -> None:
    sql.query(
        "CALL SYSTEM$SEND_EMAIL('mail', 'a@example.com, b@example.com', 'subject', '<b>body</b>', 'text/html')"
    )
    sql.query(
        "CALL SYSTEM$SEND_SNOWFLAKE_NOTIFICATION(SNOWFLAKE.NOTIFICATION.TEXT_PLAIN('hello'),"
        " SNOWFLAKE.NOTIFICATION.INTEGRATION('hook'))"
    )
    sent = sql.query("SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS ORDER BY NUMBER DESC LIMIT 2")
    assert [(row["INTEGRATION"], row["CONTENT_TYPE"], row["MESSAGE"]) for row in sent] == [
        ("hook", "text/plain", "hello"),
        ("mail", "text/html", "<b>body</b>"),
    ]
    with pytest.raises(Refused, match="none empty"):
        sql.query("CALL SYSTEM$SEND_EMAIL('mail', 'a@example.com', '', 'body')")


def test_waiting(sql: Sql) -> None:
    assert sql.query("CALL SYSTEM$WAIT(0)") == [{"SYSTEM$WAIT": "waited 0 seconds"}]
    assert sql.query("CALL SYSTEM$WAIT(5, 'MILLISECONDS')") == [{"SYSTEM$WAIT": "waited 5 milliseconds"}]
    for wrong in ("1, 'WEEKS'", "'x'", "-1", "1, 'SECONDS', 2"):
        with pytest.raises(Refused, match=r"SYSTEM\$WAIT"):
            sql.query(f"CALL SYSTEM$WAIT({wrong})")


def test_a_wait_ends_when_its_task_is_cancelled(sql: Sql) -> None:
    sql.create("r", definition="call system$wait(60)")
    sql.execute("r")
    sql.until(lambda: any(row["STATE"] == "EXECUTING" for row in sql.history("r")))
    sql.query("SELECT SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS('r')")
    sql.settled("r")
    assert [run.state for run in sql.runs("r", complete=True)] == ["CANCELLED"]


# -- warehouses and pools


def test_warehouses_and_pools_in_sql(sql: Sql) -> None:
    sql.query(
        "CREATE WAREHOUSE IF NOT EXISTS w1 WITH WAREHOUSE_SIZE = 'X-LARGE' AUTO_SUSPEND = 60 INITIALLY_SUSPENDED = TRUE"
    )
    [row] = sql.query("SHOW WAREHOUSES LIKE 'w1'")
    assert (row["size"], row["auto_suspend"], row["state"], row["is_current"]) == (
        "X-Large",
        "60",
        "SUSPENDED",
        "Y",
    )
    sql.query("ALTER WAREHOUSE w1 SET WAREHOUSE_SIZE = SMALL, COMMENT = 'x'")
    sql.query("ALTER WAREHOUSE w1 RESUME IF SUSPENDED")
    sql.query("ALTER WAREHOUSE w1 RENAME TO w2")
    [row] = sql.query("SHOW WAREHOUSES LIKE 'w2'")
    assert (row["size"], row["comment"], row["state"]) == ("Small", "x", "STARTED")
    sql.query("ALTER WAREHOUSE w2 UNSET COMMENT")
    assert sql.query("SHOW WAREHOUSES STARTS WITH 'W2'")[0]["comment"] == ""
    assert [row["name"] for row in sql.query("DESCRIBE WAREHOUSE w2")] == ["W2"]
    sql.query("DROP WAREHOUSE w2")
    sql.query("DROP WAREHOUSE IF EXISTS w2")
    sql.query("USE WAREHOUSE local_wh")
    sql.query("CREATE COMPUTE POOL p1 MIN_NODES = 1 MAX_NODES = 2 INSTANCE_FAMILY = CPU_X64_XS")
    assert sql.query("DESC COMPUTE POOL p1")[0]["max_nodes"] == "2"
    sql.query("ALTER COMPUTE POOL p1 SUSPEND")
    assert sql.query("SHOW COMPUTE POOLS LIKE 'p1'")[0]["state"] == "SUSPENDED"
    sql.query("DROP COMPUTE POOL p1")
    for wrong, sentence in (
        ("CREATE WAREHOUSE w WAREHOUSE_SIZE = HUGE", "WAREHOUSE_SIZE"),
        ("CREATE WAREHOUSE w COLOUR = 'red'", "invalid property 'COLOUR'"),
        ("CREATE WAREHOUSE local_wh", "already exists"),
        ("CREATE COMPUTE POOL p MIN_NODES = 1", "MAX_NODES"),
        ("ALTER WAREHOUSE nope SUSPEND", "does not exist"),
        ("DROP COMPUTE POOL nope", "does not exist"),
    ):
        with pytest.raises(Refused, match=sentence):
            sql.query(wrong)


def test_unknown_warehouses_are_taken_or_refused(
    sql: Sql, judged_server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql.create("t", warehouse="nobodys")
    monkeypatch.setattr(
        judged_server.account, "settings", replace(judged_server.account.settings, unknown_compute="refuse")
    )
    for statement in ("CREATE TASK u WAREHOUSE = other AS SELECT 1", "ALTER TASK t SET WAREHOUSE = other"):
        with pytest.raises(Refused, match=r"Nonexistent warehouse OTHER was specified\."):
            sql.query(statement)
    with pytest.raises(Refused, match="does not exist"):
        sql.query("USE WAREHOUSE other")
    assert sql.query("SHOW COMPUTE POOLS LIKE 'other'") == []
    sql.create("v", warehouse="LOCAL_WH")
    sql.query("ALTER TASK t SET COMMENT = 'what it had is left alone'")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE NETWORK POLICY p",
        "GRANT SELECT ON ALL PIPES IN SCHEMA s TO ROLE r",
        "CREATE ALERT a IF (EXISTS (SELECT 1)) THEN SELECT 1",
    ],
)
def test_what_is_not_emulated_is_named(sql: Sql, statement: str) -> None:
    with pytest.raises(Refused, match="not emulated by the local server") as refused:
        sql.query(statement)
    assert statement[:11] in refused.value.message
