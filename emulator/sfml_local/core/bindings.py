"""Changes of a statement's text that are necessary before parsing, made token by token."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlglot.tokens import Token, TokenType

from sfml_local.core.errors import SqlError
from sfml_local.grammar.quoting import literal
from sfml_local.grammar.tokens import Tokens


def sql_literal(value: Any) -> str:
    """A Python value as a literal of Snowflake, in which backslashes are escapes."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return f"{value}::FLOAT" if math.isfinite(value) else f"'{value}'::FLOAT"
        case int() | Decimal():
            return str(value)
        case bytes():
            return f"TO_BINARY('{value.hex()}', 'HEX')"
        case datetime.datetime():
            return f"'{value.isoformat(sep=' ')}'::TIMESTAMP_{'TZ' if value.tzinfo else 'NTZ'}"
        case datetime.date():
            return f"'{value.isoformat()}'::DATE"
        case datetime.time():
            return f"'{value.isoformat()}'::TIME"
        case _:
            return literal(str(value))


def without_scoped(sql: str) -> str:
    """`CREATE SCOPED TEMPORARY …` as `CREATE TEMPORARY …`.

    Snowpark writes SCOPED for objects that end with the procedure or session that created them.
    """
    if "SCOPED" not in sql[:200].upper():
        return sql
    tokens = Tokens(sql)
    if not tokens.match_words("CREATE"):
        return sql
    tokens.match_words("OR", "REPLACE")
    start = tokens.offset
    if tokens.match_words("SCOPED"):
        return sql[:start] + sql[tokens.offset :]
    return sql


_COPIES = re.compile(r"\bCOPY\s+(GRANTS|TAGS)\b", re.IGNORECASE)


def without_copies(sql: str) -> str:
    """`CREATE TABLE … CLONE s COPY GRANTS` without the words after the table, which sqlglot does not read.

    Grants and tags are copied by who reads the statement as written.
    """
    for start, end, _ in reversed(_copies(sql)):
        sql = f"{sql[:start]}{sql[end:]}"
    return sql


def copies(sql: str, what: str) -> bool:
    """Whether a CREATE has COPY GRANTS, or COPY TAGS."""
    return any(word == what for _, _, word in _copies(sql))


def _copies(sql: str) -> list[tuple[int, int, str]]:
    """Where COPY GRANTS and COPY TAGS begin and end in a CREATE, before its query."""
    found: list[tuple[int, int, str]] = []
    if _COPIES.search(sql) is None:
        return found
    tokens = Tokens(sql)
    if not tokens.match_words("CREATE"):
        return found
    while not tokens.at_end and not tokens.is_words("AS"):
        start = tokens.offset
        word = next((word for word in ("GRANTS", "TAGS") if tokens.match_words("COPY", word)), None)
        if word is None:
            tokens.index += 1
        else:
            found.append((start, tokens.offset, word))
    return found


def without_recursive(sql: str) -> str:
    """`CREATE RECURSIVE VIEW …` as CREATE VIEW, as which sqlglot reads it; a view that reads itself is refused then."""
    if "RECURSIVE" not in sql[:100].upper():
        return sql
    tokens = Tokens(sql)
    if not tokens.match_words("CREATE"):
        return sql
    while any(
        tokens.match_words(*words) for words in (("OR", "REPLACE"), ("SECURE",), ("TEMPORARY",), ("TEMP",))
    ):
        pass
    start = tokens.offset
    return f"{sql[:start]}{sql[tokens.offset :]}" if tokens.match_words("RECURSIVE") else sql


