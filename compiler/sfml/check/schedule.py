"""SF5xx, schedules: crons, time zones, intervals and triggers that Snowflake takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.check.case import Case, error, warning
from sfml.graph.durations import in_words
from sfml.graph.located import Place
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, StreamSchedule
from sfml.semantics.conditions import reads_streams

_MIN_INTERVAL, _MAX_INTERVAL = 10, 691_200
_MIN_TRIGGER, _MAX_TRIGGER = 10, 604_800


def _place(case: Case, *settings: str) -> Place:
    for setting in (*settings, "schedule"):
        place = case.draft.places.get(f"schedule_config.{setting}")
        if place is not None:
            return place
    return case.draft.places["schedule_config"]


def crons(case: Case) -> Iterator[Diagnostic]:
    """SF501: the cron expression is not one that Snowflake takes.

    What: a cron has five fields: minute, hour, day of month, month, day of week. A field is `*`, a list, a range or a
    step, with names of months and days, and `L` for the last day.
    Why: Snowflake's cron is stricter than others: it has no seconds, no `?`, `W` or `#`, and Sunday is 0.
    Instead: write five fields, such as `0 3 * * 1`.
    """
    schedule = case.draft.settings.schedule
    if isinstance(schedule, CronSchedule):
        problem = _problem(schedule)
        if problem and problem[0] == "SF501":
            fields = len(schedule.cron.split())
            label = f"{fields} fields" if fields != 5 else None
            help = "write minute, hour, day of month, month and day of week, such as `0 3 * * 1`"
            if fields == 6:
                help = "the time zone has a key of its own, `timezone`, and there is no field for seconds"
            if fields == 5:
                from sfml.semantics.cron import unfit_field

                unfit = unfit_field(schedule.cron)
                if unfit is not None:
                    label = f"`{unfit.text}` is not a {unfit.field}"
                    help = did_you_mean(unfit.text.upper(), unfit.names) or f"write {unfit.takes}"
            message = f"`{schedule.cron}` is not a schedule that Snowflake takes"
            yield error("SF501", message, _place(case, "schedule.cron"), label=label, help=help)


def time_zones(case: Case) -> Iterator[Diagnostic]:
    """SF502: the time zone of the schedule is not known.

    What: a time zone is `UTC` or a region such as `Europe/Berlin`, not `CET+1` or `+01:00`.
    Why: Snowflake refuses the schedule.
    Instead: name a region of the IANA time zone database.
    """
    schedule = case.draft.settings.schedule
    if isinstance(schedule, CronSchedule):
        problem = _problem(schedule)
        if problem and problem[0] == "SF502":
            from sfml.semantics.cron import region_of_abbreviation, regions

            region = region_of_abbreviation(schedule.timezone)
            help = f"name a region instead of an abbreviation, such as `{region}`" if region else None
            help = help or did_you_mean(schedule.timezone, regions())
            help = help or "name a region, such as `UTC` or `Europe/Berlin`"
            message = f"`{schedule.timezone}` is not a time zone that Snowflake knows"
            yield error("SF502", message, _place(case, "schedule.timezone"), help=help)


def never_fires(case: Case) -> Iterator[Diagnostic]:
    """SF504: the schedule never fires.

    What: a cron names a day that exists; 31 February does not.
    Why: Snowflake refuses it.
    Instead: choose a day that exists; `L` is the last day of a month.
    """
    schedule = case.draft.settings.schedule
    if isinstance(schedule, CronSchedule):
        problem = _problem(schedule)
        if problem and problem[0] == "SF504":
            message = f"`{schedule.cron}` never fires"
            help = "choose a day that exists; `L` is the last day of a month"
            yield error("SF504", message, _place(case, "schedule.cron"), help=help)


def _problem(schedule: CronSchedule) -> tuple[str, str] | None:
    """The code of the finding and Snowflake's sentence for a wrong cron; None for a right one."""
    from sfml.semantics.cron import NEVER_FIRES, next_fire, parse_cron  # imported here to start up faster
    from sfml.semantics.interval import INVALID_SCHEDULE, ScheduleError

    try:
        cron = parse_cron(schedule.cron, schedule.timezone)
        if next_fire(cron, datetime(2024, 1, 1, tzinfo=UTC)) is None:
            return ("SF504", NEVER_FIRES)
    except ScheduleError as cause:
        text = str(cause)
        if text == NEVER_FIRES:
            return ("SF504", text)
        return ("SF501", text) if text == INVALID_SCHEDULE else ("SF502", text)
    return None


