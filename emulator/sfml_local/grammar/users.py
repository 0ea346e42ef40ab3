"""Users: CREATE, ALTER, DROP and DESCRIBE.

https://docs.snowflake.com/en/sql-reference/sql/create-user · /alter-user
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sfml_local.grammar.absent import Absent
from sfml_local.grammar.options import duplicate, options
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["AlterUser", "CreateUser", "DescribeUser", "DropUser", "parse"]


@dataclass(frozen=True, slots=True)
class CreateUser:
    name: Name
    or_replace: bool = False
    if_not_exists: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlterUser:
    """SET, UNSET or RENAME TO."""

    name: Name
    if_exists: bool = False
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    new_name: Name | None = None


@dataclass(frozen=True, slots=True)
class DropUser:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeUser:
    name: Name


def parse(tokens: Tokens) -> CreateUser | AlterUser | DropUser | DescribeUser | Absent | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        replace = tokens.match_words("OR", "REPLACE")
        if not tokens.match_words("USER"):
            return None
        missing = tokens.if_not_exists()
        return CreateUser(tokens.name(), replace, missing, options(tokens, repeated=duplicate))
    if tokens.match_words("ALTER", "USER"):
        return _alter(tokens)
    if tokens.match_words("DROP", "USER"):
        if_exists = tokens.if_exists()
        return DropUser(tokens.name(), if_exists)
    if tokens.match_words("DESCRIBE", "USER") or tokens.match_words("DESC", "USER"):
        return DescribeUser(tokens.name())
    return None


def _alter(tokens: Tokens) -> AlterUser | Absent:
    if_exists = tokens.if_exists()
    name = tokens.name()
    if tokens.match_words("RENAME", "TO"):
        return AlterUser(name, if_exists, new_name=tokens.name())
    if tokens.match_words("SET"):
        return AlterUser(name, if_exists, set=options(tokens, repeated=duplicate))
    if tokens.match_words("UNSET"):
        return AlterUser(name, if_exists, unset=tokens.listed(tokens.identifier))
    return Absent("ALTER", f"USER … {tokens.rest()}")
