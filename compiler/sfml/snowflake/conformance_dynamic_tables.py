"""Scenarios about dynamic tables, and about what the Feature Store's client asks; they need a warehouse."""

from __future__ import annotations

from sfml.snowflake.conformance import Do, HasColumns, RefusedStatement, Scenario, Shows

_KEPT = (
    "Tags, comments of columns and a quoted name of a dynamic table, as the Feature Store's client makes one"
)
_REFUSALS = "Codes and sentences of most refusals"
_MODES = "Which queries are refreshed incrementally, and the reason against it"

_BASE = Do("CREATE OR REPLACE TABLE T AS SELECT 1 AS A, 'x' AS B")
_GRAPH = (
    "SELECT NAME, SCHEDULING_STATE:state::VARCHAR AS STATE, SCHEDULING_STATE:reason_code::VARCHAR AS REASON"
    " FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLE_GRAPH_HISTORY()) WHERE QUALIFIED_NAME LIKE '{schema}.%'"
    " ORDER BY NAME"
)


def _create(name: str, query: str, lag: str = "'1 hour'", more: str = "") -> str:
    return f"CREATE DYNAMIC TABLE {name} TARGET_LAG = {lag} WAREHOUSE = {{warehouse}} {more} AS {query}"


def _history(name: str) -> str:
    return (
        "SELECT STATE, REFRESH_ACTION, REFRESH_TRIGGER FROM TABLE(INFORMATION_SCHEMA.DYNAMIC_TABLE_REFRESH_HISTORY("
        f"NAME => '{{schema}}.{name}')) ORDER BY REFRESH_START_TIME"
    )


