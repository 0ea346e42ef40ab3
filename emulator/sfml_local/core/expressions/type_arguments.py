"""Arguments of types in casts that an account refuses and sqlglot takes, or refuses in its own words: `1::INT(36)`.

https://docs.snowflake.com/en/sql-reference/intro-summary-data-types
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokens import Token, TokenType

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.syntax_errors import unexpected

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
        elif token.token_type is TokenType.L_PAREN and index > 1:
            _check_sizes(tokens[index - 2 : index + 5], sql)


_TEXTS = ("VARCHAR", "STRING", "TEXT", "CHAR", "CHARACTER", "NCHAR", "NVARCHAR")
_NUMBERS = ("NUMBER", "DECIMAL", "NUMERIC", "DEC")
_SIZES = {
    **dict.fromkeys(_TEXTS, ("character length", 1, 134_217_728)),
    **dict.fromkeys(("BINARY", "VARBINARY"), ("binary length", 1, 67_108_864)),
    **dict.fromkeys(_NUMBERS, ("number precision", 0, 38)),
    "TIME": ("time scale", 0, 9),
    **dict.fromkeys(
        ("TIMESTAMP", "DATETIME", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP_TZ"), ("timestamp scale", 0, 9)
    ),
}
"""Type → what its number is called, and its range."""
_BEFORE_TYPE = frozenset({TokenType.VAR, TokenType.IDENTIFIER, TokenType.ALIAS, TokenType.DCOLON})


def _check_sizes(tokens: Sequence[Token], sql: str) -> None:
    """Refuse numbers of a type that are out of range: `a VARCHAR(0)`; `CHAR(0)` elsewhere is a function."""
    before, kind, _, size, *following = (*tokens, None)
    name = "" if kind is None else kind.text.upper()
    is_type = before is not None and (before.token_type in _BEFORE_TYPE or name in _NUMBERS)
    if name not in _SIZES or not is_type or size is None or not size.text.isdecimal():
        return
    _demand_range(size, *_SIZES[name], sql)
    scale = following[1] if name in _NUMBERS and len(following) > 2 else None
    if scale is not None and following[0] is not None and following[0].text == "," and scale.text.isdecimal():
        _demand_range(scale, "number scale", 0, 37, sql)
        if int(scale.text) > int(size.text):
            words = f"invalid data type specification ({scale.text}>{size.text})"
            raise SqlError(f"SQL compilation error:\n{words}", 2040, "42601")


def _demand_range(number: Token, what: str, least: int, most: int, sql: str) -> None:
    if not least <= int(number.text) <= most:
        line, column = _place(number.start, sql)
        words = f"Invalid {what}: {int(number.text):,}. Must be between {least} and {most:,}."
        raise SqlError(
            f"SQL compilation error: error line {line} at position {column}\n{words}", 2040, "42601"
        )


def _check(tokens: Sequence[Token], sql: str) -> None:
    words = [token.text.upper() for token in tokens]
    if words[:1] == ["BOOL"]:
        raise SqlError("SQL compilation error:\nUnsupported data type 'BOOL'.", 2040, "42601")
    if words[1:2] != ["("]:
        return
    kind, inside = words[0], tokens[2:]
    if kind in _NONE or (kind in _NO_NUMBER and inside and inside[0].token_type is TokenType.NUMBER):
        raise unexpected(inside[0] if inside else None, sql)
    if kind in _MOST:
        _check_numbers(inside, _MOST[kind], sql)


def _check_numbers(tokens: Sequence[Token], most: int, sql: str) -> None:
    """One to `most` numbers, with commas between them, and a closing parenthesis."""
    for index in range(0, 2 * most, 2):
        number, following = (*tokens[index : index + 2], None, None)[:2]
        if number is None or number.token_type is not TokenType.NUMBER:
            raise unexpected(number, sql)
        if following is not None and following.text == ")":
            return
        if following is None or following.text != "," or index == 2 * most - 2:
            raise unexpected(following, sql, ")")


def _place(offset: int, sql: str) -> tuple[int, int]:
    """A line, from one, and the position in it."""
    return sql.count("\n", 0, offset) + 1, offset - (sql.rfind("\n", 0, offset) + 1)
