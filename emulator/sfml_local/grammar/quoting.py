"""Names and texts as SQL writes them: Snowflake's and DuckDB's, so that no value can become syntax."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")
_FOLDED = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_QUOTED = re.compile(r'"(?:[^"]|"")+"', re.DOTALL)


def quoted(name: str) -> str:
    """A name in double quotes, which no dialect folds."""
    return '"' + name.replace('"', '""') + '"'


def quoted_if_needed(part: str) -> str:
    """One part of a name in SQL: bare if folding does not change it, else in double quotes."""
    return part if _PLAIN.fullmatch(part) else quoted(part)


def raw(written: str) -> str:
    """The name that a user means, without quotes: `ml_wh` → `ML_WH`, `"My Wh"` → `My Wh`."""
    if _QUOTED.fullmatch(written):
        return written[1:-1].replace('""', '"')
    return written.upper() if _FOLDED.fullmatch(written) else written


def literal(text: str) -> str:
    """A string literal; Snowflake reads backslash escapes in single quotes, so those are escaped too."""
    return duckdb_literal(text.replace("\\", "\\\\"))


_ESCAPES = {
    ord(one): two
    for one, two in (
        *(
            ("\\", "\\\\"),
            ('"', '\\"'),
            ("\n", "\\n"),
            ("\r", "\\r"),
            ("\t", "\\t"),
            ("\b", "\\b"),
            ("\f", "\\f"),
        ),
        ("'", "''"),
    )
}


def ddl_literal(text: str) -> str:
    """A string literal as GET_DDL writes it: what has an escape is written with it."""
    return "'" + text.translate(_ESCAPES) + "'"


def duckdb_literal(text: str) -> str:
    """A string literal of DuckDB, which knows no backslash escapes."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_identifier(*names: str) -> str:
    """A dotted name for DuckDB, with every part in quotes, so that no part is folded."""
    return ".".join(map(quoted, names))
