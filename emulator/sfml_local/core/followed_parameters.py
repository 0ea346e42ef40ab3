"""The values of session parameters that this server supports; others are refused, never ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions.settings import FOLLOWED as FOLLOWED_BY_EXPRESSIONS
from sfml_local.core.session_parameters import OF_SESSION

# A rule for each parameter that changes the meaning of statements, so that an unsupported value is
# refused and never ignored. For a parameter without a rule, only the default is supported.
FOLLOWED: dict[str, Callable[[Any], bool]] = {
    "AUTOCOMMIT": lambda value: isinstance(value, bool),
    "TIMEZONE": lambda value: True,
    **dict.fromkeys(FOLLOWED_BY_EXPRESSIONS, lambda value: True),
    "QUOTED_IDENTIFIERS_IGNORE_CASE": lambda value: str(value).lower() == "false",
    "ERROR_ON_NONDETERMINISTIC_MERGE": lambda value: isinstance(value, bool),
    "ERROR_ON_NONDETERMINISTIC_UPDATE": lambda value: isinstance(value, bool),
}

# Parameters that change no result; they are stored and shown.
HARMLESS = frozenset(
    {
        *("QUERY_TAG", "STATEMENT_TIMEOUT_IN_SECONDS", "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", "LOCK_TIMEOUT"),
        *("ABORT_DETACHED_QUERY", "USE_CACHED_RESULT", "MULTI_STATEMENT_COUNT", "JSON_INDENT", "LANGUAGE"),
        *("LOG_LEVEL", "LOG_EVENT_LEVEL", "TRACE_LEVEL", "METRIC_LEVEL", "UNSUPPORTED_DDL_ACTION"),
        *("GEOGRAPHY_OUTPUT_FORMAT", "GEOMETRY_OUTPUT_FORMAT", "S3_STAGE_VPCE_DNS_NAME"),
        "NOORDER_SEQUENCE_AS_DEFAULT",
    }
)

HARMLESS_PREFIXES = ("CLIENT_", "PYTHON_", "JDBC_", "ODBC_", "ENABLE_", "SNOWPARK_", "QUERY_RESULT_FORMAT")


def is_followed(name: str, value: Any) -> bool:
    """Whether this server supports the value, so that statements mean the same as on an account."""
    if name in FOLLOWED:
        return FOLLOWED[name](value)
    if name in HARMLESS or name.startswith(HARMLESS_PREFIXES):
        return True
    return _text(value).upper() == OF_SESSION[name].default.upper()


def unfollowed(parameters: Mapping[str, Any]) -> SqlError | None:
    """The refusal of the first parameter whose value would be ignored."""
    for name, value in parameters.items():
        if name in OF_SESSION and not is_followed(name, value):
            return not_emulated(f"{name} = {_text(value)} in a session")
    return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
