"""What `sfml doctor` found out, check by check."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sfml.base.record import record


class CheckState(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@record
class Check:
    """One line: what was looked at, how it is, and what to do where it is not well."""

    name: str
    state: CheckState
    text: str
    help: str | None = None


def counted(checks: Iterable[Check]) -> dict[str, int]:
    """How many checks are in each state, by the state's word."""
    states = [check.state for check in checks]
    return {state.value: states.count(state) for state in CheckState}
