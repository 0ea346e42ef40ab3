"""Statements that an account refuses where no client runs them by itself, or where an owner's rights hold.

https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights

Only what a page or a recorded answer of an account names is refused: USE WAREHOUSE, which no page forbids, runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError
from sfml_local.core.written_transfers import WRITTEN
from sfml_local.grammar.access import ShowGrants
from sfml_local.grammar.session import (
    AlterSession,
    SetVariables,
    ShowParameters,
    ShowTransactions,
    ShowVariables,
    UnsetVariables,
    Use,
)
from sfml_local.grammar.stages import Get, ListFiles, Put, Remove
from sfml_local.grammar.tokens import Tokens

if TYPE_CHECKING:
    from sfml_local.core.session import Session

UNSUPPORTED = 90236
VARIABLE = 90244

_RIGHTS: ContextVar[bool | None] = ContextVar("rights", default=None)
"""Whether the statements that this thread runs have an owner's rights; None for those that a client runs itself."""


@contextlib.contextmanager
def nested(*, is_owners: bool = False) -> Iterator[None]:
    """What runs is part of a block, a task, an alert or a request of several; an owner's rights hold to its end."""
    mark = _RIGHTS.set(is_owners or bool(_RIGHTS.get()))
    try:
        yield
    finally:
        _RIGHTS.reset(mark)


def has_owners_rights(session: Session) -> bool:
    """Whether a statement of the session has an owner's rights now, as all has that is called by what has them."""
    return bool(_RIGHTS.get()) or _is_owners(session)


def _is_owners(session: Session) -> bool:
    if session.is_owners or not session.is_callers or session.parent is None:
        return session.is_owners
    return _is_owners(session.parent)


def refuse_nested(session: Session, statement: Any, sql: str) -> None:
    """090236, or 090244 for variables: a statement that the place from which it comes does not allow.

    A handler in Python sends its statements as a client does; its session tells that they are a procedure's.
    """
    is_nested = _RIGHTS.get() is not None or sql.startswith(WRITTEN)
    word = _TRANSFERS.get(type(statement)) if is_nested else None
    if word is None and has_owners_rights(session):
        if (names := _variables(statement)) is not None:
            raise variable_of_owner(names[0])
        word = _of_owners(statement) or (None if _RIGHTS.get() is not None else _temporary(sql))
    if word is not None:
        raise unsupported(word)


def unsupported(word: str) -> SqlError:
    """090236, seen on accounts, in github.com/Snowflake-Labs/semantic-model-generator/issues/226."""
    return SqlError(
        f"Stored procedure execution error: Unsupported statement type '{word}'.", UNSUPPORTED, "42601"
    )


def variable_of_owner(name: str) -> SqlError:
    """090244, seen on accounts; the page of procedures in JavaScript tells that setting one fails, too."""
    return SqlError(
        f"Use of session variable '${name}' is not allowed in owners rights stored procedure",
        VARIABLE,
        "42601",
    )


_TRANSFERS: Mapping[type, str] = {Put: "PUT_FILES", Get: "GET_FILES"}

_OF_OWNERS: Mapping[type, tuple[str, Callable[[Any], bool]]] = {
    AlterSession: ("ALTER_SESSION", lambda _: True),
    ListFiles: ("LIST_FILES", lambda _: _RIGHTS.get() is not None),  # a handler in Python may
    Remove: ("REMOVE_FILES", lambda _: True),
    Use: ("USE", lambda use: use.kind != "WAREHOUSE"),
    ShowGrants: ("SHOW GRANT", lambda show: show.to == ""),
    ShowParameters: ("SHOW PARAMETER", lambda show: show.scope == "SESSION"),
    ShowTransactions: ("SHOW TRANSACTION", lambda _: True),
    ShowVariables: ("SHOW VARIABLE", lambda _: True),
}
"""A kind of statement → its word, and which of the kind are refused."""


def _of_owners(statement: Any) -> str | None:
    word, is_refused = _OF_OWNERS.get(type(statement), (None, None))
    return word if is_refused is not None and is_refused(statement) else None


def _variables(statement: Any) -> tuple[str, ...] | None:
    return statement.names if isinstance(statement, SetVariables | UnsetVariables) else None


_TEMPORARY = ("TEMPORARY", "TEMP", "VOLATILE")
OF_CLIENT = "/* Python:snowflake.connector.pandas_tools."
"""Within what `write_pandas` makes for itself, on an account by another way."""


def _temporary(sql: str) -> str | None:
    """The word of a CREATE of a temporary object; Snowpark's own are SCOPED TEMPORARY, and not meant."""
    tokens = Tokens(sql)
    if not tokens.match_words("CREATE") or OF_CLIENT in sql:
        return None
    tokens.match_words("OR", "REPLACE")
    _ = tokens.match_words("LOCAL") or tokens.match_words("GLOBAL")
    if not any(map(tokens.match_words, _TEMPORARY)):
        return None
    if tokens.is_phrase("FILE FORMAT"):
        return "temporary FILE_FORMAT"
    kind = tokens.peek()
    return None if kind is None else f"temporary {kind.text.upper()}"
