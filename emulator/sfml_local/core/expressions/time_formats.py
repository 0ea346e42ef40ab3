"""Dates, times and timestamps as text and back, by Snowflake's format elements, in any case.

https://docs.snowflake.com/en/sql-reference/date-time-input-output
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CENTURY_START = 1970

_LONG = ("TZH:TZM", "TZHTZM", "YYYY", "UUUU", "MMMM", "HH24", "HH12", "TZH", "TZM", "H24", "H12", "MON")
_SHORT = (
    *("YY", "MM", "MO", "MI", "ME", "DD", "DY", "HH", "SS", "AM", "PM"),
    *(f"FF{n}" for n in range(10)),
    "FF",
)
_SINGLE = ("Y", "D", "H", "S", "P")
_PART = re.compile(r'"([^"]*)"|([A-Za-z][A-Za-z0-9]*(?::TZM)?)|(.)', re.DOTALL | re.IGNORECASE)
_NAMES = "|".join((*_LONG[:2], *sorted((*_LONG[2:], *_SHORT), key=len, reverse=True)))
_WORD = re.compile(_NAMES, re.IGNORECASE)
_SINGLES = re.compile(f"{_NAMES}|{'|'.join(_SINGLE)}", re.IGNORECASE)

Element = tuple[bool, str]
"""Whether it is an element of a format (its name in upper case) or a literal."""


@lru_cache(maxsize=256)
def elements(format: str) -> tuple[Element, ...]:
    """The elements and literals of a format in their order."""
    found: list[Element] = []
    for match in _PART.finditer(format):
        if match[2] is None:
            found.append((False, match[1] if match[1] is not None else match[3]))
        else:
            found += _of_word(match[2])
    return tuple(found)


def _of_word(word: str) -> list[Element]:
    """The elements in a run of letters; a word such as `hours` contains letters of elements, but is none."""
    if (whole := _split(word, _SINGLES)) is not None and all(is_element for is_element, _ in whole):
        return whole
    return _split(word, _WORD) or []


def _split(word: str, pattern: re.Pattern[str]) -> list[Element]:
    found: list[Element] = []
    at = 0
    while at < len(word):
        match = pattern.match(word, at)
        found.append((True, match[0].upper()) if match else (False, word[at]))
        at = match.end() if match else at + 1
    return found


# -- to text -----------------------------------------------------------------------------------------------

Moment = dt.datetime | dt.date | dt.time


def moment_text(value: Moment, format: str) -> str:
    """A date, time or timestamp in a format."""
    moment = _as_datetime(value)
    return "".join(
        _WRITERS[name](moment, name) if is_element else name for is_element, name in elements(format)
    )


def _as_datetime(value: Moment) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.time):
        return dt.datetime.combine(dt.date(1970, 1, 1), value)
    return dt.datetime.combine(value, dt.time())


def _offset(moment: dt.datetime) -> tuple[str, str]:
    seconds = int((moment.utcoffset() or dt.timedelta()).total_seconds())
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}", f"{abs(seconds) % 3600 // 60:02d}"


def _fraction(moment: dt.datetime, name: str) -> str:
    return f"{moment.microsecond:06d}000"[: int(name[2:] or 9)]


def _half(moment: dt.datetime, name: str) -> str:
    return "AM" if moment.hour < 12 else "PM"


def _hour12(moment: dt.datetime) -> int:
    return moment.hour % 12 or 12


_WRITERS: Mapping[str, Callable[[dt.datetime, str], str]] = {
    "YYYY": lambda m, _: f"{m.year:04d}",
    "UUUU": lambda m, _: f"{m.year:04d}",
    "YY": lambda m, _: f"{m.year % 100:02d}",
    "Y": lambda m, _: str(m.year % 100),
    "MM": lambda m, _: f"{m.month:02d}",
    "MO": lambda m, _: str(m.month),
    "MON": lambda m, _: MONTHS[m.month - 1][:3],
    "MMMM": lambda m, _: MONTHS[m.month - 1],
    "DD": lambda m, _: f"{m.day:02d}",
    "D": lambda m, _: str(m.day),
    "DY": lambda m, _: DAYS[m.weekday()][:3],
    "HH24": lambda m, _: f"{m.hour:02d}",
    "HH": lambda m, _: f"{m.hour:02d}",
    "H24": lambda m, _: str(m.hour),
    "H": lambda m, _: str(m.hour),
    "HH12": lambda m, _: f"{_hour12(m):02d}",
    "H12": lambda m, _: str(_hour12(m)),
    "AM": _half,
    "PM": _half,
    "P": lambda m, n: _half(m, n)[0],
    "MI": lambda m, _: f"{m.minute:02d}",
    "ME": lambda m, _: str(m.minute),
    "SS": lambda m, _: f"{m.second:02d}",
    "S": lambda m, _: str(m.second),
    "FF": _fraction,
    **{f"FF{n}": _fraction for n in range(10)},
    "TZH:TZM": lambda m, _: ":".join(_offset(m)),
    "TZHTZM": lambda m, _: "".join(_offset(m)),
    "TZH": lambda m, _: _offset(m)[0],
    "TZM": lambda m, _: _offset(m)[1],
}

# -- from text ---------------------------------------------------------------------------------------------

_MONTH_NAMES = "|".join(sorted({name for m in MONTHS for name in (m, m[:3])}, key=len, reverse=True))
_DAY_NAMES = "|".join(sorted({name for d in DAYS for name in (d, d[:3])}, key=len, reverse=True))
_TWO = r"(\d{1,2})"
_READERS: Mapping[str, str] = {
    "YYYY": r"(\d{1,4})",
    "UUUU": r"(-?\d{1,4})",
    **dict.fromkeys(("YY", "Y"), _TWO),
    **dict.fromkeys(("MM", "MO", "DD", "D", "MI", "ME", "SS", "S"), _TWO),
    **dict.fromkeys(("HH24", "HH", "H24", "H", "HH12", "H12"), _TWO),
    **dict.fromkeys(("MON", "MMMM"), f"({_MONTH_NAMES})"),
    "DY": f"({_DAY_NAMES})",
    **dict.fromkeys(("AM", "PM"), "(AM|PM)"),
    "P": "(A|P)",
    **dict.fromkeys(("FF", *(f"FF{n}" for n in range(10))), r"(\d{0,9})"),
    "TZH:TZM": r"([+-]?\d{1,2}:\d{2}|Z)",
    "TZHTZM": r"([+-]?\d{4}|[+-]?\d{1,2}:\d{2}|Z)",
    "TZH": r"([+-]?\d{1,2}|Z)",
    "TZM": r"(\d{1,2})",
}
_FIELDS: Mapping[str, str] = {
    **dict.fromkeys(("YYYY", "UUUU"), "year"),
    **dict.fromkeys(("YY", "Y"), "short_year"),
    **dict.fromkeys(("MM", "MO"), "month"),
    **dict.fromkeys(("MON", "MMMM"), "month_name"),
    **dict.fromkeys(("DD", "D"), "day"),
    "DY": "day_name",
    **dict.fromkeys(("HH24", "HH", "H24", "H"), "hour"),
    **dict.fromkeys(("HH12", "H12"), "hour12"),
    **dict.fromkeys(("AM", "PM", "P"), "half"),
    **dict.fromkeys(("MI", "ME"), "minute"),
    **dict.fromkeys(("SS", "S"), "second"),
    **dict.fromkeys(("FF", *(f"FF{n}" for n in range(10))), "fraction"),
    **dict.fromkeys(("TZH:TZM", "TZHTZM", "TZH"), "zone"),
    "TZM": "zone_minute",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A parsed text: a moment without time zone, its offset from UTC, and the parts that the text had."""

    moment: dt.datetime
    offset: dt.timedelta | None

    def is_elsewhere(self, zone: dt.tzinfo) -> bool:
        """Whether its offset is not that of a zone at this moment."""
        if self.offset is None:
            return False
        moment = (self.moment - self.offset).replace(tzinfo=dt.UTC)
        return moment.astimezone(zone).utcoffset() != self.offset


