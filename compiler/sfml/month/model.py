"""A simulated month as values: runs, what shares a warehouse or pool, waits, traps of clocks, and hours of work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from sfml.base.record import record

Scenario: TypeAlias = Literal["least", "most"]
"""Tasks take the least that is expected, and only those run that certainly do; or the most, and all of them."""


@record
class MissedRun:
    """A run that was due while another run of its pipeline, which began at `since`, was going on."""

    pipeline: str
    due: datetime
    since: datetime


@record
class Wait:
    """A task of the run that began at `began`, which waited for a pool or warehouse that others had."""

    pipeline: str
    began: datetime
    task: str
    machine: str
    at: datetime
    seconds: float


@record
class CutRun:
    """A run that its timeout ended."""

    pipeline: str
    began: datetime
    at: datetime


@record
class Sharing:
    """Two pipelines (or one twice) whose tasks are at work on a warehouse or pool at the same time.

    `times` counts how often that begins, `seconds` how long it lasts in the month; `first` is when it first begins.
    """

    machine: str
    pipelines: tuple[str, str]
    times: int
    seconds: float
    first: datetime


@record
class ClockTrap:
    """A time of a pipeline's cron that a change of clocks skips or repeats; `at` is its local time."""

    pipeline: str
    at: datetime
    is_skipped: bool
    is_in_month: bool


@record
class PipelineMonth:
    """The runs of a pipeline in the month; `is_counted` is false where nothing says when it runs.

    `is_known` is false there too, and where nothing says how long a task takes: what is missed, waits and is cut off
    is then at least what the simulation says.
    """

    name: str
    spec_path: str
    due: int
    began: int
    is_counted: bool
    is_known: bool


@record
class Course:
    """One scenario: what happened, and the seconds at work by hour of the month, for each warehouse and pool.

    `work` has an entry `` for all of them together, with serverless tasks. `unknown` are the hours in which runs
    may go on that take a time which nobody said, up to their timeout.
    """

    pipelines: tuple[PipelineMonth, ...]
    missed: tuple[MissedRun, ...]
    waits: tuple[Wait, ...]
    cut: tuple[CutRun, ...]
    sharings: tuple[Sharing, ...]
    work: Mapping[str, tuple[float, ...]]
    unknown: frozenset[int] = frozenset()

    def delayed_runs(self, pipeline: str | None = None) -> int:
        """The number of runs, of all pipelines or of one, in which a task waited."""
        return len({(wait.pipeline, wait.began) for wait in self.waits if pipeline in (None, wait.pipeline)})

    @property
    def quiet_hours(self) -> int:
        """The number of hours in which nothing is at work, as far as it is known."""
        return sum(seconds == 0 and hour not in self.unknown for hour, seconds in enumerate(self.work[""]))


@record
class Month:
    """The month from `start` to `end` in the time zone of both, in two scenarios.

    `end` is earlier than asked for where there are too many runs to simulate. `unknowns` are what nobody said.
    """

    target: str
    start: datetime
    end: datetime
    is_whole: bool
    least: Course
    most: Course
    traps: tuple[ClockTrap, ...]
    machines: tuple[str, ...]
    unknowns: tuple[str, ...]
    assumptions: tuple[str, ...]

    @property
    def hours(self) -> int:
        return len(self.most.work[""])
