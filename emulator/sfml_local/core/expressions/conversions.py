"""Conversions between types, as functions of DuckDB: each takes a value, DuckDB's name of its type, and options."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Any
from zoneinfo import ZoneInfo

from sfml_local.core.expressions import number_formats, refusals, time_formats, variants
from sfml_local.core.expressions.refusals import Refusal

_TRUE = {"true", "t", "yes", "y", "on", "1"}
_FALSE = {"false", "f", "no", "n", "off", "0"}


def scalar(value: Any, kind: str) -> Any:
    """A value, or the content of a variant; JSON's null becomes NULL."""
    if kind != "JSON" or value is None:
        return value
    found = variants.parsed(value)
    return None if found is variants.NULL_VALUE else found


def to_text(value: Any, kind: str, format: str | None) -> str | None:
    """TO_CHAR(value, format)."""
    if value is None or format is None:
        return None
    if kind == "JSON":
        return variants.shown(variants.parsed(value))
    if isinstance(value, bytes):
        return _bytes_text(value, format)
    if isinstance(value, dt.date | dt.time):
        return time_formats.moment_text(value, format)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        shown = number_formats.number_text(value, format)
        if shown is None:
            raise Refusal(100095, "22007", f"Invalid format '{format}' for a number")
        return shown
    return variants.shown(variants.plain(value))


def _bytes_text(value: bytes, format: str) -> str:
    match format.upper():
        case "BASE64":
            return base64.b64encode(value).decode()
        case "UTF-8" | "UTF8":
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise Refusal(100102, "22000", "Invalid UTF8 detected in string") from None
    return value.hex().upper()


