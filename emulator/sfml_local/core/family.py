"""What a family of statements offers the account; `dispatch.FAMILIES` lists the modules.

A family is a module that may define
  SCHEMA            SQL text that creates its SQLite tables (CREATE TABLE IF NOT EXISTS …)
  HANDLERS          grammar statement class → handler(account, session, statement)
  READ_ONLY         the statement classes among them that a describe may run
  SYSTEM_FUNCTIONS  "SYSTEM$NAME" → function(account, session, arguments)
                    (or "DATABASE.SCHEMA.NAME", or "!METHOD" with the object's name as first argument)
  TABLE_FUNCTIONS   "NAME" or "SCHEMA.NAME" or "!METHOD" → function(account, session, Args) → Result
  RELATIONS         "DATABASE.SCHEMA.NAME", or "INFORMATION_SCHEMA.NAME" of any database, → function(account,
                    session, database) → Result, read like a table
  REWRITES          passes over a statement's tree, after those of `rewrites.py`
  FIRST_REWRITES    passes before those
  OPERATIONS        "METHOD /path" below /api/v2 → function(Call), of the REST API (`rest.py`)
  ROUTES            Starlette routes besides
  SCHEMA_DROPPED    function(account, database, schema), before a schema goes with all that is in it
  SESSION_CLOSED    function(account, session), after a session has ended
  START, STOP       function(account), when the server has started or is about to stop
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import Expr

    from sfml_local.core.account import Account
    from sfml_local.core.result import Result
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a table function, evaluated; the names of named ones are in upper case."""

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    """The object of a method call such as `TABLE(db.schema.job!SPCS_GET_LOGS())`."""


Handler = Callable[["Account", "Session", Any], "Result"]
SystemFunction = Callable[["Account", "Session", tuple[Any, ...]], Any]
TableFunction = Callable[["Account", "Session", Args], "Result"]
Relation = Callable[["Account", "Session", "str | None"], "Result"]
Hook = Callable[["Account"], None]
SchemaHook = Callable[["Account", str, str], None]
Around = Callable[["Expr", "Rewriting"], AbstractContextManager[None]]
SessionHook = Callable[["Account", "Session"], None]
