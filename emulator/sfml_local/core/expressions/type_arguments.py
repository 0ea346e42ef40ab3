"""Arguments of types in casts that an account refuses and sqlglot takes, or refuses in its own words: `1::INT(36)`.

https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokens import Token, TokenType

from sfml_local.core.errors import SqlError

_NONE = frozenset(
    {
        "INT",
        "INTEGER",
        "BIGINT",
        "SMALLINT",
        "TINYINT",
        "BYTEINT",
        "BOOLEAN",
        "DOUBLE",
        "DOUBLE PRECISION",
        "VARIANT",
    }
)
"""Types that have no arguments."""
_NO_NUMBER = frozenset({"ARRAY", "OBJECT"})
"""Types whose arguments are other types."""
_MOST = {
    **dict.fromkeys(("NUMBER", "DECIMAL", "NUMERIC", "DEC"), 2),
    **dict.fromkeys(
        ("VARCHAR", "STRING", "TEXT", "CHAR", "CHARACTER", "NCHAR", "NVARCHAR", "BINARY", "VARBINARY"), 1
    ),
}
"""Type → the most numbers in its parentheses, of which there is at least one."""


def check_arguments(tokens: Sequence[Token], sql: str) -> None:
    """Raise SqlError at the first `::` type with arguments that it does not have."""
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.DCOLON:
            _check(tokens[index + 1 : index + 8], sql)


def _check(tokens: Sequence[Token], sql: str) -> None:
    words = [token.text.upper() for token in tokens]
    if words[:1] == ["BOOL"]:
        raise SqlError("SQL compilation error:\nUnsupported data type 'BOOL'.", 2040, "42601")
    if words[1:2] != ["("]:
        return
    kind, inside = words[0], tokens[2:]
    if kind in _NONE or (kind in _NO_NUMBER and inside and inside[0].token_type is TokenType.NUMBER):
        raise _unexpected(inside[0] if inside else None, sql)
    if kind in _MOST:
        _check_numbers(inside, _MOST[kind], sql)


def _check_numbers(tokens: Sequence[Token], most: int, sql: str) -> None:
    """One to `most` numbers, with commas between them, and a closing parenthesis."""
    for index in range(0, 2 * most, 2):
        number, following = (*tokens[index : index + 2], None, None)[:2]
        if number is None or number.token_type is not TokenType.NUMBER:
            raise _unexpected(number, sql)
        if following is not None and following.text == ")":
            return
        if following is None or following.text != "," or index == 2 * most - 2:
            raise _unexpected(following, sql, ")")


def _unexpected(token: Token | None, sql: str, instead: str | None = None) -> SqlError:
    at = len(sql) if token is None else token.start
    line, column = sql.count("\n", 0, at) + 1, at - (sql.rfind("\n", 0, at) + 1)
    found = "<EOF>" if token is None else token.text
    expected = f", expecting '{instead}'" if instead else ""
    words = f"syntax error line {line} at position {column} unexpected '{found}'{expected}."
    return SqlError(f"SQL compilation error:\n{words}", 1003, "42000")
