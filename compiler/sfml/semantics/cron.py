"""Snowflake's cron: five fields and a time zone, stricter than cron elsewhere.

https://docs.snowflake.com/en/sql-reference/sql/create-task (SCHEDULE). Fields are checked here and expanded to lists of
values; `cronsim` computes the times from those lists, so that its own extensions (`?`, `#`, `LW`, 7 for Sunday) are
not accepted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from sfml.base.record import record
from sfml.semantics.interval import INVALID_SCHEDULE, ScheduleError

NEVER_FIRES = "No valid time could be found under the schedule and/or interval specified"


@record
class _Field:
    low: int
    high: int
    names: Mapping[str, int]
    last: bool = False
    """Whether the field takes `L`: `L` alone in the day of the month, `5L` in the day of the week."""


_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
_FIELDS = (
    _Field(0, 59, {}),
    _Field(0, 23, {}),
    _Field(1, 31, {}, last=True),
    _Field(1, 12, _MONTHS),
    _Field(0, 6, _DAYS, last=True),
)
_NOUNS = ("minute", "hour", "day of a month", "month", "day of the week")
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_WITHOUT_A_FOLDER = ("UTC", "GMT")


@record
class Cron:
    """A checked cron: the five fields as written and expanded to lists, and the time zone as `zoneinfo` spells it."""

    fields: tuple[str, ...]
    timezone: str
    expanded: tuple[str, ...]

    @property
    def expression(self) -> str:
        return " ".join(self.fields)


def parse_cron(expression: str, timezone: str) -> Cron:
    """The cron of five fields in the time zone of a region; raises `ScheduleError` with Snowflake's sentence."""
    fields = tuple(expression.split())
    if len(fields) != len(_FIELDS):
        raise ScheduleError(INVALID_SCHEDULE)
    zone = zone_name(timezone)
    cron = Cron(fields, zone, tuple(_expanded(text, at) for at, text in enumerate(fields)))
    if next_fire(cron, datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC"))) is None:
        raise ScheduleError(NEVER_FIRES)
    return cron


@record
class UnfitField:
    """A part of a cron's field that is not valid: its text, what the field means, and which values it takes."""

    text: str
    field: str
    names: tuple[str, ...]
    takes: str


def unfit_field(expression: str) -> UnfitField | None:
    """The first part of the five fields that Snowflake refuses; None where each is valid by itself."""
    for at, text in enumerate(expression.split()):
        for item in dict.fromkeys(text.split(",")):
            try:
                _expanded(item, at)
            except ScheduleError:
                return _unfit(item, at)
    return None


def _unfit(item: str, at: int) -> UnfitField:
    field, noun = _FIELDS[at], _NOUNS[at]
    span, slash, step = item.partition("/")
    parts = [part for part in span.split("-") if part] or [item]
    wrong = next((part for part in parts if not _fits(part, field)), item)
    names = f", or {next(iter(field.names))} to {list(field.names)[-1]}" if field.names else ""
    if wrong == item and slash and not (step.isascii() and step.isdigit() and int(step)):
        return UnfitField(item, noun, (), "a step above 0 after the `/`, such as `*/2`")
    return UnfitField(wrong, noun, tuple(field.names), f"`*` or {field.low} to {field.high}{names}")


def _fits(text: str, field: _Field) -> bool:
    if text == "*":
        return True
    try:
        _value(text.upper(), field)
    except ScheduleError:
        return False
    return True


def next_fire(cron: Cron, after: datetime) -> datetime | None:
    """The first time strictly after `after` (aware) at which the cron fires, in the cron's zone."""
    return next(fires_after(cron, after), None)


def fires_after(cron: Cron, after: datetime) -> Iterator[datetime]:
    """The times strictly after `after` (aware) at which the cron fires, in order and in the cron's zone.

    A time that the change to summer time skips does not fire; one that the change back repeats fires twice.
    """
    zone = ZoneInfo(cron.timezone)
    start, local = _utc(after), after.astimezone(zone)
    shown_again: deque[datetime] = deque()
    # `cronsim` gets times without a zone: with zones it loses minutes where a clock changes by less than an hour.
    # A clock that is set back shows the same times twice, so the search begins earlier by that difference.
    for wall in _walls(cron, local.replace(tzinfo=None, fold=0) - _set_back(local)):
        first, second = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
        times = _times_shown(first, second)
        while shown_again and _utc(shown_again[0]) < _utc(first):
            yield shown_again.popleft()
        if times and first > start:
            yield first
        if times > 1 and second > start:
            shown_again.append(second)
    yield from shown_again


def _walls(cron: Cron, after: datetime) -> Iterator[datetime]:
    """The times after `after`, all without a zone, that the fields of the cron name."""
    try:
        yield from CronSim(" ".join(("0", *cron.expanded)), after)
    except CronSimError:
        return


def _times_shown(first: datetime, second: datetime) -> int:
    """How often a clock shows a time, which is given for both its folds: not at all where summer time skips it."""
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None and after is not None
    return 1 if before == after else 2 if before > after else 0


def _set_back(local: datetime) -> timedelta:
    """By how much the zone's clock is set back within the next day: zero on nearly all days."""
    tomorrow = (_utc(local) + timedelta(days=1)).astimezone(local.tzinfo)
    now, then = local.utcoffset(), tomorrow.utcoffset()
    assert now is not None and then is not None
    return max(now - then, timedelta(0))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def fires_between(cron: Cron, start: datetime, end: datetime) -> list[datetime]:
    """Every time after `start` up to and including `end`."""
    last = _utc(end)
    return list(takewhile(lambda moment: moment <= last, fires_after(cron, start)))


def fire_seconds(cron: Cron, start: datetime, days: int) -> list[int]:
    """The same for so many days from `start`, as seconds after it; quick also where the cron fires every minute."""
    zone = ZoneInfo(cron.timezone)
    times = [60 * minute + 3600 * hour for hour in _values(cron, 1) for minute in _values(cron, 0)]
    first, span = start.astimezone(zone).replace(tzinfo=None), days * 86_400
    seconds: list[int] = []
    # The cron of only the days, each at midnight; the times of a day are the same on all of them.
    for day in CronSim(" ".join(("0", "0", "0", *cron.expanded[2:])), first - timedelta(days=2)):
        if day - first > timedelta(days=days + 2):
            break
        seconds.extend(_seconds_of_day(day, times, zone, start))
    return sorted({second for second in seconds if 0 < second <= span})


def _seconds_of_day(day: datetime, times: list[int], zone: ZoneInfo, start: datetime) -> Iterator[int]:
    """The times of a day, which are seconds after midnight, as seconds after `start`."""
    midnight, tomorrow = day.replace(tzinfo=zone), (day + timedelta(days=1)).replace(tzinfo=zone)
    if midnight.utcoffset() == tomorrow.utcoffset():
        base = int((_utc(midnight) - _utc(start)).total_seconds())
        yield from (base + time for time in times)
        return
    for wall in (day + timedelta(seconds=time) for time in times):
        folds = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
        for moment in folds if _times_shown(*folds) else ():
            yield int((_utc(moment) - _utc(start)).total_seconds())


def _values(cron: Cron, at: int) -> list[int]:
    """The values of a field that holds numbers only: the minutes or the hours."""
    text, field = cron.expanded[at], _FIELDS[at]
    return (
        list(range(field.low, field.high + 1)) if text == "*" else [int(value) for value in text.split(",")]
    )


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    """Lower-case name → name of every region. UTC and GMT are included; abbreviations such as `PST` are not."""
    regions = (name for name in available_timezones() if "/" in name or name in _WITHOUT_A_FOLDER)
    return {name.lower(): name for name in regions}


def regions() -> Collection[str]:
    """Every time zone that Snowflake takes in a schedule, in its usual spelling."""
    return _zones().values()


_ABBREVIATIONS: Mapping[str, str] = {
    abbreviation: region
    for abbreviations, region in (
        ("WET WEST", "Europe/Lisbon"),
        ("BST", "Europe/London"),
        ("CET CEST MET MEST", "Europe/Berlin"),
        ("EET EEST", "Europe/Athens"),
        ("MSK", "Europe/Moscow"),
        ("IST", "Asia/Kolkata"),
        ("JST", "Asia/Tokyo"),
        ("EST EDT", "America/New_York"),
        ("CST CDT", "America/Chicago"),
        ("MST MDT", "America/Denver"),
        ("PST PDT", "America/Los_Angeles"),
        ("HST", "Pacific/Honolulu"),
        ("AEST AEDT", "Australia/Sydney"),
        ("NZST NZDT", "Pacific/Auckland"),
        ("Z ZULU", "UTC"),
    )
    for abbreviation in abbreviations.split()
}


def region_of_abbreviation(text: str) -> str | None:
    """A region that uses the abbreviation, to be shown as an example: most abbreviations are used by several."""
    return _ABBREVIATIONS.get(text.strip().upper())


def unknown_zone(text: str) -> str:
    """Snowflake's sentence for a time zone it does not take."""
    return (
        f'Invalid schedule was specified. "{text}" is not a recognized time zone. '
        "Please specify time zones accepted by the TIMEZONE parameter."
    )


def _is_spelt_out(text: str) -> bool:
    """Whether the text is a region, spelt like its file in the IANA database."""
    return ("/" in text or text in _WITHOUT_A_FOLDER) and is_time_zone(text)


@lru_cache(maxsize=100)
def is_time_zone(text: str) -> bool:
    """Whether the text is a zone of the IANA database in its exact spelling, as the parameter TIMEZONE takes it.

    Abbreviations such as `EST` are zones there. `available_timezones` would open some 600 files for the same answer.
    """
    parts = text.split("/")
    if parts[0] in ("posix", "right", "localtime", "Factory", "posixrules"):
        return False
    try:
        ZoneInfo(text)
        return any(_is_file_in(root, parts) for root in map(Path, TZPATH) if root.is_dir())
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _is_file_in(root: Path, parts: list[str]) -> bool:
    """Whether the file exists in this exact spelling; some file systems open a file by any case of its name."""
    folders = (root.joinpath(*parts[:at]) for at in range(len(parts)))
    return all(folder / name in folder.iterdir() for folder, name in zip(folders, parts, strict=True))


def zone_name(text: str) -> str:
    """The usual spelling of a region that is given in any case; raises `ScheduleError` with Snowflake's sentence."""
    zone = text if _is_spelt_out(text) else _zones().get(text.lower())
    if zone is None:
        raise ScheduleError(unknown_zone(text))
    return zone


def _expanded(text: str, at: int) -> str:
    """The field in a form that `cronsim` reads as Snowflake does: `*`, or a list of the values that it matches.

    `*/2` becomes a list too: Snowflake treats it as a restricted field when it combines the two day fields with OR.
    """
    if text == "*":
        return "*"
    values: list[str] = []
    for item in dict.fromkeys(text.upper().split(",")):
        values.extend(value for value in _item(item, at) if value not in values)
    return ",".join(values)


def _item(item: str, at: int) -> list[str]:
    field = _FIELDS[at]
    if field.last and at == _DAY_OF_MONTH and item == "L":
        return ["L"]
    if field.last and at == _DAY_OF_WEEK and item.endswith("L") and len(item) > 1:
        return [f"{_value(item[:-1], field)}L"]
    span, slash, step_text = item.partition("/")
    step = _step(step_text) if slash else 1
    if span == "*":
        low, high = field.low, field.high
    elif "-" in span:
        first, _, last = span.partition("-")
        low, high = _value(first, field), _value(last, field)
        if high < low:
            raise ScheduleError(INVALID_SCHEDULE)
    else:
        low = _value(span, field)
        high = field.high if slash else low
    return [str(value) for value in range(low, high + 1, step)]


def _step(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise ScheduleError(INVALID_SCHEDULE)
    return int(text)


def _value(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names[text]
    if not (text.isascii() and text.isdigit()) or not field.low <= int(text) <= field.high:
        raise ScheduleError(INVALID_SCHEDULE)
    return int(text)
