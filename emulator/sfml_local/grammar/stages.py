"""Stages and the files in them: CREATE, DROP, SHOW and DESCRIBE STAGE, PUT, GET, LIST, REMOVE, COPY FILES.

https://docs.snowflake.com/en/sql-reference/sql/create-stage · /put · /get · /list · /remove · /copy-files
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot.tokens import TokenType

from sfml_local.grammar.options import options
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AlterStage",
    "CopyFiles",
    "CreateStage",
    "DescribeStage",
    "DropStage",
    "Get",
    "ListFiles",
    "Put",
    "Remove",
    "ShowStages",
    "location",
    "parse",
]


@dataclass(frozen=True, slots=True)
class CreateStage:
    """`options` holds the options after the name: ENCRYPTION, DIRECTORY, COMMENT, FILE_FORMAT, URL …"""

    name: Name
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlterStage:
    """SET, UNSET, RENAME TO or REFRESH; `other` is any other change, as written."""

    name: Name
    if_exists: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    new_name: Name | None = None
    refresh: bool = False
    subpath: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class DropStage:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeStage:
    name: Name


@dataclass(frozen=True, slots=True)
class ShowStages:
    listing: Listing


@dataclass(frozen=True, slots=True)
class Put:
    """`source` is the client's `file://…`, `location` the stage's `@…` or a `snow://…`."""

    source: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Get:
    location: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListFiles:
    location: str
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    location: str
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class CopyFiles:
    """`files` are paths relative to `source`; empty for all of them."""

    target: str
    source: str
    files: tuple[str, ...] = ()
    pattern: str | None = None
    is_detailed: bool = True


Statement = (
    CreateStage
    | AlterStage
    | DropStage
    | DescribeStage
    | ShowStages
    | Put
    | Get
    | ListFiles
    | Remove
    | CopyFiles
)


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("ALTER", "STAGE"):
        return _alter(tokens)
    if tokens.match_words("DROP", "STAGE"):
        if_exists = tokens.if_exists()
        return DropStage(tokens.name(), if_exists)
    if tokens.match_words("DESCRIBE", "STAGE") or tokens.match_words("DESC", "STAGE"):
        return DescribeStage(tokens.name())
    if tokens.match_words("SHOW", "STAGES") or tokens.match_words("SHOW", "TERSE", "STAGES"):
        return ShowStages(listing(tokens))
    if tokens.match_words("PUT"):
        return Put(location(tokens), location(tokens), options(tokens))
    if tokens.match_words("GET"):
        return Get(location(tokens), location(tokens), options(tokens))
    if tokens.match_words("LIST") or tokens.match_words("LS"):
        return ListFiles(location(tokens), _pattern(tokens))
    if tokens.match_words("REMOVE") or tokens.match_words("RM"):
        return Remove(location(tokens), _pattern(tokens))
    if tokens.match_words("COPY", "FILES", "INTO"):
        return _copy_files(tokens)
    return None


def location(tokens: Tokens) -> str:
    """A location: a string, or bare text up to the next blank, as in `@stage/path`."""
    if (text := tokens.match_string()) is not None:
        return text
    start = tokens.offset
    end = start
    while (token := tokens.peek()) is not None and token.start in (start, end):
        end = token.end + 1
        tokens.index += 1
    if start == end:
        raise tokens.error("expected a stage or a file")
    return tokens.sql[start:end]


def _create(tokens: Tokens) -> CreateStage | None:
    replace = tokens.match_words("OR", "REPLACE")
    temporary = tokens.match_words("TEMPORARY") or tokens.match_words("TEMP")
    if not tokens.match_words("STAGE"):
        return None
    missing = tokens.if_not_exists()
    return CreateStage(tokens.name(), replace, missing, temporary, options(tokens))


def _alter(tokens: Tokens) -> AlterStage:
    if_exists = tokens.if_exists()
    name = tokens.name()
    if tokens.match_words("SET"):
        return AlterStage(name, if_exists, options(tokens))
    if tokens.match_words("RENAME", "TO"):
        new = tokens.name()
        return AlterStage(name, if_exists, new_name=new)
    if tokens.match_words("REFRESH"):
        if tokens.match_words("SUBPATH"):
            tokens.expect_type(TokenType.EQ)
            return AlterStage(name, if_exists, refresh=True, subpath=tokens.expect_string())
        return AlterStage(name, if_exists, refresh=True)
    if tokens.match_words("UNSET"):
        names = tokens.listed(tokens.identifier)
        return AlterStage(name, if_exists, unset=names)
    return AlterStage(name, if_exists, other=tokens.rest())


def _pattern(tokens: Tokens) -> str | None:
    if not tokens.match_words("PATTERN"):
        return None
    tokens.expect_type(TokenType.EQ)
    return tokens.expect_string()


def _copy_files(tokens: Tokens) -> CopyFiles:
    target = location(tokens)
    tokens.expect_words("FROM")
    source = location(tokens)
    given = options(tokens)
    known = {"FILES": list, "PATTERN": str, "DETAILED_OUTPUT": bool}
    for key, value in given.items():
        if key not in known or not isinstance(value, known[key]):
            raise tokens.error(f"unexpected {key} = {value}")
    files = given.get("FILES", ())
    return CopyFiles(target, source, tuple(files), given.get("PATTERN"), given.get("DETAILED_OUTPUT", True))
