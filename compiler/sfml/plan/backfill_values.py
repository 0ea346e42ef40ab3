"""The values of a backfill, as `sfml backfill --over` takes them: lists, ranges of numbers and dates, products; pure.

day=2026-01-01..2026-03-31        every day, both ends included
day=2026-01-01..2026-03-31/1w     every seventh day from the first
hour=2026-01-01T00:00..2026-01-02T00:00/6h
month=2026-01..2026-12            every month
round=1..10/2                     1, 3, 5, 7, 9
store=007..010                    007, 008, 009, 010
segment=a,b                       a list; its items may be ranges
"""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import product

from sfml.base.errors import UsageError

MOST = 10_000
"""The most values of one backfill."""

_PIECES = f"a backfill takes {MOST:,} at most: do it piece by piece"
_EXAMPLE = "--over day=2026-01-01..2026-03-31, or --over segment=a,b"

_STEP = re.compile(r"(\d{1,18})\s*(m|h|d|w|mo|y)?")
_NUMBER = re.compile(r"-?\d{1,38}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def config_values(overs: Iterable[str]) -> tuple[Mapping[str, str], ...]:
    """The config of each run: the product of what each `KEY=VALUES` says, the last key varying fastest.

    Raises `UsageError` for what is no range or list, for a key that is given twice, and for too many values.
    """
    axes = [axis for text in overs for axis in _axes(text)]
    keys = [key for axis in axes for key in axis[0]]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise UsageError(f"`{twice}` is given twice", help="write its values in one --over, with commas")
    if not axes:
        raise UsageError("there are no values to run over", help=f"write {_EXAMPLE}")
    count = 1
    for axis in axes:
        count *= len(axis)
    if count > MOST:
        raise UsageError(f"these are {count:,} runs", help=_PIECES)
    return tuple({key: one[key] for one in parts for key in one} for parts in product(*axes))


def run_configs(overs: Iterable[str], config: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    """The config of each run: its values, and what is the same in all runs. Raises `UsageError` for a key in both."""
    values = config_values(overs)
    twice = next((key for key in config if key in values[0]), None)
    if twice is not None:
        raise UsageError(f"`{twice}` is given by --over and by --config", help="give it once")
    return tuple({**config, **value} for value in values)


def _axes(text: str) -> Iterator[tuple[Mapping[str, str], ...]]:
    """What one `--over` says: the values of a key; of a mapping, those of each key; or a list of mappings."""
    if text.lstrip().startswith(("{", "[")):
        yield from _written_axes(text)
        return
    key, equals, values = text.partition("=")
    if not (equals and key.strip() and values.strip()):
        raise UsageError(f"`{text}` is not of the form KEY=VALUES", help=f"write {_EXAMPLE}")
    yield _axis(key.strip(), _values(values))


def _written_axes(text: str) -> Iterator[tuple[Mapping[str, str], ...]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise UsageError(f"`{text}` is not JSON: {cause}", help=f"write {_EXAMPLE}") from cause
    match value:
        case dict() if value:
            for key, values in value.items():
                listed = values if isinstance(values, list) else [values]
                if not listed:
                    raise UsageError(f"`{key}` has no values", help=f"write {_EXAMPLE}")
                yield _axis(key, (one for item in listed for one in _item(_text(item))))
        case [dict(first), *_] if first and all(
            isinstance(one, dict) and one.keys() == first.keys() for one in value
        ):
            yield tuple({key: _text(one[key]) for key in first} for one in value)
        case _:
            raise UsageError(
                f"`{text}` is neither a mapping of keys to values nor a list of such mappings with the same keys",
                help='write {"day": "2026-01-01..2026-01-31", "segment": ["a", "b"]}',
            )


def _text(value: object) -> str:
    if isinstance(value, str | bool | int | float):
        return value if isinstance(value, str) else json.dumps(value)
    raise UsageError(
        f"`{json.dumps(value)}` is no value of a config", help="write a text, a number, true or false"
    )


def _axis(key: str, values: Iterable[str]) -> tuple[Mapping[str, str], ...]:
    return tuple({key: value} for value in dict.fromkeys(values))


def _values(text: str) -> Iterator[str]:
    if text.strip().startswith("[") and text.strip().endswith("]"):
        raise UsageError(f"`{text}` is written as a list", help="leave out the brackets: segment=a,b")
    for item in text.split(","):
        if not item.strip():
            raise UsageError(f"`{text}` has an empty value", help="leave out the comma")
        yield from _item(item.strip())


def _item(text: str) -> Iterator[str]:
    """One value, or those of a range `FIRST..LAST` or `FIRST..LAST/STEP`."""
    first, dots, rest = text.partition("..")
    if not dots:
        yield text
        return
    last, slash, step = rest.partition("/")
    first, last, step = first.strip(), last.strip(), step.strip()
    count, unit = _step(step, text) if slash else (1, "")
    for pattern, made in ((_NUMBER, _numbers), (_DAY, _days), (_MONTH, _months), (_MOMENT, _moments)):
        if pattern.fullmatch(first) and pattern.fullmatch(last):
            yield from made(first, last, count, unit, text)
            return
    raise UsageError(
        f"`{text}` is not a range",
        help="both ends are whole numbers, days (2026-01-31), months (2026-01) or times (2026-01-31T06:00)",
    )


def _step(text: str, whole: str) -> tuple[int, str]:
    match = _STEP.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise UsageError(
            f"`{whole}` has no step like 1w",
            help="write /2 for numbers, /6h, /1d, /1w, /1mo or /1y for times",
        )
    return int(match[1]), match[2] or ""


def _refuse_order(is_reversed: bool, text: str) -> None:
    if is_reversed:
        raise UsageError(f"`{text}` ends before it begins", help="write the earlier end first")


def _refuse_unit(unit: str, allowed: tuple[str, ...], text: str) -> None:
    if unit not in allowed:
        units = ", ".join(f"/1{one}" for one in allowed if one) or "/1"
        raise UsageError(f"`{text}` cannot be stepped by `{unit}`", help=f"its steps are {units}")


def _numbers(first: str, last: str, count: int, unit: str, text: str) -> Iterator[str]:
    _refuse_unit(unit, ("",), text)
    _refuse_order(int(first) > int(last), text)
    _refuse_many((int(last) - int(first)) // count + 1, text)
    width = _width(first, last, text)
    yield from (str(number).zfill(width) for number in range(int(first), int(last) + 1, count))


def _width(first: str, last: str, text: str) -> int:
    """The least digits of a range whose ends have leading zeros, which texts such as `007` keep; else 0."""
    if not any(re.match(r"-?0\d", end) for end in (first, last)):
        return 0
    if len(first) != len(last) or first.startswith("-"):
        help = "write both ends with as many digits, as in 007..010, or without leading zeros"
        raise UsageError(f"`{text}` has leading zeros at one end", help=help)
    return len(first)


def _days(first: str, last: str, count: int, unit: str, text: str) -> Iterator[str]:
    _refuse_unit(unit, ("", "d", "w", "mo", "y"), text)
    start, end = _date(first, text), _date(last, text)
    _refuse_order(start > end, text)
    if unit in ("mo", "y"):
        yield from (at.isoformat() for at in _every_month(start, end, count * (12 if unit == "y" else 1)))
        return
    days = count * (7 if unit == "w" else 1)
    _refuse_many((end - start).days // days + 1, text)
    for number in range((end - start).days // days + 1):
        yield (start + timedelta(days=number * days)).isoformat()


def _months(first: str, last: str, count: int, unit: str, text: str) -> Iterator[str]:
    _refuse_unit(unit, ("", "mo", "y"), text)
    start, end = _date(f"{first}-01", text), _date(f"{last}-01", text)
    _refuse_order(start > end, text)
    months = count * (12 if unit == "y" else 1)
    yield from (at.isoformat()[:7] for at in _every_month(start, end, months))


def _every_month(start: date, end: date, months: int) -> Iterator[date]:
    """The same day of every so many months; the last day of a month that is too short."""
    number = 0
    while True:
        at = start.year * 12 + start.month - 1 + number * months
        year, month = divmod(at, 12)
        if year > 9999:
            return
        day = date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))
        if day > end:
            return
        yield day
        number += 1


def _moments(first: str, last: str, count: int, unit: str, text: str) -> Iterator[str]:
    if not unit:
        raise UsageError(f"`{text}` needs a step", help=f"write {text}/1h, or /15m, /1d, /1w")
    _refuse_unit(unit, ("m", "h", "d", "w"), text)
    start, end = _moment(first, text), _moment(last, text)
    _refuse_order(start > end, text)
    step = _UNITS[unit] * min(count, timedelta.max // _UNITS[unit])  # longer than any range is long enough
    _refuse_many(int((end - start) / step) + 1, text)
    spec = "seconds" if first.count(":") == 2 else "minutes"
    for number in range(int((end - start) / step) + 1):
        yield (start + number * step).isoformat(sep=first[10], timespec=spec)


def _refuse_many(count: int, text: str) -> None:
    if count > MOST:
        raise UsageError(
            f"`{text}` has {count:,} values", help=f"a backfill takes {MOST:,} at most: do it piece by piece"
        )


def _date(text: str, whole: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(f"`{whole}`: {text} is not a day of the calendar: {cause}") from cause


def _moment(text: str, whole: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(f"`{whole}`: {text} is not a time: {cause}") from cause