@lru_cache(maxsize=256)
def _pattern(format: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    pattern, fields = "", []
    parts = elements(format)
    for index, (is_element, name) in enumerate(parts):
        if is_element:
            text = _READERS[name]
            follows = index + 1 < len(parts) and parts[index + 1][0]
            # Two elements without anything between them are separated by their widths.
            if follows and name not in ("TZH", "TZHTZM") and parts[index + 1][1][:1].isalpha():
                text = text.replace("{1,4}", "{4}").replace("{1,2}", "{2}") + r"[ T]?"
            pattern += text
            fields.append(_FIELDS[name])
        else:
            pattern += r"\s+" if name.isspace() else re.escape(name)
            # A text without a fraction needs no point either.
            is_point = name == "." and parts[index + 1 : index + 2] and parts[index + 1][1].startswith("FF")
            pattern += "?" if is_point else ""
    return re.compile(rf"\s*{pattern}\s*", re.IGNORECASE | re.ASCII), tuple(fields)


def read_moment(text: str, format: str, century_start: int = CENTURY_START) -> Read | None:
    """The text parsed in one of the formats between `|`; None if it fits none."""
    for one in format.split("|"):
        if one.strip().upper() == "AUTO":
            found = read_auto(text)
        else:
            pattern, fields = _pattern(one)
            match = pattern.fullmatch(text)
            if match is None:
                continue
            found = _built(dict(zip(fields, match.groups(), strict=True)), century_start)
        if found is not None:
            return found
    return None


def _built(parts: Mapping[str, str], century_start: int = CENTURY_START) -> Read | None:
    year = int(parts["year"]) if "year" in parts else 1970
    if "short_year" in parts:
        year = century_start - century_start % 100 + int(parts["short_year"])
        year += 100 if year < century_start else 0
    month = int(parts.get("month", 1))
    if "month_name" in parts:
        month = 1 + [name[:3].upper() for name in MONTHS].index(parts["month_name"][:3].upper())
    hour = int(parts.get("hour", 0))
    if "hour12" in parts:
        hour = int(parts["hour12"])
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts.get("half", "A").upper().startswith("P") else 0)
    fraction = (parts.get("fraction") or "0").ljust(9, "0")
    try:
        moment = dt.datetime(
            year, month, int(parts.get("day", 1)), hour, int(parts.get("minute", 0)), int(parts.get("second", 0)),
            int(fraction[:6]),
        )  # fmt: skip
    except ValueError:
        return None
    zone = parts.get("zone")
    return Read(moment, None if zone is None else _zone(zone, int(parts.get("zone_minute", 0))))


