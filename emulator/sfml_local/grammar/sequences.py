"""ALTER and DESCRIBE SEQUENCE. https://docs.snowflake.com/en/sql-reference/sql/alter-sequence"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["AlterSequence", "DescribeSequence", "parse"]


@dataclass(frozen=True, slots=True)
class AlterSequence:
    """What is None stays as it is; `unsupported` is the text of another change."""

    name: Name
    if_exists: bool = False
    ordered: bool | None = None
    comment: str | None = None
    unsupported: str | None = None


@dataclass(frozen=True, slots=True)
class DescribeSequence:
    name: Name


def parse(tokens: Tokens) -> AlterSequence | DescribeSequence | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("DESCRIBE", "SEQUENCE") or tokens.match_words("DESC", "SEQUENCE"):
        name = tokens.name()
        tokens.expect_end()
        return DescribeSequence(name)
    if not tokens.match_words("ALTER", "SEQUENCE"):
        return None
    if_exists = tokens.if_exists()
    name = tokens.name()
    if not tokens.match_words("SET"):
        return AlterSequence(name, if_exists, unsupported=tokens.rest())
    ordered: bool | None = None
    comment: str | None = None
    while not tokens.at_end:
        if tokens.match_words("COMMENT"):
            tokens.expect_type(TokenType.EQ)
            comment = tokens.expect_string()
        elif tokens.is_words("ORDER") or tokens.is_words("NOORDER"):
            ordered = tokens.identifier() == "ORDER"
        else:
            return AlterSequence(name, if_exists, unsupported=f"SET {tokens.rest()}")
        tokens.match_type(TokenType.COMMA)
    return AlterSequence(name, if_exists, ordered, comment)
