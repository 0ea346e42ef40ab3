"""Statements chained by the pipe operator, `SHOW TASKS ->> SELECT "name" FROM $1`.

https://docs.snowflake.com/en/sql-reference/operators-flow
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot.tokens import Token, TokenType

from sfml_local.grammar.tokens import SqlSyntaxError, Tokens

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_CLAUSES = frozenset(
    {"FROM", "SELECT", "WHERE", "GROUP BY", "ORDER BY", "PARTITION BY", "BY", "ON", "HAVING", "QUALIFY"}
)
_BODIES = frozenset({"TASK", "PROCEDURE", "FUNCTION", "ALERT"})
"""Kinds of objects whose definitions hold statements: a pipe in them is a part of the definition."""


def chained(sql: str) -> tuple[str, ...]:
    """The statements of a chain as written; empty if the statement is not one."""
    tokens = Tokens(sql)
    if _holds_statements(tokens):
        return ()
    ends = [*_pipes(tokens), None]
    if len(ends) == 1:
        return ()
    texts, start = [], 0
    for pipe in ends:
        text = sql[start : None if pipe is None else pipe.start].strip()
        if not text.rstrip(";"):
            raise _nothing_between(sql, pipe)
        texts.append(text)
        start = len(sql) if pipe is None else pipe.end + 1
    return tuple(texts)


def _holds_statements(tokens: Tokens) -> bool:
    """Whether the statement is a block, or defines an object with statements in it."""
    if tokens.is_words("BEGIN") or tokens.is_words("DECLARE") or tokens.is_words("EXECUTE", "IMMEDIATE"):
        return True
    words = [token.text.upper() for token in tokens.following(6)]
    return bool(words) and words[0] in ("CREATE", "ALTER", "WITH") and not _BODIES.isdisjoint(words)


def _pipes(tokens: Tokens) -> Iterator[Token]:
    depth = 0
    for token in tokens.following():
        depth += token.token_type in _OPENING
        depth -= token.token_type in _CLOSING
        if depth == 0 and token.token_type is TokenType.DARROW:
            yield token


def _nothing_between(sql: str, pipe: Token | None) -> SqlSyntaxError:
    found, at = ("<EOF>", len(sql)) if pipe is None else ("->>", pipe.start)
    words = f"syntax error line {sql.count(chr(10), 0, at) + 1} at position {at} unexpected '{found}'."
    return SqlSyntaxError(f"SQL compilation error:\n{words}", at)


def with_results(sql: str, relation: Callable[[int], str]) -> str:
    """The statement with `relation(n)` in place of each `$n` that stands where a table can stand."""
    tokens = Tokens(sql)
    for first, last, number in reversed(list(_references(tuple(tokens.following())))):
        sql = f"{sql[: first.start]}{relation(number)}{sql[last.end + 1 :]}"
    return sql


def _references(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token, int]]:
    """The first and last token, and the number, of each `$n` in a FROM clause.

    FROM in EXTRACT, TRIM and SUBSTRING names no table: there is no SELECT before it in the same parentheses.
    """
    selects = [False]
    for index, token in enumerate(tokens):
        word = token.text.upper()
        if token.token_type in _OPENING:
            selects.append(False)
        elif token.token_type in _CLOSING and len(selects) > 1:
            selects.pop()
        elif word == "SELECT":
            selects[-1] = True
        elif word in ("JOIN", "USING") or (selects[-1] and _leads_to_table(tokens, index)):
            yield from _reference(tokens[index + 1 : index + 3])


def _leads_to_table(tokens: Sequence[Token], index: int) -> bool:
    """Whether a table follows: after FROM, and after a comma between tables."""
    token = tokens[index]
    is_comma = token.token_type is TokenType.COMMA
    return token.text.upper() == "FROM" or (is_comma and _is_after_table(tokens[:index]))


def _reference(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token, int]]:
    match tokens:
        case [Token() as one, *_] if one.text[:1] == "$" and one.text[1:].isdigit():
            yield one, one, int(one.text[1:])
        case [Token() as sign, Token() as number] if sign.text == "$" and number.text.isdigit():
            yield sign, number, int(number.text)


def _is_after_table(tokens: Sequence[Token]) -> bool:
    """Whether a comma after these tokens stands between tables: the clause that it is in begins with FROM."""
    depth = 0
    for token in reversed(tokens):
        depth += token.token_type in _CLOSING
        depth -= token.token_type in _OPENING
        if depth < 0:
            return False
        if depth == 0 and token.text.upper() in _CLAUSES:
            return token.text.upper() == "FROM"
    return False


@dataclass(frozen=True, slots=True)
class UnitedResult:
    """A whole result in a union, `SELECT 3 AS "at", * FROM $2`: its number, and the number in front of its columns."""

    number: int
    column: str
    value: int


def united_results(sql: str) -> tuple[UnitedResult, ...]:
    """The parts of a statement that only puts whole results below one another; empty for any other statement."""
    tokens = Tokens(sql).following()
    parts = tuple(_united_result(tokens[at : at + _PART + 2]) for at in range(0, len(tokens), _PART + 2))
    if len(tokens) % (_PART + 2) != _PART or not all(parts):
        return ()
    return tuple(part for part in parts if part is not None)


_PART = 9
"""The number of tokens of a `UnitedResult`; the words UNION and ALL stand between two of them."""


def _united_result(tokens: Sequence[Token]) -> UnitedResult | None:
    match [token.text.upper() for token in tokens]:
        case ["SELECT", value, "AS", _, ",", "*", "FROM", "$", number, *union] if union in (
            [],
            ["UNION", "ALL"],
        ):
            is_plain = value.isdigit() and number.isdigit() and tokens[3].token_type is TokenType.IDENTIFIER
            return UnitedResult(int(number), tokens[3].text, int(value)) if is_plain else None
        case _:
            return None
