"""Databases and schemas, and DESCRIBE TABLE.

https://docs.snowflake.com/en/sql-reference/sql/create-database · /create-schema · /show-schemas · /desc-table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot.tokens import TokenType

from sfml.grammar.shows import Listing, listing
from sfml.grammar.tokens import Name, Tokens

__all__ = [
    "Create",
    "DescribeTable",
    "Drop",
    "ShowDatabases",
    "ShowSchemas",
    "parse",
]

Kind = Literal["DATABASE", "SCHEMA"]


@dataclass(frozen=True, slots=True)
class Create:
    kind: Kind
    name: Name
    or_replace: bool = False
    if_not_exists: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    kind: Kind
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowDatabases:
    listing: Listing


@dataclass(frozen=True, slots=True)
class ShowSchemas:
    listing: Listing


@dataclass(frozen=True, slots=True)
class DescribeTable:
    kind: Literal["TABLE", "VIEW"]
    name: Name


Statement = Create | Drop | ShowDatabases | ShowSchemas | DescribeTable


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("DROP"):
        return _drop(tokens)
    if tokens.match_words("SHOW"):
        terse = tokens.match_words("TERSE")
        if tokens.match_words("DATABASES"):
            return ShowDatabases(listing(tokens, terse=terse))
        return ShowSchemas(listing(tokens, terse=terse)) if tokens.match_words("SCHEMAS") else None
    if tokens.match_words("DESCRIBE") or tokens.match_words("DESC"):
        for kind in ("TABLE", "VIEW"):
            if tokens.match_words(kind):
                name = tokens.name()
                tokens.match_words("TYPE") and tokens.expect_type(TokenType.EQ) and tokens.identifier()
                tokens.expect_end()
                return DescribeTable(kind, name)
    return None


def _kind(tokens: Tokens) -> Kind | None:
    if tokens.match_words("DATABASE"):
        return "DATABASE"
    return "SCHEMA" if tokens.match_words("SCHEMA") else None


def _create(tokens: Tokens) -> Create | None:
    replace = tokens.match_words("OR", "REPLACE")
    tokens.match_words("TRANSIENT")
    kind = _kind(tokens)
    if kind is None or tokens.is_words("ROLE"):
        return None
    missing = tokens.match_words("IF", "NOT", "EXISTS")
    name = tokens.name()
    comment = ""
    while not tokens.at_end:
        if tokens.match_words("COMMENT"):
            tokens.match_type(TokenType.EQ)
            comment = tokens.expect_string()
        elif tokens.match_words("DATA_RETENTION_TIME_IN_DAYS"):
            tokens.match_type(TokenType.EQ)
            tokens.expect_type(TokenType.NUMBER)
        elif not tokens.match_words("WITH", "MANAGED", "ACCESS"):
            raise tokens.error("expected COMMENT, DATA_RETENTION_TIME_IN_DAYS or the end")
    return Create(kind, name, replace, missing, comment)


def _drop(tokens: Tokens) -> Drop | None:
    kind = _kind(tokens)
    if kind is None or tokens.is_words("ROLE"):
        return None
    if_exists = tokens.match_words("IF", "EXISTS")
    name = tokens.name()
    # Both answers are accepted: this server keeps no foreign keys that RESTRICT could find.
    if not tokens.match_words("CASCADE"):
        tokens.match_words("RESTRICT")
    tokens.expect_end()
    return Drop(kind, name, if_exists)
