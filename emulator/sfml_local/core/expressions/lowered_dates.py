"""Functions of dates, times and timestamps: their parts by every name, sums, differences and beginnings.

https://docs.snowflake.com/en/sql-reference/functions-date-time
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions import settings
from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import (
    OTHER_ZONE,
    STANDS,
    TYPE,
    bound,
    call,
    cast,
    chosen,
    demand_zone,
    macro,
    stand_in,
    typed,
)
from sfml_local.core.expressions.refusals import marked
from sfml_local.core.rewriting import Rewriting

_NAMES = {
    "year": "YEAR Y YY YYY YYYY YR YEARS YRS",
    "month": "MONTH MM MON MONS MONTHS",
    "day": "DAY D DD DAYS DAYOFMONTH",
    "dayofweek": "DAYOFWEEK WEEKDAY DOW DW",
    "dayofweekiso": "DAYOFWEEKISO DAYOFWEEK_ISO WEEKDAY_ISO DOW_ISO DW_ISO",
    "dayofyear": "DAYOFYEAR YEARDAY DOY DY",
    "week": "WEEK W WK WEEKOFYEAR WOY WY",
    "weekiso": "WEEKISO WEEK_ISO WEEKOFYEARISO WEEKOFYEAR_ISO",
    "quarter": "QUARTER Q QTR QTRS QUARTERS",
    "yearofweek": "YEAROFWEEK",
    "yearofweekiso": "YEAROFWEEKISO",
    "hour": "HOUR H HH HR HOURS HRS",
    "minute": "MINUTE M MI MIN MINUTES MINS",
    "second": "SECOND S SEC SECONDS SECS",
    "millisecond": "MILLISECOND MS MSEC MILLISECONDS",
    "microsecond": "MICROSECOND US USEC MICROSECONDS",
    "nanosecond": "NANOSECOND NS NSEC NANOSEC NSECOND NANOSECONDS NANOSECS NSECONDS",
    "epoch_second": "EPOCH_SECOND EPOCH EPOCH_SECONDS",
    "epoch_millisecond": "EPOCH_MILLISECOND EPOCH_MILLISECONDS",
    "epoch_microsecond": "EPOCH_MICROSECOND EPOCH_MICROSECONDS",
    "epoch_nanosecond": "EPOCH_NANOSECOND EPOCH_NANOSECONDS",
    "timezone_hour": "TIMEZONE_HOUR TZH",
    "timezone_minute": "TIMEZONE_MINUTE TZM",
}
PARTS = {name: part for part, names in _NAMES.items() for name in names.split()}
"""The part that a word in upper case names."""


def part_of(node: Expr, function: str) -> str:
    """The part of a date or time that an argument names; raises SqlError."""
    found = PARTS.get(node.name.strip().upper())
    if found is None:
        raise invalid_part(node, function)
    return found


_UNQUOTED = ("DATEDIFF", "TIMEDIFF", "TIMESTAMPDIFF", "DATE_TRUNC", "TRUNC", "TIME_SLICE")
"""Functions that name the word without quotes, and TIME without its digits."""


def invalid_part(node: Expr, function: str, type: str = "") -> SqlError:
    """The error for a word that a function does not take."""
    return SqlError(_words_of_invalid_part(node, function, type), 1044, "42P13")


def _words_of_invalid_part(node: Expr, function: str, type: str = "") -> str:
    word = node.name.strip().upper()
    shown = f"[{word}]" if function in _UNQUOTED else f"['{word}']"
    if isinstance(node, exp.Literal) and not type:
        shown = f"'{node.name}'"
    beside = f" and type {type}" if type else ""
    words = f"{shown} is not a valid date/time component for function {function}{beside}."
    return f"SQL compilation error:\n{words}"


def _no_days(node: Expr, function: str) -> Expr:
    """The text of an error for a TIME, which has no days."""
    type = "TIME" if function in _UNQUOTED else "TIME(9)"
    return exp.Literal.string(marked(1044, "42P13", _words_of_invalid_part(node, function, type)))


def moment(value: Expr, rewriting: Rewriting) -> Expr:
    """A date, time or timestamp; a text becomes a timestamp."""
    format = settings.text(rewriting.session, "TIMESTAMP_INPUT_FORMAT")
    century = settings.number(rewriting.session, "TWO_DIGIT_CENTURY_START")
    zone = settings.text(rewriting.session, "TIMEZONE")
    if value.meta.get(TYPE) in ("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return value.copy()
    found = chosen("moment", value, format, century, zone)
    found.meta[STANDS] = macro("moment_type", stand_in(value))
    return found


# -- parts -------------------------------------------------------------------------------------------------


def _rounded(value: Expr) -> Expr:
    """Whole units, rounded half away from zero."""
    if isinstance(value, exp.Literal) and value.is_int:
        return value.copy()
    return cast(call("round", chosen("numeric", value)), "BIGINT")


def extracted(part: str, value: Expr, rewriting: Rewriting) -> Expr:
    """A part of a date or time as a number."""
    at = moment(value if part.startswith("epoch") else demand_zone(value), rewriting)
    start = settings.number(rewriting.session, "WEEK_START")
    policy = settings.number(rewriting.session, "WEEK_OF_YEAR_POLICY")
    simple = {
        "dayofweekiso": "isodow",
        "weekiso": "week",
        "yearofweekiso": "isoyear",
        "timezone_hour": "timezone_hour",
    }
    match part:
        case "dayofweek" if start:
            return (call("isodow", at) - start + 7) % 7 + 1
        case "week" | "yearofweek" if start or policy:
            return _week(part, at, start, policy)
        case "yearofweek":
            return call("isoyear", at)
        case "nanosecond":
            return (call("microsecond", at) % 1000000) * 1000
        case "microsecond":
            return call("microsecond", at) % 1000000
        case "millisecond":
            return call("millisecond", at) % 1000
        case "epoch_second":
            return cast(call("floor", call("epoch", at)), "BIGINT")
        case "epoch_millisecond":
            return call("epoch_ms", at)
        case "epoch_microsecond":
            return call("epoch_us", at)
        case "epoch_nanosecond":
            return call("epoch_ns", at)
    return call(simple.get(part, part), at)


def _week(part: str, at: Expr, start: int, policy: int) -> Expr:
    """WEEK and YEAROFWEEK where weeks begin or are counted otherwise."""
    day = cast(at, "DATE")
    if policy == 1:
        year = call("year", day)
        first = _week_begin(call("make_date", year.copy(), 1, 1), start)
        return year if part == "yearofweek" else _whole_weeks(_week_begin(day, start), first)
    fourth = exp.Paren(this=exp.Add(this=_week_begin(day, start), expression=exp.Literal.number(3)))
    year = call("year", fourth)
    if part == "yearofweek":
        return year
    return _whole_weeks(fourth, call("make_date", year.copy(), 1, 1))


def _whole_weeks(later: Expr, earlier: Expr) -> Expr:
    days = exp.Paren(this=exp.Sub(this=exp.paren(later), expression=exp.paren(earlier)))
    return exp.Paren(this=exp.IntDiv(this=days, expression=exp.Literal.number(7)) + 1)


def _week_begin(day: Expr, start: int) -> Expr:
    first = start or 1
    back = exp.Paren(this=(call("isodow", day) - first + 7) % 7)
    return exp.Paren(this=exp.Sub(this=day.copy(), expression=cast(back, "INTEGER")))


def _extractor(part: str, name: str) -> Builder:
    return lambda arguments, rewriting: extracted(part, arguments[0], rewriting)


def _date_part(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return extracted(part_of(arguments[0], "DATE_PART"), arguments[1], rewriting)


def lowered_extract(node: exp.Extract, rewriting: Rewriting) -> Expr:
    """EXTRACT(part FROM value)."""
    return extracted(part_of(node.this, "EXTRACT"), node.expression, rewriting)


# -- sums --------------------------------------------------------------------------------------------------

_INTERVALS: dict[str, tuple[str, int]] = {
    "year": ("to_months", 12), "quarter": ("to_months", 3), "month": ("to_months", 1), "week": ("to_days", 7),
    "day": ("to_days", 1), "hour": ("to_microseconds", 3600000000), "minute": ("to_microseconds", 60000000),
    "second": ("to_microseconds", 1000000), "millisecond": ("to_microseconds", 1000),
    "microsecond": ("to_microseconds", 1),
}  # fmt: skip
_NO_UNITS = frozenset({"WOY", "WY", "WEEKOFYEAR"})
"""Words that name a part of a date, and no length."""
_OF_DATES = frozenset({"year", "quarter", "month", "week", "day"})
_SAME = {"dayofyear": "day", "dayofweek": "day", "weekiso": "week"}


def interval(part: str, count: Expr) -> Expr:
    """A number of years, days or seconds as an interval of DuckDB."""
    if part == "nanosecond":
        return call(
            "to_microseconds",
            cast(exp.Paren(this=exp.IntDiv(this=count, expression=exp.Literal.number(1000))), "BIGINT"),
        )
    function, factor = _INTERVALS[part]
    amount = (
        count
        if factor == 1
        else exp.Paren(this=exp.Mul(this=exp.paren(count), expression=exp.Literal.number(factor)))
    )
    return call(function, amount if function == "to_microseconds" else cast(amount, "INTEGER"))


def _date_add(name: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        unit = part_of(arguments[0], name)
        part = _SAME.get(unit, unit)
        if (part not in _INTERVALS and part != "nanosecond") or arguments[0].name.upper() in _NO_UNITS:
            raise invalid_part(arguments[0], name)
        length = interval(part, _rounded(arguments[1]))
        no_days = _no_days(arguments[0], name) if part in _OF_DATES else None
        return moved(moment(arguments[2], rewriting), length, no_days)

    return build


def moved(at: Expr, length: Expr, no_days: Expr | None) -> Expr:
    """A moment plus an amount; one of whole days leaves a DATE a DATE, and has an error for a TIME."""
    if no_days is not None:
        found: Expr = bound(
            lambda at, length: macro("shifted", at, length, stand_in(at), no_days), at, length
        )
        found.meta[STANDS] = stand_in(at)
        return found
    found = exp.Paren(this=exp.Add(this=at, expression=length))
    found.meta[STANDS] = exp.Paren(this=exp.Add(this=stand_in(at), expression=length.copy()))
    return found


def _add_months(arguments: Arguments, rewriting: Rewriting) -> Expr:
    months = cast(_rounded(arguments[1]), "INTEGER")
    at = moment(arguments[0], rewriting)
    found = bound(partial(macro, "add_months"), at, months)
    found.meta[STANDS] = stand_in(at)
    return found


# -- differences and beginnings ----------------------------------------------------------------------------


def _date_diff(name: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        part = part_of(arguments[0], name)
        left, right = (moment(one, rewriting) for one in arguments[1:])
        start = settings.number(rewriting.session, "WEEK_START")
        if part in ("week", "weekiso"):
            later, earlier = (_day_of(one, _no_days(arguments[0], name)) for one in (right, left))
            return _weeks_between(later, earlier, start if part == "week" else 1)
        if part == "nanosecond":
            return exp.Paren(
                this=exp.Mul(
                    this=_difference("microsecond", left, right), expression=exp.Literal.number(1000)
                )
            )
        unit = _SAME.get(part, part)
        if unit not in _INTERVALS:
            raise invalid_part(arguments[0], name)
        no_days = _no_days(arguments[0], name) if unit in _OF_DATES else None
        return _difference(unit, left, right, no_days)

    return build


def _difference(part: str, left: Expr, right: Expr, no_days: Expr | None = None) -> Expr:
    def build(left: Expr, right: Expr) -> Expr:
        if no_days is None:
            return macro("difference", part, left, right, stand_in(left))
        return macro("days_between", part, left, right, stand_in(left), no_days)

    return typed(bound(build, left, right), "BIGINT")


def _day_of(at: Expr, no_days: Expr) -> Expr:
    """The day of a moment; a TIME has none."""
    return typed(bound(lambda at: macro("day_of", at, stand_in(at), no_days), at), "DATE")


def _weeks_between(later: Expr, earlier: Expr, start: int) -> Expr:
    days = [_week_begin(one, start) for one in (later, earlier)]
    return exp.Paren(
        this=exp.IntDiv(
            this=exp.Paren(this=exp.Sub(this=days[0], expression=days[1])), expression=exp.Literal.number(7)
        )
    )


TRUNCATED = frozenset({*_INTERVALS, "weekiso", "nanosecond"})
"""The parts that DATE_TRUNC takes; a day of a week or year and the parts of an epoch or zone are refused."""


def _date_trunc(arguments: Arguments, rewriting: Rewriting) -> Expr:
    part, value = arguments
    if part.name.upper() not in PARTS and value.name.upper() in PARTS:
        part, value = value, part
    return truncated(part, value, rewriting, "DATE_TRUNC")


def truncated(part: Expr, value: Expr, rewriting: Rewriting, function: str) -> Expr:
    """The beginning of a part of a moment, for DATE_TRUNC and TRUNC."""
    unit = part_of(part, function)
    demand_zone(value)
    if unit not in TRUNCATED:
        raise invalid_part(part, function)
    at = moment(value, rewriting)
    start = settings.number(rewriting.session, "WEEK_START")
    if unit == "week" and start:
        no_days = _no_days(part, function)
        return bound(lambda at: call("cast_to_type", _week_begin(_day_of(at, no_days), start), at), at)
    # Times have microseconds here, of which whole nanoseconds are a multiple.
    unit = {"weekiso": "week", "nanosecond": "microsecond"}.get(unit, unit)
    no_days = _no_days(part, function) if unit in _OF_DATES else exp.Literal.string("")
    found = bound(lambda at: macro("truncated", unit, at, stand_in(at), no_days), at)
    found.meta[STANDS] = stand_in(at)
    return found


def _zoned_from_parts(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """TIMESTAMP_TZ_FROM_PARTS, whose last argument may be a time zone."""
    *parts, last = arguments
    own = settings.text(rewriting.session, "TIMEZONE")
    has_zone = len(arguments) == 8 or (isinstance(last, exp.Literal) and last.is_string)
    zone = last if has_zone else exp.Literal.string(own)
    made = typed(
        call("timezone", zone, _made_of(parts if has_zone else arguments)), "TIMESTAMP WITH TIME ZONE"
    )
    made.meta[OTHER_ZONE] = not (isinstance(zone, exp.Literal) and zone.name == own)
    return made


def _from_parts(zoned: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        if len(arguments) == 2:
            day, clock = arguments
            made: Expr = exp.Paren(this=exp.Add(this=cast(day, "DATE"), expression=cast(clock, "TIME")))
        else:
            made = _made_of(arguments)
        return exp.cast(made, "TIMESTAMPTZ") if zoned else made

    return build


def _made_of(arguments: Arguments) -> Expr:
    year, month, *rest = (_rounded(one) for one in arguments[:7])
    units = ("day", "hour", "minute", "second", "nanosecond")
    made: Expr = cast(call("make_date", cast(year, "BIGINT"), 1, 1), "TIMESTAMP")
    made = exp.Add(this=made, expression=interval("month", exp.paren(month) - 1))
    for unit, count in zip(units, rest, strict=False):
        amount = exp.paren(count) - 1 if unit == "day" else count
        made = exp.Add(this=made, expression=interval(unit, exp.paren(amount)))
    return exp.Paren(this=made)


def _last_day(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """The last day of the month, or of another part."""
    part = part_of(arguments[1], "LAST_DAY") if len(arguments) > 1 else "month"
    day = cast(moment(demand_zone(arguments[0]), rewriting), "DATE")
    months = {"month": 0, "quarter": 2, "year": 11}
    if part in ("week", "weekiso"):
        start = settings.number(rewriting.session, "WEEK_START") if part == "week" else 1
        return cast(exp.Add(this=_week_begin(day, start), expression=exp.Literal.number(6)), "DATE")
    if part not in months:
        raise invalid_part(arguments[1], "LAST_DAY")
    begin = exp.Add(this=call("date_trunc", part, day), expression=call("to_months", months[part]))
    return typed(call("last_day", begin), "DATE")


def _months_between(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return call("sf_months_between", *(moment(one, rewriting) for one in arguments))


def _converted(arguments: Arguments, rewriting: Rewriting) -> Expr:
    """CONVERT_TIMEZONE: the wall-clock time in another zone; what has no zone is in the first one, or the session's."""
    *zones, value = arguments
    at = moment(value, rewriting)
    if len(zones) == 1:
        zoned = chosen("ltz", at, exp.null(), 1970, settings.text(rewriting.session, "TIMEZONE"))
    else:
        zoned = call("timezone", zones[0], cast(at, "TIMESTAMP"))
    return typed(call("timezone", zones[-1], cast(zoned, "TIMESTAMP WITH TIME ZONE")), "TIMESTAMP")


