"""Simulating when the runs of a graph begin: schedule or streams, overlap, and suspension after failures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice

from sfml.base.record import record
from sfml.semantics.overlap import RunStage, may_begin
from sfml.semantics.retry import failure_counts, guilty_tasks
from sfml.semantics.schedule import Schedule, next_fire
from sfml.semantics.states import State
from sfml.semantics.triggering import next_trigger


@record
class Rules:
    """Settings of the root that decide whether a run begins: OVERLAP_POLICY and SUSPEND_TASK_AFTER_NUM_FAILURES."""

    overlap: str | None = None
    suspend_after: int | None = None


@record
class Course:
    """How long runs take, and which fail. `takes` holds the duration of the first run, the second and so on.

    The last duration is that of all further runs. `fails` gets the number of a run, from 1.
    """

    takes: tuple[timedelta, ...] = ()
    fails: Callable[[int], bool] = lambda number: False

    def length(self, number: int) -> timedelta:
        return self.takes[min(number, len(self.takes)) - 1] if self.takes else timedelta()


@record
class Firing:
    """A time at which a run was due; `began` is false where it was left out because another run was going on."""

    at: datetime
    began: bool


@record
class Suspension:
    """The time at which failures suspended the root; after it no run begins."""

    at: datetime


Event = Firing | Suspension


class _Runs:
    """The unfinished runs, and the number of consecutive failures of those that ended."""

    def __init__(self, rules: Rules, course: Course) -> None:
        self.rules = rules
        self.course = course
        self.count = 0
        self.counts: Mapping[str, int] = {}
        self.going_on: list[tuple[datetime, int]] = []
        """The end and number of each unfinished run, the one that ends next first."""

    def may_begin(self) -> bool:
        # The root that sfml generates ends at once, so an unfinished run executes its child tasks.
        return may_begin(self.rules.overlap, [RunStage.CHILDREN] * len(self.going_on))

    def begin(self, at: datetime) -> None:
        self.count += 1
        # In UTC: local times are added up and compared by the clock on the wall, which may be set back meanwhile.
        end = at.astimezone(UTC) + self.course.length(self.count)
        self.going_on = sorted([*self.going_on, (end, self.count)])

    def end_next(self) -> tuple[datetime, bool, bool]:
        """End the run that ends next; returns when, whether it failed, and whether that suspends the root.

        All failures are counted for one task, as if always the same task failed.
        """
        at, number = self.going_on.pop(0)
        failed = self.course.fails(number)
        state = State.FAILED if failed else State.SUCCEEDED
        self.counts = failure_counts(self.counts, {"task": state})
        return at, failed, bool(guilty_tasks(self.counts, self.rules.suspend_after))

    def ended_by(self, moment: datetime) -> datetime | None:
        """End the runs that are over at `moment`; returns when that suspended the root, or None."""
        while self.going_on and self.going_on[0][0] <= moment.astimezone(UTC):
            at, _, suspends = self.end_next()
            if suspends:
                return at
        return None


def scheduled(schedule: Schedule, resumed: datetime, rules: Rules, course: Course) -> Iterator[Event]:
    """The events of a schedule that is resumed at `resumed`; without end, unless failures suspend it."""
    runs = _Runs(rules, course)
    moment = next_fire(schedule, resumed, resumed)
    while moment is not None:
        suspended = runs.ended_by(moment)
        if suspended is not None:
            yield Suspension(suspended)
            return
        begins = runs.may_begin()
        if begins:
            runs.begin(moment)
        yield Firing(moment, begins)
        moment = next_fire(schedule, moment, resumed)


def triggered(
    data: Collection[datetime], resumed: datetime, minimum: int | None, rules: Rules, course: Course
) -> Iterator[Event]:
    """The events of a triggered graph that is resumed at `resumed` and whose streams get data at the times of `data`.

    A run consumes the data that was there when it began. A failed run leaves the data there, so another run follows.
    `minimum` is USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS.
    https://docs.snowflake.com/en/user-guide/tasks-triggered
    """
    runs = _Runs(rules, course)
    arrivals = sorted(data)
    now, last, has_data = resumed, None, False
    while True:
        while arrivals and arrivals[0] <= now:
            has_data = True
            arrivals.pop(0)
        due = next_trigger(has_data=has_data, resumed=resumed, last=last, minimum_interval=minimum)
        if runs.may_begin() and has_data and due <= now:
            runs.begin(now)
            last, has_data = now, False
            yield Firing(now, True)
            continue
        if not (has_data or arrivals or runs.going_on):
            return
        moments = [arrivals[0]] if arrivals else []
        moments += [runs.going_on[0][0]] if runs.going_on else []
        moments += [due] if runs.may_begin() else []
        now = max(now, min(moments))
        if not has_data and due <= now and runs.may_begin():
            last = due  # the health check: the root's condition does not hold, so the run is skipped
        while runs.going_on and runs.going_on[0][0] <= now:
            _, failed, suspends = runs.end_next()
            has_data = has_data or failed
            if suspends:
                yield Suspension(now)
                return


def first(events: Iterator[Event], until: datetime | None, runs: int | None, most: int) -> tuple[Event, ...]:
    """The events up to and including `until`, or else up to the start of the last of `runs` runs.

    Raises OverflowError where that are more than `most` events.
    """
    chosen: list[Event] = []
    began = 0
    for event in islice(events, most + 1):
        if until is not None and event.at > until:
            break
        if until is None and runs is not None and began >= runs:
            break
        if len(chosen) == most:
            raise OverflowError(f"more than {most:,} runs are due")
        chosen.append(event)
        began += isinstance(event, Firing) and event.began
    return tuple(chosen)
