"""USE, ALTER SESSION, SET, UNSET and SHOW PARAMETERS: the state and settings of a session.

https://docs.snowflake.com/en/sql-reference/sql/use · /alter-session · /set · /show-parameters
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot.tokens import TokenType

from sfml_local.grammar.routines import signature
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AlterSession",
    "SetVariables",
    "ShowParameters",
    "ShowVariables",
    "UnsetVariables",
    "Use",
    "parse",
]

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Use:
    """`name` of SECONDARY ROLES is ALL, NONE or the roles, joined by commas."""

    kind: Literal["DATABASE", "SCHEMA", "ROLE", "WAREHOUSE", "SECONDARY ROLES"]
    name: Name


@dataclass(frozen=True, slots=True)
class AlterSession:
    set: tuple[tuple[str, Value], ...] = ()
    unset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GivenValue:
    """The value of a variable as a query, in which the expression stands where the statement has it."""

    query: str
    is_subquery: bool
    """Whether the expression is one subquery and nothing more."""


@dataclass(frozen=True, slots=True)
class SetVariables:
    """SET a = 1, SET (a, b) = (1, 2); in SET (a, b) = (SELECT 1, 2) the values are columns of the only `query`."""

    names: tuple[str, ...]
    values: tuple[GivenValue, ...] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True)
class ShowVariables:
    like: str | None = None


@dataclass(frozen=True, slots=True)
class UnsetVariables:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShowParameters:
    """SHOW PARAMETERS of the session (the default), the account or an object; `name` is None for the session's own."""

    like: str | None = None
    scope: str = "SESSION"
    name: Name | None = None
    types: tuple[str, ...] = ()
    """Of a function or procedure."""


@dataclass(frozen=True, slots=True)
class DescribeResult:
    """`query_id` is None for LAST_QUERY_ID()."""

    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class ShowTransactions:
    """Those of the session; IN ACCOUNT those of all."""

    in_account: bool = False


Statement = (
    Use
    | AlterSession
    | SetVariables
    | ShowVariables
    | UnsetVariables
    | ShowParameters
    | DescribeResult
    | ShowTransactions
)


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("USE"):
        return _use(tokens)
    if tokens.match_words("ALTER", "SESSION"):
        return _alter_session(tokens)
    if tokens.match_words("SHOW", "PARAMETERS"):
        return _show_parameters(tokens)
    if tokens.match_words("SHOW", "VARIABLES"):
        like = tokens.like()
        return ShowVariables(like)
    if tokens.match_words("SHOW", "TRANSACTIONS"):
        return ShowTransactions(tokens.match_words("IN", "ACCOUNT"))
    if tokens.match_words("DESCRIBE", "RESULT") or tokens.match_words("DESC", "RESULT"):
        return DescribeResult(_query_id(tokens))
    if tokens.match_words("UNSET"):
        return UnsetVariables(_names(tokens))
    if tokens.match_words("SET"):
        return _set(tokens)
    return None


def _query_id(tokens: Tokens) -> str | None:
    if (text := tokens.match_string()) is not None:
        return text
    tokens.expect_words("LAST_QUERY_ID")
    tokens.expect_type(TokenType.L_PAREN)
    tokens.expect_type(TokenType.R_PAREN)
    return None


def _use(tokens: Tokens) -> Use:
    kind: Literal["DATABASE", "SCHEMA", "ROLE", "WAREHOUSE", "SECONDARY ROLES"]
    if tokens.match_words("SECONDARY", "ROLES") or tokens.match_words("SECONDARY", "ROLE"):
        roles = tokens.listed(tokens.identifier)
        return Use("SECONDARY ROLES", Name((",".join(roles),)))
    if tokens.match_words("ROLE"):
        kind = "ROLE"
    elif tokens.match_words("WAREHOUSE"):
        kind = "WAREHOUSE"
    elif tokens.match_words("SCHEMA"):
        kind = "SCHEMA"
    else:
        kind = "DATABASE"
        named = tokens.match_words("DATABASE")
        name = tokens.name()
        tokens.expect_end()
        # `USE a.b` without a word names a schema.
        return Use("SCHEMA" if len(name.parts) == 2 and not named else kind, name)
    name = tokens.name()
    return Use(kind, name)


