"""ALTER … SET TAG and UNSET TAG of all taggable objects except tasks and models, whose families parse their own.

CREATE … [WITH] TAG (…) of those whose families do not read the clause.

https://docs.snowflake.com/en/sql-reference/sql/alter-table (TAG) and the pages beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.task_settings import names, tag_list, tags
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["KINDS", "SetObjectTags", "TaggedCreate", "UnsetObjectTags", "parse"]

KINDS = (
    "TABLE",
    "VIEW",
    "STAGE",
    "STREAM",
    "ALERT",
    "SCHEMA",
    "DATABASE",
    "WAREHOUSE",
    "COMPUTE POOL",
    "ROLE",
    "USER",
    "INTEGRATION",
)
_INTEGRATIONS = ("EXTERNAL ACCESS", "NOTIFICATION", "API", "CATALOG", "SECURITY", "STORAGE")


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


@dataclass(frozen=True, slots=True)
class TaggedCreate:
    """A CREATE with tags; `sql` is the statement without them."""

    kind: str
    name: Name
    tags: tuple[tuple[Name, str], ...]
    sql: str
    if_not_exists: bool = False
    or_alter: bool = False


_CREATED = ("WAREHOUSE", "COMPUTE POOL", "DATABASE", "SCHEMA", "ROLE", "USER", "STAGE", "STREAM")


def parse(tokens: Tokens) -> TaggedCreate | SetObjectTags | UnsetObjectTags | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _created(tokens)
    return _altered(tokens) if tokens.match_words("ALTER") else None


def _created(tokens: Tokens) -> TaggedCreate | None:
    tokens.match_words("OR", "REPLACE")
    or_alter = tokens.match_words("OR", "ALTER")
    while any(tokens.match_words(word) for word in ("TRANSIENT", "TEMPORARY", "TEMP")):
        pass
    kind = next((kind for kind in _CREATED if tokens.match_words(*kind.split())), None)
    if kind is None or tokens.is_words("ROLE"):
        return None
    if_not_exists = tokens.if_not_exists()
    name = tokens.name()
    while not tokens.at_end:
        start = tokens.offset
        tokens.match_words("WITH")
        if tokens.match_words("TAG") and tokens.match_type(TokenType.L_PAREN):
            found = tag_list(tokens)
            sql = f"{tokens.sql[:start]} {tokens.sql[tokens.offset :]}"
            tokens.rest()
            return TaggedCreate(kind, name, found, sql, if_not_exists, or_alter)
        if tokens.match_type(TokenType.L_PAREN):
            tokens.arguments()
        elif not tokens.at_end:
            tokens.index += 1
    return None


def _altered(tokens: Tokens) -> SetObjectTags | UnsetObjectTags | None:
    kind = next((kind for kind in KINDS if tokens.match_words(*kind.split())), None)
    if kind is None and any(tokens.match_words(*f"{one} INTEGRATION".split()) for one in _INTEGRATIONS):
        kind = "INTEGRATION"
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
