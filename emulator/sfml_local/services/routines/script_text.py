"""Replaces variables in the texts of statements and expressions in a block."""

from __future__ import annotations

from typing import Any

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from sfml_local.core.bindings import sql_literal
from sfml_local.grammar.tokens import Tokens
from sfml_local.services.routines.procedure_types import VariantText

_OPERANDS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.STRING}
)


def with_values(text: str, variables: dict[str, Any], *, bare: bool = False) -> str:
    """The text with every variable replaced by its value: `:name`, and in expressions also the bare name."""
    tokens = Tokens(text)
    pieces: list[str] = []
    copied = 0
    before = None
    while (token := tokens.peek()) is not None:
        following = tokens.peek(1)
        touches = before is not None and before.end + 1 == token.start and before.token_type in _OPERANDS
        is_bound = token.token_type is TokenType.COLON and following is not None and not touches
        is_bare = bare and token.token_type is TokenType.VAR
        if is_bound or (is_bare and (before is None or before.token_type is not TokenType.DOT)):
            found = _value_at(tokens, 1 if is_bound else 0, variables, bare=bare)
            if found is not None:
                literal, length = found
                pieces += [text[copied : token.start], literal]
                tokens.index += length - 1
                token = tokens.peek() or token
                copied = token.end + 1
        before = token
        tokens.index += 1
    return "".join([*pieces, text[copied:]])


def _value_at(tokens: Tokens, ahead: int, variables: dict[str, Any], *, bare: bool) -> tuple[str, int] | None:
    """The variable or field of a row at this token, as a literal, and the index of its last token."""
    token, after, field = (tokens.peek(ahead + index) for index in range(3))
    if token is None or token.text.upper() not in variables:
        return None
    value = variables[token.text.upper()]
    if after is not None and after.token_type is TokenType.DOT and field is not None:
        key = field.text if field.token_type is TokenType.IDENTIFIER else field.text.upper()
        found = isinstance(value, dict) and key in value
        return (_literal(value[key], bare=bare), ahead + 3) if found else None
    if ahead == 0 and after is not None and after.token_type is TokenType.L_PAREN:
        return None
    return _literal(value, bare=bare), ahead + 1


def _literal(value: Any, *, bare: bool) -> str:
    """A value in SQL: in expressions a VARIANT stays one, in statements it is its JSON text."""
    written = sql_literal(value)
    return f"PARSE_JSON({written})" if bare and isinstance(value, VariantText) else written


def without_into(sql: str) -> tuple[str, tuple[str, ...]]:
    """`SELECT … INTO :a, :b FROM …` without INTO, and the names after INTO; in CALL it is at the end.

    https://docs.snowflake.com/en/sql-reference/sql/call-with
    """
    tokens = Tokens(sql)
    if not any(tokens.is_words(word) for word in ("SELECT", "CALL", "WITH")):
        return sql, ()
    while not tokens.at_end:
        start, following = tokens.offset, tokens.peek(1)
        if tokens.is_words("INTO") and following is not None and following.token_type is TokenType.COLON:
            tokens.match_words("INTO")
            names = []
            while tokens.match_type(TokenType.COLON):
                names.append(tokens.identifier())
                tokens.match_type(TokenType.COMMA)
            return sql[:start] + sql[tokens.offset :], tuple(names)
        tokens.index += 1
    return sql, ()


def is_simple(expression: str) -> bool:
    """Whether an expression is a literal, a name or a cast."""
    try:
        node: Expr = exp.maybe_parse(expression, dialect="snowflake")
    except SqlglotError:
        return False
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Neg):
        return isinstance(node.this, exp.Literal)
    return isinstance(node, exp.Literal | exp.Boolean | exp.Null | exp.Column | exp.Placeholder | exp.Cast)