def _alter_session(tokens: Tokens) -> AlterSession:
    if tokens.match_words("UNSET"):
        return AlterSession(unset=_names(tokens))
    tokens.expect_words("SET")
    pairs: list[tuple[str, Value]] = []
    while not tokens.at_end:
        name = tokens.identifier()
        tokens.expect_type(TokenType.EQ)
        pairs.append((name, value(tokens)))
        tokens.match_type(TokenType.COMMA)
    return AlterSession(set=tuple(pairs))


def value(tokens: Tokens) -> Value:
    """A parameter's value: a string, a number, TRUE or FALSE, or a bare word, which is a text."""
    if (text := tokens.match_string()) is not None:
        return text
    negative = tokens.match_type(TokenType.DASH) is not None
    if (number := tokens.match_type(TokenType.NUMBER)) is not None:
        parsed = float(number.text) if "." in number.text else int(number.text)
        return -parsed if negative else parsed
    if tokens.match_words("TRUE"):
        return True
    if tokens.match_words("FALSE"):
        return False
    return tokens.identifier()


def _names(tokens: Tokens) -> tuple[str, ...]:
    bracketed = tokens.match_type(TokenType.L_PAREN) is not None
    names = tokens.listed(tokens.identifier)
    if bracketed:
        tokens.expect_type(TokenType.R_PAREN)
    return names


def _set(tokens: Tokens) -> SetVariables:
    if tokens.match_type(TokenType.L_PAREN) is None:
        name = tokens.identifier()
        tokens.expect_type(TokenType.EQ)
        start = tokens.offset
        return SetVariables((name,), (_given(tokens, start, tokens.rest()),))
    names = tokens.listed(tokens.identifier)
    tokens.expect_type(TokenType.R_PAREN)
    tokens.expect_type(TokenType.EQ)
    tokens.expect_type(TokenType.L_PAREN)
    is_query, start = tokens.is_words("SELECT") or tokens.is_words("WITH"), tokens.offset
    texts = tokens.arguments()
    if is_query:
        return SetVariables(names, query=tokens.sql[start : tokens.sql.rindex(")")])
    if len(texts) != len(names):
        raise tokens.error(f"expected {len(names)} values")
    values = []
    for text in texts:
        start = tokens.sql.index(text, start)
        values.append(_given(tokens, start, text))
        start += len(text)
    return SetVariables(names, tuple(values))


def _given(tokens: Tokens, start: int, text: str) -> GivenValue:
    if not text:
        raise tokens.error("expected a value")
    return GivenValue(_select(tokens.sql[:start]) + text, _is_subquery(Tokens(text)))


def _select(before: str) -> str:
    """SELECT at the end of as many blank lines and columns as there are before an expression, if they have room."""
    lines = [" " * len(line) for line in before.split("\n")]
    for index in reversed(range(len(lines))):
        word = "SELECT " if index == len(lines) - 1 else "SELECT"
        if len(lines[index]) >= len(word):
            lines[index] = word.rjust(len(lines[index]))
            return "\n".join(lines)
    return "SELECT "


def _is_subquery(tokens: Tokens) -> bool:
    """Whether the first parenthesis, which a query follows, closes at the end."""
    depth = 0
    while tokens.match_type(TokenType.L_PAREN):
        depth += 1
    if not depth or not (tokens.is_words("SELECT") or tokens.is_words("WITH")):
        return False
    while (token := tokens.peek()) is not None:
        depth += token.token_type is TokenType.L_PAREN
        depth -= token.token_type is TokenType.R_PAREN
        tokens.index += 1
        if depth == 0:
            return tokens.at_end
    return False


def _show_parameters(tokens: Tokens) -> ShowParameters | None:
    like = tokens.like()
    if tokens.at_end or tokens.match_words("IN", "SESSION") or tokens.match_words("FOR", "SESSION"):
        return ShowParameters(like)
    if not tokens.match_words("IN"):
        tokens.match_words("FOR")
    scope = next((one for one in PARAMETER_SCOPES if tokens.match_words(one)), None)
    if scope is None:
        return None
    if scope in ("FUNCTION", "PROCEDURE"):
        return ShowParameters(like, scope, *signature(tokens))
    name = None if tokens.at_end or scope == "ACCOUNT" else tokens.name()
    return ShowParameters(like, scope, name)


PARAMETER_SCOPES = (
    *("ACCOUNT", "DATABASE", "SCHEMA", "TABLE", "VIEW", "WAREHOUSE", "USER", "FUNCTION", "PROCEDURE"),
)
