"""Named procedures and functions: CREATE, ALTER, DROP, DESCRIBE and SHOW, and COMMENT ON.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure · /create-function
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.signatures import Clauses, Parameter, parameters
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AlterRoutine",
    "CommentOnRoutine",
    "CreateRoutine",
    "DescribeRoutine",
    "DropRoutine",
    "Kind",
    "ShowRoutines",
    "parse",
    "signature",
]

Kind = Literal["PROCEDURE", "FUNCTION"]
KINDS: tuple[Kind, ...] = ("PROCEDURE", "FUNCTION")


@dataclass(frozen=True, slots=True)
class CreateRoutine:
    """`body` is None if the handler is in a staged file; a SQL body is without its quotes, if any."""

    kind: Kind
    name: Name
    parameters: tuple[Parameter, ...]
    clauses: Clauses
    body: str | None
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    secure: bool = False
    aggregate: bool = False


@dataclass(frozen=True, slots=True)
class DropRoutine:
    """`types` are the types of the parameters, as written."""

    kind: Kind
    name: Name
    types: tuple[str, ...]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeRoutine:
    kind: Kind
    name: Name
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlterRoutine:
    """`action` is the text after the signature."""

    kind: Kind
    name: Name
    types: tuple[str, ...]
    action: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class CommentOnRoutine:
    kind: Kind
    name: Name
    types: tuple[str, ...]
    comment: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowRoutines:
    kind: Kind
    listing: Listing


Statement = CreateRoutine | DropRoutine | DescribeRoutine | AlterRoutine | CommentOnRoutine | ShowRoutines


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("SHOW"):
        return _show(tokens)
    if tokens.match_words("DROP") and (kind := _kind(tokens)):
        if_exists = tokens.if_exists()
        return DropRoutine(kind, *signature(tokens), if_exists)
    if (tokens.match_words("DESCRIBE") or tokens.match_words("DESC")) and (kind := _kind(tokens)):
        return DescribeRoutine(kind, *signature(tokens))
    if tokens.match_words("ALTER") and (kind := _kind(tokens)):
        if_exists = tokens.if_exists()
        return AlterRoutine(kind, *signature(tokens), tokens.rest(), if_exists)
    if tokens.match_words("COMMENT"):
        if_exists = tokens.if_exists()
        if tokens.match_words("ON") and (kind := _kind(tokens)):
            name, types = signature(tokens)
            tokens.expect_words("IS")
            return CommentOnRoutine(kind, name, types, tokens.expect_string(), if_exists)
    return None


def _kind(tokens: Tokens) -> Kind | None:
    return next((kind for kind in KINDS if tokens.match_words(kind)), None)


def _create(tokens: Tokens) -> CreateRoutine | None:
    replace = tokens.match_words("OR", "REPLACE")
    temporary = tokens.match_words("TEMPORARY") or tokens.match_words("TEMP")
    secure = tokens.match_words("SECURE")
    aggregate = tokens.match_words("AGGREGATE")
    kind = _kind(tokens)
    if kind is None:
        return None
    missing = tokens.if_not_exists()
    name = tokens.name()
    declared = parameters(tokens)
    clauses = Clauses.read(tokens)
    body = None
    if tokens.match_words("AS"):
        body = tokens.match_string()
        if body is None:
            body = tokens.rest()
        tokens.expect_end()
    if not clauses.returns:
        raise tokens.error("expected RETURNS")
    return CreateRoutine(kind, name, declared, clauses, body, replace, missing, temporary, secure, aggregate)


def signature(tokens: Tokens) -> tuple[Name, tuple[str, ...]]:
    name = tokens.name()
    tokens.expect_type(TokenType.L_PAREN)
    return name, tokens.arguments()


def _show(tokens: Tokens) -> ShowRoutines | None:
    """TERSE changes nothing."""
    tokens.match_words("TERSE")
    tokens.match_words("USER")
    kind: Kind = "PROCEDURE" if tokens.match_words("PROCEDURES") else "FUNCTION"
    if kind == "FUNCTION" and not tokens.match_words("FUNCTIONS"):
        return None
    return None if tokens.is_words("IN", "MODEL") else ShowRoutines(kind, listing(tokens))
