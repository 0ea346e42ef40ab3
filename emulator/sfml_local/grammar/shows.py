"""SHOW of tables, views, columns, sequences and keys, and the modifiers that every SHOW takes.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["Listing", "ShowObjects", "listing", "parse"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The filters and scope of a SHOW.

    `scope` is ACCOUNT, DATABASE, SCHEMA, TABLE or VIEW; empty for IN with a name alone, and None without IN.
    """

    terse: bool = False
    history: bool = False
    like: str | None = None
    scope: str | None = None
    within: Name | None = None
    starts_with: str | None = None
    limit: int | None = None
    from_name: str | None = None
    root_only: bool = False
    """ROOT ONLY of SHOW TASKS."""


@dataclass(frozen=True, slots=True)
class ShowObjects:
    """SHOW of a kind that the SQL engine holds."""

    kind: str
    listing: Listing


KINDS = (
    *("TABLES", "VIEWS", "OBJECTS", "COLUMNS", "SEQUENCES"),
    *("PRIMARY KEYS", "UNIQUE KEYS", "IMPORTED KEYS", "EXPORTED KEYS", "USERS"),
)
_MODIFIERS = (("STARTS", "WITH"), ("LIMIT",), ("ROOT", "ONLY"))


def parse(tokens: Tokens) -> ShowObjects | None:
    """The statement, or None when it is of another family."""
    if not tokens.match_words("SHOW"):
        return None
    terse = tokens.match_words("TERSE")
    kind = next((kind for kind in KINDS if tokens.match_words(*kind.split())), None)
    return None if kind is None else ShowObjects(kind, listing(tokens, terse=terse))


def unknown(tokens: Tokens) -> None:
    """Refuse an unknown SHOW, because the SQL engine would take its word for a table."""
    if tokens.match_words("SHOW"):
        tokens.match_words("TERSE")
        raise tokens.error("expected a kind of object")


def listing(tokens: Tokens, *, terse: bool = False, of_account: bool = False, roots: bool = False) -> Listing:
    """The modifiers up to the end of the statement.

    Objects `of_account` lie in no database, and take no IN; with `roots`, ROOT ONLY is one of them.
    """
    history = tokens.match_words("HISTORY")
    like = tokens.like()
    scope, within = None, None
    if not of_account and (tokens.match_words("IN") or tokens.match_words("FROM")):
        scope, within = _scope(tokens)
    starts_with = tokens.starts_with()
    root_only = roots and tokens.match_words("ROOT", "ONLY")
    limit, from_name = None, None
    if tokens.match_words("LIMIT"):
        limit = int(tokens.expect_type(TokenType.NUMBER).text)
        if limit == 0:
            raise tokens.error("expected a number above 0")
        from_name = tokens.expect_string() if tokens.match_words("FROM") else None
    return Listing(terse, history, like, scope, within, starts_with, limit, from_name, root_only)


def _scope(tokens: Tokens) -> tuple[str, Name | None]:
    if tokens.match_words("ACCOUNT"):
        return "ACCOUNT", None
    scope = next((one for one in ("DATABASE", "SCHEMA", "TABLE", "VIEW") if tokens.match_words(one)), "")
    nameless = tokens.at_end or any(tokens.is_words(*words) for words in _MODIFIERS)
    return scope, None if nameless and scope else tokens.name()
