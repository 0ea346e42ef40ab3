"""Snowflake's cron: five fields and a time zone, stricter than cron elsewhere.

https://docs.snowflake.com/en/sql-reference/sql/create-task (SCHEDULE). Fields are checked and spelt out here
and walked by `cronsim`, so that none of its own extensions (`?`, `#`, `LW`, 7 for Sunday) slip through.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
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
    """Whether the field knows `L`: alone for the day of the month, after a day of the week."""


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
    """A checked cron: the five fields as written and spelt out, and the zone as `zoneinfo` names it."""

    fields: tuple[str, ...]
    timezone: str
    expanded: tuple[str, ...]

    @property
    def expression(self) -> str:
        return " ".join(self.fields)


def parse_cron(expression: str, timezone: str) -> Cron:
    """A cron of five fields in a region's time zone; raises `ScheduleError` with Snowflake's sentence."""
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
    """A part of a cron's field that does not fit there, what the field is of, and what it takes."""

    text: str
    field: str
    names: tuple[str, ...]
    takes: str


def unfit_field(expression: str) -> UnfitField | None:
    """The first part of five fields that Snowflake does not take; None where each is fine by itself."""
    for at, text in enumerate(expression.split()):
        for item in text.split(","):
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
    """The first time strictly after `after` (aware) at which the cron fires, in the cron's zone.

    A time that the spring change leaves out does not fire; one that autumn repeats fires twice.
    """
    zone = ZoneInfo(cron.timezone)
    local = after.astimezone(zone)
    # Walked by the wall clock, without a zone: cronsim's own walk through zones loses minutes where a clock
    # moves by less than an hour. A clock that is set back repeats walls, so the walk begins that much earlier.
    back = _set_back(local)
    best: datetime | None = None
    try:
        for wall in CronSim(" ".join(("0", *cron.expanded)), local.replace(tzinfo=None, fold=0) - back):
            if best is not None and wall >= best.replace(tzinfo=None) + back:
                return best
            for moment in (wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)):
                is_later = _utc(moment) > _utc(after) and _exists(moment)
                if is_later and (best is None or _utc(moment) < _utc(best)):
                    best = moment
            if best is not None and not back:
                return best
    except CronSimError:
        return best
    return best


def _set_back(local: datetime) -> timedelta:
    """By how much the zone's clock is set back within the next day; nothing on nearly all days."""
    tomorrow = (_utc(local) + timedelta(days=1)).astimezone(local.tzinfo)
    now, then = local.utcoffset(), tomorrow.utcoffset()
    assert now is not None and then is not None
    return max(now - then, timedelta(0))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _exists(moment: datetime) -> bool:
    return _utc(moment).astimezone(moment.tzinfo).replace(tzinfo=None) == moment.replace(tzinfo=None)


def fires_between(cron: Cron, start: datetime, end: datetime) -> list[datetime]:
    """Every time after `start` and not after `end`."""
    found = []
    moment = next_fire(cron, start)
    while moment is not None and moment - end <= timedelta(0):
        found.append(moment)
        moment = next_fire(cron, moment)
    return found


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    """Region names in lower case. Abbreviations such as `PST` and `EST` are no regions: only UTC and GMT."""
    regions = (name for name in available_timezones() if "/" in name or name in _WITHOUT_A_FOLDER)
    return {name.lower(): name for name in regions}


def regions() -> Collection[str]:
    """Every time zone that Snowflake takes, as it is spelt."""
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
    """A region that an abbreviation usually stands for, as an example: most of them stand for several."""
    return _ABBREVIATIONS.get(text.strip().upper())


def unknown_zone(text: str) -> str:
    """Snowflake's sentence for a time zone it does not take."""
    return (
        f'Invalid schedule was specified. "{text}" is not a recognized time zone. '
        "Please specify time zones accepted by the TIMEZONE parameter."
    )


def _is_spelt_out(text: str) -> bool:
    """Whether it is a region, written as its file is named."""
    return ("/" in text or text in _WITHOUT_A_FOLDER) and is_time_zone(text)


@lru_cache(maxsize=100)
def is_time_zone(text: str) -> bool:
    """Whether a zone of the IANA database is spelt so, abbreviations such as `EST` among them: what TIMEZONE takes.

    `available_timezones` opens some 600 files to say the same.
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
    """Whether the file is there by this name: some file systems open it by any case."""
    folders = (root.joinpath(*parts[:at]) for at in range(len(parts)))
    return all(folder / name in folder.iterdir() for folder, name in zip(folders, parts, strict=True))


def zone_name(text: str) -> str:
    """The region of that name in any case, as it is spelt; raises `ScheduleError` with Snowflake's sentence."""
    zone = text if _is_spelt_out(text) else _zones().get(text.lower())
    if zone is None:
        raise ScheduleError(unknown_zone(text))
    return zone


def _expanded(text: str, at: int) -> str:
    """The field in words that `cronsim` reads the same way: `*`, or every value it matches, spelt out.

    `*/2` becomes a list on purpose: Snowflake counts it as restricted when it ORs the two day fields.
    """
    if text == "*":
        return "*"
    values: list[str] = []
    for item in text.upper().split(","):
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
