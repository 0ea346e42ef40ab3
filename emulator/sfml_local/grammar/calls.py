"""CALL procedure(arguments).

https://docs.snowflake.com/en/sql-reference/sql/call
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["Call", "parse"]


@dataclass(frozen=True, slots=True)
class Call:
    """Arguments are the texts of expressions, a named one as written: `name => 1`."""

    procedure: Name
    arguments: tuple[str, ...] = ()


def parse(tokens: Tokens) -> Call | None:
    """The statement, or None when it is of another family, as a call of an object's method is."""
    if not tokens.match_words("CALL"):
        return None
    name = tokens.name()
    if tokens.match_type(TokenType.L_PAREN) is None:
        return None
    arguments = tokens.arguments()
    return Call(name, arguments)
