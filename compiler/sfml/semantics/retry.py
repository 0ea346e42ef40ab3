"""Retries of a graph run: which states a new attempt keeps, and when failures suspend the root."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.semantics.graph import GraphShape
from sfml.semantics.limits import DEFAULT_SUSPEND_AFTER_FAILURES
from sfml.semantics.states import State

MAX_RETRY_AGE_DAYS = 14
"""RETRY LAST refuses a run whose first attempt is older.

https://docs.snowflake.com/en/sql-reference/sql/execute-task
"""


def kept_states(graph: GraphShape, states: Mapping[str, State]) -> dict[str, State]:
    """The states that a new attempt keeps from the last one: succeeded and skipped tasks are not run again.

    Failed and cancelled tasks run again, then the tasks below them. The finalizer runs once in every attempt.
    https://docs.snowflake.com/en/user-guide/tasks-intro (automatically retry failed task runs)
    """
    finalizer = graph.finalizer.name if graph.finalizer else None
    return {
        name: state
        for name, state in states.items()
        if name != finalizer and state in (State.SUCCEEDED, State.SKIPPED)
    }


def should_retry(state: State, attempt: int, auto_retry_attempts: int) -> bool:
    """Whether Snowflake starts another attempt by itself after attempt number `attempt`, counted from 1.

    A cancelled run is not retried: TASK_AUTO_RETRY_ATTEMPTS applies to the state FAILED.
    """
    return state is State.FAILED and attempt <= auto_retry_attempts


def is_retryable(state: State) -> bool:
    """Whether EXECUTE TASK … RETRY LAST accepts a graph run that ended in this state."""
    return state in (State.FAILED, State.CANCELLED)


def failure_counts(
    before: Mapping[str, int], states: Mapping[str, State], *, exhausted: bool = True
) -> dict[str, int]:
    """The number of consecutive failures of each task after a run.

    `before` holds the numbers before the run. Failures count only where the run's automatic retries are `exhausted`.
    Success resets the number to 0. Skipped and cancelled tasks, and those that never ran, keep it (assumed).
    https://docs.snowflake.com/en/sql-reference/sql/create-task (SUSPEND_TASK_AFTER_NUM_FAILURES)
    """
    counts = dict(before)
    for name, state in states.items():
        if state is State.SUCCEEDED:
            counts[name] = 0
        elif state.is_failure and exhausted:
            counts[name] = counts.get(name, 0) + 1
    return counts


def guilty_tasks(counts: Mapping[str, int], suspend_after: int | None) -> frozenset[str]:
    """The tasks with enough consecutive failures to suspend the root.

    `suspend_after` is SUSPEND_TASK_AFTER_NUM_FAILURES: 0 never suspends, None is Snowflake's default.
    """
    limit = DEFAULT_SUSPEND_AFTER_FAILURES if suspend_after is None else suspend_after
    return frozenset(name for name, count in counts.items() if 0 < limit <= count)
