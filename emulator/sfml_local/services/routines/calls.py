"""CALL of a function or procedure, built-in or user-defined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfml_local.core.absent_functions import ABSENT
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.result import CALL, Column, Result
from sfml_local.grammar.calls import Call
from sfml_local.services.routines import calling

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def call(account: Account, session: Session, statement: Call) -> Result:
    """Evaluate the arguments and call; returns one row with one column named after the procedure."""
    name = ".".join(statement.procedure.parts)
    function = account.system_functions.get(name.upper())
    if function is None:
        if name.upper() in ABSENT:
            raise not_emulated(f"CALL {name}")
        if name.upper().startswith("SYSTEM$"):
            raise SqlError(f"SQL compilation error:\nUnknown function {name}", 2141, "42601")
        return calling.call(account, session, statement.procedure, statement.arguments)
    arguments = tuple(account.evaluate(session, text) for text in statement.arguments)
    value: Any = function(account, session, arguments)
    structured = isinstance(value, dict | list)
    column = Column(statement.procedure.last, "variant" if structured else "text")
    return Result((column,), ((value,),), CALL)
