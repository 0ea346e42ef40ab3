"""The session parameters that expressions follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfml.local.session import Session

DEFAULTS: dict[str, Any] = {
    "TIMEZONE": "Etc/UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    "BINARY_INPUT_FORMAT": "HEX",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "TWO_DIGIT_CENTURY_START": 1970,
    "WEEK_START": 0,
    "WEEK_OF_YEAR_POLICY": 0,
}
"""What an account has when nobody sets it; TIMEZONE is America/Los_Angeles there."""


def text(session: Session, name: str) -> str:
    return str(session.parameters.get(name, DEFAULTS[name]))


def number(session: Session, name: str) -> int:
    return int(session.parameters.get(name, DEFAULTS[name]))


def timestamp_format(session: Session, *, zoned: bool) -> str:
    """How a timestamp is written where no format is given."""
    if not zoned:
        own = session.parameters.get("TIMESTAMP_NTZ_OUTPUT_FORMAT")
        general = session.parameters.get("TIMESTAMP_OUTPUT_FORMAT")
        return str(own or general or DEFAULTS["TIMESTAMP_NTZ_OUTPUT_FORMAT"])
    own = text(session, "TIMESTAMP_LTZ_OUTPUT_FORMAT") or text(session, "TIMESTAMP_TZ_OUTPUT_FORMAT")
    return own or text(session, "TIMESTAMP_OUTPUT_FORMAT")
