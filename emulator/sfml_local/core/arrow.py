"""Conversions of results to and from Arrow: for DuckDB's results, for clients, and for rows of handlers."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sfml_local.core.errors import not_emulated
from sfml_local.core.json_layout import JSON_TYPES, SPACES, laid_out
from sfml_local.core.result import ArrowRows, Column, Result

_UTC_OFFSET = 1440  # the wire counts offsets in minutes from -1440


def columns_of(table: pa.Table, types: Sequence[str]) -> tuple[Column, ...]:
    """The columns of an Arrow table; `types` are DuckDB's names, which alone tell JSON from text."""
    return tuple(_column(field, name) for field, name in zip(table.schema, types, strict=True))


def _column(field: pa.Field, duckdb_type: str) -> Column:
    kind = field.type
    if duckdb_type == "JSON":
        return Column(field.name, "variant")
    if pa.types.is_decimal(kind):
        return Column(field.name, "fixed", kind.precision, kind.scale)
    if pa.types.is_integer(kind):
        return Column(field.name, "fixed", 38, 0)
    if pa.types.is_floating(kind):
        return Column(field.name, "real")
    if pa.types.is_boolean(kind):
        return Column(field.name, "boolean")
    if pa.types.is_date(kind):
        return Column(field.name, "date")
    if pa.types.is_time(kind):
        return Column(field.name, "time", 0, 9)
    if pa.types.is_timestamp(kind):
        return Column(field.name, "timestamp_tz" if kind.tz else "timestamp_ntz", 0, 9)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return Column(field.name, "binary", length=8388608)
    if pa.types.is_list(kind):
        return Column(field.name, "array")
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return Column(field.name, "object")
    if pa.types.is_interval(kind):
        raise not_emulated("values of type INTERVAL", "DATEDIFF answers a number")
    return Column(field.name, "text", length=16777216)


# -- for clients ------------------------------------------------------------------------------------------


def ipc(table: pa.Table, columns: Sequence[Column], spaces: int = SPACES) -> bytes:
    """An Arrow stream as the connector's reader expects it, with Snowflake's physical types and metadata."""
    pairs = zip(table.columns, columns, strict=True)
    arrays = [_sent(array, column, spaces) for array, column in pairs]
    fields = [
        pa.field(column.name, array.type, metadata=_metadata(column, array.type))
        for column, array in zip(columns, arrays, strict=True)
    ]
    schema = pa.schema(fields)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return bytes(sink.getvalue().to_pybytes())


def _metadata(column: Column, kind: pa.DataType) -> dict[str, str]:
    return {
        "logicalType": column.type.upper(),
        "precision": str(column.precision or 38),
        "scale": str(column.scale or 0),
        "charLength": str(column.length or 0),
    }


def _sent(chunked: pa.ChunkedArray, column: Column, spaces: int) -> pa.Array:
    array = _wire(chunked, zoned=column.type != "timestamp_ltz")
    if column.type == "fixed" and not column.scale:
        return _narrow(array, column.precision)
    if column.type not in JSON_TYPES:
        return array
    return pa.array([None if v is None else laid_out(v, spaces) for v in array.to_pylist()], pa.string())


_WIDTHS = ((2, pa.int8()), (4, pa.int16()), (9, pa.int32()))
"""How many digits a whole number of a type can have; pandas gets the type, as the tests of Snowpark record it."""


def _narrow(array: pa.Array, precision: int | None) -> pa.Array:
    """Whole numbers in the smallest type that holds the declared digits."""
    width = next((kind for digits, kind in _WIDTHS if precision and precision <= digits), None)
    if width is None or not pa.types.is_integer(array.type):
        return array
    try:
        return array.cast(width)
    except pa.ArrowInvalid:  # DuckDB has computed more digits than were derived for the column
        return array


def _wire(chunked: pa.ChunkedArray, *, zoned: bool = True) -> pa.Array:
    """One column in the physical type that Snowflake sends for it; a TIMESTAMP_LTZ has no zone of its own."""
    array = chunked.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    if pa.types.is_decimal(kind):
        return _unscaled(array)
    if pa.types.is_uint64(kind):
        return _unscaled(array.cast(pa.decimal128(20, 0)))
    if pa.types.is_unsigned_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_float32(kind):
        return array.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return _timestamps(array, zoned=zoned)
    if pa.types.is_time(kind):
        return pc.multiply(array.cast(pa.time64("us")).cast(pa.int64()), 1000)
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_nested(kind) or pa.types.is_interval(kind):
        return pa.array([None if v is None else _json(v) for v in array.to_pylist()], pa.string())
    return array


