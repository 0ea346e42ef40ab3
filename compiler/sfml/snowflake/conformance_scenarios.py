"""Scenarios about creating and changing tasks, and the list of all scenarios; each names entries of the evidence."""

from __future__ import annotations

from sfml.snowflake.conformance import (
    Do,
    HasColumns,
    Put,
    RefusedStatement,
    Replaces,
    Scenario,
    ScenarioRun,
    Shows,
)
from sfml.snowflake.conformance_dynamic_tables import DYNAMIC_TABLES
from sfml.snowflake.conformance_runs import RUNS

SENTENCES = "Sentences of the other refusals"
CODES = "Codes of the other refusals (001008)"

_SHOW = "SHOW TASKS IN SCHEMA {schema}"

DDL = (
    Scenario(
        "new_tasks_are_suspended",
        ("A new, cloned or replaced task is suspended",),
        (
            Do("CREATE TASK R{wh} SCHEDULE = 'USING CRON 0 3 1 1 * UTC' AS SELECT 1"),
            Shows(_SHOW, ({"name": "R", "state": "suspended", "last_suspended_on": None},)),
            Do("ALTER TASK R RESUME"),
            Shows(_SHOW, ({"name": "R", "state": "started"},)),
            Do("ALTER TASK R SUSPEND"),
            Do("CREATE OR REPLACE TASK R{wh} AS SELECT 1"),
            Shows(_SHOW, ({"name": "R", "state": "suspended", "schedule": None},)),
        ),
    ),
    Scenario(
        "replacing_gives_a_new_id",
        (
            "OR REPLACE gives a new id and restarts GRAPH_VERSION at 1",
            "Replacing a task keeps the links of its children and finalizer",
        ),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do("ALTER TASK A RESUME"),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "SUCCEEDED"}, rows={"R": {"GRAPH_VERSION": 1}}),
            Replaces(
                "CREATE OR REPLACE TASK R{wh} AS SELECT 2", "SHOW TASKS LIKE 'R' IN SCHEMA {schema}", "id"
            ),
            ScenarioRun("R", {"R": "SUCCEEDED", "A": "SUCCEEDED"}, rows={"R": {"GRAPH_VERSION": 1}}),
        ),
    ),
    Scenario(
        "create_or_alter_resets",
        ("CREATE OR ALTER sets what it does not name back to its default",),
        (
            Do("CREATE TASK R{wh} CONFIG = '{\"k\": 1}' COMMENT = 'c' WHEN TRUE AS SELECT 1"),
            Do("CREATE OR ALTER TASK R{wh} AS SELECT 2"),
            Shows(_SHOW, ({"definition": "SELECT 2", "config": None, "comment": None, "condition": None},)),
        ),
    ),
    Scenario(
        "a_started_root_guards_its_graph",
        ("Nothing in a graph changes while its root is started (091421)",),
        (
            Do("CREATE TASK R{wh} SCHEDULE = 'USING CRON 0 3 1 1 * UTC' AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do("ALTER TASK R RESUME"),
            *(
                RefusedStatement(
                    statement,
                    "Unable to update graph with root task {schema}.R since that root task is not suspended.",
                    91421,
                )
                for statement in (
                    "CREATE TASK B{wh} AFTER R AS SELECT 1",
                    "ALTER TASK A RESUME",
                    "ALTER TASK A MODIFY AS SELECT 2",
                    "ALTER TASK A REMOVE AFTER R",
                    "CREATE OR REPLACE TASK A{wh} AFTER R AS SELECT 1",
                )
            ),
        ),
    ),
    Scenario(
        "roots_children_and_finalizers_exclude_settings",
        (SENTENCES, CODES),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK F{wh} FINALIZE = R AS SELECT 1"),
            RefusedStatement("CREATE TASK G{wh} FINALIZE = R AS SELECT 1", "already have finalizer", 1008),
            RefusedStatement("CREATE TASK A{wh} AFTER ABSENT AS SELECT 1", "Invalid predecessor", 91085),
            RefusedStatement(
                "CREATE TASK A{wh} FINALIZE = ABSENT AS SELECT 1", "Invalid finalized root task", 1008
            ),
            RefusedStatement(
                "CREATE TASK A{wh} AFTER F AS SELECT 1", "cannot have children as a finalizer task", 1008
            ),
            RefusedStatement(
                "CREATE TASK A{wh} CONFIG = '{\"k\": 1}' AFTER R AS SELECT 1", "and have a config", 1008
            ),
            RefusedStatement(
                "CREATE TASK A{wh} SCHEDULE = '1 HOUR' AFTER R AS SELECT 1",
                "cannot have both a schedule and a predecessor",
                1008,
            ),
            RefusedStatement(
                "CREATE TASK A{wh} TASK_AUTO_RETRY_ATTEMPTS = 1 AFTER R AS SELECT 1",
                "Cannot set parameter TASK_AUTO_RETRY_ATTEMPTS on non-root task",
                1008,
            ),
            RefusedStatement("CREATE TASK A{wh} CONFIG = 'no' AS SELECT 1", "Invalid config.", 1008),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            RefusedStatement("ALTER TASK A REMOVE AFTER F", "does not have predecessor", 1008),
            RefusedStatement("EXECUTE TASK A", "Execute task cannot be called on non-root task", 91435),
        ),
    ),
    Scenario(
        "cycles_are_found_at_resume",
        ("Cycles and second roots pass the DDL and are refused at RESUME",),
        (
            Do("CREATE TASK R{wh} SCHEDULE = 'USING CRON 0 3 1 1 * UTC' AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do("CREATE TASK B{wh} AFTER A AS SELECT 1"),
            Do("ALTER TASK A ADD AFTER B"),
            RefusedStatement("ALTER TASK R RESUME", "Graph has at least one cycle containing task"),
        ),
    ),
    Scenario(
        "cycles_are_found_at_execute",
        ("EXECUTE TASK refuses cycles and second roots too",),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK OTHER{wh} AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R, OTHER AS SELECT 1"),
            RefusedStatement("EXECUTE TASK R", "more than one root task"),
        ),
    ),
    Scenario(
        "a_started_root_is_not_dropped",
        ("A started root with children or a finalizer cannot be dropped",),
        (
            Do("CREATE TASK R{wh} SCHEDULE = 'USING CRON 0 3 1 1 * UTC' AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do("ALTER TASK R RESUME"),
            RefusedStatement("DROP TASK R", "not suspended"),
        ),
    ),
    Scenario(
        "orphans_become_roots",
        ("Tasks that lose all predecessors become suspended roots, with a reason",),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            Do("CREATE TASK A{wh} AFTER R AS SELECT 1"),
            Do("ALTER TASK A RESUME"),
            Do("ALTER TASK A REMOVE AFTER R"),
            Shows(
                "SHOW TASKS LIKE 'A' IN SCHEMA {schema}",
                ({"state": "suspended", "predecessors": "[]", "last_suspended_reason": "CHILD_BECAME_ROOT"},),
            ),
        ),
    ),
    Scenario(
        "schedules_that_are_refused",
        (
            "Five cron fields and a region's time zone; what else is refused",
            "An interval counts from RESUME or SET SCHEDULE, 10 seconds to 8 days",
        ),
        (
            *(
                RefusedStatement(f"CREATE TASK R{{wh}} SCHEDULE = '{schedule}' AS SELECT 1", says)
                for schedule, says in (
                    ("USING CRON * * * * * * UTC", "Invalid schedule was specified."),
                    ("USING CRON 0 3 * * 7 UTC", "Invalid schedule was specified."),
                    ("USING CRON 0 3 * * * PST", "not a recognized time zone"),
                    ("1 DAY", "Invalid schedule was specified."),
                    ("9 SECONDS", "Cannot set schedule less than 10 seconds."),
                    ("11521 MINUTES", "Cannot set schedule greater than 11,520 minutes."),
                )
            ),
            Do("CREATE TASK R{wh} SCHEDULE = 'USING CRON 0 3 * * 1-5 Europe/Berlin' AS SELECT 1"),
            Shows(_SHOW, ({"schedule": "USING CRON 0 3 * * 1-5 Europe/Berlin"},)),
        ),
    ),
    Scenario(
        "columns_of_show_tasks",
        ("Columns of SHOW TASKS",),
        (
            Do("CREATE TASK R{wh} AS SELECT 1"),
            HasColumns(
                _SHOW,
                (
                    *(
                        "created_on",
                        "name",
                        "id",
                        "database_name",
                        "schema_name",
                        "owner",
                        "comment",
                        "warehouse",
                    ),
                    *("schedule", "predecessors", "state", "definition", "condition", "error_integration"),
                    *("allow_overlapping_execution", "last_committed_on", "last_suspended_on", "config"),
                    *("owner_role_type", "task_relations", "last_suspended_reason", "success_integration"),
                ),
            ),
        ),
    ),
    Scenario(
        "create_or_alter_over_rest",
        ("Paths, options, bodies and statuses",),
        (
            Put(
                "R",
                {"definition": "SELECT 1", "comment": "c", "config": {"k": 1}},
                {"definition": "SELECT 1", "comment": "c", "state": "suspended"},
            ),
            Put("R", {"definition": "SELECT 2"}, {"definition": "SELECT 2", "comment": None, "config": None}),
        ),
    ),
)

SCENARIOS: tuple[Scenario, ...] = DDL + RUNS + DYNAMIC_TABLES
