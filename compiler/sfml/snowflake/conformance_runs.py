"""Scenarios about runs of task graphs; each names the entries of the evidence that it tests."""

from __future__ import annotations

from sfml.snowflake.conformance import Do, HasColumns, RefusedStatement, Scenario, ScenarioRun, Shows

_SHOW = "SHOW TASKS IN SCHEMA {schema}"
_NO_NUMBER = "SELECT TO_NUMBER('no number')"

RUNS = (
    Scenario(
        "versions_grow_with_changes",
        (
            "RESUME and EXECUTE fix a version of the whole graph; runs keep theirs",
            "GRAPH_VERSION grows only when something changed",
            "Executing a suspended root runs it without resuming it",
        ),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            ScenarioRun(
                "R", {"R": "SUCCEEDED"}, rows={"R": {"GRAPH_VERSION": 1, "SCHEDULED_FROM": "EXECUTE TASK"}}
            ),
            ScenarioRun("R", {"R": "SUCCEEDED"}, rows={"R": {"GRAPH_VERSION": 1}}),
            Do("ALTER TASK R MODIFY AS SELECT 2"),
            ScenarioRun("R", {"R": "SUCCEEDED"}, rows={"R": {"GRAPH_VERSION": 2, "QUERY_TEXT": "SELECT 2"}}),
            Shows(_SHOW, ({"name": "R", "state": "suspended"},)),
        ),
    ),
    Scenario(
        "a_failure_ends_what_is_below",
        (
            "A task runs when all its predecessors succeeded",
            "A task that never ran has no row in TASK_HISTORY",
        ),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do(f"CREATE TASK B{{wh}} AFTER R AS {_NO_NUMBER}"),
            Do("CREATE TASK J{wh} AFTER A, B AS SELECT 1"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "ABJ"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "SUCCEEDED", "B": "FAILED"}, graph="FAILED"),
        ),
    ),
    Scenario(
        "suspended_predecessors",
        (
            "A suspended predecessor counts as succeeded when another one is resumed",
            "A task whose predecessors are all suspended never runs",
        ),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do("CREATE TASK B{wh} AFTER R AS SELECT 1"),
            Do("CREATE TASK J{wh} AFTER A, B AS SELECT 1"),
            Do("CREATE TASK C{wh} AFTER B AS SELECT 1"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "AJC"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "SUCCEEDED", "J": "SUCCEEDED"}),
        ),
    ),
    Scenario(
        "a_false_condition_skips",
        ("WHEN false: SKIPPED, and nothing below runs, joins included",),
        (
            Do("CREATE TASK R{wh} AS CALL SYSTEM$SET_RETURN_VALUE('a')"),
            Do("CREATE TASK A{wh} AFTER R WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R') = 'a' AS SELECT 1"),
            Do("CREATE TASK B{wh} AFTER R WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R') = 'b' AS SELECT 1"),
            Do("CREATE TASK J{wh} AFTER A, B AS SELECT 1"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "ABJ"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "SUCCEEDED", "B": "SKIPPED"}),
        ),
    ),
    Scenario(
        "joins_after_a_branch",
        ("SYSTEM$PREDECESSORS_STATE replaces the default condition",),
        (
            Do("CREATE TASK R{wh} AS CALL SYSTEM$SET_RETURN_VALUE('a')"),
            Do("CREATE TASK A{wh} AFTER R WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R') = 'a' AS SELECT 1"),
            Do("CREATE TASK B{wh} AFTER R WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R') = 'b' AS SELECT 1"),
            Do(
                "CREATE TASK J{wh} AFTER A, B"
                " WHEN SYSTEM$PREDECESSORS_STATE('NONE_FAILED_MIN_ONE_SUCCEEDED') AS SELECT 1"
            ),
            Do("CREATE TASK K{wh} AFTER A, B WHEN SYSTEM$PREDECESSORS_STATE('ALL_SKIPPED') AS SELECT 1"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "ABJK"),
            ScenarioRun(
                "R", {"R": "SUCCEEDED", "A": "SUCCEEDED", "B": "SKIPPED", "J": "SUCCEEDED", "K": "SKIPPED"}
            ),
        ),
    ),
    Scenario(
        "a_task_after_a_failure",
        ("SYSTEM$TASK_COMPLETION_STATE replaces it too",),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do(f"CREATE TASK A{{wh}} AFTER R AS {_NO_NUMBER}"),
            Do("CREATE TASK B{wh} AFTER A WHEN SYSTEM$TASK_COMPLETION_STATE('A') = 'FAILED' AS SELECT 1"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "AB"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "FAILED", "B": "SUCCEEDED"}, graph="FAILED"),
        ),
    ),
    Scenario(
        "finalizers",
        (
            "The finalizer runs when nothing else runs or waits, in every attempt",
            "TASK_DEPENDENTS includes the finalizer",
        ),
        (
            Do(f"CREATE TASK R{{wh}} TASK_AUTO_RETRY_ATTEMPTS = 1 AS {_NO_NUMBER}"),
            Do("CREATE TASK F{wh} FINALIZE = R AS SELECT 1"),
            Do("ALTER TASK F RESUME"),
            Shows(
                "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS("
                "TASK_NAME => '{schema}.R', RECURSIVE => TRUE))",
                ({"NAME": "R"}, {"NAME": "F"}),
            ),
            ScenarioRun("R", {"R": "FAILED", "F": "SUCCEEDED"}, graph="FAILED", attempts=2),
        ),
    ),
    Scenario(
        "a_failed_finalizer",
        ("A failed finalizer fails the graph",),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do(f"CREATE TASK F{{wh}} FINALIZE = R AS {_NO_NUMBER}"),
            Do("ALTER TASK F RESUME"),
            ScenarioRun("R", {"R": "SUCCEEDED", "F": "FAILED"}, graph="FAILED"),
        ),
    ),
    Scenario(
        "configuration_is_merged",
        ("USING CONFIG merges objects at every depth, for one run",),
        (
            Do(
                'CREATE TASK R{wh} CONFIG = \'{"a": {"x": "1", "y": "2"}, "b": "3"}\' AS CALL SYSTEM$SET_RETURN_VALUE('
                "SYSTEM$GET_TASK_GRAPH_CONFIG('a.x') || SYSTEM$GET_TASK_GRAPH_CONFIG('a.y')"
                " || SYSTEM$GET_TASK_GRAPH_CONFIG('b'))"
            ),
            ScenarioRun("R", {"R": "SUCCEEDED"}, rows={"R": {"RETURN_VALUE": "123"}}),
            ScenarioRun(
                "R",
                {"R": "SUCCEEDED"},
                how='USING CONFIG = \'{"a": {"y": "9"}}\'',
                rows={"R": {"RETURN_VALUE": "193"}},
            ),
            ScenarioRun("R", {"R": "SUCCEEDED"}, rows={"R": {"RETURN_VALUE": "123"}}),
        ),
    ),
    Scenario(
        "return_values_of_ancestors",
        (
            "Values of all ancestors can be read; 091451 for other or suspended tasks",
            "An ancestor that set nothing or was skipped reads as NULL",
        ),
        (
            Do("CREATE TASK R{wh} AS CALL SYSTEM$SET_RETURN_VALUE('of the root')"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do(
                "CREATE TASK B{wh} AFTER A AS CALL SYSTEM$SET_RETURN_VALUE("
                "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R') || ' '"
                " || COALESCE(SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A'), 'nothing'))"
            ),
            Do("CREATE TASK C{wh} AFTER R AS SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('A')"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "ABC"),
            ScenarioRun(
                "R",
                {"R": "SUCCEEDED", "A": "SUCCEEDED", "B": "SUCCEEDED", "C": "FAILED"},
                graph="FAILED",
                rows={"B": {"RETURN_VALUE": "of the root nothing"}, "C": {"ERROR_CODE": "91451"}},
            ),
        ),
    ),
    Scenario(
        "a_finalizer_reads_no_values",
        ("A finalizer has no ancestors to read",),
        (
            Do("CREATE TASK R{wh} AS CALL SYSTEM$SET_RETURN_VALUE('x')"),
            Do("CREATE TASK F{wh} FINALIZE = R AS SELECT SYSTEM$GET_PREDECESSOR_RETURN_VALUE('R')"),
            Do("ALTER TASK F RESUME"),
            ScenarioRun(
                "R", {"R": "SUCCEEDED", "F": "FAILED"}, graph="FAILED", rows={"F": {"ERROR_CODE": "91451"}}
            ),
        ),
    ),
    Scenario(
        "long_return_values",
        ("At most 10,000 bytes of UTF-8",),
        (
            Do("CREATE TASK R{wh} AS CALL SYSTEM$SET_RETURN_VALUE(REPEAT('x', 10000))"),
            ScenarioRun("R", {"R": "SUCCEEDED"}),
            Do("CREATE OR REPLACE TASK R{wh} AS CALL SYSTEM$SET_RETURN_VALUE(REPEAT('x', 10001))"),
            ScenarioRun("R", {"R": "FAILED"}, graph="FAILED"),
        ),
    ),
    Scenario(
        "retries",
        (
            "A retry runs failed and cancelled tasks and those below, in the same run group",
            "A modified graph, or one older than 14 days, is not retried",
        ),
        (
            Do("CREATE TABLE T AS SELECT 'no number' AS V"),
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT TO_NUMBER(V) FROM T"),
            Do("CREATE TASK B{wh} AFTER A AS SELECT 1"),
            *(Do(f"ALTER TASK {name} RESUME") for name in "AB"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "FAILED"}, graph="FAILED"),
            Do("UPDATE T SET V = '1'"),
            ScenarioRun(
                "R",
                {"A": "SUCCEEDED", "B": "SUCCEEDED"},
                how="RETRY LAST",
                rows={"A": {"ATTEMPT_NUMBER": 2}, "B": {"ATTEMPT_NUMBER": 2}},
            ),
            Do("UPDATE T SET V = 'no number'"),
            RefusedStatement("EXECUTE TASK R RETRY LAST", "graph with root task R had no failures"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "FAILED"}, graph="FAILED"),
            Do("ALTER TASK B MODIFY AS SELECT 2"),
            RefusedStatement("EXECUTE TASK R RETRY LAST", "Cannot perform retry"),
        ),
    ),
    Scenario(
        "failures_suspend_the_root",
        ("N failures in a row of one task suspend the root; suspending resets",),
        (
            Do(
                "CREATE TASK R{wh} SCHEDULE = 'USING CRON 0 3 1 1 * UTC'"
                f" SUSPEND_TASK_AFTER_NUM_FAILURES = 2 AS {_NO_NUMBER}"
            ),
            Do("ALTER TASK R RESUME"),
            ScenarioRun("R", {"R": "FAILED"}, graph="FAILED"),
            Shows(_SHOW, ({"name": "R", "state": "started"},)),
            ScenarioRun("R", {"R": "FAILED_AND_AUTO_SUSPENDED"}, graph="FAILED"),
            Shows(
                _SHOW,
                ({"name": "R", "state": "suspended", "last_suspended_reason": "SUSPENDED_DUE_TO_ERRORS"},),
            ),
        ),
    ),
    Scenario(
        "timeouts",
        ("A timed-out run is FAILED", "Its code and sentence are those of a statement's timeout (000630)"),
        (
            Do("CREATE TASK R{wh} USER_TASK_TIMEOUT_MS = 1000 AS CALL SYSTEM$WAIT(30)"),
            ScenarioRun("R", {"R": "FAILED"}, graph="FAILED", rows={"R": {"ERROR_CODE": "630"}}),
        ),
    ),
    Scenario(
        "columns_of_the_history",
        ("Arguments and order of the table functions; columns of TASK_HISTORY",),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            ScenarioRun("R", {"R": "SUCCEEDED"}),
            HasColumns(
                "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => 'R', RESULT_LIMIT => 1))",
                (
                    *(
                        "QUERY_ID",
                        "NAME",
                        "DATABASE_NAME",
                        "SCHEMA_NAME",
                        "QUERY_TEXT",
                        "CONDITION_TEXT",
                        "STATE",
                    ),
                    *(
                        "ERROR_CODE",
                        "ERROR_MESSAGE",
                        "SCHEDULED_TIME",
                        "QUERY_START_TIME",
                        "NEXT_SCHEDULED_TIME",
                    ),
                    *("COMPLETED_TIME", "ROOT_TASK_ID", "GRAPH_VERSION", "RUN_ID", "RETURN_VALUE"),
                    *("SCHEDULED_FROM", "ATTEMPT_NUMBER", "CONFIG", "GRAPH_RUN_GROUP_ID"),
                ),
            ),
        ),
    ),
)
