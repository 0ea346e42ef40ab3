"""The parameters of sessions, with kinds, defaults, and accepted values.

https://docs.snowflake.com/en/sql-reference/parameters; displays and refusals were recorded on accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sfml.semantics.cron import is_time_zone
from sfml_local.core.errors import SqlError, invalid_value

Check = Callable[[str, Any], None]
"""Refuses an invalid value of the right kind."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `default` is the text that accounts show, `kind` BOOLEAN, NUMBER or STRING."""

    kind: str
    default: str
    check: Check | None = None
    keeps_case: bool = False
    """Whether a bare word stays as it is written; others are folded."""


# -- checks


def refused(sentence: str) -> SqlError:
    return SqlError(sentence, 1008, "22023")


def between(low: int, high: int | None) -> Check:
    """Checks that a number is in this range; the refusal groups thousands, as accounts do."""

    def check(key: str, value: Any) -> None:
        if value < low or (high is not None and value > high):
            raise invalid_value(f"{value:,}", key)

    return check


def seconds_of_a_week(key: str, value: Any) -> None:
    if not 0 <= value <= 604_800:
        raise refused(
            f"SQL compilation error: \nparameter value out of range: {value:,}. Must be between 0 and 604,800."
        )


def one_of(*words: str) -> Check:
    def check(key: str, value: Any) -> None:
        if str(value).upper() not in {word.upper() for word in words}:
            raise invalid_value(value, key)

    return check


def level_of(what: str, *words: str) -> Check:
    """Checks a log or trace level, in any case; the refusal names the valid ones."""

    def check(key: str, value: Any) -> None:
        if str(value).upper() not in words:
            raise refused(f"Invalid value for {what} level. Allowed values are {','.join(words)}.")

    return check


def binary_format(key: str, value: Any) -> None:
    if str(value).upper() not in ("HEX", "BASE64", "UTF-8", "UTF8"):
        raise refused(
            f"SQL compilation error:\nInvalid binary format string '{value}': "
            "Must be 'HEX', 'BASE64', or 'UTF-8'"
        )


def isolation_level(key: str, value: Any) -> None:
    if str(value).upper() != "READ COMMITTED":
        raise SqlError(f"Unsupported feature 'transaction isolation level {value}'.", 2, "0A000")


def language(key: str, value: Any) -> None:
    if value not in ("ja", "en", "fr-FR"):
        raise invalid_value(value, "Snowflake only supports [ja, en, fr-FR]")


def time_zone(key: str, value: Any) -> None:
    """Checks a time zone of the IANA database, spelt exactly; abbreviations are allowed."""
    if not is_time_zone(str(value)):
        raise invalid_value(value, key)


_LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF")
LOG = level_of("log", *_LOG_LEVELS)
_TRACE = level_of("trace", "ALWAYS", "ON_EVENT", "PROPAGATE", "OFF")
_SHAPES = one_of("GeoJSON", "WKT", "WKB", "EWKT", "EWKB")


def boolean(default: bool) -> Parameter:
    return Parameter("BOOLEAN", str(default).lower())


def number(default: int, low: int = 0, high: int | None = None) -> Parameter:
    return Parameter("NUMBER", str(default), between(low, high))


def text(default: str = "", check: Check | None = None, *, keeps_case: bool = False) -> Parameter:
    return Parameter("STRING", default, check, keeps_case)


