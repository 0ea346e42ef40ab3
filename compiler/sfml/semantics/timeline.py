"""When the runs of a graph begin, by the rules alone: schedule or streams, overlap, and suspension after failures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice

from sfml.base.record import record
from sfml.semantics.overlap import RunStage, may_begin
from sfml.semantics.retry import failure_counts, guilty_tasks
from sfml.semantics.schedule import Schedule, next_fire
from sfml.semantics.states import State
from sfml.semantics.triggering import next_trigger


@record
class Rules:
    """What decides about a run besides its moment: OVERLAP_POLICY and SUSPEND_TASK_AFTER_NUM_FAILURES."""

    overlap: str | None = None
    suspend_after: int | None = None


@record
class Course:
    """How runs go: how long the first, the second … takes (the last figure holds for the rest), and which fail."""

    takes: tuple[timedelta, ...] = ()
    fails: Callable[[int], bool] = lambda number: False

    def length(self, number: int) -> timedelta:
        return self.takes[min(number, len(self.takes)) - 1] if self.takes else timedelta()


@record
class Firing:
    """One moment that asked for a run: whether a run began, or was passed over because another went on."""

    at: datetime
    began: bool


@record
class Suspension:
    """The root was suspended by failures; nothing fires any more."""

    at: datetime


Event = Firing | Suspension


class _Runs:
    """The runs that go on, and the failures in a row of those that ended."""

    def __init__(self, rules: Rules, course: Course) -> None:
        self.rules = rules
        self.course = course
        self.count = 0
        self.counts: Mapping[str, int] = {}
        self.going_on: list[tuple[datetime, int]] = []
        """End and number of each, the next to end first."""

    def may_begin(self) -> bool:
        # The root that sfml generates ends at once: what goes on are its children.
        return may_begin(self.rules.overlap, [RunStage.CHILDREN] * len(self.going_on))

    def begin(self, at: datetime) -> None:
        self.count += 1
        self.going_on = sorted([*self.going_on, (at + self.course.length(self.count), self.count)])

    def end_next(self) -> tuple[datetime, bool, bool]:
        """End the next: when, whether it failed, and whether that suspends the root. It fails in the same task."""
        at, number = self.going_on.pop(0)
        failed = self.course.fails(number)
        state = State.FAILED if failed else State.SUCCEEDED
        self.counts = failure_counts(self.counts, {"task": state})
        return at, failed, bool(guilty_tasks(self.counts, self.rules.suspend_after))

    def ended_by(self, moment: datetime) -> datetime | None:
        """End what is over by then; answers when the root was suspended, if it was."""
        while self.going_on and self.going_on[0][0] <= moment:
            at, _, suspends = self.end_next()
            if suspends:
                return at
        return None


def scheduled(schedule: Schedule, resumed: datetime, rules: Rules, course: Course) -> Iterator[Event]:
    """What a schedule that is resumed then fires, without end unless failures suspend it."""
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
    """What a graph does whose streams get data at these moments.

    A run takes the data that was there when it began; one that fails leaves it there, and is followed by another.
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
            last = due  # the health check: its condition does not hold, and the run is skipped
        while runs.going_on and runs.going_on[0][0] <= now:
            _, failed, suspends = runs.end_next()
            has_data = has_data or failed
            if suspends:
                yield Suspension(now)
                return


def first(events: Iterator[Event], until: datetime | None, runs: int | None, most: int) -> tuple[Event, ...]:
    """The events up to and at `until`, or as far as so many runs have begun; raises OverflowError beyond `most`."""
    found: list[Event] = []
    began = 0
    for event in islice(events, most + 1):
        if until is not None and event.at > until:
            break
        if until is None and runs is not None and began >= runs:
            break
        if len(found) == most:
            raise OverflowError(f"more than {most:,} moments ask for a run")
        found.append(event)
        began += isinstance(event, Firing) and event.began
    return tuple(found)
