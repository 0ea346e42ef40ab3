"""A schedule in words: `Sundays 00:00 UTC, next Sun 29 Nov 00:00 UTC (in 6 d 16 h)`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.render.units import interval, moment
from sfml.semantics.cron import next_fire, parse_cron

_DAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")
_DAY_NAMES = {name[:3].upper(): number for number, name in enumerate(_DAYS)}


def schedule_words(schedule: Schedule) -> str:
    """The schedule in words, without a next run, so that the text stays true."""
    match schedule:
        case Manual():
            return "manual"
        case CronSchedule(cron, timezone):
            return f"{cron_words(cron)} {timezone}"
        case IntervalSchedule(seconds):
            return f"every {interval(timedelta(seconds=seconds))}"
        case StreamSchedule(streams):
            return f"when {' or '.join(streams)} has data"


def schedule_text(
    schedule: CronSchedule | IntervalSchedule | StreamSchedule, now: datetime | None = None
) -> str:
    """The schedule in words, and for a cron the next run after `now` (None: the current time)."""
    words = schedule_words(schedule)
    match schedule:
        case IntervalSchedule() | StreamSchedule():
            return words
        case CronSchedule(cron, timezone):
            at = now or datetime.now(UTC)
            fire = next_fire(parse_cron(cron, timezone), at)
            return words if fire is None else f"{words}, next {moment(fire)} (in {interval(fire - at)})"


def cron_words(cron: str) -> str:
    """`Sundays 00:00` or `daily 06:30` for the common forms, otherwise `cron` and the expression."""
    fields = cron.split()
    if len(fields) != 5 or not (fields[0].isdigit() and fields[1].isdigit()) or fields[2:4] != ["*", "*"]:
        return f"cron {cron}"
    clock = f"{int(fields[1]):02d}:{int(fields[0]):02d}"
    day = fields[4].upper()
    number = _DAY_NAMES.get(day, int(day) if day.isdigit() and int(day) < 7 else None)
    if day == "*":
        return f"daily {clock}"
    return f"cron {cron}" if number is None else f"{_DAYS[number]} {clock}"
