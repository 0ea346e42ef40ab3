"""Tags as objects: CREATE, ALTER, DROP and SHOW TAG.

https://docs.snowflake.com/en/sql-reference/sql/create-tag
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.absent import Absent
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["AlterTag", "CreateTag", "DropTag", "ShowTags", "parse"]


@dataclass(frozen=True, slots=True)
class CreateTag:
    name: Name
    or_replace: bool = False
    if_not_exists: bool = False
    allowed: tuple[str, ...] = ()
    comment: str = ""
    propagate: str = ""
    on_conflict: str = ""


@dataclass(frozen=True, slots=True)
class DropTag:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowTags:
    listing: Listing


@dataclass(frozen=True, slots=True)
class AlterTag:
    """`change` is RENAME, ADD, DROP or UNSET ALLOWED_VALUES, SET or UNSET COMMENT or PROPAGATE."""

    name: Name
    change: str
    values: tuple[str, ...] = ()
    new: Name | None = None
    if_exists: bool = False


TagStatement = Absent | CreateTag | AlterTag | DropTag | ShowTags


def parse(tokens: Tokens) -> TagStatement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE", "TAG"):
        return _created(tokens, or_replace=False)
    if tokens.match_words("CREATE", "OR", "REPLACE", "TAG"):
        return _created(tokens, or_replace=True)
    if tokens.match_words("DROP", "TAG"):
        if_exists = tokens.if_exists()
        return DropTag(tokens.name(), if_exists)
    if tokens.match_words("ALTER", "TAG"):
        return _altered(tokens)
    terse = tokens.match_words("SHOW", "TERSE", "TAGS")
    if terse or tokens.match_words("SHOW", "TAGS"):
        return ShowTags(listing(tokens, terse=terse))
    return None


def _altered(tokens: Tokens) -> AlterTag | Absent:
    if_exists = tokens.if_exists()
    name = tokens.name()
    if tokens.match_words("RENAME", "TO"):
        return AlterTag(name, "RENAME", new=tokens.name(), if_exists=if_exists)
    for change in ("ADD ALLOWED_VALUES", "DROP ALLOWED_VALUES", "SET ALLOWED_VALUES"):
        if tokens.match_words(*change.split()):
            return AlterTag(name, change, _values(tokens), if_exists=if_exists)
    for change in ("UNSET ALLOWED_VALUES", "UNSET COMMENT", "UNSET PROPAGATE", "UNSET ON_CONFLICT"):
        if tokens.match_words(*change.split()):
            return AlterTag(name, change, if_exists=if_exists)
    if tokens.match_words("SET", "COMMENT"):
        tokens.match_type(TokenType.EQ)
        return AlterTag(name, "SET COMMENT", (tokens.expect_string(),), if_exists=if_exists)
    start = tokens.index
    if tokens.match_words("SET") or tokens.match_words("UNSET"):
        if tokens.match_words("MASKING", "POLICY"):
            tokens.rest()
            return Absent("ALTER", "TAG … SET or UNSET MASKING POLICY")
        tokens.index = start
    tokens.expect_words("SET")
    tokens.expect_words("PROPAGATE")
    tokens.expect_type(TokenType.EQ)
    return AlterTag(name, "SET PROPAGATE", _propagation(tokens), if_exists=if_exists)


def _values(tokens: Tokens) -> tuple[str, ...]:
    return tokens.listed(tokens.expect_string)


def _propagation(tokens: Tokens) -> tuple[str, ...]:
    """How a tag propagates, and how conflicts of values are resolved."""
    word = tokens.identifier()
    if not tokens.match_words("ON_CONFLICT"):
        return (word,)
    tokens.expect_type(TokenType.EQ)
    text = tokens.match_string()
    return word, text if text is not None else tokens.identifier()


def _created(tokens: Tokens, *, or_replace: bool) -> CreateTag:
    if_not_exists = tokens.if_not_exists()
    name = tokens.name()
    allowed: tuple[str, ...] = ()
    comment, propagate, on_conflict = "", "", ""
    while not tokens.at_end:
        if tokens.match_words("ALLOWED_VALUES"):
            allowed = _values(tokens)
        elif tokens.match_words("PROPAGATE"):
            tokens.expect_type(TokenType.EQ)
            propagate, on_conflict = (*_propagation(tokens), "")[:2]
        else:
            tokens.expect_words("COMMENT")
            tokens.match_type(TokenType.EQ)
            comment = tokens.expect_string()
        tokens.match_type(TokenType.COMMA)
    return CreateTag(name, or_replace, if_not_exists, allowed, comment, propagate, on_conflict)