# -- the clock ---------------------------------------------------------------------------------------------

_CLOCK: Mapping[type[Expr], tuple[str, str]] = {
    exp.CurrentDate: ("today", "DATE"),
    exp.CurrentTimestamp: ("get_current_timestamp", "TIMESTAMP WITH TIME ZONE"),
    exp.Localtimestamp: ("get_current_timestamp", "TIMESTAMP WITH TIME ZONE"),
    exp.CurrentTime: ("current_localtime", "TIME"),
    exp.Localtime: ("current_localtime", "TIME"),
}


def lowered_clock(node: Expr, rewriting: Rewriting) -> Expr:
    """The clock by DuckDB's functions: without parentheses it takes CURRENT_DATE for a column of that name, if any.

    A default of a column is shown as it is written, and has no columns.
    """
    if node.find_ancestor(exp.ColumnDef, exp.AlterColumn) is not None:
        return node
    name, type = _CLOCK[node.__class__]
    now = typed(call(name), type)
    is_utc = isinstance(node, exp.CurrentTimestamp) and node.args.get("sysdate")
    return typed(call("timezone", "UTC", now), "TIMESTAMP") if is_utc else now


NODES: Mapping[type[Expr], Callable[[Expr, Rewriting], Expr]] = dict.fromkeys(_CLOCK, lowered_clock)