DYNAMIC_TABLES = (
    Scenario(
        "dynamic_tables_are_filled_at_once_and_refreshed_by_hand",
        (
            "INITIALIZE: ON_CREATE fills a table at once, ON_SCHEDULE within its target lag",
            "NO_DATA, FULL, INCREMENTAL; CREATION, SCHEDULED, MANUAL in the history",
            "The first refresh of an incremental table is a REINITIALIZE",
        ),
        (
            _BASE,
            Do(_create("D", "SELECT A FROM T")),
            Do(_create("W", "SELECT A, CURRENT_TIMESTAMP() AS AT FROM T")),
            Shows("SELECT A FROM D", ({"A": 1},)),
            Do("INSERT INTO T VALUES (2, 'y')"),
            Do("ALTER DYNAMIC TABLE D REFRESH"),
            Do("ALTER DYNAMIC TABLE W REFRESH"),
            Shows("SELECT A FROM D", ({"A": 1}, {"A": 2})),
            Do("ALTER DYNAMIC TABLE D REFRESH"),
            Shows(
                _history("D"),
                tuple(
                    {"STATE": "SUCCEEDED", "REFRESH_ACTION": action, "REFRESH_TRIGGER": trigger}
                    for action, trigger in (
                        ("REINITIALIZE", "CREATION"),
                        ("INCREMENTAL", "MANUAL"),
                        ("NO_DATA", "MANUAL"),
                    )
                ),
            ),
            Shows(
                _history("W"),
                tuple(
                    {"REFRESH_ACTION": "FULL", "REFRESH_TRIGGER": trigger}
                    for trigger in ("CREATION", "MANUAL")
                ),
            ),
        ),
    ),
    Scenario(
        "lags_of_dynamic_tables",
        (
            "A lag is at least a minute, and no shorter than that of what the table reads",
            "A dynamic table needs a base table (002728); its name is taken (001998)",
            _REFUSALS,
        ),
        (
            _BASE,
            RefusedStatement(_create("D", "SELECT A FROM T", "'59 seconds'"), "below the minimum"),
            RefusedStatement(_create("D", "SELECT A FROM T", "'soon'"), "soon"),
            RefusedStatement(_create("D", "SELECT 1 AS ONE"), "at least one base table", 2728),
            Do(_create("D", "SELECT A FROM T", "'1 hour'")),
            RefusedStatement(_create("E", "SELECT A FROM D", "'5 minutes'"), "lag"),
            Do(_create("E", "SELECT A FROM D", "'60 minutes'")),
            RefusedStatement("CREATE OR REPLACE TABLE D (A INT)", "already exists as DYNAMIC_TABLE", 1998),
        ),
    ),
    Scenario(
        "downstream_dynamic_tables",
        (
            "DOWNSTREAM: refreshed with what reads it, and never by itself",
            "REFRESH refreshes what the table reads first, all as of one moment",
        ),
        (
            _BASE,
            Do(_create("UP", "SELECT A FROM T", "DOWNSTREAM")),
            Do(_create("MIDDLE", "SELECT A FROM UP", "DOWNSTREAM")),
            Do(_create("D", "SELECT COUNT(*) AS N FROM MIDDLE")),
            Do("INSERT INTO T VALUES (2, 'y')"),
            Do("ALTER DYNAMIC TABLE D REFRESH"),
            Shows("SELECT N FROM D", ({"N": 2},)),
            Shows("SELECT COUNT(*) AS N FROM UP", ({"N": 2},)),
            Shows(
                "SHOW DYNAMIC TABLES LIKE 'UP' IN SCHEMA {schema}",
                ({"target_lag": "DOWNSTREAM", "scheduling_state": "ACTIVE"},),
            ),
        ),
    ),
    Scenario(
        "suspended_dynamic_tables",
        (
            "SUSPEND also suspends the tables that read it; RESUME resumes those that were not suspended by hand",
        ),
        (
            _BASE,
            Do(_create("D", "SELECT A FROM T")),
            Do(_create("E", "SELECT A FROM D")),
            Do("ALTER DYNAMIC TABLE D SUSPEND"),
            Shows(
                _GRAPH,
                (
                    {"NAME": "D", "STATE": "SUSPENDED", "REASON": "USER_SUSPENDED"},
                    {"NAME": "E", "STATE": "SUSPENDED", "REASON": "UPSTREAM_SUSPENDED"},
                ),
            ),
            Do("ALTER DYNAMIC TABLE D RESUME"),
            Shows(_GRAPH, ({"NAME": "D", "STATE": "ACTIVE"}, {"NAME": "E", "STATE": "ACTIVE"})),
        ),
    ),
    Scenario(
        "modes_of_dynamic_tables",
        (_MODES,),
        (
            _BASE,
            Do(_create("COUNTED", "SELECT B, COUNT(*) AS N FROM T GROUP BY B")),
            Do(_create("LIMITED", "SELECT A FROM T ORDER BY A LIMIT 1")),
            Shows(
                "SHOW DYNAMIC TABLES IN SCHEMA {schema}",
                (
                    {"name": "COUNTED", "refresh_mode": "INCREMENTAL"},
                    {"name": "LIMITED", "refresh_mode": "FULL"},
                ),
            ),
            RefusedStatement(
                _create("R", "SELECT RANDOM() AS R FROM T", more="REFRESH_MODE = INCREMENTAL"), "incremental"
            ),
            HasColumns(
                "SHOW DYNAMIC TABLES IN SCHEMA {schema}",
                (
                    *("created_on", "name", "database_name", "schema_name", "cluster_by", "rows", "bytes"),
                    *("owner", "target_lag", "refresh_mode", "refresh_mode_reason", "warehouse", "comment"),
                    *("text", "automatic_clustering", "scheduling_state", "last_suspended_on", "is_clone"),
                    *("is_replica", "data_timestamp"),
                ),
            ),
        ),
    ),
    Scenario(
        "dynamic_tables_are_not_written",
        (_REFUSALS,),
        (
            _BASE,
            Do(_create("D", "SELECT A FROM T")),
            RefusedStatement("INSERT INTO D VALUES (3)", "dynamic table"),
            RefusedStatement("DELETE FROM D", "dynamic table"),
            RefusedStatement("DROP VIEW D", "DYNAMIC_TABLE"),
            RefusedStatement("ALTER DYNAMIC TABLE T REFRESH", "DYNAMIC_TABLE"),
            RefusedStatement("ALTER DYNAMIC TABLE ABSENT REFRESH", "does not exist", 2003),
            Shows("SELECT A FROM D", ({"A": 1},)),
        ),
    ),
    Scenario(
        "what_a_feature_store_keeps_and_asks",
        (
            _KEPT,
            "ASOF JOIN keeps rows without a match",
        ),
        (
            Do("CREATE OR REPLACE TABLE ORDERS AS SELECT 1 AS C, 5 AS N, '2026-01-01'::TIMESTAMP_NTZ AS AT"),
            Do("CREATE TAG IF NOT EXISTS SNOWML_FEATURE_STORE_ENTITY_C ALLOWED_VALUES 'C' COMMENT = 'who'"),
            Do("CREATE TAG IF NOT EXISTS SNOWML_FEATURE_VIEW_METADATA"),
            Do(
                "CREATE DYNAMIC TABLE \"F$v1\" (C, N COMMENT 'how many', AT) TARGET_LAG = '1 day' COMMENT = 'seen'"
                " TAG (SNOWML_FEATURE_VIEW_METADATA = '{}', SNOWML_FEATURE_STORE_ENTITY_C = 'C')"
                " WAREHOUSE = {warehouse} REFRESH_MODE = AUTO INITIALIZE = ON_CREATE AS SELECT C, N, AT FROM ORDERS"
            ),
            Shows("SHOW TAGS LIKE 'SNOWML_FEATURE_STORE_ENTITY_%' IN SCHEMA {schema}", ({"comment": "who"},)),
            Shows(
                'DESC DYNAMIC TABLE "F$v1"',
                ({"name": "C"}, {"name": "N", "comment": "how many"}, {"name": "AT"}),
            ),
            Shows(
                "SELECT SYSTEM$GET_TAG('SNOWML_FEATURE_STORE_ENTITY_C', '\"F$v1\"', 'TABLE') AS C",
                ({"C": "C"},),
            ),
            Shows(
                "SELECT S.C, F.N FROM (SELECT 1 AS C, '2026-02-01'::TIMESTAMP_NTZ AS TS UNION ALL"
                " SELECT 1, '2025-02-01'::TIMESTAMP_NTZ) S"
                ' ASOF JOIN "F$v1" F MATCH_CONDITION (S.TS >= F.AT) ON S.C = F.C',
                ({"C": 1, "N": 5}, {"C": 1, "N": None}),
            ),
            RefusedStatement(
                "ALTER TABLE ORDERS SET TAG SNOWML_FEATURE_STORE_ENTITY_C = 'other'", "allowed value"
            ),
            Do('DROP DYNAMIC TABLE IF EXISTS "F$v1"'),
        ),
    ),
)