def narrowed(table: pa.Table) -> pa.Table:
    """A table with whole numbers of 64 bits where they fit, as Snowflake writes NUMBER(38, 0) to Parquet.

    https://docs.snowflake.com/en/sql-reference/sql/copy-into-location
    """
    arrays = [
        _unscaled(array.combine_chunks()) if is_whole(array.type) and array.num_chunks else array
        for array in table.columns
    ]
    return pa.Table.from_arrays(arrays, names=table.column_names)


def is_whole(kind: pa.DataType) -> bool:
    """Whether a type is a decimal without places."""
    return bool(pa.types.is_decimal(kind) and kind.scale == 0)


def _unscaled(array: pa.Array) -> pa.Array:
    """Decimals as 64-bit integers where they fit, as Snowflake sends them: pandas then gets numbers, not objects."""
    wide = array.cast(pa.decimal128(38, array.type.scale))
    words = np.frombuffer(wide.buffers()[1] or b"", dtype=np.int64)
    words = words[wide.offset * 2 : (wide.offset + len(wide)) * 2].reshape(-1, 2)
    low, high = words[:, 0], words[:, 1]
    valid = wide.is_valid().to_numpy(zero_copy_only=False)
    if bool(np.any((high != (low >> 63)) & valid)):
        return wide
    return pa.array(low, pa.int64(), mask=~valid)


def _timestamps(array: pa.Array, *, zoned: bool) -> pa.Array:
    zone = array.type.tz
    nulls = array.is_null()
    micros = array.cast(pa.timestamp("us", zone)).cast(pa.int64()).fill_null(0)
    values = micros.to_numpy(zero_copy_only=False)
    seconds = np.floor_divide(values, 1_000_000)
    parts = [pa.array(seconds, pa.int64()), pa.array((values - seconds * 1_000_000) * 1000, pa.int32())]
    names = ["epoch", "fraction"]
    if zone and zoned:
        parts.append(pa.array(_offsets(array, values), pa.int32()))
        names.append("timezone")
    return pa.StructArray.from_arrays(parts, names=names, mask=nulls)


def _offsets(array: pa.Array, micros: Any) -> Any:
    """Minutes from UTC as the wire counts them, in the zone of the session."""
    zone = str(array.type.tz)
    if zone.upper() in ("UTC", "ETC/UTC"):
        return np.full(len(micros), _UTC_OFFSET)
    local = pc.local_timestamp(array.cast(pa.timestamp("us", zone))).cast(pa.int64()).fill_null(0)
    return (local.to_numpy(zero_copy_only=False) - micros) // 60_000_000 + _UTC_OFFSET


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


# -- from handlers ------------------------------------------------------------------------------------------

_ARROW: dict[str, pa.DataType] = {
    "real": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp_ntz": pa.timestamp("us"),
    "timestamp_ltz": pa.timestamp("us", "UTC"),
    "timestamp_tz": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
}


def as_table(result: Result) -> pa.Table:
    """A result as an Arrow table that DuckDB can read as a relation."""
    if isinstance(result.rows, ArrowRows):
        table = result.rows.table
        arrays = [
            _as_json(array) if column.type in JSON_TYPES and not pa.types.is_nested(array.type) else array
            for column, array in zip(result.columns, table.columns, strict=True)
        ]
    else:
        columns = list(zip(*result.rows, strict=True)) or [()] * len(result.columns)
        arrays = [_array(column, values) for column, values in zip(result.columns, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=[column.name for column in result.columns])


def _as_json(array: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.cast(pa.string()).cast(pa.json_()) for chunk in array.chunks], pa.json_())


def _array(column: Column, values: Sequence[Any]) -> pa.Array:
    kind = _ARROW.get(column.type)
    if kind is not None:
        return pa.array([_zoned(value) if pa.types.is_timestamp(kind) else value for value in values], kind)
    if column.type == "fixed":
        if column.scale:
            decimal = pa.decimal128(column.precision or 38, column.scale)
            return pa.array([None if v is None else Decimal(str(v)) for v in values], decimal)
        numbers = [None if v is None else int(v) for v in values]
        fits = all(-(2**63) <= (number or 0) < 2**63 for number in numbers)
        return pa.array(numbers, pa.int64() if fits else pa.decimal128(38, 0))
    texts = [v if v is None or isinstance(v, str) else _text(v) for v in values]
    if column.type in JSON_TYPES:
        return pa.array(texts, pa.string()).cast(pa.json_())
    return pa.array(texts, pa.string())


def _zoned(value: Any) -> Any:
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC)
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value) if isinstance(value, dict | list | tuple) else str(value)
