"""TO_… and TRY_TO_… functions and casts, as calls of the macros and functions that convert."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from zoneinfo import ZoneInfo

from sqlglot import Expr, exp

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions import conversions, settings, shown_values, time_formats
from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import (
    OTHER_ZONE,
    as_text,
    bound,
    call,
    cast,
    chosen,
    demand_zone,
    json,
    kind,
    known_type,
    try_cast,
    typed,
    with_kinds,
)
from sfml_local.core.expressions.refusals import MARK, Refusal
from sfml_local.core.expressions.tried import of_texts, refused_cast, tried
from sfml_local.core.rewriting import Rewriting
from sfml_local.core.stored_types import declared_type

_T = exp.DataType.Type
INTEGERS = frozenset({_T.INT, _T.BIGINT, _T.SMALLINT, _T.TINYINT})
_DECIMALS = frozenset({_T.DECIMAL, *INTEGERS})
_FLOATS = frozenset({_T.FLOAT, _T.DOUBLE})
_ZONED = frozenset({_T.TIMESTAMPTZ, _T.TIMESTAMPLTZ})
_UNZONED = frozenset({_T.TIMESTAMPNTZ, _T.DATETIME})
_MAPPED = {"TIMESTAMP_NTZ": "ntz", "TIMESTAMP_LTZ": "ltz", "TIMESTAMP_TZ": "ltz"}
LARGEST = 38


# -- functions ---------------------------------------------------------------------------------------------


def _format(arguments: Arguments, rewriting: Rewriting, parameter: str) -> Expr | str:
    return arguments[1] if len(arguments) > 1 else settings.text(rewriting.session, parameter)


def _prefix(is_try: bool) -> str:
    return "try_" if is_try else ""


def _to_char(arguments: Arguments, rewriting: Rewriting) -> Expr:
    value = demand_zone(arguments[0])
    is_auto = len(arguments) == 1 or arguments[1].name.strip().upper() == "AUTO"
    if is_auto:
        return (
            shown_values.shown(value, rewriting)
            if shown_values.has_own_formats(rewriting)
            else as_text(value)
        )
    format = arguments[1]
    return typed(call("sf_to_text", value, kind(value), format), "VARCHAR")


def _to_date(is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        format = _format(arguments, rewriting, "DATE_INPUT_FORMAT")
        return _date(arguments[0], format, rewriting, is_try=is_try)

    return build


def _date(value: Expr, format: Expr | str, rewriting: Rewriting, *, is_try: bool) -> Expr:
    century = settings.number(rewriting.session, "TWO_DIGIT_CENTURY_START")
    return typed(chosen(f"{_prefix(is_try)}date", demand_zone(value), format, century), "DATE")


def _to_time(is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        format = _format(arguments, rewriting, "TIME_INPUT_FORMAT")
        return _time(arguments[0], format, is_try=is_try)

    return build


def _time(value: Expr, format: Expr | str, *, is_try: bool) -> Expr:
    return typed(call(f"sf_{_prefix(is_try)}to_time", demand_zone(value), kind(value), format), "TIME")


def _to_timestamp(word: str, sort: str | None, is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        option = _format(arguments, rewriting, "TIMESTAMP_INPUT_FORMAT")
        found = _timestamp(arguments[0], option, sort or mapped(rewriting), rewriting, is_try=is_try)
        return _with_zone(found, arguments[0], option, rewriting) if word == "_TZ" else found

    return build


def _with_zone(found: Expr, value: Expr, option: Expr | str, rewriting: Rewriting) -> Expr:
    """A TIMESTAMP_TZ, with a note where its text is in another zone than the session's."""
    if isinstance(value, exp.Literal) and value.is_string:
        format = option.name if isinstance(option, exp.Literal) else option
        read = time_formats.read_moment(value.name, format) if isinstance(format, str) else None
        zone = ZoneInfo(settings.text(rewriting.session, "TIMEZONE"))
        found.meta[OTHER_ZONE] = read is not None and read.is_elsewhere(zone)
    elif value.unnest().meta.get(OTHER_ZONE):
        found.meta[OTHER_ZONE] = True
    return found


