"""The states of a task run, and the conditions of SYSTEM$PREDECESSORS_STATE on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum


class State(StrEnum):
    """A task run's STATE as TASK_HISTORY shows it; NOT_EXECUTED is a task that never ran and has no row.

    https://docs.snowflake.com/en/sql-reference/functions/task_history and, for NOT_EXECUTED,
    https://docs.snowflake.com/en/sql-reference/functions/system_task_completion_state
    """

    SCHEDULED = "SCHEDULED"
    EXECUTING = "EXECUTING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    FAILED_AND_AUTO_SUSPENDED = "FAILED_AND_AUTO_SUSPENDED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"
    NOT_EXECUTED = "NOT_EXECUTED"

    @property
    def is_final(self) -> bool:
        return self not in (State.SCHEDULED, State.EXECUTING)

    @property
    def is_failure(self) -> bool:
        return self in (State.FAILED, State.FAILED_AND_AUTO_SUSPENDED)


def _all(*wanted: State) -> Callable[[Collection[State]], bool]:
    return lambda states: all(_plain(state) in wanted for state in states)


def _any(*wanted: State) -> Callable[[Collection[State]], bool]:
    return lambda states: any(_plain(state) in wanted for state in states)


def _plain(state: State) -> State:
    return State.FAILED if state.is_failure else state


def _none_failed(states: Collection[State]) -> bool:
    return not _any(State.FAILED, State.CANCELLED)(states)


PREDECESSOR_CONDITIONS: Mapping[str, Callable[[Collection[State]], bool]] = {
    "ALL_SUCCEEDED": _all(State.SUCCEEDED),
    "ALL_FAILED": _all(State.FAILED),
    # The page lists SUCCEEDED, FAILED, SKIPPED and CANCELLED. It is assumed that a predecessor which never ran counts
    # as done too: otherwise a join below a failure would wait for ever.
    "ALL_DONE": lambda states: all(state.is_final for state in states),
    "ALL_SKIPPED": _all(State.SKIPPED),
    "AT_LEAST_ONE_FAILED": _any(State.FAILED),
    "AT_LEAST_ONE_SUCCEEDED": _any(State.SUCCEEDED),
    "NONE_FAILED": _none_failed,
    "NONE_FAILED_MIN_ONE_SUCCEEDED": lambda states: _none_failed(states) and _any(State.SUCCEEDED)(states),
    "NONE_SKIPPED": lambda states: not _any(State.SKIPPED)(states),
}
"""The conditions of SYSTEM$PREDECESSORS_STATE, applied to the states of the predecessors that are not suspended.

https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state
"""


def predecessors_state(condition: str, states: Collection[State]) -> bool:
    """What SYSTEM$PREDECESSORS_STATE returns; raises KeyError for a condition that does not exist.

    >>> predecessors_state("NONE_FAILED_MIN_ONE_SUCCEEDED", [State.SKIPPED, State.SUCCEEDED])
    True
    """
    return PREDECESSOR_CONDITIONS[condition.upper()](states)


CAME = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.FAILED_AND_AUTO_SUSPENDED: "failed",
    State.CANCELLED: "was cancelled",
    State.SKIPPED: "was skipped",
    State.NOT_EXECUTED: "never ran",
}
"""State → the words for a task that ended so."""

SHOULD = {
    State.SUCCEEDED: "have succeeded",
    State.FAILED: "have failed",
    State.SKIPPED: "have been skipped",
    State.NOT_EXECUTED: "never have run",
}
