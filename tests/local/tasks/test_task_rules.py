"""What the account refuses about tasks, in Snowflake's sentences."""

from __future__ import annotations

import re

import pytest
from asking import Sql

from sfml_local.core.errors import SqlError

NOT_SUSPENDED = "Unable to update graph with root task SFML.PUBLIC.R since that root task is not suspended."


@pytest.fixture
def graph(sql: Sql) -> Sql:
    """r → a → b, with finalizer f; another root o."""
    sql.graph(
        "r SCHEDULE = '8 HOURS' AS SELECT 1",
        "a AFTER r AS SELECT 1",
        "b AFTER a AS SELECT 1",
        "f FINALIZE = r AS SELECT 1",
    )
    sql("CREATE TASK o AS SELECT 1")
    return sql


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("CREATE TASK r AS SELECT 1", "Object 'SFML.PUBLIC.R' already exists."),
        ("CREATE TASK x AFTER nope AS SELECT 1", "Invalid predecessor NOPE was specified."),
        (
            "CREATE TASK x AFTER other.r AS SELECT 1",
            "Invalid predecessor OTHER.R was specified.",
        ),
        ("CREATE TASK x AFTER x AS SELECT 1", "Task X cannot use itself as its predecessor."),
        ("CREATE TASK x AFTER f AS SELECT 1", "Task SFML.PUBLIC.F cannot have children as a finalizer task."),
        (
            "CREATE TASK x SCHEDULE = '1 HOUR' AFTER r AS SELECT 1",
            "Task X cannot have both a schedule and a predecessor.",
        ),
        (
            "CREATE TASK x CONFIG = '{}' AFTER r AS SELECT 1",
            "Task SFML.PUBLIC.X cannot both be a non-root task and have a config.",
        ),
        ("CREATE TASK x CONFIG = '[1]' AS SELECT 1", "Invalid config. Must be a string representation"),
        ("CREATE TASK x FINALIZE = r AS SELECT 1", "Finalize target R already have finalizer."),
        (
            "CREATE TASK x FINALIZE = nope AS SELECT 1",
            "Invalid finalized root task NOPE was specified.",
        ),
        (
            "CREATE TASK x FINALIZE = a AS SELECT 1",
            "Task SFML.PUBLIC.X cannot finalize a non-root task SFML.PUBLIC.A.",
        ),
        (
            "CREATE TASK x FINALIZE = o SCHEDULE = '1 HOUR' AS SELECT 1",
            "Task X cannot have a schedule and be a finalizer task.",
        ),
        ("ALTER TASK r ADD AFTER o", "Task R cannot have both a schedule and a predecessor."),
        ("ALTER TASK a REMOVE AFTER b", "Task A does not have predecessor B."),
        (
            "ALTER TASK a SET OVERLAP_POLICY = NO_OVERLAP",
            "Cannot set overlap policy on non-root task SFML.PUBLIC.A.",
        ),
        (
            "ALTER TASK a SET ALLOW_OVERLAPPING_EXECUTION = TRUE",
            "Cannot set allow_overlapping_execution on non-root task SFML.PUBLIC.A.",
        ),
        (
            "ALTER TASK a SET TASK_AUTO_RETRY_ATTEMPTS = 1",
            "Cannot set parameter TASK_AUTO_RETRY_ATTEMPTS on non-root task A.",
        ),
        ("EXECUTE TASK a", "Execute task cannot be called on non-root task SFML.PUBLIC.A."),
        ("EXECUTE TASK o USING CONFIG = '1'", "Invalid config."),
        (
            "ALTER TASK o SET AUTOCOMMIT = FALSE",
            "The parameter AUTOCOMMIT = false is not supported with Tasks.",
        ),
        ("ALTER TASK o SET SEARCH_PATH = 'x'", "The parameter SEARCH_PATH is not supported with Tasks."),
        (
            "ALTER TASK o SET USER_TASK_TIMEOUT_MS = 9999999999",
            "invalid value [9,999,999,999] for parameter 'USER_TASK_TIMEOUT_MS'",
        ),
        (
            "CREATE TASK x WAREHOUSE = w SERVERLESS_TASK_MIN_STATEMENT_SIZE = SMALL AS SELECT 1",
            "Cannot set SERVERLESS_TASK_MIN_STATEMENT_SIZE on a non-serverless task.",
        ),
        (
            "CREATE TASK x SERVERLESS_TASK_MIN_STATEMENT_SIZE = LARGE"
            " SERVERLESS_TASK_MAX_STATEMENT_SIZE = SMALL AS SELECT 1",
            "SERVERLESS_TASK_MIN_STATEMENT_SIZE (LARGE) cannot be greater than "
            "SERVERLESS_TASK_MAX_STATEMENT_SIZE (SMALL).",
        ),
        ("CREATE TASK x SCHEDULE = '5 SECONDS' AS SELECT 1", "Cannot set schedule less than 10 seconds."),
        ("CREATE TASK nowhere.x AS SELECT 1", "Schema 'SFML.NOWHERE' does not exist or not authorized."),
        ("DROP TASK nope", "Task 'SFML.PUBLIC.NOPE' does not exist or not authorized."),
        ("DESCRIBE TASK nope", "Task 'SFML.PUBLIC.NOPE' does not exist or not authorized."),
        ("CREATE OR ALTER TASK x WITH CONTACT (steward = c) AS SELECT 1", "CONTACT is not supported"),
    ],
)
def test_refusals(graph: Sql, statement: str, sentence: str) -> None:
    before = graph("SHOW TASKS")
    with pytest.raises(SqlError, match=re.escape(sentence)):
        graph(statement)
    assert graph("SHOW TASKS") == before


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TASK r SET COMMENT = 'x'",
        "ALTER TASK a SET COMMENT = 'x'",
        "ALTER TASK b MODIFY AS SELECT 2",
        "ALTER TASK f MODIFY WHEN 1 = 1",
        "ALTER TASK a SUSPEND",
        "ALTER TASK f SUSPEND",
        "ALTER TASK b REMOVE AFTER a",
        "ALTER TASK f UNSET FINALIZE",
        "ALTER TASK o ADD AFTER b",
        "CREATE TASK x AFTER b AS SELECT 1",
        "CREATE OR REPLACE TASK a AFTER r AS SELECT 1",
        "CREATE OR ALTER TASK a AFTER r AS SELECT 2",
        "DROP TASK a",
        "DROP TASK f",
        "DROP TASK r",
    ],
)
def test_nothing_changes_under_a_started_root(graph: Sql, statement: str) -> None:
    graph("ALTER TASK r RESUME")
    with pytest.raises(SqlError, match=re.escape(NOT_SUSPENDED)) as refused:
        graph(statement)
    assert (refused.value.errno, refused.value.sqlstate) == (91421, "22000")