OF_SESSION: Mapping[str, Parameter] = {
    "ABORT_DETACHED_QUERY": boolean(False),
    "AUTOCOMMIT": boolean(True),
    "BINARY_INPUT_FORMAT": text("HEX", binary_format),
    "BINARY_OUTPUT_FORMAT": text("HEX", binary_format),
    "CLIENT_MEMORY_LIMIT": number(1536),
    "CLIENT_METADATA_REQUEST_USE_CONNECTION_CTX": boolean(False),
    "CLIENT_PREFETCH_THREADS": number(4, 1, 10),
    "CLIENT_RESULT_CHUNK_SIZE": number(160, 16, 160),
    "CLIENT_RESULT_COLUMN_CASE_INSENSITIVE": boolean(False),
    "CLIENT_SESSION_KEEP_ALIVE": boolean(False),
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": number(3600, 900, 3600),
    "CLIENT_TIMESTAMP_TYPE_MAPPING": text(
        "TIMESTAMP_LTZ", one_of("TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ")
    ),
    "DATE_INPUT_FORMAT": text("AUTO"),
    "DATE_OUTPUT_FORMAT": text("YYYY-MM-DD"),
    "ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION": boolean(True),
    "ERROR_ON_NONDETERMINISTIC_MERGE": boolean(True),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": boolean(False),
    "GEOGRAPHY_OUTPUT_FORMAT": text("GeoJSON", _SHAPES, keeps_case=True),
    "GEOMETRY_OUTPUT_FORMAT": text("GeoJSON", _SHAPES, keeps_case=True),
    "JDBC_TREAT_TIMESTAMP_NTZ_AS_UTC": boolean(False),
    "JDBC_USE_SESSION_TIMEZONE": boolean(True),
    "JSON_INDENT": number(2),
    "LANGUAGE": text("en", language, keeps_case=True),
    "LOCK_TIMEOUT": number(43200),
    "LOG_EVENT_LEVEL": text("OFF", LOG, keeps_case=True),
    "METRIC_LEVEL": text("NONE", one_of("ALL", "NONE"), keeps_case=True),
    "MULTI_STATEMENT_COUNT": number(1, 0, 300),
    "NOORDER_SEQUENCE_AS_DEFAULT": boolean(True),
    "ODBC_TREAT_DECIMAL_AS_INT": boolean(False),
    "QUERY_TAG": text(),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": boolean(False),
    "ROWS_PER_RESULTSET": number(0),
    "S3_STAGE_VPCE_DNS_NAME": text(),
    "SEARCH_PATH": text("$current, $public"),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": number(0),
    "STATEMENT_TIMEOUT_IN_SECONDS": Parameter("NUMBER", "172800", seconds_of_a_week),
    "STRICT_JSON_OUTPUT": boolean(False),
    "TIMESTAMP_DAY_IS_ALWAYS_24H": boolean(False),
    "TIMESTAMP_INPUT_FORMAT": text("AUTO"),
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": text(),
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": text("YYYY-MM-DD HH24:MI:SS.FF3"),
    "TIMESTAMP_OUTPUT_FORMAT": text("YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM"),
    "TIMESTAMP_TYPE_MAPPING": text("TIMESTAMP_NTZ", one_of("TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ")),
    "TIMESTAMP_TZ_OUTPUT_FORMAT": text(),
    "TIMEZONE": text("America/Los_Angeles", time_zone, keeps_case=True),
    "TIME_INPUT_FORMAT": text("AUTO"),
    "TIME_OUTPUT_FORMAT": text("HH24:MI:SS"),
    "TRACE_LEVEL": text("OFF", _TRACE, keeps_case=True),
    "TRANSACTION_ABORT_ON_ERROR": boolean(False),
    "TRANSACTION_DEFAULT_ISOLATION_LEVEL": text("READ COMMITTED", isolation_level),
    "TWO_DIGIT_CENTURY_START": number(1970, 1900, 2100),
    "UNSUPPORTED_DDL_ACTION": text("ignore", one_of("IGNORE", "FAIL"), keeps_case=True),
    "USE_CACHED_RESULT": boolean(True),
    "WEEK_OF_YEAR_POLICY": number(0, 0, 1),
    "WEEK_START": number(0, 0, 7),
}
"""Parameters by name; the values that this server sets for its account are in `ACCOUNT_VALUES`."""

ACCOUNT_VALUES: Mapping[str, str] = {"TIMEZONE": "Etc/UTC"}
"""Values that this account has set; they apply to sessions that set none."""
