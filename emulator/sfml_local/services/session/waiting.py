"""SYSTEM$WAIT: a statement that waits.

https://docs.snowflake.com/en/sql-reference/functions/system_wait
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError
from sfml_local.core.queries import Queries

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

UNITS = {
    "DAYS": 86_400.0,
    "HOURS": 3_600.0,
    "MINUTES": 60.0,
    "SECONDS": 1.0,
    "MILLISECONDS": 1e-3,
    "MICROSECONDS": 1e-6,
    "NANOSECONDS": 1e-9,
}
GLANCE = 0.05
"""Seconds between checks for cancellation; an account also checks periodically."""


def wait(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$WAIT(amount [, unit]): `waited 10 seconds`."""
    if not 1 <= len(arguments) <= 2:
        raise _invalid(f"not enough arguments for function [SYSTEM$WAIT], expected 1, got {len(arguments)}")
    amount, unit = _number(arguments[0]), str(arguments[1] if len(arguments) > 1 else "SECONDS").upper()
    if unit not in UNITS:
        raise _invalid(f"Invalid time unit '{arguments[1]}' for function SYSTEM$WAIT.")
    end = time.monotonic() + amount * UNITS[unit]
    while (left := end - time.monotonic()) > 0:
        stop = getattr(session.task, "stop", None)
        account.part(Queries).check(account.query_id)
        if account.stopping.wait(min(left, GLANCE)) or (stop is not None and stop.state is not None):
            raise SqlError("SQL execution canceled", 604, "57014")
    return f"waited {amount:g} {unit.lower()}"


def _number(value: Any) -> float:
    try:
        amount = float(value)
    except (TypeError, ValueError) as cause:
        raise _invalid(
            f"Invalid argument '{value}' for function SYSTEM$WAIT: a number is expected."
        ) from cause
    if amount < 0:
        raise _invalid(f"Invalid argument '{value}' for function SYSTEM$WAIT: it is negative.")
    return amount


def _invalid(sentence: str) -> SqlError:
    return SqlError(f"SQL compilation error:\n{sentence}", 1015, "22023")


SYSTEM_FUNCTIONS = {"SYSTEM$WAIT": wait}
