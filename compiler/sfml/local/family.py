"""What a family of statements offers the account; `dispatch.FAMILIES` lists the modules.

A family is a module that may define
  SCHEMA            SQL text that creates its SQLite tables (CREATE TABLE IF NOT EXISTS …)
  HANDLERS          grammar statement class → handler(account, session, statement)
  READ_ONLY         the statement classes among them that a describe may run
  SYSTEM_FUNCTIONS  "SYSTEM$NAME" → function(account, session, arguments)
  TABLE_FUNCTIONS   "NAME" → function(account, session, Args) → Result
  RELATIONS         "DATABASE.SCHEMA.NAME" → function(account, session) → Result, read like a table
  ROUTES            Starlette routes
  START, STOP       function(account), when the server has started or is about to stop
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.result import Result
    from sfml.local.session import Session


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a table function, evaluated; the names of named ones are in upper case."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


Handler = Callable[["Account", "Session", Any], "Result"]
SystemFunction = Callable[["Account", "Session", tuple[Any, ...]], Any]
TableFunction = Callable[["Account", "Session", Args], "Result"]
Relation = Callable[["Account", "Session"], "Result"]
Hook = Callable[["Account"], None]
