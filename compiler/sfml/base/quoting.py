"""How names and texts are written into Snowflake SQL, so that no value can become syntax.

A *written* name is what a user types (`ml_wh`, `"My Wh"`). A *folded* name is the one that Snowflake stores, with
quotes only where its characters need them (`ML_WH`, `"My Wh"`). `identifier` is the form that is safe in a
statement, where reserved words need quotes too.
https://docs.snowflake.com/en/sql-reference/identifiers-syntax
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "dollar_quoted",
    "dotted",
    "duckdb_identifier",
    "duckdb_literal",
    "folded",
    "identifier",
    "literal",
    "name_parts",
    "qualified",
    "raw",
    "stage_location",
    "stage_path",
]

_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_SIMPLE_UPPER: Final = re.compile(r"[A-Z_][A-Z0-9_$]*")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")+"', re.DOTALL)
_PARTS: Final = re.compile(r'"(?:[^"]|"")+"|[^.]+', re.DOTALL)

_RESERVED_WORDS: Final = """
ACCOUNT ALL ALTER AND ANY AS BETWEEN BY CASE CAST CHECK COLUMN CONNECT CONNECTION CONSTRAINT CREATE CROSS
CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DELETE DISTINCT DROP ELSE
EXISTS FALSE FOLLOWING FOR FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT INNER INSERT
INTERSECT INTO IS ISSUE JOIN LATERAL LEFT LIKE LOCALTIME LOCALTIMESTAMP MINUS NATURAL NOT NULL OF ON OR
ORDER ORGANIZATION QUALIFY REGEXP REVOKE RIGHT RLIKE ROW ROWS SAMPLE SCHEMA SELECT SET SOME START TABLE
TABLESAMPLE THEN TO TRIGGER TRUE TRY_CAST UNION UNIQUE UPDATE USING VALUES VIEW WHEN WHENEVER WHERE WITH
"""
# https://docs.snowflake.com/en/sql-reference/reserved-keywords; most of them cannot name an object unquoted,
# and quotes around a folded name change nothing for the others.
RESERVED: Final = frozenset(_RESERVED_WORDS.split())


def raw(written: str) -> str:
    """The name itself, without quotes: `ml_wh` → `ML_WH`, `"My Wh"` → `My Wh`."""
    if _QUOTED.fullmatch(written):
        return written[1:-1].replace('""', '"')
    return written.upper() if _SIMPLE.fullmatch(written) else written


def folded(written: str) -> str:
    """The name as Snowflake resolves it, with quotes only where its characters need them; idempotent."""
    name = raw(written)
    return name if _SIMPLE_UPPER.fullmatch(name) else _quoted(name)


def identifier(written: str) -> str:
    """The name as it stands in a statement: folded, and quoted where it is a reserved word."""
    name = folded(written)
    return _quoted(name) if name in RESERVED else name


def qualified(*written: str) -> str:
    """A dotted name made of its parts, each as `identifier` writes it."""
    return ".".join(identifier(part) for part in written)


def dotted(written: str) -> str:
    """A dotted name with each part as `identifier` writes it: `raw.orders` → `RAW.ORDERS`."""
    return ".".join(identifier(part) for part in _PARTS.findall(written)) or identifier(written)


def name_parts(written: str) -> tuple[str, ...]:
    """The parts of a dotted name as written, quotes kept: `db."a.b"` → `db`, `"a.b"`."""
    return tuple(_PARTS.findall(written))


def literal(text: str) -> str:
    """A string literal; Snowflake reads backslash escapes in single quotes, so those are escaped too."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def duckdb_literal(text: str) -> str:
    """A string literal of DuckDB, which knows no backslash escapes."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_identifier(*names: str) -> str:
    """A dotted name for DuckDB, with every part in quotes, so that no part is folded."""
    return ".".join(map(_quoted, names))


def dollar_quoted(text: str) -> str:
    """`$$text$$` where the text cannot end it early, else the same text as a string literal.

    Between `$$` and `$$` nothing can be escaped, so a text that holds `$$` or ends in `$` cannot be written so.
    """
    return literal(text) if "$$" in text or text.endswith("$") else f"$${text}$$"


def stage_location(database: str, schema: str, stage: str) -> str:
    """A stage as an address: `@SFML.CLV.SFML`."""
    return "@" + ".".join(folded(part) for part in (database, schema, stage))


def stage_path(location: str, *parts: str) -> str:
    """A path below a stage: `@SFML.CLV.SFML/clv/code`; to be put into a statement with `literal`."""
    return "/".join((location, *(part.strip("/") for part in parts)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
