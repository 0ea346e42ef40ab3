"""ALTER TABLE and VIEW for keys, clustering and properties.

https://docs.snowflake.com/en/sql-reference/sql/alter-table · /alter-view
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot.tokens import TokenType

from sfml_local.grammar.absent import Absent
from sfml_local.grammar.options import options
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["AddKey", "ChangeProperties", "DropKey", "KeepKey", "RenameKey", "parse"]


@dataclass(frozen=True, slots=True)
class AddKey:
    kind: str
    table: Name
    columns: tuple[str, ...]
    name: str | None = None
    refers_to: Name | None = None
    other_columns: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    """`match`, `on_update`, `on_delete`, `deferrable`, `rely` and `comment`, as far as they are given."""
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropKey:
    """By kind and columns, or by `name`; a PRIMARY KEY needs neither."""

    table: Name
    kind: str | None
    columns: tuple[str, ...] = ()
    name: str | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenameKey:
    table: Name
    name: str
    new: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class KeepKey:
    """MODIFY CONSTRAINT: [NOT] ENFORCED, VALIDATE, RELY of keys, which are not enforced."""

    table: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ChangeProperties:
    """`set` by upper-case name, including SECURE, CLUSTER_BY, RECLUSTER and COMMENT. `kind` is TABLE or VIEW."""

    kind: str
    name: Name
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    if_exists: bool = False


Statement = AddKey | DropKey | RenameKey | KeepKey | ChangeProperties | Absent
_KINDS = ("PRIMARY KEY", "UNIQUE", "FOREIGN KEY")


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if not tokens.match_words("ALTER"):
        return None
    kind = next((kind for kind in ("TABLE", "VIEW") if tokens.match_words(kind)), None)
    if kind is None:
        return None
    if_exists = tokens.if_exists()
    name = tokens.name()
    statement: Statement | None = _properties(tokens, kind, name, if_exists)
    if statement is None and kind == "TABLE":
        start = tokens.index
        statement = _absent(tokens)
        if statement is None:
            tokens.index = start
            statement = _key_statement(tokens, name, if_exists)
    return statement


# -- properties


def _properties(tokens: Tokens, kind: str, name: Name, if_exists: bool) -> ChangeProperties | None:
    if tokens.match_words("SET", "SECURE"):
        return ChangeProperties(kind, name, {"SECURE": True}, (), if_exists)
    if tokens.match_words("UNSET", "SECURE"):
        return ChangeProperties(kind, name, {}, ("SECURE",), if_exists)
    if tokens.match_phrase("CLUSTER BY"):
        tokens.match_words("LINEAR")
        tokens.expect_type(TokenType.L_PAREN)
        keys = tokens.arguments()
        if not keys:
            raise tokens.error("expected a clustering key")
        return ChangeProperties(kind, name, {"CLUSTER_BY": ", ".join(keys)}, (), if_exists)
    if tokens.match_words("DROP", "CLUSTERING", "KEY"):
        return ChangeProperties(kind, name, {}, ("CLUSTER_BY",), if_exists)
    if tokens.match_words("SUSPEND", "RECLUSTER"):
        return ChangeProperties(kind, name, {"RECLUSTER": False}, (), if_exists)
    if tokens.match_words("RESUME", "RECLUSTER"):
        return ChangeProperties(kind, name, {"RECLUSTER": True}, (), if_exists)
    if tokens.is_words("SET", "TAG") or tokens.is_words("UNSET", "TAG"):
        return None
    if tokens.is_words("SET") and _assigns(tokens):
        tokens.match_words("SET")
        return ChangeProperties(kind, name, options(tokens), (), if_exists)
    if tokens.match_words("UNSET"):
        names = tokens.listed(tokens.identifier)
        return ChangeProperties(kind, name, {}, names, if_exists)
    return None


def _assigns(tokens: Tokens) -> bool:
    token = tokens.peek(2)
    return token is not None and token.token_type is TokenType.EQ


_ELSEWHERE = (
    *("SEARCH OPTIMIZATION", "ROW ACCESS POLICY", "ALL ROW ACCESS POLICIES", "AGGREGATION POLICY"),
    *("PROJECTION POLICY", "JOIN POLICY", "STORAGE LIFECYCLE POLICY", "DATA METRIC FUNCTION"),
)


def _absent(tokens: Tokens) -> Absent | None:
    """Properties of tables that this server does not support."""
    for verb in ("ADD", "DROP", "SET", "UNSET", "MODIFY", "SUSPEND", "RESUME"):
        if tokens.match_words(verb):
            found = next((one for one in _ELSEWHERE if tokens.match_words(*one.split())), None)
            if found is not None:
                tokens.rest()
                return Absent(f"ALTER TABLE … {verb}", found)
            return None
    return None


# -- keys


def _key_statement(tokens: Tokens, table: Name, if_exists: bool) -> Statement | None:
    if tokens.match_words("RENAME", "CONSTRAINT"):
        old = tokens.identifier()
        tokens.expect_words("TO")
        return RenameKey(table, old, tokens.identifier(), if_exists)
    if tokens.match_words("ADD"):
        return _added(tokens, table, if_exists)
    if tokens.match_words("DROP"):
        return _dropped(tokens, table, if_exists)
    if tokens.match_words("ALTER") or tokens.match_words("MODIFY"):
        is_key = tokens.is_words("CONSTRAINT") or any(map(tokens.is_phrase, _KINDS))
        if is_key:
            tokens.rest()
            return KeepKey(table, if_exists)
    return None


def _kind(tokens: Tokens) -> str | None:
    return next((kind for kind in _KINDS if tokens.match_phrase(kind)), None)


def _added(tokens: Tokens, table: Name, if_exists: bool) -> AddKey | None:
    named = tokens.match_words("CONSTRAINT")
    name = tokens.identifier() if named else None
    kind = _kind(tokens)
    if kind is None:
        if named:
            raise tokens.error("expected PRIMARY KEY, UNIQUE or FOREIGN KEY")
        return None
    columns = _columns(tokens)
    refers_to: Name | None = None
    others: tuple[str, ...] = ()
    if kind == "FOREIGN KEY":
        tokens.expect_words("REFERENCES")
        refers_to = tokens.name()
        following = tokens.peek()
        if following is not None and following.token_type is TokenType.L_PAREN:
            others = _columns(tokens)
    return AddKey(kind, table, columns, name, refers_to, others, _key_options(tokens), if_exists)


_ACTIONS = ("NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT")
_KEY_WORDS: Mapping[str, Mapping[str, Any]] = {
    **{f"MATCH {one}": {"match": one} for one in ("FULL", "SIMPLE", "PARTIAL")},
    **{f"ON UPDATE {one}": {"on_update": one} for one in _ACTIONS},
    **{f"ON DELETE {one}": {"on_delete": one} for one in _ACTIONS},
    "NOT DEFERRABLE": {"deferrable": False},
    "DEFERRABLE": {"deferrable": True},
    "NORELY": {"rely": False},
    "RELY": {"rely": True},
}
_OF_HYBRID_TABLES = (
    *("NOT ENFORCED", "ENFORCED", "INITIALLY DEFERRED", "INITIALLY IMMEDIATE"),
    *("ENABLE", "DISABLE", "VALIDATE", "NOVALIDATE"),
)
"""What may follow a key and says how it is enforced, which those of standard tables are not."""


def _key_options(tokens: Tokens) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while not tokens.at_end:
        if tokens.match_words("COMMENT"):
            found["comment"] = tokens.expect_string()
            continue
        words = next((one for one in (*_KEY_WORDS, *_OF_HYBRID_TABLES) if tokens.match_phrase(one)), None)
        if words is None:
            raise tokens.error("expected a property of a key")
        found |= _KEY_WORDS.get(words, {})
    return found


def _dropped(tokens: Tokens, table: Name, if_exists: bool) -> DropKey | None:
    statement: DropKey | None = None
    if tokens.match_words("CONSTRAINT"):
        statement = DropKey(table, None, name=tokens.identifier(), if_exists=if_exists)
    elif tokens.match_phrase("PRIMARY KEY"):
        statement = DropKey(table, "PRIMARY KEY", if_exists=if_exists)
    elif tokens.is_phrase("UNIQUE") or tokens.is_phrase("FOREIGN KEY"):
        kind = _kind(tokens)
        statement = DropKey(table, kind, _columns(tokens), if_exists=if_exists)
    if statement is not None and not tokens.match_words("CASCADE"):
        tokens.match_words("RESTRICT")
    return statement


def _columns(tokens: Tokens) -> tuple[str, ...]:
    tokens.expect_type(TokenType.L_PAREN)
    found = tokens.listed(tokens.identifier)
    tokens.expect_type(TokenType.R_PAREN)
    return tuple(found)