def mapped(rewriting: Rewriting) -> str:
    """What TIMESTAMP stands for in the session."""
    return _MAPPED[settings.text(rewriting.session, "TIMESTAMP_TYPE_MAPPING").upper()]


def _timestamp(value: Expr, option: Expr | str, sort: str, rewriting: Rewriting, *, is_try: bool) -> Expr:
    century = settings.number(rewriting.session, "TWO_DIGIT_CENTURY_START")
    zone = settings.text(rewriting.session, "TIMEZONE")
    type = "TIMESTAMP" if sort == "ntz" else "TIMESTAMP WITH TIME ZONE"
    if sort == "ntz":
        demand_zone(value)
    return typed(chosen(f"{_prefix(is_try)}{sort}", value, option, century, zone), type)


def _to_number(is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        value, *rest = arguments
        has_format = bool(rest) and not _is_number(rest[0])
        format = rest.pop(0) if has_format else exp.null()
        digits = [_whole_digits(one) for one in rest if _is_number(one)]
        precision, scale = (*digits, *(LARGEST, 0)[len(digits) :])[:2]
        return number_of(value, format, precision, scale, is_try=is_try)

    return build


def _whole_digits(node: Expr) -> int:
    if not node.is_int or int(node.name) > LARGEST:
        words = f"Invalid value [{node.name}] for function 'TO_NUMBER'"
        raise SqlError(f"SQL compilation error:\n{words}", 1015, "22023")
    return int(node.name)


def _is_number(node: Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def number_of(value: Expr, format: Expr, precision: int, scale: int, *, is_try: bool) -> Expr:
    """A value as NUMBER; values of other types are cast, and too large ones refused with Snowflake's message."""
    type = f"DECIMAL({precision}, {scale})"
    if (
        is_try
        or precision == LARGEST
        or isinstance(value, exp.Subquery)
        or value.find(exp.Rand, exp.Subquery)
    ):
        number = chosen(f"{_prefix(is_try)}number", value, format, precision, scale)
        return try_cast(number, type) if is_try else cast(number, type)
    return typed(bound(partial(_fitting, type, precision, scale), value, format), type)


def _fitting(type: str, precision: int, scale: int, value: Expr, format: Expr) -> Expr:
    number = chosen("number", value, format, precision, scale)
    large = exp.and_(_is_null(try_cast(number.copy(), type)), exp.not_(_is_null(value)))
    words = f"{MARK}100039|22003|Numeric value '"
    error = call(
        "error", call("concat", words, exp.cast(value.copy(), "VARCHAR"), f"' is out of range{MARK}")
    )
    return exp.Case(ifs=[exp.If(this=large, true=cast(error, type))], default=cast(number, type))


def _is_null(value: Expr) -> Expr:
    return exp.Is(this=exp.paren(value.copy()), expression=exp.null())


def _to_double(is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        format = arguments[1] if len(arguments) > 1 else exp.null()
        return typed(chosen(f"{_prefix(is_try)}double", arguments[0], format), "DOUBLE")

    return build


def _to_boolean(is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return typed(chosen(f"{_prefix(is_try)}boolean", arguments[0]), "BOOLEAN")

    return build


def _to_binary(is_try: bool) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        format = (
            arguments[1] if len(arguments) > 1 else settings.text(rewriting.session, "BINARY_INPUT_FORMAT")
        )
        return call(f"sf_{_prefix(is_try)}to_binary", arguments[0], kind(arguments[0]), format)

    return build


def _builders() -> Iterator[tuple[str, Builder]]:
    for name in ("TO_CHAR", "TO_VARCHAR"):
        yield name, _to_char
    for is_try in (False, True):
        prefix = "TRY_" if is_try else ""
        yield f"{prefix}TO_DATE", _to_date(is_try)
        yield f"{prefix}TO_TIME", _to_time(is_try)
        yield f"{prefix}TO_DOUBLE", _to_double(is_try)
        yield f"{prefix}TO_BOOLEAN", _to_boolean(is_try)
        yield f"{prefix}TO_BINARY", _to_binary(is_try)
        for word in ("NUMBER", "DECIMAL", "NUMERIC"):
            yield f"{prefix}TO_{word}", _to_number(is_try)
        for word, sort in (("", None), ("_NTZ", "ntz"), ("_LTZ", "ltz"), ("_TZ", "ltz")):
            name = f"{prefix}TO_TIMESTAMP{word}"
            yield name, _to_timestamp(word, sort, is_try)
    yield "DATE", _to_date(False)
    yield "TIME", _to_time(False)


BUILDERS = {name: tried(build) if name.startswith("TRY_") else build for name, build in _builders()}


# -- casts -------------------------------------------------------------------------------------------------


def lowered_cast(node: exp.Cast, rewriting: Rewriting) -> Expr:
    """A cast to one of Snowflake's types, by the function that it calls; TRY_CAST takes texts alone."""
    found = _lowered_cast(node, rewriting)
    if not node.args.get("requires_string"):  # of a TRY_CAST that a statement has
        return found
    if isinstance(node.this, exp.Null):
        raise refused_cast("NULL", declared_type(node.args["to"].sql(dialect="duckdb")))
    return of_texts(found, node.this)


def _lowered_cast(node: exp.Cast, rewriting: Rewriting) -> Expr:
    value, target, is_try = node.this, node.args["to"], isinstance(node, exp.TryCast)
    if not isinstance(target, exp.DataType):
        return node
    demand_type(target)
    type = target.this
    if isinstance(value, exp.Null):
        return _null(node, type)
    if type in exp.DataType.TEXT_TYPES:
        demand_zone(value)
        if shown_values.has_own_formats(rewriting) and not isinstance(value, exp.Literal):
            node.set("this", shown_values.shown(value, rewriting))
        return _text(node, target, is_try=is_try)
    if type in _DECIMALS:
        return _cast_number(node, value, target, is_try=is_try)
    if type in _FLOATS:
        return typed(chosen(f"{_prefix(is_try)}double", value, exp.null()), "DOUBLE")
    if type == _T.BOOLEAN:
        return typed(chosen(f"{_prefix(is_try)}boolean", value), "BOOLEAN")
    if type == _T.DATE:
        return _cast_date(node, value, rewriting, is_try=is_try)
    if type == _T.TIME:
        return _placed(
            _time(value, settings.text(rewriting.session, "TIME_INPUT_FORMAT"), is_try=is_try), value, target
        )
    if type in _ZONED or type in _UNZONED or type == _T.TIMESTAMP:
        sort = "ltz" if type in _ZONED else "ntz" if type in _UNZONED else mapped(rewriting)
        format = settings.text(rewriting.session, "TIMESTAMP_INPUT_FORMAT")
        found = _timestamp(value, format, sort, rewriting, is_try=is_try)
        zoned = _with_zone(found, value, format, rewriting) if type == _T.TIMESTAMPTZ else found
        return _placed(zoned, value, target)
    if type in (_T.BINARY, _T.VARBINARY):
        return call(f"sf_{_prefix(is_try)}to_binary", value, kind(value), "HEX")
    if type == _T.VARIANT:
        return json(call("sf_to_variant", *with_kinds([value])))
    if type in (_T.ARRAY, _T.OBJECT) and not target.expressions:
        name = "sf_to_array" if type == _T.ARRAY else "sf_to_object"
        return json(call(name, *with_kinds([value])))
    return node


def _placed(moment: Expr, value: Expr, target: exp.DataType) -> Expr:
    """A time or timestamp without the digits beyond those of its type; one of a number keeps them, as recorded."""
    places = int(target.expressions[0].name) if target.expressions else 9
    if places >= _MICROSECONDS:
        return moment
    cut = typed(bound(partial(_cut, places, kind(value)), moment), str(known_type(moment)))
    cut.meta.update({key: noted for key, noted in moment.meta.items() if key == OTHER_ZONE})
    return cut


_MICROSECONDS = 6
"""The digits of a second that DuckDB keeps."""


def _cut(places: int, sort: Expr, moment: Expr) -> Expr:
    unit = exp.Literal.number(10 ** (_MICROSECONDS - places))
    beyond = exp.Mod(this=call("microsecond", moment.copy()), expression=unit)
    whole = exp.Sub(this=moment.copy(), expression=call("to_microseconds", beyond))
    is_number = exp.Or(
        this=exp.In(
            this=sort.copy(), expressions=[exp.Literal.string(one) for one in ("DOUBLE", "BIGINT", "INTEGER")]
        ),
        expression=call("starts_with", sort.copy(), "DECIMAL"),
    )
    return exp.Case(ifs=[exp.If(this=is_number, true=moment.copy())], default=whole)


def _null(node: exp.Cast, type: exp.DType) -> Expr:
    """NULL of a type; a VARIANT's is JSON."""
    if type in (_T.VARIANT, _T.OBJECT) or (type == _T.ARRAY and not node.to.expressions):
        return json(exp.null())
    if type == _T.DECIMAL:
        precision, scale = digits_of(node.to)
        return cast(exp.null(), f"DECIMAL({precision}, {scale})")
    return node


_ABSENT = {_T.DECFLOAT: "DECFLOAT", _T.VECTOR: "VECTOR", _T.GEOGRAPHY: "GEOGRAPHY", _T.GEOMETRY: "GEOMETRY"}


def demand_type(target: exp.DataType) -> None:
    """Refuse a type that this server lacks, so that it does not become another one."""
    if (name := _ABSENT.get(target.this)) is not None:
        raise not_emulated(f"the type {name}")


def digits_of(target: exp.DataType) -> tuple[int, int]:
    """The precision and scale of a NUMBER."""
    digits = [int(one.name) for one in target.expressions]
    precision, scale = (*digits, *(LARGEST, 0)[len(digits) :])[:2]
    return precision, scale


def _cast_number(node: exp.Cast, value: Expr, target: exp.DataType, *, is_try: bool) -> Expr:
    precision, scale = (LARGEST, 0) if target.this in INTEGERS else digits_of(target)
    return number_of(value, exp.null(), precision, scale, is_try=is_try)


def _cast_date(node: exp.Cast, value: Expr, rewriting: Rewriting, *, is_try: bool) -> Expr:
    format = settings.text(rewriting.session, "DATE_INPUT_FORMAT")
    if isinstance(value, exp.Literal) and value.is_string and format == "AUTO":
        try:
            found = conversions.to_date(value.name, "VARCHAR", None, 1970)
        except Refusal:
            return _date(value, format, rewriting, is_try=is_try)
        return exp.cast(exp.Literal.string(str(found)), "DATE")
    return _date(value, format, rewriting, is_try=is_try)


def _text(node: exp.Cast, target: exp.DataType, *, is_try: bool) -> Expr:
    """VARCHAR(n) refuses longer texts; other casts to text depend on the type of the value."""
    value = node.this
    length = int(target.expressions[0].name) if target.expressions else None
    if length is None and target.this in (_T.CHAR, _T.NCHAR):
        length = 1
    text = as_text(value)
    if length is None or length >= 16777216:
        is_text = isinstance(value, exp.Literal) and value.is_string
        return exp.cast(value.copy(), "VARCHAR") if is_text else text
    return within(text, length, is_try=is_try)


def within(text: Expr, length: int, *, is_try: bool = False) -> Expr:
    """A text that is refused, or becomes NULL, if it has more characters."""
    return typed(bound(partial(_within, length, is_try), text), "VARCHAR")


def _within(length: int, is_try: bool, text: Expr) -> Expr:
    if is_try:
        error: Expr = exp.null()
    else:
        words = f"{MARK}100078|22000|String '"
        error = call(
            "error", call("concat", words, text.copy(), f"' is too long and would be truncated{MARK}")
        )
    shown = exp.cast(text.copy(), "VARCHAR")
    too_long = exp.GT(this=call("length", shown), expression=exp.Literal.number(length))
    return exp.Case(ifs=[exp.If(this=too_long, true=error)], default=shown.copy())


def bytes_within(value: Expr, length: int) -> Expr:
    """Bytes that are refused if there are more; the words are those for texts."""
    return bound(partial(_bytes_within, length), cast(value.copy(), "BLOB"))


def _bytes_within(length: int, value: Expr) -> Expr:
    words = call("concat", f"{MARK}100078|22000|String '", call("hex", value.copy()))
    error = call("error", call("concat", words, f"' is too long and would be truncated{MARK}"))
    too_long = exp.GT(this=call("octet_length", value.copy()), expression=exp.Literal.number(length))
    return exp.Case(ifs=[exp.If(this=too_long, true=error)], default=value.copy())
