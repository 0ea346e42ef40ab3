"""Several statements in one request, separated by semicolons.

https://docs.snowflake.com/en/developer-guide/sql-api/submitting-multiple-statements
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot.tokens import Token, TokenType

from sfml_local.grammar.nesting import level_change
from sfml_local.grammar.tokens import Tokens

__all__ = ["statements_of"]


def statements_of(sql: str) -> tuple[str, ...]:
    """The statements of a request as written, without semicolons at their ends; comments alone are no statement.

    A semicolon in a block or in the body of a task or a procedure separates no statements.
    """
    if ";" not in sql.rstrip().removesuffix(";"):
        return (sql,)
    starts = list(_starts(Tokens(sql).following()))
    ends = [*starts[1:], len(sql)]
    return tuple(sql[start:end].rstrip().rstrip(";") for start, end in zip(starts, ends, strict=True)) or (
        sql,
    )


def _starts(tokens: Sequence[Token]) -> Iterator[int]:
    """Where statements begin: the first token, and each after a semicolon outside of blocks."""
    level, in_declarations, is_next = 0, False, True
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            is_next = is_next or (level <= 0 and not in_declarations)
            continue
        if is_next:
            yield token.start
            level = 0
        in_declarations = _in_declarations(tokens, index, in_declarations, is_next)
        level += level_change(tokens, index)
        is_next = False


def _in_declarations(tokens: Sequence[Token], index: int, is_in: bool, is_first: bool) -> bool:
    """Whether a token is between the DECLARE of a block and its BEGIN."""
    word = tokens[index].text.upper()
    if word == "DECLARE":
        return is_in or is_first or tokens[index - 1].text.upper() == "AS"
    return is_in and word != "BEGIN"
