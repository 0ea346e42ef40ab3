"""The results of the checks of `sfml doctor`."""

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
    """The result of one check: its name, its state, a text, and help if it failed or warns."""

    name: str
    state: CheckState
    text: str
    help: str | None = None


def counted(checks: Iterable[Check]) -> dict[str, int]:
    """The number of checks in each state, by the state's value."""
    states = [check.state for check in checks]
    return {state.value: states.count(state) for state in CheckState}
