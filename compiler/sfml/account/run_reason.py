"""The reasons why a run did not succeed, as values."""

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
    """The graph's timeout ended the run; `never_begun` are the tasks that did not begin because of it."""

    limit_ms: int
    never_begun: tuple[str, ...] = ()


@record
class Cancellation:
    """Somebody cancelled these tasks."""

    tasks: tuple[str, ...] = ()


@record
class RootSkipped:
    """The condition of the root was false."""


@record
class EverySkipped:
    """The conditions of all tasks that could have run were false."""


@record
class NothingRan:
    """The root ran, but no other task did; `suspended` are the tasks that are suspended now."""

    suspended: tuple[str, ...] = ()


@record
class Unexplained:
    """Snowflake's record of the run says that it failed; neither the record nor a task's row contains an error."""


@record
class Recorded:
    """A reason of which only the line is known that was recorded when the run ended."""

    line: str


Reason: TypeAlias = (
    TaskFailure
    | GraphTimeout
    | Cancellation
    | RootSkipped
    | EverySkipped
    | NothingRan
    | Unexplained
    | Recorded
)
