"""What a retry of a graph run keeps, and when a run's failures suspend the root."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.semantics.graph import GraphShape
from sfml.semantics.limits import DEFAULT_SUSPEND_AFTER_FAILURES
from sfml.semantics.states import State

MAX_RETRY_AGE_DAYS = 14
"""RETRY LAST refuses groups whose first attempt is older.

https://docs.snowflake.com/en/sql-reference/sql/execute-task
"""


def kept_states(graph: GraphShape, states: Mapping[str, State]) -> dict[str, State]:
    """The states that an attempt starts with: succeeded and skipped tasks are not run again.

    Failed and cancelled ones are, then those below them; the finalizer runs once an attempt.
    https://docs.snowflake.com/en/user-guide/tasks-intro (automatically retry failed task runs)
    """
    finalizer = graph.finalizer.name if graph.finalizer else None
    return {
        name: state
        for name, state in states.items()
        if name != finalizer and state in (State.SUCCEEDED, State.SKIPPED)
    }


def should_retry(state: State, attempt: int, auto_retry_attempts: int) -> bool:
    """Whether Snowflake starts another attempt by itself; attempts count from 1.

    A cancelled run is not retried: TASK_AUTO_RETRY_ATTEMPTS speaks of a FAILED state.
    """
    return state is State.FAILED and attempt <= auto_retry_attempts


def is_retryable(state: State) -> bool:
    """Whether EXECUTE TASK … RETRY LAST takes a graph run that ended so."""
    return state in (State.FAILED, State.CANCELLED)


def failure_counts(
    before: Mapping[str, int], states: Mapping[str, State], *, exhausted: bool = True
) -> dict[str, int]:
    """Consecutive failures by task after a run. `exhausted`: no automatic retry follows.

    A run counts once its retries are used up. Success starts again at 0; skipped, cancelled and never-run
    tasks leave the count as it was (that they do not reset it is assumed).
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
    """The tasks that failed often enough in a row to suspend the root; 0 switches it off, None is the default."""
    limit = DEFAULT_SUSPEND_AFTER_FAILURES if suspend_after is None else suspend_after
    return frozenset(name for name, count in counts.items() if 0 < limit <= count)
