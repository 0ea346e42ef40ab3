"""A graph in SQL alone, run with a configuration and followed with the table functions, by the Python connector.

As https://docs.snowflake.com/en/user-guide/tasks-graphs writes them.
"""

import json
import time

import snowflake.connector
from snowflake.connector import DictCursor

GRAPH = (
    """
    CREATE OR REPLACE TASK nightly
      SCHEDULE = 'USING CRON 0 3 * * * Europe/Berlin'
      CONFIG = $${"rows": 10, "to": {"schema": "A"}}$$
      AS SELECT 1
    """,
    """
    CREATE OR REPLACE TASK load AFTER nightly
      AS CALL SYSTEM$SET_RETURN_VALUE(SYSTEM$GET_TASK_GRAPH_CONFIG('rows')::STRING)
    """,
    """
    CREATE OR REPLACE TASK check_rows AFTER load
      WHEN SYSTEM$GET_PREDECESSOR_RETURN_VALUE('LOAD') > 100
      AS SELECT 1
    """,
    """
    CREATE OR REPLACE TASK report AFTER load, check_rows
      WHEN SYSTEM$PREDECESSORS_STATE('NONE_FAILED_MIN_ONE_SUCCEEDED')
      AS
      BEGIN
        CREATE OR REPLACE TABLE reports (run STRING, rows_loaded INT);
        LET rows_loaded := SYSTEM$GET_PREDECESSOR_RETURN_VALUE('LOAD');
        INSERT INTO reports SELECT SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID'), :rows_loaded;
      END;
    """,
    """
    CREATE OR REPLACE TASK tidy FINALIZE = nightly
      AS CALL SYSTEM$SEND_EMAIL('mail', 'a@example.com', 'done', 'the graph has run')
    """,
)


def main() -> None:
    with snowflake.connector.connect(connection_name="local") as connection:
        cursor = connection.cursor(DictCursor)
        for statement in GRAPH:
            cursor.execute(statement)
        cursor.execute("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('nightly')")
        cursor.execute(
            "SELECT NAME, STATE FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS(TASK_NAME => 'nightly'))"
        )
        members = {row["NAME"]: row["STATE"] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT STATE FROM TABLE(INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS(ROOT_TASK_NAME => 'nightly'))"
        )
        scheduled = [row["STATE"] for row in cursor.fetchall()]
        cursor.execute("""EXECUTE TASK nightly USING CONFIG = '{"rows": 1000}'""")
        complete = "SELECT * FROM TABLE(INFORMATION_SCHEMA.COMPLETE_TASK_GRAPHS(ROOT_TASK_NAME => 'nightly'))"
        deadline = time.monotonic() + 60
        while not (graphs := cursor.execute(complete).fetchall()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        [graph] = graphs
        cursor.execute(
            "SELECT NAME, STATE, RETURN_VALUE FROM TABLE(SFML.INFORMATION_SCHEMA.TASK_HISTORY("
            f"ROOT_TASK_ID => '{graph['ROOT_TASK_ID']}', RESULT_LIMIT => 100,"
            " SCHEDULED_TIME_RANGE_START => DATEADD('hour', -1, CURRENT_TIMESTAMP()))) WHERE QUERY_ID IS NOT NULL"
        )
        rows = cursor.fetchall()
        assert graph["STATE"] == "SUCCEEDED", graph["FIRST_ERROR_MESSAGE"]
        reported = cursor.execute("SELECT * FROM reports").fetchall()
        mail = cursor.execute(
            "SELECT INTEGRATION, SUBJECT, RECIPIENTS FROM SNOWFLAKE.LOCAL.NOTIFICATIONS"
        ).fetchall()
        cursor.execute("ALTER TASK nightly SUSPEND")
        cursor.execute("SHOW TASKS ROOT ONLY")
        roots = [(row["name"], row["state"], row["last_suspended_reason"]) for row in cursor.fetchall()]
        print(
            json.dumps(
                {
                    "members": members,
                    "scheduled": scheduled,
                    "graph": [graph["STATE"], graph["SCHEDULED_FROM"], json.loads(graph["CONFIG"])],
                    "states": {row["NAME"]: row["STATE"] for row in rows},
                    "reported": [
                        row["RUN"] == graph["GRAPH_RUN_GROUP_ID"] and row["ROWS_LOADED"] for row in reported
                    ],
                    "mail": mail,
                    "roots": roots,
                }
            )
        )


if __name__ == "__main__":
    main()
