"""ALTER … SET TAG and UNSET TAG of all taggable objects except tasks and models, whose families parse their own.

https://docs.snowflake.com/en/sql-reference/sql/alter-table (TAG) and the pages beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sfml_local.grammar.task_settings import names, tags
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["KINDS", "SetObjectTags", "UnsetObjectTags", "parse"]

KINDS = (
    "TABLE",
    "VIEW",
    "STAGE",
    "STREAM",
    "SCHEMA",
    "DATABASE",
    "WAREHOUSE",
    "COMPUTE POOL",
    "ROLE",
    "USER",
)


@dataclass(frozen=True, slots=True)
class SetObjectTags:
    """`column` is that of a table or view whose column is tagged."""

    kind: str
    name: Name
    tags: tuple[tuple[Name, str], ...]
    column: str | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class UnsetObjectTags:
    kind: str
    name: Name
    tags: tuple[Name, ...]
    column: str | None = None
    if_exists: bool = False


def parse(tokens: Tokens) -> SetObjectTags | UnsetObjectTags | None:
    """The statement, or None when it is of another family."""
    if not tokens.match_words("ALTER"):
        return None
    kind = next((kind for kind in KINDS if tokens.match_words(*kind.split())), None)
    if kind is None or tokens.at_end:
        return None
    if_exists = tokens.if_exists()
    if tokens.is_words("SET") or tokens.is_words("UNSET"):  # the session's own warehouse
        return None
    name = tokens.name()
    column = _column(tokens) if kind in ("TABLE", "VIEW") else None
    statement: SetObjectTags | UnsetObjectTags
    if tokens.match_words("SET", "TAG"):
        statement = SetObjectTags(kind, name, tags(tokens), column, if_exists)
    elif tokens.match_words("UNSET", "TAG"):
        statement = UnsetObjectTags(kind, name, names(tokens), column, if_exists)
    else:
        return None
    return statement


def _column(tokens: Tokens) -> str | None:
    """The column of `{ALTER | MODIFY} [COLUMN] name`."""
    if not tokens.match_words("ALTER") and not tokens.match_words("MODIFY"):
        return None
    tokens.match_words("COLUMN")
    token = tokens.peek()
    if token is None or not (token.text[:1].isalpha() or token.text[:1] in '_"'):
        return None
    return tokens.identifier()
