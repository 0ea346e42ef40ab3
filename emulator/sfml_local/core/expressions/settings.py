"""The session parameters that expressions follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml_local.core.session_parameters import ACCOUNT_VALUES, OF_SESSION
from sfml_local.core.statement_parameters import value_of

if TYPE_CHECKING:
    from sfml_local.core.session import Session

FOLLOWED = (
    *("TIMEZONE", "TIMESTAMP_TYPE_MAPPING", "TWO_DIGIT_CENTURY_START", "WEEK_START", "WEEK_OF_YEAR_POLICY"),
    *("DATE_INPUT_FORMAT", "TIME_INPUT_FORMAT", "TIMESTAMP_INPUT_FORMAT", "BINARY_INPUT_FORMAT"),
    *("DATE_OUTPUT_FORMAT", "TIME_OUTPUT_FORMAT", "TIMESTAMP_OUTPUT_FORMAT", "TIMESTAMP_NTZ_OUTPUT_FORMAT"),
    *("TIMESTAMP_LTZ_OUTPUT_FORMAT", "TIMESTAMP_TZ_OUTPUT_FORMAT"),
)
"""For all values that a session may set."""


def _set(session: Session, name: str) -> Any:
    return value_of(name, session.parameters)


def _default(name: str) -> str:
    return ACCOUNT_VALUES.get(name) or OF_SESSION[name].default


def text(session: Session, name: str) -> str:
    return str(_set(session, name) or _default(name))


def number(session: Session, name: str) -> int:
    found = _set(session, name)
    return int(_default(name) if found in (None, "") else found)


def timestamp_format(session: Session, *, zoned: bool) -> str:
    """The default format of a timestamp."""
    if not zoned:
        own = _set(session, "TIMESTAMP_NTZ_OUTPUT_FORMAT")
        general = _set(session, "TIMESTAMP_OUTPUT_FORMAT")
        return str(own or general or _default("TIMESTAMP_NTZ_OUTPUT_FORMAT"))
    own = text(session, "TIMESTAMP_LTZ_OUTPUT_FORMAT") or text(session, "TIMESTAMP_TZ_OUTPUT_FORMAT")
    return own or text(session, "TIMESTAMP_OUTPUT_FORMAT")
