"""CREATE, ALTER, DROP, DESCRIBE and SHOW STREAM.

https://docs.snowflake.com/en/sql-reference/sql/create-stream · /alter-stream · /show-streams
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot.tokens import TokenType

from sfml_local.grammar.options import options
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens, parse_name

__all__ = [
    "AlterStream",
    "CloneStream",
    "CreateStream",
    "DescribeStream",
    "DropStream",
    "ShowStreams",
    "parse",
]


@dataclass(frozen=True, slots=True)
class CreateStream:
    """`on` is the kind of object in words (TABLE, VIEW, STAGE …); `unsupported` names a clause that was read over."""

    name: Name
    on: str
    source: Name
    or_replace: bool = False
    if_not_exists: bool = False
    append_only: bool = False
    show_initial_rows: bool = False
    comment: str | None = None
    unsupported: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    copy_grants: bool = False
    at_stream: Name | None = None
    """The stream at whose offset it begins."""


@dataclass(frozen=True, slots=True)
class CloneStream:
    name: Name
    source: Name
    or_replace: bool = False
    if_not_exists: bool = False
    copy_grants: bool = False


@dataclass(frozen=True, slots=True)
class AlterStream:
    """SET COMMENT, or UNSET COMMENT when it is None; `unsupported` is the text of anything else."""

    name: Name
    comment: str | None = None
    if_exists: bool = False
    unsupported: str | None = None


@dataclass(frozen=True, slots=True)
class DropStream:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeStream:
    name: Name


@dataclass(frozen=True, slots=True)
class ShowStreams:
    listing: Listing


Statement = CreateStream | CloneStream | AlterStream | DropStream | DescribeStream | ShowStreams
_KINDS = (("EXTERNAL", "TABLE"), ("DYNAMIC", "TABLE"), ("EVENT", "TABLE"), ("TABLE",), ("VIEW",), ("STAGE",))


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        or_replace = tokens.match_words("OR", "REPLACE")
        return _create(tokens, or_replace) if tokens.match_words("STREAM") else None
    if tokens.match_words("ALTER", "STREAM"):
        return _alter(tokens)
    if tokens.match_words("DROP", "STREAM"):
        if_exists = tokens.if_exists()
        return DropStream(tokens.name(), if_exists)
    if tokens.match_words("DESCRIBE", "STREAM") or tokens.match_words("DESC", "STREAM"):
        return DescribeStream(tokens.name())
    terse = tokens.is_words("SHOW", "TERSE", "STREAMS")
    if tokens.match_words("SHOW", "TERSE", "STREAMS") or tokens.match_words("SHOW", "STREAMS"):
        return ShowStreams(listing(tokens, terse=terse))
    return None


def _create(tokens: Tokens, or_replace: bool) -> CreateStream | CloneStream:
    missing = tokens.if_not_exists()
    name = tokens.name()
    if tokens.match_words("CLONE"):
        return CloneStream(name, tokens.name(), or_replace, missing, tokens.match_words("COPY", "GRANTS"))
    copy_grants = tokens.match_words("COPY", "GRANTS")
    tokens.expect_words("ON")
    kind = next((kind for kind in _KINDS if tokens.match_words(*kind)), None)
    if kind is None:
        raise tokens.error("expected TABLE, VIEW or STAGE")
    source = tokens.name()
    unsupported = None
    at_stream = _at_stream(tokens)
    if tokens.is_words("AT") or tokens.is_words("BEFORE"):
        unsupported = tokens.rest()
    given = options(tokens)
    if given.get("INSERT_ONLY") is True:
        unsupported = "INSERT_ONLY = TRUE"
    return CreateStream(
        name,
        " ".join(kind),
        source,
        or_replace,
        missing,
        given.get("APPEND_ONLY") is True,
        given.get("SHOW_INITIAL_ROWS") is True,
        given.get("COMMENT"),
        unsupported,
        given,
        copy_grants,
        at_stream,
    )


def _at_stream(tokens: Tokens) -> Name | None:
    """The stream of AT (STREAM => 'name'); None for other moments, which are not passed."""
    start = tokens.index
    if tokens.match_words("AT") and tokens.match_type(TokenType.L_PAREN) and tokens.match_words("STREAM"):
        tokens.expect_type(TokenType.FARROW)
        name = parse_name(tokens.expect_string())
        tokens.expect_type(TokenType.R_PAREN)
        return name
    tokens.index = start
    return None


def _alter(tokens: Tokens) -> AlterStream:
    if_exists = tokens.if_exists()
    name = tokens.name()
    start = tokens.index
    if tokens.match_words("SET", "COMMENT"):
        tokens.expect_type(TokenType.EQ)
        comment = tokens.expect_string()
        if tokens.at_end:
            return AlterStream(name, comment, if_exists)
        tokens.index = start
    if tokens.match_words("UNSET", "COMMENT"):
        return AlterStream(name, None, if_exists)
    return AlterStream(name, None, if_exists, tokens.rest())
