"""What DuckDB stores, as Snowflake names its types."""

from __future__ import annotations

from typing import Any

# https://docs.snowflake.com/en/sql-reference/data-types: what DESCRIBE shows for what DuckDB stores.
TYPES = {
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "DOUBLE": "FLOAT",
    "FLOAT": "FLOAT",
    "JSON": "VARIANT",
    "BLOB": "BINARY(8388608)",
    "TIME": "TIME(9)",
    "TIMESTAMP": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP_NS": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP_MS": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP_S": "TIMESTAMP_NTZ(9)",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ(9)",
}

INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)


PLACES = 9
"""The digits of a second that times have where none are declared."""


def shown_type(told: str | None, stored: str, length: Any = None) -> str:
    """A column's type as DESCRIBE shows it; `told` is what is known beside DuckDB's type."""
    if told == "timestamp_ltz":
        return f"TIMESTAMP_LTZ({PLACES if length is None else length})"
    return told.upper() if told else snowflake_type(stored, length).upper()


def snowflake_type(stored: str, length: Any = None) -> str:
    """DuckDB's type as Snowflake names it; `length` is that of a column of texts or bytes, or the places of times."""
    if stored.startswith("DECIMAL"):
        return "NUMBER" + stored.removeprefix("DECIMAL").replace(" ", "")
    if stored in INTEGERS:
        return "NUMBER(38,0)"
    if stored.endswith("[]"):
        return "ARRAY"
    if stored.startswith(("STRUCT", "MAP")):
        return "OBJECT"
    if stored == "BLOB" and length:
        return f"BINARY({length})"
    if stored.startswith("TIME") and length is not None:
        return TYPES[stored].replace(str(PLACES), str(length))
    return TYPES.get(stored, f"VARCHAR({length or 16777216})")


def declared_type(written: str) -> str:
    """A type that a statement for DuckDB declares, as Snowflake names it."""
    kind, _, sizes = written.upper().replace(" (", "(").partition("(")
    if kind in ("TEXT", "VARCHAR"):
        return snowflake_type("VARCHAR", sizes.rstrip(")") or None)
    if kind in ("INT", *INTEGERS):
        return "NUMBER(38,0)"
    if kind in ("DECIMAL", "NUMERIC"):
        precision, _, scale = (sizes.rstrip(")") or "38,0").replace(" ", "").partition(",")
        return f"NUMBER({precision},{scale or 0})"
    return TYPES.get(kind.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"), kind)
