"""SF5xx, schedules: what Snowflake takes, and what it would make of them."""

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

    What: five fields: minute, hour, day of month, month, day of week; `*`, lists, ranges, steps, names of
    months and days, `L` for the last.
    Why: Snowflake's cron is stricter than others: no seconds, no `?`, `W` or `#`, Sunday is 0.
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
                    label = f"`{unfit.text}` is no {unfit.field}"
                    help = did_you_mean(unfit.text.upper(), unfit.names) or f"write {unfit.takes}"
            message = f"`{schedule.cron}` is not a schedule that Snowflake takes"
            yield error("SF501", message, _place(case, "schedule.cron"), label=label, help=help)


def time_zones(case: Case) -> Iterator[Diagnostic]:
    """SF502: the time zone of the schedule is not known.

    What: a region such as `UTC` or `Europe/Berlin`; neither `CET+1` nor `+01:00`.
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
    """SF504: the schedule has no time at which it would fire.

    What: a cron that asks for a day that no month has, such as 31 February.
    Why: Snowflake refuses it.
    Instead: choose a day that exists; `L` is the last of the month.
    """
    schedule = case.draft.settings.schedule
    if isinstance(schedule, CronSchedule):
        problem = _problem(schedule)
        if problem and problem[0] == "SF504":
            message = f"`{schedule.cron}` never fires"
            help = "choose a day that exists; `L` is the last day of a month"
            yield error("SF504", message, _place(case, "schedule.cron"), help=help)


def _problem(schedule: CronSchedule) -> tuple[str, str] | None:
    """The code and Snowflake's sentence for what is wrong with a cron."""
    from sfml.semantics.cron import NEVER_FIRES, next_fire, parse_cron  # costs start-up time
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

    What: a cron that fires between 01:00 and 02:59 in a time zone that changes its clocks.
    Why: in spring the hour does not exist, and Snowflake skips the run; in autumn it comes twice, and so does
    the run.
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
    """The hours that a cron field means; empty when it is more than numbers, lists and ranges."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        if span == "*":
            low, high = "0", "23"
        if not (low.isdigit() and (high or low).isdigit() and (step or "1").isdigit()) or step == "0":
            return ()
        end = int(high) if high else (23 if step else int(low))
        found |= set(range(int(low), end + 1, int(step or "1")))
    return tuple(sorted(found))


def intervals(case: Case) -> Iterator[Diagnostic]:
    """SF503: the interval of the schedule is out of range.

    What: 10 seconds to 8 days.
    Why: Snowflake refuses less and more.
    Instead: choose one in between; for longer ones write a cron.
    """
    schedule = case.draft.settings.schedule
    if isinstance(schedule, IntervalSchedule) and not _MIN_INTERVAL <= schedule.seconds <= _MAX_INTERVAL:
        message = f"every {in_words(schedule.seconds)} is not possible; Snowflake takes 10 seconds to 8 days"
        help = "write a cron" if schedule.seconds > _MAX_INTERVAL else "write `10s` or more"
        yield error("SF503", message, _place(case, "schedule.every"), help=help)


def triggers(case: Case) -> Iterator[Diagnostic]:
    """SF505: the least time between triggered runs is out of range.

    What: 10 seconds to 7 days; 30 seconds by default.
    Why: Snowflake refuses less and more.
    Instead: choose one in between.
    """
    schedule = case.draft.settings.schedule
    every = schedule.every if isinstance(schedule, StreamSchedule) else None
    if every is not None and not _MIN_TRIGGER <= every <= _MAX_TRIGGER:
        message = f"at most every {in_words(every)} is not possible; Snowflake takes 10s to 7d"
        yield error("SF505", message, _place(case, "schedule.every"))


def triggered_unawares(case: Case) -> Iterator[Diagnostic]:
    """SF508: a manual pipeline has a condition that makes it start by itself.

    What: a root without a schedule whose condition asks SYSTEM$STREAM_HAS_DATA.
    Why: Snowflake takes such a root for a triggered task: once resumed, the stream's data starts it.
    Instead: write `schedule: {on_stream: …}` if that is meant, or take the condition out.
    """
    settings = case.draft.settings
    if isinstance(settings.schedule, Manual) and reads_streams(settings.when):
        message = "the schedule is `manual`, but the root's condition lets a stream start it"
        help = "write `schedule: {on_stream: …}`, or take `when` out"
        yield error("SF508", message, _place(case, "when"), help=help)
