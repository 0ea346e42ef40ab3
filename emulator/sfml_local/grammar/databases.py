"""Databases and schemas, and DESCRIBE TABLE.

https://docs.snowflake.com/en/sql-reference/sql/create-database · /create-schema · /show-schemas · /desc-table
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlglot.tokens import TokenType

from sfml_local.grammar.absent import Absent
from sfml_local.grammar.options import options
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "Alter",
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
    options: Mapping[str, Any] = field(default_factory=dict)
    """The other properties by upper-case name, including TRANSIENT and MANAGED ACCESS."""


@dataclass(frozen=True, slots=True)
class Alter:
    """SET and UNSET of properties, without a name those of the current one; `other` is any other change, as written."""

    kind: Kind
    name: Name | None
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    if_exists: bool = False
    other: str = ""


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


@dataclass(frozen=True, slots=True)
class DescribePlace:
    """DESCRIBE DATABASE and SCHEMA."""

    kind: Kind
    name: Name


Statement = Create | Absent | Alter | Drop | ShowDatabases | ShowSchemas | DescribeTable | DescribePlace


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("ALTER"):
        return _alter(tokens)
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
                return DescribeTable(kind, name)
        place = _kind(tokens)
        if place is not None and not tokens.is_words("ROLE"):
            described = DescribePlace(place, tokens.name())
            tokens.expect_end()
            return described
    return None


def _kind(tokens: Tokens) -> Kind | None:
    if tokens.match_words("DATABASE"):
        return "DATABASE"
    return "SCHEMA" if tokens.match_words("SCHEMA") else None


def _create(tokens: Tokens) -> Create | Absent | None:
    replace = tokens.match_words("OR", "REPLACE")
    given: dict[str, Any] = {"TRANSIENT": True} if tokens.match_words("TRANSIENT") else {}
    kind = _kind(tokens)
    if kind is None or tokens.is_words("ROLE"):
        return None
    missing = tokens.if_not_exists()
    name = tokens.name()
    if tokens.match_words("CLONE"):
        tokens.rest()
        return Absent("CREATE", f"{kind} … CLONE")
    if tokens.match_words("FROM"):
        return Absent("CREATE", f"{kind} … FROM {tokens.rest()}")
    if tokens.match_words("WITH", "MANAGED", "ACCESS"):
        given["MANAGED ACCESS"] = True
    given |= _options(tokens)
    comment = str(given.pop("COMMENT", ""))
    return Create(kind, name, replace, missing, comment, given)


def _options(tokens: Tokens) -> dict[str, Any]:
    """`NAME = value`; COMMENT also without the sign."""
    start = tokens.index
    if tokens.match_words("COMMENT") and (text := tokens.match_string()) is not None:
        return {"COMMENT": text} | _options(tokens)
    tokens.index = start
    return options(tokens)


def _alter(tokens: Tokens) -> Alter | None:
    kind = _kind(tokens)
    if kind is None or tokens.is_words("ROLE"):
        return None
    if_exists = tokens.if_exists()
    is_current = not if_exists and (tokens.is_words("SET") or tokens.is_words("UNSET"))
    name = None if is_current else tokens.name()
    if tokens.match_words("SET"):
        return Alter(kind, name, _options(tokens), if_exists=if_exists)
    if tokens.match_words("UNSET"):
        names = tokens.listed(tokens.identifier)
        return Alter(kind, name, {}, names, if_exists)
    return Alter(kind, name, if_exists=if_exists, other=tokens.rest())


def _drop(tokens: Tokens) -> Drop | None:
    kind = _kind(tokens)
    if kind is None or tokens.is_words("ROLE"):
        return None
    if_exists = tokens.if_exists()
    name = tokens.name()
    # Both answers are accepted: this server keeps no foreign keys that RESTRICT could find.
    if not tokens.match_words("CASCADE"):
        tokens.match_words("RESTRICT")
    return Drop(kind, name, if_exists)