def test_cycles_pass_until_the_root_is_resumed(graph: Sql) -> None:
    graph("ALTER TASK a ADD AFTER b")
    with pytest.raises(SqlError, match="Graph has at least one cycle containing task"):
        graph("ALTER TASK r RESUME")
    with pytest.raises(SqlError, match="Graph has at least one cycle containing task"):
        graph("EXECUTE TASK r")


def test_second_roots_pass_until_the_root_is_resumed(graph: Sql) -> None:
    graph("ALTER TASK b ADD AFTER o")
    with pytest.raises(SqlError, match="The graph has more than one root task"):
        graph("ALTER TASK r RESUME")


def test_dropping_a_task_makes_roots_of_those_below(graph: Sql) -> None:
    graph("DROP TASK a")
    [b] = graph("SHOW TASKS LIKE 'B'")
    assert (b["state"], b["last_suspended_reason"], b["predecessors"]) == (
        "suspended",
        "CHILD_BECAME_ROOT",
        "[]",
    )
    graph("DROP TASK r")
    [f] = graph("SHOW TASKS LIKE 'F'")
    assert (f["state"], f["last_suspended_reason"]) == ("suspended", "FINALIZER_BECAME_ROOT")


def test_replacing_gives_a_new_id_and_the_first_version(graph: Sql) -> None:
    graph("ALTER TASK o RESUME")
    graph("ALTER TASK o SUSPEND")
    old = graph("DESCRIBE TASK o")[0]
    graph("CREATE OR REPLACE TASK o AS SELECT 2")
    new = graph("DESCRIBE TASK o")[0]
    assert old["id"] != new["id"]
    assert (old["last_suspended_reason"], new["last_suspended_reason"]) == ("USER_SUSPENDED", None)


def test_create_or_alter_keeps_identity_and_forgets_what_it_does_not_say(graph: Sql) -> None:
    graph("ALTER TASK o SET COMMENT = 'x', USER_TASK_TIMEOUT_MS = 5, QUERY_TAG = 't'")
    old = graph("DESCRIBE TASK o")[0]
    graph("CREATE OR ALTER TASK o WAREHOUSE = w AS SELECT 2")
    new = graph("DESCRIBE TASK o")[0]
    assert (new["id"], new["comment"], new["warehouse"], new["definition"]) == (
        old["id"],
        None,
        "W",
        "SELECT 2",
    )
    assert graph("SHOW PARAMETERS LIKE 'USER_TASK_TIMEOUT_MS' IN TASK o")[0]["level"] == ""


def test_set_and_unset(graph: Sql) -> None:
    graph(
        "ALTER TASK o SET COMMENT = 'x' WAREHOUSE = w, QUERY_TAG = 't' OVERLAP_POLICY = ALLOW_CHILD_OVERLAP"
    )
    graph("ALTER TASK o MODIFY WHEN 1 = 2")
    row = graph("DESCRIBE TASK o")[0]
    assert (row["comment"], row["warehouse"], row["condition"]) == ("x", "W", "1 = 2")
    assert (row["overlap_policy"], row["allow_overlapping_execution"]) == ("ALLOW_CHILD_OVERLAP", "true")
    graph("ALTER TASK o UNSET COMMENT, WAREHOUSE, QUERY_TAG, ALLOW_OVERLAPPING_EXECUTION")
    graph("ALTER TASK o REMOVE WHEN")
    row = graph("DESCRIBE TASK o")[0]
    assert (row["comment"], row["warehouse"], row["condition"]) == (None, None, None)
    assert row["overlap_policy"] == "NO_OVERLAP"
    assert graph("SHOW PARAMETERS LIKE 'QUERY_TAG' IN TASK o")[0]["level"] == ""


