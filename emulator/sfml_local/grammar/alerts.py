"""Alerts: CREATE, ALTER, DROP, DESCRIBE, SHOW and EXECUTE ALERT.

https://docs.snowflake.com/en/sql-reference/sql/create-alert and the pages beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.task_settings import Clauses, Value, first_repeated, setting, spelling, tag_list
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AlterAlert",
    "CloneAlert",
    "CreateAlert",
    "DescribeAlert",
    "DropAlert",
    "ExecuteAlert",
    "ModifyAction",
    "ModifyCondition",
    "Resume",
    "SetProperties",
    "ShowAlerts",
    "Suspend",
    "UnsetProperties",
    "parse",
]


@dataclass(frozen=True, slots=True)
class CreateAlert:
    """CREATE ALERT. `condition` is the query in IF (EXISTS (…)), `action` the statement after THEN."""

    name: Name
    clauses: Clauses
    condition: str
    action: str
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class CloneAlert:
    name: Name
    source: Name
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True)
class Suspend:
    pass


@dataclass(frozen=True, slots=True)
class SetProperties:
    clauses: Clauses


@dataclass(frozen=True, slots=True)
class UnsetProperties:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModifyCondition:
    condition: str


@dataclass(frozen=True, slots=True)
class ModifyAction:
    action: str


Change: TypeAlias = Resume | Suspend | SetProperties | UnsetProperties | ModifyCondition | ModifyAction


@dataclass(frozen=True, slots=True)
class AlterAlert:
    name: Name
    change: Change
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropAlert:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeAlert:
    name: Name


@dataclass(frozen=True, slots=True)
class ShowAlerts:
    listing: Listing


@dataclass(frozen=True, slots=True)
class ExecuteAlert:
    name: Name


Statement: TypeAlias = (
    CreateAlert | CloneAlert | AlterAlert | DropAlert | DescribeAlert | ShowAlerts | ExecuteAlert
)


def parse(tokens: Tokens) -> Statement | None:
    """The statement when it is about an alert, else None; raises SqlSyntaxError."""
    if tokens.match_words("CREATE"):
        or_replace = tokens.match_words("OR", "REPLACE")
        return _create(tokens, or_replace) if tokens.match_words("ALERT") else None
    if tokens.match_words("ALTER", "ALERT"):
        if_exists = tokens.if_exists()
        return AlterAlert(tokens.name(), _change(tokens), if_exists)
    if tokens.match_words("DROP", "ALERT"):
        if_exists = tokens.if_exists()
        return DropAlert(tokens.name(), if_exists)
    if tokens.match_words("DESCRIBE", "ALERT") or tokens.match_words("DESC", "ALERT"):
        return DescribeAlert(tokens.name())
    terse = tokens.match_words("SHOW", "TERSE", "ALERTS")
    if terse or tokens.match_words("SHOW", "ALERTS"):
        return ShowAlerts(listing(tokens, terse=terse))
    return ExecuteAlert(tokens.name()) if tokens.match_words("EXECUTE", "ALERT") else None


def _create(tokens: Tokens, or_replace: bool) -> CreateAlert | CloneAlert:
    missing = tokens.if_not_exists()
    name = tokens.name()
    if tokens.match_words("CLONE"):
        return CloneAlert(name, tokens.name(), or_replace, missing)
    clauses = _clauses(tokens, until="IF")
    tokens.expect_words("IF")
    tokens.expect_type(TokenType.L_PAREN)
    condition = _exists(tokens)
    tokens.expect_type(TokenType.R_PAREN)
    tokens.expect_words("THEN")
    return CreateAlert(name, clauses, condition, _action(tokens), or_replace, missing)


def _clauses(tokens: Tokens, until: str = "") -> Clauses:
    """`NAME = value` and `[WITH] TAG (…)` in any order, up to a word or the end of the statement."""
    settings: dict[str, Value] = {}
    spellings: list[str] = []
    tags: tuple[tuple[Name, str], ...] = ()
    while not tokens.at_end and not tokens.is_words(until):
        if tokens.match_words("WITH", "TAG") or tokens.match_words("TAG"):
            tokens.expect_type(TokenType.L_PAREN)
            tags = tag_list(tokens)
        else:
            spellings.append(spelling(tokens))
            name, value = setting(tokens)
            settings[name] = value
        tokens.match_type(TokenType.COMMA)
    return Clauses(tuple(settings.items()), tags=tags, repeated=first_repeated(spellings))


def _exists(tokens: Tokens) -> str:
    """The query of `EXISTS (…)`."""
    tokens.expect_words("EXISTS")
    tokens.expect_type(TokenType.L_PAREN)
    condition = tokens.text_until_closed().strip()
    if not condition:
        raise tokens.error("expected a query")
    return condition


def _action(tokens: Tokens) -> str:
    if tokens.at_end:
        raise tokens.error("expected a statement")
    return tokens.rest()


def _change(tokens: Tokens) -> Change:
    if tokens.match_words("RESUME"):
        return Resume()
    if tokens.match_words("SUSPEND"):
        return Suspend()
    if tokens.match_words("MODIFY", "CONDITION"):
        return ModifyCondition(_exists(tokens))
    if tokens.match_words("MODIFY", "ACTION"):
        return ModifyAction(_action(tokens))
    if tokens.match_words("UNSET"):
        return UnsetProperties(tokens.listed(tokens.identifier))
    tokens.expect_words("SET")
    clauses = _clauses(tokens)
    if clauses == Clauses():
        raise tokens.error("expected a property")
    return SetProperties(clauses)
