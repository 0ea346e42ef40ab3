"""Warehouses and compute pools: CREATE, ALTER, DROP, SHOW and DESCRIBE.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse · /create-compute-pool and the pages beside them
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sfml_local.grammar.options import duplicate, options
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["Alter", "Create", "Describe", "Drop", "Kind", "Show", "parse"]

Kind = Literal["WAREHOUSE", "COMPUTE POOL"]
KINDS: tuple[Kind, ...] = ("WAREHOUSE", "COMPUTE POOL")
Verb = Literal["SUSPEND", "RESUME", "ABORT ALL QUERIES", "STOP ALL", "SET", "UNSET", "RENAME TO"]
_PLAIN_VERBS: tuple[Verb, ...] = ("SUSPEND", "RESUME", "ABORT ALL QUERIES", "STOP ALL")


@dataclass(frozen=True, slots=True)
class Create:
    """`options` are the options after the name, by upper-case name."""

    kind: Kind
    name: Name
    or_replace: bool = False
    or_alter: bool = False
    if_not_exists: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alter:
    """`name` is None for the session's own warehouse; `if_suspended` is of RESUME."""

    kind: Kind
    name: Name | None
    verb: Verb
    if_exists: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    new_name: Name | None = None
    if_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    kind: Kind
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Describe:
    kind: Kind
    name: Name


@dataclass(frozen=True, slots=True)
class Show:
    kind: Kind
    listing: Listing


Statement = Create | Alter | Drop | Describe | Show


def parse(tokens: Tokens) -> Statement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("ALTER"):
        return _alter(tokens)
    if tokens.match_words("SHOW"):
        return _show(tokens)
    if tokens.match_words("DROP"):
        kind = _kind(tokens)
        if kind is None:
            return None
        if_exists = tokens.if_exists()
        return Drop(kind, tokens.name(), if_exists)
    if tokens.match_words("DESCRIBE") or tokens.match_words("DESC"):
        kind = _kind(tokens)
        return None if kind is None else Describe(kind, tokens.name())
    return None


def _kind(tokens: Tokens) -> Kind | None:
    return next((kind for kind in KINDS if tokens.match_words(*kind.split())), None)


def _create(tokens: Tokens) -> Create | None:
    replace = tokens.match_words("OR", "REPLACE")
    alter = not replace and tokens.match_words("OR", "ALTER")
    kind = _kind(tokens)
    if kind is None:
        return None
    missing = tokens.if_not_exists()
    name = tokens.name()
    given = {"FOR APPLICATION": tokens.name().last} if tokens.match_words("FOR", "APPLICATION") else {}
    if not (tokens.is_words("WITH", "TAG") or tokens.is_words("WITH", "CONTACT")):
        tokens.match_words("WITH")
    return Create(kind, name, replace, alter, missing, given | options(tokens, repeated=duplicate))


def _alter(tokens: Tokens) -> Alter | None:
    kind = _kind(tokens)
    if kind is None:
        return None
    if_exists = tokens.if_exists()
    verbs: tuple[Verb, ...] = (*_PLAIN_VERBS, "SET", "UNSET", "RENAME TO")
    nameless = any(tokens.is_words(*verb.split()) for verb in verbs)
    name = None if nameless else tokens.name()
    for verb in _PLAIN_VERBS:
        if tokens.match_words(*verb.split()):
            return Alter(kind, name, verb, if_exists, if_suspended=tokens.match_words("IF", "SUSPENDED"))
    if tokens.match_words("RENAME", "TO"):
        return Alter(kind, name, "RENAME TO", if_exists, new_name=tokens.name())
    if tokens.match_words("UNSET"):
        names = tokens.listed(tokens.identifier)
        return Alter(kind, name, "UNSET", if_exists, unset=names)
    tokens.expect_words("SET")
    return Alter(kind, name, "SET", if_exists, options(tokens))


def _show(tokens: Tokens) -> Show | None:
    terse = tokens.match_words("TERSE")
    kind = next((kind for kind in KINDS if tokens.match_words(*f"{kind}S".split())), None)
    if kind is None:
        return None
    return Show(kind, listing(tokens, terse=terse, of_account=True))