_URLS = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | \$\$.*?\$\$ | "(?:[^"]|"")*" | (?P<url>snow://(?:"(?:[^"]|"")*"|[^\s();,'"])+)""",
    re.DOTALL | re.VERBOSE,
)


def quoted_urls(sql: str) -> str:
    """`LIST snow://dataset/…` with the address as a string: its `//` would begin a comment."""
    if "snow://" not in sql:
        return sql
    return _URLS.sub(lambda found: sql_literal(found["url"]) if found["url"] else found[0], sql)


_PUT = re.compile(r"(\s*PUT\s+)(file://[^\s'\"]+)", re.IGNORECASE)


def quoted_files(sql: str) -> str:
    """`PUT file:///folder/* @stage` with the files as a string: their `/*` would begin a comment."""
    return _PUT.sub(lambda found: found[1] + sql_literal(found[2]), sql, count=1) if _PUT.match(sql) else sql


def exists_before_name(sql: str) -> str:
    """`CREATE TABLE t IF NOT EXISTS (…)` with its words in the order that sqlglot reads.

    Snowpark writes the name first when it appends to a temporary table, and Snowflake accepts both.
    """
    if "EXISTS" not in sql[:400].upper():
        return sql
    tokens = Tokens(sql)
    if not tokens.match_words("CREATE"):
        return sql
    while any(tokens.match_words(word) for word in ("OR", "REPLACE", "TEMPORARY", "TEMP", "TRANSIENT")):
        pass
    if not tokens.match_words("TABLE") or tokens.is_words("IF", "NOT", "EXISTS"):
        return sql
    start = tokens.offset
    tokens.name()
    end = tokens.offset
    if not tokens.if_not_exists():
        return sql
    return f"{sql[:start]}IF NOT EXISTS {sql[start:end]}{sql[tokens.offset :]}"


def inline_identifiers(sql: str, params: list[Any]) -> tuple[str, list[Any]]:
    """The statement with every IDENTIFIER(?) and IDENTIFIER('…') replaced by the name."""
    if "IDENTIFIER" not in sql.upper():
        return sql, params
    tokens = Tokens(sql)
    pieces: list[str] = []
    kept: list[Any] = []
    copied = 0
    placeholders = 0
    while (token := tokens.peek()) is not None:
        start = tokens.offset
        if (
            tokens.is_words("IDENTIFIER")
            and _is(tokens, 1, TokenType.L_PAREN)
            and _is(tokens, 3, TokenType.R_PAREN)
        ):
            argument = tokens.peek(2)
            tokens.index += 2
            if (text := tokens.match_string()) is None and argument is not None:
                if argument.token_type is not TokenType.PLACEHOLDER:
                    continue
                text = str(_parameter(params, placeholders))
                placeholders += 1
                tokens.index += 1
            end = tokens.peek()
            assert end is not None and text is not None
            pieces += [sql[copied:start], text]
            copied = end.end + 1
        elif token.token_type is TokenType.PLACEHOLDER:
            kept.append(_parameter(params, placeholders))
            placeholders += 1
        tokens.index += 1
    kept += params[placeholders:]
    return "".join([*pieces, sql[copied:]]), kept if params else params


def immediate_bindings(sql: str, params: list[Any]) -> tuple[str, list[Any]]:
    """EXECUTE IMMEDIATE $$ … ? … $$ of a client, which binds the values of the text in it."""
    if not params or sql.lstrip()[:7].upper() != "EXECUTE":
        return sql, params
    tokens = Tokens(sql)
    if not tokens.match_words("EXECUTE", "IMMEDIATE"):
        return sql, params
    text = tokens.match_string()
    if text is None or not tokens.at_end:
        return sql, params
    return f"EXECUTE IMMEDIATE {sql_literal(inline_bindings(text, params))}", []


_DOTS = re.compile(r"\.\s*\.")


def public_places(sql: str) -> str:
    """`d..t` as `d.PUBLIC.t`.

    https://docs.snowflake.com/en/sql-reference/name-resolution: double-dot notation
    """
    if _DOTS.search(sql) is None:
        return sql
    tokens = Tokens(sql)
    places = []
    while (token := tokens.peek()) is not None:
        second, name = tokens.peek(1), tokens.peek(2)
        before = tokens.peek(-1) if tokens.index else None
        is_double = token.token_type is TokenType.DOT and _is(tokens, 1, TokenType.DOT)
        if is_double and before and second and name and _is_name(before) and _is_name(name):
            places.append(second.start)
        tokens.index += 1
    for place in reversed(places):
        sql = f"{sql[:place]}PUBLIC{sql[place:]}"
    return sql


def _is_name(token: Token) -> bool:
    return token.token_type in (TokenType.VAR, TokenType.IDENTIFIER) or token.text[:1].isalpha()


def inline_bindings(sql: str, params: Sequence[Any]) -> str:
    """The statement with its `?` written out as literals."""
    if not params or not isinstance(params, list):
        return sql
    tokens = Tokens(sql)
    pieces: list[str] = []
    copied = 0
    placeholders = 0
    while (token := tokens.peek()) is not None:
        if token.token_type is TokenType.PLACEHOLDER:
            pieces += [sql[copied : token.start], sql_literal(_parameter(params, placeholders))]
            copied = token.end + 1
            placeholders += 1
        tokens.index += 1
    return "".join([*pieces, sql[copied:]])


def _is(tokens: Tokens, ahead: int, token_type: TokenType) -> bool:
    token = tokens.peek(ahead)
    return token is not None and token.token_type is token_type


def _parameter(params: Sequence[Any], index: int) -> Any:
    if index >= len(params):
        raise SqlError(f"Bind variable ? not set: {index + 1}", 2049, "42601")
    return params[index]
