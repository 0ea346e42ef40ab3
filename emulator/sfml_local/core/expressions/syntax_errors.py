"""Refusals of SQL that cannot be parsed, in the words of accounts: where, and which token is not expected there."""

from __future__ import annotations

from sqlglot.tokens import Token

from sfml_local.core.errors import SqlError


def unexpected(token: Token | None, sql: str, expected: str | None = None) -> SqlError:
    """001003: a token that cannot be where it is; None is the end of the statement."""
    found = "<EOF>" if token is None else _shown(sql[token.start : token.end + 1])
    expecting = f", expecting '{expected}'" if expected else ""
    at = position(len(sql) if token is None else token.start, sql)
    return SqlError(
        f"SQL compilation error:\nsyntax error {at} unexpected '{found}'{expecting}.", 1003, "42000"
    )


def _shown(written: str) -> str:
    """A token of sqlglot's as one of accounts: GROUP BY is two."""
    return written if written[:1] in ("'", '"', "$") else written.split(maxsplit=1)[0]


def unended(sql: str) -> SqlError:
    """001003: a text, name or comment that does not end."""
    return SqlError(
        f"SQL compilation error:\nparse error {position(len(sql), sql)} near '<EOF>'.", 1003, "42000"
    )


def position(offset: int, sql: str) -> str:
    """A place as accounts tell it: lines count from 1, columns from 0."""
    line = sql.count("\n", 0, offset) + 1
    return f"line {line} at position {offset - (sql.rfind(chr(10), 0, offset) + 1)}"
