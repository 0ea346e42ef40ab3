"""Why a run ended as it did, as a value."""

from __future__ import annotations

from typing import TypeAlias

from sfml.base.record import record


@record
class TaskFailure:
    """A task failed. `task` is its name in the spec, None for the generated root."""

    task: str | None
    error: str
    timed_out: bool = False


@record
class GraphTimeout:
    """The time of the whole graph was over; `never_begun` are the tasks that it cut off."""

    limit_ms: int
    never_begun: tuple[str, ...] = ()


@record
class Cancellation:
    """Somebody ended these tasks."""

    tasks: tuple[str, ...] = ()


@record
class RootSkipped:
    """The root's own condition was false."""


@record
class EverySkipped:
    """The conditions of all tasks that could have run were false."""


@record
class NothingRan:
    """No task of the graph ran, although its root did; `suspended` are those that are off now."""

    suspended: tuple[str, ...] = ()


@record
class Unexplained:
    """The graph's own record says that it failed, and neither it nor a task's row says why."""


Reason: TypeAlias = (
    TaskFailure | GraphTimeout | Cancellation | RootSkipped | EverySkipped | NothingRan | Unexplained
)
