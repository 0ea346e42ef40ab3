"""Tags as objects, and statements on objects that the local Snowflake has not: their names are told apart here.

https://docs.snowflake.com/en/sql-reference/sql/create-tag
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml.grammar.tokens import Name, Tokens

__all__ = ["Absent", "CreateTag", "DropTag", "ShowTags", "parse"]


@dataclass(frozen=True, slots=True)
class CreateTag:
    name: Name
    or_replace: bool = False
    if_not_exists: bool = False
    allowed: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DropTag:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowTags:
    """`scope` is ACCOUNT, DATABASE or SCHEMA, or None for the current schema."""

    like: str | None = None
    scope: str | None = None
    within: Name | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """A statement on a kind of object that Snowflake has and the local one has not."""

    kind: str


KINDS = (
    ("DYNAMIC", "TABLE"),
    ("DYNAMIC", "ICEBERG", "TABLE"),
    ("ONLINE", "FEATURE", "TABLE"),
    ("MODEL", "MONITOR"),
)

TagStatement = CreateTag | DropTag | ShowTags | Absent


def parse(tokens: Tokens) -> TagStatement | None:
    kind = _absent(tokens)
    if kind is not None:
        tokens.rest()
        return Absent(kind)
    tokens.index = 0
    statement = _tag(tokens)
    if statement is not None:
        tokens.expect_end()
    return statement


def _absent(tokens: Tokens) -> str | None:
    if tokens.match_words("SHOW"):
        words = [(*kind[:-1], f"{kind[-1]}S") for kind in KINDS]
    elif any(tokens.match_words(verb) for verb in ("CREATE", "ALTER", "DROP", "DESCRIBE", "DESC")):
        tokens.match_words("OR", "REPLACE")
        words = list(KINDS)
    else:
        return None
    return next(
        (" ".join(kind) for kind, form in zip(KINDS, words, strict=True) if tokens.match_words(*form)), None
    )


def _tag(tokens: Tokens) -> TagStatement | None:
    if tokens.match_words("CREATE", "TAG"):
        return _created(tokens, or_replace=False)
    if tokens.match_words("CREATE", "OR", "REPLACE", "TAG"):
        return _created(tokens, or_replace=True)
    if tokens.match_words("DROP", "TAG"):
        if_exists = tokens.match_words("IF", "EXISTS")
        return DropTag(tokens.name(), if_exists)
    if tokens.match_words("SHOW", "TAGS"):
        like = tokens.expect_string() if tokens.match_words("LIKE") else None
        if not tokens.match_words("IN"):
            return ShowTags(like)
        scope = next((one for one in ("ACCOUNT", "DATABASE", "SCHEMA") if tokens.match_words(one)), "SCHEMA")
        return ShowTags(like, scope, None if tokens.at_end else tokens.name())
    return None


def _created(tokens: Tokens, *, or_replace: bool) -> CreateTag:
    if_not_exists = tokens.match_words("IF", "NOT", "EXISTS")
    name = tokens.name()
    allowed: list[str] = []
    comment = ""
    while not tokens.at_end:
        if tokens.match_words("ALLOWED_VALUES"):
            allowed.append(tokens.expect_string())
            while tokens.match_type(TokenType.COMMA):
                allowed.append(tokens.expect_string())
        else:
            tokens.expect_words("COMMENT")
            tokens.match_type(TokenType.EQ)
            comment = tokens.expect_string()
    return CreateTag(name, or_replace, if_not_exists, tuple(allowed), comment)