def variant_text(value: Any, kind: str) -> str | None:
    """A variant, or the bytes of a BINARY, as VARCHAR."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex().upper()
    return variants.shown(scalar(value, kind))


def shown(value: Any, kind: str, date: str, time: str, ntz: str, zoned: str) -> str | None:
    """A value as VARCHAR in the formats of a session."""
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return time_formats.moment_text(value, zoned if value.tzinfo else ntz)
    if isinstance(value, dt.date):
        return time_formats.moment_text(value, date)
    if isinstance(value, dt.time):
        return time_formats.moment_text(value, time)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return variant_text(value, kind)


def to_number(value: Any, kind: str, format: str | None, precision: int, scale: int) -> str | None:
    """A number with this precision and scale as text, which SQL casts; raises Refusal."""
    value = scalar(value, kind)
    if value is None:
        return None
    number = _number(value, format)
    try:
        rounded = number.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, number_formats.EXACT)
    except DecimalException:
        raise refusals.out_of_range(value) from None
    if len(rounded.as_tuple().digits) > precision and rounded:
        raise refusals.out_of_range(value)
    return f"{rounded:f}"


def _number(value: Any, format: str | None) -> Decimal:
    if isinstance(value, bool):
        return Decimal(int(value))
    if isinstance(value, str):
        if format is not None and format.strip().upper() != "AUTO":
            found = number_formats.number_in_format(value, format)
            if found is None:
                raise refusals.unparsable(value, "decimal", format)
            return found
        found = number_formats.plain_number(value)
        if found is None:
            raise refusals.not_a_number(value)
        return found
    if isinstance(value, float):
        if not math.isfinite(value):
            raise refusals.out_of_range(variants.float_text(value))
        return Decimal(repr(value))
    if isinstance(value, int | Decimal):
        return Decimal(value)
    raise refusals.not_a_variant(variants.shown(variants.plain(value)), "FIXED")


def to_double(value: Any, kind: str, format: str | None) -> float | None:
    """TO_DOUBLE(value, format)."""
    value = scalar(value, kind)
    if value is None:
        return None
    if isinstance(value, str):
        special = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf}
        if format is None and (found := special.get(value.strip().lower())) is not None:
            return found
    if isinstance(value, float):
        return value
    if isinstance(value, dict | list):
        raise refusals.not_a_variant(variants.shown(value), "REAL")
    return float(_number(value, format))


def to_boolean(value: Any, kind: str) -> bool | None:
    """TO_BOOLEAN(value)."""
    value = scalar(value, kind)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word not in _TRUE | _FALSE:
            raise refusals.not_a_boolean(value)
        return word in _TRUE
    if isinstance(value, int | float | Decimal):
        return value != 0
    raise refusals.not_a_variant(variants.shown(variants.plain(value)), "BOOLEAN")


def to_binary(value: Any, kind: str, format: str | None) -> bytes | None:
    """TO_BINARY(value, format); the default format is HEX."""
    value = scalar(value, kind)
    if value is None or isinstance(value, bytes):
        return value
    text = str(value)
    try:
        match (format or "HEX").upper():
            case "BASE64":
                return base64.b64decode(text, validate=True)
            case "UTF-8" | "UTF8":
                return text.encode()
            case _:
                return binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        raise Refusal(
            100115,
            "22000",
            f"The following string is not a legal {(format or 'HEX').lower()}-encoded value: '{text}'",
        ) from None


# -- dates and times -----------------------------------------------------------------------------------------


def _read(value: str, format: str | None, century: int) -> time_formats.Read | None:
    if format is None or format.strip().upper() == "AUTO":
        return time_formats.read_auto(value)
    return time_formats.read_moment(value, format, century)


def to_date(value: Any, kind: str, format: str | None, century: int) -> dt.date | None:
    """TO_DATE(value, format)."""
    value = scalar(value, kind)
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        found = _read(value, format, century)
    elif isinstance(value, int | Decimal | float) and not isinstance(value, bool):
        found = time_formats.read_digits(int(value))
    else:
        found = None
    if found is None:
        raise _unreadable(value, format, "date", refusals.not_a_date)
    return found.moment.date()


def to_time(value: Any, kind: str, format: str | None) -> dt.time | None:
    """TO_TIME(value, format)."""
    value = scalar(value, kind)
    if value is None or isinstance(value, dt.time):
        return value
    if isinstance(value, dt.datetime):
        return value.time()
    found = (
        time_formats.read_time(str(value), format or "AUTO") if not isinstance(value, dt.date) else dt.time()
    )
    if found is None:
        raise _unreadable(value, format, "time", refusals.not_a_time)
    return found


def to_ntz(value: Any, kind: str, option: Any, century: int, zone: str) -> dt.datetime | None:
    """TO_TIMESTAMP_NTZ(value, format or scale): the wall-clock time; a time zone in a text is ignored."""
    value = scalar(value, kind)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    found = _timestamp(value, option, century)
    if found is None:
        return None
    if kind == "JSON" and isinstance(value, int | float | Decimal):
        # A number in a VARIANT is a moment, shown in the session's zone.
        return found.moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return found.moment


def to_ltz(value: Any, kind: str, option: Any, century: int, zone: str) -> dt.datetime | None:
    """TO_TIMESTAMP_LTZ and _TZ: a moment; a text without a time zone is in the session's."""
    value = scalar(value, kind)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value
    # Digits are an epoch where no format says what they are.
    has_format = isinstance(option, str) and option.strip().upper() != "AUTO"
    is_epoch = isinstance(value, int | float | Decimal) or (
        isinstance(value, str) and value.strip().lstrip("-").isdigit() and not has_format
    )
    found = _timestamp(value, option, century)
    if found is None:
        return None
    if found.offset is not None:
        return (found.moment - found.offset).replace(tzinfo=dt.UTC)
    return found.moment.replace(tzinfo=dt.UTC if is_epoch else ZoneInfo(zone))


def _timestamp(value: Any, option: Any, century: int) -> time_formats.Read | None:
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return time_formats.Read(value.replace(tzinfo=None), None)
    if isinstance(value, dt.date):
        return time_formats.Read(dt.datetime.combine(value, dt.time()), None)
    format = option if isinstance(option, str) else None
    if isinstance(value, str):
        found = _read(value, format, century)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        scale = int(option) if isinstance(option, int | Decimal) else 0
        found = time_formats.epoch(int(Decimal(str(value)).scaleb(6 - scale)), 6)
    else:
        found = None
    if found is None:
        raise _unreadable(value, format, "timestamp", refusals.not_a_timestamp)
    return found


def _unreadable(value: Any, format: str | None, kind: str, refusal: Callable[[object], Refusal]) -> Refusal:
    if format is None or format.strip().upper() == "AUTO":
        return refusal(value)
    return refusals.unparsable(value, kind, format)
