"""The session parameters that a statement may set, and the values that Snowflake refuses for some of them.

https://docs.snowflake.com/en/sql-reference/parameters
"""

from __future__ import annotations

NUMBERS = {
    "CLIENT_MEMORY_LIMIT": None,
    "CLIENT_PREFETCH_THREADS": (1, 10),
    "CLIENT_RESULT_CHUNK_SIZE": None,
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": None,
    "JSON_INDENT": None,
    "LOCK_TIMEOUT": None,
    "MULTI_STATEMENT_COUNT": None,
    "ROWS_PER_RESULTSET": None,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": None,
    "STATEMENT_TIMEOUT_IN_SECONDS": (0, 604_800),
    "TWO_DIGIT_CENTURY_START": (1900, 2100),
    "WEEK_OF_YEAR_POLICY": (0, 1),
    "WEEK_START": (0, 7),
}
"""Parameters that are whole numbers → the least and the greatest value, where these are documented."""

_OTHERS = frozenset(
    (
        *("ABORT_DETACHED_QUERY", "AUTOCOMMIT"),
        *("BINARY_INPUT_FORMAT", "BINARY_OUTPUT_FORMAT"),
        *("CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX", "CLIENT_RESULT_COLUMN_CASE_INSENSITIVE"),
        *("CLIENT_SESSION_KEEP_ALIVE", "CLIENT_TIMESTAMP_TYPE_MAPPING"),
        *("DATE_INPUT_FORMAT", "DATE_OUTPUT_FORMAT"),
        *("ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION", "ERROR_ON_NONDETERMINISTIC_MERGE"),
        *("ERROR_ON_NONDETERMINISTIC_UPDATE", "GEOGRAPHY_OUTPUT_FORMAT"),
        *("GEOMETRY_OUTPUT_FORMAT", "JDBC_TREAT_TIMESTAMP_NTZ_AS_UTC"),
        *("JDBC_USE_SESSION_TIMEZONE", "LANGUAGE"),
        *("LOG_EVENT_LEVEL", "METRIC_LEVEL"),
        *("NOORDER_SEQUENCE_AS_DEFAULT", "ODBC_TREAT_DECIMAL_AS_INT"),
        *("QUERY_TAG", "QUOTED_IDENTIFIERS_IGNORE_CASE"),
        *("S3_STAGE_VPCE_DNS_NAME", "SEARCH_PATH"),
        *("STRICT_JSON_OUTPUT", "TIMESTAMP_DAY_IS_ALWAYS_24H"),
        *("TIMESTAMP_INPUT_FORMAT", "TIMESTAMP_LTZ_OUTPUT_FORMAT"),
        *("TIMESTAMP_NTZ_OUTPUT_FORMAT", "TIMESTAMP_OUTPUT_FORMAT"),
        *("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_TZ_OUTPUT_FORMAT"),
        *("TIMEZONE", "TIME_INPUT_FORMAT"),
        *("TIME_OUTPUT_FORMAT", "TRACE_LEVEL"),
        *("TRANSACTION_ABORT_ON_ERROR", "TRANSACTION_DEFAULT_ISOLATION_LEVEL"),
        *("UNSUPPORTED_DDL_ACTION", "USE_CACHED_RESULT"),
    )
)

PARAMETERS = frozenset(NUMBERS) | _OTHERS
"""The names of the known session parameters, in upper case."""


def value_problem(name: str, value: object) -> str | None:
    """What the parameter `name` takes, if it does not take this value; None for a value that may be right.

    >>> value_problem("WEEK_START", 9)
    'a whole number from 0 to 7'
    """
    if name == "TIMEZONE":
        from sfml.semantics.cron import is_time_zone  # imported here to start up faster

        return None if is_time_zone(str(value)) else "a region such as `Europe/Berlin`, or `UTC`"
    if name not in NUMBERS:
        return None
    try:
        number = int(str(value))
    except ValueError:
        return "a whole number"
    bounds = NUMBERS[name]
    is_right = bounds is None or bounds[0] <= number <= bounds[1]
    return None if is_right or bounds is None else f"a whole number from {bounds[0]:,} to {bounds[1]:,}"