def daylight_saving(case: Case) -> Iterator[Diagnostic]:
    """SF507: the schedule fires in an hour that daylight saving time skips or repeats.

    What: in a time zone with daylight saving time, a cron does not fire between 01:00 and 02:59.
    Why: on one day in spring the hour does not exist, and Snowflake skips the run. On one day in autumn the hour is
    repeated, and the run too.
    Instead: choose another hour, or `timezone: UTC`.
    """
    schedule = case.draft.settings.schedule
    if not isinstance(schedule, CronSchedule) or _problem(schedule) is not None:
        return
    from zoneinfo import ZoneInfo

    from sfml.semantics.cron import parse_cron

    cron = parse_cron(schedule.cron, schedule.timezone)
    zone = ZoneInfo(cron.timezone)
    hours = schedule.cron.split()[1]
    if not set(_hours(hours)) & {1, 2} or len(_hours(hours)) > 12:
        return
    year = datetime(2026, 1, 1, tzinfo=UTC)
    if len({(year + timedelta(days=day)).astimezone(zone).utcoffset() for day in range(0, 365, 7)}) > 1:
        message = f"`{schedule.cron}` fires in hours that daylight saving time skips and repeats"
        why = f"clocks in {schedule.timezone} change then: the run is left out in spring, and comes twice in autumn"
        help = "choose an hour from 3 on, or `timezone: UTC`"
        yield warning("SF507", message, _place(case, "schedule.cron"), why=why, help=help)


def _hours(field: str) -> tuple[int, ...]:
    """The hours of a cron field, sorted; empty for a field of more than numbers, lists, ranges and steps."""
    hours: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            low, high = "0", "23"
        if not (low.isdigit() and (high or low).isdigit() and (step or "1").isdigit()) or step == "0":
            return ()
        end = int(high) if high else (23 if step else int(low))
        hours |= set(range(int(low), end + 1, int(step or "1")))
    return tuple(sorted(hours))


def intervals(case: Case) -> Iterator[Diagnostic]:
    """SF503: the interval of the schedule is out of range.

    What: `every` is 10 seconds to 8 days.
    Why: Snowflake refuses shorter and longer intervals.
    Instead: choose an interval in that range; for a longer one, write a cron.
    """
    schedule = case.draft.settings.schedule
    if isinstance(schedule, IntervalSchedule) and not _MIN_INTERVAL <= schedule.seconds <= _MAX_INTERVAL:
        message = f"every {in_words(schedule.seconds)} is not possible; Snowflake takes 10 seconds to 8 days"
        help = "write a cron" if schedule.seconds > _MAX_INTERVAL else "write `10s` or more"
        yield error("SF503", message, _place(case, "schedule.every"), help=help)


def triggers(case: Case) -> Iterator[Diagnostic]:
    """SF505: the least time between triggered runs is out of range.

    What: with `on_stream`, `every` is 10 seconds to 7 days; the default is 30 seconds.
    Why: Snowflake refuses shorter and longer times.
    Instead: choose a time in that range.
    """
    schedule = case.draft.settings.schedule
    every = schedule.every if isinstance(schedule, StreamSchedule) else None
    if every is not None and not _MIN_TRIGGER <= every <= _MAX_TRIGGER:
        message = f"at most every {in_words(every)} is not possible; Snowflake takes 10s to 7d"
        yield error("SF505", message, _place(case, "schedule.every"))


def triggered_unawares(case: Case) -> Iterator[Diagnostic]:
    """SF508: a manual pipeline has a condition that makes it start by itself.

    What: with `schedule: manual`, the condition of the root does not call SYSTEM$STREAM_HAS_DATA.
    Why: Snowflake treats such a root as a triggered task: once it is resumed, data in the stream starts it.
    Instead: write `schedule: {on_stream: …}` if that is meant, or remove the condition.
    """
    settings = case.draft.settings
    if isinstance(settings.schedule, Manual) and reads_streams(settings.when):
        message = "the schedule is `manual`, but the root's condition lets a stream start it"
        help = "write `schedule: {on_stream: …}`, or take `when` out"
        yield error("SF508", message, _place(case, "when"), help=help)
