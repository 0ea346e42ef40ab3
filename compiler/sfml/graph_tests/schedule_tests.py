"""Executing tests of a schedule: the runs that begin are simulated and compared with the expected ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sfml.base.diagnostic import Diagnostic
from sfml.graph.declared_tests import Moment, ScheduleTest
from sfml.graph.located import Place
from sfml.graph.model import CronSchedule, GraphSettings, IntervalSchedule, Manual, StreamSchedule
from sfml.graph_tests.verdict import Verdict, failure, undecided
from sfml.semantics.cron import parse_cron
from sfml.semantics.schedule import Interval
from sfml.semantics.timeline import Course, Event, Firing, Rules, Suspension, first, scheduled, triggered

MOST_MOMENTS = 10_000
MOST_DIFFERENCES = 10
"""The most differences of one list that are reported."""


def schedule_verdict(settings: GraphSettings, test: ScheduleTest) -> Verdict:
    """The result of the test, from a simulation."""
    events = expected_moments(settings, test)
    if events is None:
        message = f"more than {MOST_MOMENTS:,} runs are due"
        return Verdict(test, (undecided(test, message, test.place, "look at a shorter time"),))
    return Verdict(test, tuple(unmet_moments(test, events)))


def expected_moments(settings: GraphSettings, test: ScheduleTest) -> tuple[Event, ...] | None:
    """The simulated events in the time of the test; None if there are more than `MOST_MOMENTS`."""
    count = None if test.until is not None else len(test.runs)
    try:
        return first(_events(settings, test), test.until, count, MOST_MOMENTS)
    except OverflowError:
        return None


def _events(settings: GraphSettings, test: ScheduleTest) -> Iterator[Event]:
    failed = test.failed_runs
    rules = Rules(settings.overlap, settings.suspend_after_failures)
    takes = tuple(timedelta(seconds=take) for take in test.takes)
    course = Course(takes, lambda number: failed is None or number in failed)
    since = test.since.astimezone(UTC)
    match settings.schedule:
        case CronSchedule(cron, timezone):
            return scheduled(parse_cron(cron, timezone), since, rules, course)
        case IntervalSchedule(seconds):
            return scheduled(Interval(seconds), since, rules, course)
        case StreamSchedule(every=every):
            data = [at.astimezone(UTC) for at in test.data]
            return triggered(data, since, every, rules, course)
        case Manual():
            return iter(())


def unmet_moments(test: ScheduleTest, events: tuple[Event, ...]) -> Iterator[Diagnostic]:
    """The findings for expectations that the events do not meet."""
    began = [event.at for event in events if isinstance(event, Firing) and event.began]
    passed = [event.at for event in events if isinstance(event, Firing) and not event.began]
    suspended = next((event.at for event in events if isinstance(event, Suspension)), None)
    why = {at.astimezone(UTC): "missed: an earlier run is still going on" for at in passed}
    for wanted, place in _absent(test.runs, began):
        reason = why.get(wanted.astimezone(UTC))
        if reason is None and suspended is not None and suspended <= wanted:
            reason = f"failures have suspended the schedule at {_shown(test, suspended)}"
        yield failure(test, f"no run begins at {_shown(test, wanted)}", place, label=reason)
    yield from _unexpected(test, began, test.runs, test.runs_at, "a run begins at {}, which is not expected")
    for number in sorted(test.failed_runs or ()):
        if number > len(began):
            count = f"{len(began)} run{'s' * (len(began) != 1)}"
            yield failure(test, f"run {number} cannot fail: {count} began", test.runs_at)
    if test.missed is not None and test.missed_at is not None:
        for wanted, place in _absent(test.missed, passed):
            yield failure(test, f"{_shown(test, wanted)} is not missed", place)
        message = "{} is missed, which is not expected"
        yield from _unexpected(test, passed, test.missed, test.missed_at, message)
    if test.suspended is not None:
        wanted_at, place = test.suspended
        if (wanted_at and wanted_at.astimezone(UTC)) != (suspended and suspended.astimezone(UTC)):
            came = f"was suspended at {_shown(test, suspended)}" if suspended else "was never suspended"
            should = f"been suspended at {_shown(test, wanted_at)}" if wanted_at else "stayed resumed"
            yield failure(test, f"the schedule should have {should}, but {came}", place)


def _absent(wanted: tuple[Moment, ...], came: list[datetime]) -> list[Moment]:
    there = {at.astimezone(UTC) for at in came}
    return [moment for moment in wanted if moment[0].astimezone(UTC) not in there][:MOST_DIFFERENCES]


def _unexpected(
    test: ScheduleTest, came: list[datetime], wanted: tuple[Moment, ...], place: Place, message: str
) -> Iterator[Diagnostic]:
    named = {at.astimezone(UTC) for at, _ in wanted}
    more = [at for at in came if at.astimezone(UTC) not in named]
    for at in more[:MOST_DIFFERENCES]:
        yield failure(test, message.format(_shown(test, at)), place)
    if len(more) > MOST_DIFFERENCES:
        yield failure(test, f"and {len(more) - MOST_DIFFERENCES:,} more that are not expected", place)


def _shown(test: ScheduleTest, at: datetime) -> str:
    """The time as text, in the time zone of the test."""
    local = at.astimezone(test.since.tzinfo)
    text = local.isoformat(timespec="seconds" if local.second else "minutes")
    return text.replace("+00:00", "Z")