def _zone(text: str, minutes: int) -> dt.timedelta:
    if text.upper() == "Z":
        return dt.timedelta()
    sign, digits = (-1 if text.startswith("-") else 1), text.lstrip("+-")
    hours, _, rest = digits.partition(":")
    if not rest and len(hours) > 2:
        hours, rest = hours[:-2], hours[-2:]
    return sign * dt.timedelta(hours=int(hours), minutes=int(rest or minutes))


_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{0,9}))?)?)?"
_CLOCK_OF_DAY = r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{0,9}))?)?"
_CLOCK12 = _CLOCK_OF_DAY.replace("<hour>", "<hour12>") + " ?(?P<half>[AP]M)"
_ZONE = r"(?: ?(?P<zone>[+-]\d{1,2}(?::?\d{2})?|Z))?"
_DAY_MONTH = rf"(?P<day>\d{{1,2}})[- ](?P<month_name>{_MONTH_NAMES})[- ](?P<year>\d{{4}})"
_SLASHED = r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})"
_ISO = r"(?P<year>\d{1,4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
_AUTO = tuple(
    re.compile(rf"\s*{pattern}\s*", re.IGNORECASE | re.ASCII)
    for pattern in (
        rf"{_ISO}(?:[ T]+{_CLOCK}{_ZONE})?",
        rf"{_ISO}[ T]+{_CLOCK12}{_ZONE}",
        rf"{_SLASHED}(?: +{_CLOCK}{_ZONE})?",
        rf"{_DAY_MONTH}(?: +{_CLOCK}{_ZONE})?",
        rf"(?:{_DAY_NAMES}), {_DAY_MONTH} {_CLOCK}{_ZONE}",
        rf"(?:{_DAY_NAMES}), {_DAY_MONTH} {_CLOCK12}{_ZONE}",
        rf"(?:{_DAY_NAMES}) (?P<month_name>{_MONTH_NAMES}) (?P<day>\d{{1,2}}) {_CLOCK}"
        r" (?P<zone>[+-]\d{4}) (?P<year>\d{4})",
    )
)
_AUTO_TIME = tuple(
    re.compile(rf"\s*{pattern}\s*", re.IGNORECASE | re.ASCII)
    for pattern in (rf"{_CLOCK.replace(')?)?)?', ')?)?)')}{_ZONE}", _CLOCK12)
)
_DIGITS = re.compile(r"-?\d+", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1)
YEAR_OF_MILLISECONDS = 31536000000


def read_auto(text: str) -> Read | None:
    """The text parsed in one of the formats that AUTO detects."""
    for pattern in _AUTO:
        match = pattern.fullmatch(text)
        if match is not None:
            return _built({name: part for name, part in match.groupdict().items() if part is not None})
    if _DIGITS.fullmatch(text.strip()):
        return read_digits(int(text))
    return None


def read_digits(number: int) -> Read | None:
    """A number as seconds, milliseconds, microseconds or nanoseconds since 1970, by its size."""
    size, scale = abs(number), 0
    while scale < 9 and size >= YEAR_OF_MILLISECONDS * 10**scale:
        scale += 3
    return epoch(number, scale)


def epoch(number: int, scale: int) -> Read | None:
    """The moment this number of 10^-scale seconds after the start of 1970."""
    micros = number * 10 ** (6 - scale) if scale <= 6 else number // 10 ** (scale - 6)
    try:
        return Read(_EPOCH + dt.timedelta(microseconds=micros), None)
    except OverflowError:
        return None


def read_time(text: str, format: str = "AUTO") -> dt.time | None:
    """The time of day in a text."""
    if format.strip().upper() != "AUTO":
        found = read_moment(text, format)
        return None if found is None else found.moment.time()
    if _DIGITS.fullmatch(text.strip()):
        found = read_digits(int(text))
        return None if found is None else found.moment.time()
    for pattern in _AUTO_TIME:
        match = pattern.fullmatch(text)
        if match is not None:
            built = _built({name: part for name, part in match.groupdict().items() if part is not None})
            return None if built is None else built.moment.time()
    return None