# -- intervals ---------------------------------------------------------------------------------------------

_STEP = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z_]*)\s*(?:,|$)")


def interval_of(node: exp.Interval) -> tuple[Expr, bool] | None:
    """`INTERVAL '1 year, 3 days'` for DuckDB, and whether it has only whole days; None if it is not valid."""
    if not isinstance(node.this, exp.Literal):
        return None
    unit = node.args.get("unit")
    text = f"{node.this.name} {unit.name if isinstance(unit, Expr) else ''}".strip()
    lengths: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        part = PARTS.get((match[2] or "SECOND").upper()) if match else None
        part = _SAME.get(part, part) if part else None
        if match is None or (part not in _INTERVALS and part != "nanosecond"):
            return None
        lengths.append((str(part), match[1]))
        at = match.end()
    if not lengths:
        return None
    words = " ".join(f"{_in_months(part, count)}" for part, count in lengths if part != "nanosecond")
    return cast(exp.Literal.string(words or "0 seconds"), "INTERVAL"), {
        part for part, _ in lengths
    } <= _OF_DATES


def _in_months(part: str, count: str) -> str:
    return f"{int(count) * 3} months" if part == "quarter" and "." not in count else f"{count} {part}s"


_NUMBER = re.compile(r"\s*\d+(\.\d+)?\s*")