def test_show_filters(graph: Sql) -> None:
    def names(what: str) -> list[str]:
        return [row["name"] for row in graph(f"SHOW TASKS {what}")]

    assert names("") == ["A", "B", "F", "O", "R"]
    assert names("LIKE 'a'") == ["A"]
    assert names("IN SCHEMA sfml.public ROOT ONLY") == ["O", "R"]
    assert names("IN ACCOUNT STARTS WITH 'R'") == ["R"]
    assert names("LIMIT 2") == ["A", "B"]
    assert names("LIMIT 2 FROM 'B'") == ["F", "O"]


def test_relations_are_shown(graph: Sql) -> None:
    rows = {row["name"]: row for row in graph("SHOW TASKS")}
    assert rows["R"]["task_relations"] == '{"Predecessors":[],"FinalizerTask":"SFML.PUBLIC.F"}'
    assert rows["F"]["task_relations"] == '{"FinalizedRootTask":"SFML.PUBLIC.R","Predecessors":[]}'
    assert rows["B"]["predecessors"] == '["SFML.PUBLIC.A"]'


def test_the_whole_graph_is_enabled_at_once(graph: Sql) -> None:
    graph("ALTER TASK a SUSPEND")
    graph("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('r')")
    assert {row["name"]: row["state"] for row in graph("SHOW TASKS")} == {
        "A": "started",
        "B": "started",
        "F": "started",
        "O": "suspended",
        "R": "started",
    }


def test_dependents_begin_with_the_task_and_hold_the_finalizer(graph: Sql) -> None:
    def names(arguments: str) -> list[str]:
        rows = graph(f"SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS({arguments}))")
        return [row["NAME"] for row in rows]

    assert names("TASK_NAME => 'sfml.public.r'") == ["R", "A", "B", "F"]
    assert names("TASK_NAME => 'r', RECURSIVE => FALSE") == ["R", "A", "F"]
    assert names("'a'") == ["A", "B"]


@pytest.mark.parametrize(
    "call",
    [
        "SYSTEM$SET_RETURN_VALUE('x')",
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('X')",
        "SYSTEM$GET_TASK_GRAPH_CONFIG('x')",
        "SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_NAME')",
        "SYSTEM$CURRENT_USER_TASK_NAME()",
        "SYSTEM$PREDECESSORS_STATE('ALL_DONE')",
        "SYSTEM$TASK_COMPLETION_STATE('X')",
    ],
)
def test_task_functions_belong_in_tasks(sql: Sql, call: str) -> None:
    name = call.partition("(")[0]
    for statement in (f"SELECT {call}", f"CALL {call}"):
        with pytest.raises(SqlError, match=re.escape(f"Function {name} must be called from within a task.")):
            sql(statement)


def test_a_child_may_say_that_it_does_not_overlap(graph: Sql) -> None:
    graph("ALTER TASK a SET ALLOW_OVERLAPPING_EXECUTION = FALSE")
    graph("CREATE TASK z ALLOW_OVERLAPPING_EXECUTION = FALSE AFTER r AS SELECT 1")
    assert graph("DESCRIBE TASK a")[0]["overlap_policy"] is None


def test_a_task_with_a_completion_interval_takes_no_warehouse(graph: Sql) -> None:
    graph(
        "CREATE TASK s USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'SMALL'"
        " TARGET_COMPLETION_INTERVAL = '10 MINUTES' AS SELECT 1"
    )
    with pytest.raises(SqlError) as refusal:
        graph("ALTER TASK s SET WAREHOUSE = w")
    assert (refusal.value.code, refusal.value.sqlstate) == ("091857", "42601")
    assert refusal.value.message == "TARGET_COMPLETION_INTERVAL is only allowed for serverless Tasks."
    graph("ALTER TASK s UNSET TARGET_COMPLETION_INTERVAL, USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE")
    graph("ALTER TASK s SET WAREHOUSE = w")


def test_terse_tasks_have_the_documented_columns(graph: Sql) -> None:
    row = graph("SHOW TERSE TASKS LIKE 'R'")[0]
    assert list(row) == ["created_on", "name", "kind", "database_name", "schema_name", "schedule"]
    assert (row["name"], row["kind"], row["schema_name"]) == ("R", None, "PUBLIC")


def test_what_never_failed_cannot_be_retried(graph: Sql) -> None:
    graph("CREATE TASK well AS SELECT 1")
    with pytest.raises(SqlError, match="no suitable run of graph with root task WELL to retry") as never:
        graph("EXECUTE TASK well RETRY LAST")
    graph.run("well")
    with pytest.raises(SqlError, match="graph with root task WELL had no failures") as succeeded:
        graph("EXECUTE TASK well RETRY LAST")
    assert (never.value.code, succeeded.value.code) == ("091457", "091456")
