"""How sure the local Snowflake is of what it does with dynamic tables."""

from __future__ import annotations

from sfml_local.evidence.behaviour import Behaviour, Evidence

_D, _A, _X = Evidence.DOCUMENTED, Evidence.ASSUMED, Evidence.DIFFERENT
_CREATE = "sql-reference/sql/create-dynamic-table"
_ALTER = "sql-reference/sql/alter-dynamic-table"
_STATES = "user-guide/dynamic-tables-states"
_HISTORY = "sql-reference/functions/dynamic_table_refresh_history"
_GRAPH = "sql-reference/functions/dynamic_table_graph_history"

_ROWS: tuple[tuple[str, Evidence, str], ...] = (
    ("INITIALIZE: ON_CREATE fills a table at once, ON_SCHEDULE within its target lag", _D, _CREATE),
    ("A lag is at least a minute, and no shorter than that of what the table reads", _D, _CREATE),
    ("DOWNSTREAM: refreshed with what reads it, and never by itself", _D, _CREATE),
    ("REFRESH refreshes what the table reads first, all as of one moment", _D, _ALTER),
    (
        "SUSPEND also suspends the tables that read it; RESUME resumes those that were not suspended by hand",
        _D,
        _ALTER,
    ),
    ("Five failed refreshes in a row suspend a table", _D, _STATES),
    ("A table whose upstream failed is UPSTREAM_FAILED, and keeps its rows", _D, _HISTORY),
    ("NO_DATA, FULL, INCREMENTAL; CREATION, SCHEDULED, MANUAL in the history", _D, _HISTORY),
    ("The first refresh of an incremental table is a REINITIALIZE", _A, "not said"),
    ("DYNAMIC_TABLE_GRAPH_HISTORY: descriptions with their times and inputs", _D, _GRAPH),
    (
        "A refresh comes when the lag has passed since the last one, not before",
        _X,
        "an account begins earlier",
    ),
    ("Every refresh computes all rows; INCREMENTAL is only reported", _X, "the rows are the same"),
    ("A stream on a table whose refresh took rows away shows all its rows", _X, "they are written again"),
    (
        "Which queries are refreshed incrementally, and the reason against it",
        _A,
        "user-guide/dynamic-tables-limitations",
    ),
    ("Codes and sentences of most refusals", _A, "not seen"),
    ("A dynamic table needs a base table (002728); its name is taken (001998)", _A, "reports of dbt's users"),
    ("DROP TABLE IF EXISTS silently ignores a dynamic table", _A, "reports of dbt's users"),
    ("Names in a query are those of the session that created the table", _A, "not said"),
    (
        "CLONE, SWAP, BACKFILL, IMMUTABLE WHERE, policies, Iceberg are refused",
        _X,
        "not emulated, and said so",
    ),
    (
        "LAST_ALTERED of a table follows what changes its rows, once it is committed",
        _D,
        "sql-reference/info-schema/tables",
    ),
)

DYNAMIC_TABLES: tuple[Behaviour, ...] = tuple(
    Behaviour("dynamic tables", what, evidence, source) for what, evidence, source in _ROWS
)