def lowered_sum(node: exp.Add | exp.Sub, rewriting: Rewriting) -> Expr:
    """A date or timestamp plus or minus an interval; a text that is a number is written as one."""
    for side in (node.this, node.expression):
        if isinstance(side, exp.Literal) and side.is_string and _NUMBER.fullmatch(side.name):
            number = exp.Literal.number(side.name.strip())
            side.replace(number if number.is_int else cast(number, "DECIMAL(18, 5)"))
    right = node.expression
    if not isinstance(right, exp.Interval) or (found := interval_of(right)) is None:
        return node
    length, keeps_dates = found
    amount = exp.Neg(this=length) if isinstance(node, exp.Sub) else length
    at = node.this if isinstance(node.this, exp.Column) else moment(node.this, rewriting)
    unit = exp.Literal.string("DAY")
    return moved(at, amount, _no_days(unit, "DATEADD") if keeps_dates else None)


def _builders() -> Iterator[tuple[str, Builder]]:
    for name in ("DATEADD", "TIMEADD", "TIMESTAMPADD"):
        yield name, _date_add(name)
    for name in ("DATEDIFF", "TIMEDIFF", "TIMESTAMPDIFF"):
        yield name, _date_diff(name)
    yield "ADD_MONTHS", _add_months
    yield "DATE_TRUNC", _date_trunc
    yield "LAST_DAY", _last_day
    yield "DATE_PART", _date_part
    yield "CONVERT_TIMEZONE", _converted
    yield "MONTHS_BETWEEN", _months_between
    for name, part in (
        *(
            ("YEAR", "year"),
            ("MONTH", "month"),
            ("DAY", "day"),
            ("DAYOFMONTH", "day"),
            ("QUARTER", "quarter"),
        ),
        *(("HOUR", "hour"), ("MINUTE", "minute"), ("SECOND", "second"), ("DAYOFWEEK", "dayofweek")),
        *(("DAYOFWEEKISO", "dayofweekiso"), ("DAYOFWEEK_ISO", "dayofweekiso"), ("DAYOFYEAR", "dayofyear")),
        *(("WEEK", "week"), ("WEEKOFYEAR", "week"), ("WEEKISO", "weekiso"), ("WEEK_ISO", "weekiso")),
        *(("YEAROFWEEK", "yearofweek"), ("YEAROFWEEKISO", "yearofweekiso")),
    ):
        yield name, _extractor(part, name)
    for zone in ("", "NTZ", "LTZ"):
        for name in (f"TIMESTAMP{'_' if zone else ''}{zone}_FROM_PARTS", f"TIMESTAMP{zone}FROMPARTS"):
            yield name, _from_parts(zone == "LTZ")
    for name in ("TIMESTAMP_TZ_FROM_PARTS", "TIMESTAMPTZFROMPARTS"):
        yield name, _zoned_from_parts


BUILDERS: dict[str, Builder] = dict(_builders())
