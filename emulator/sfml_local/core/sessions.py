"""The sessions of an account: opened, found by their token, admitted, closed."""

from __future__ import annotations

import hmac
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sfml_local.core import scoped_tables, transactions
from sfml_local.core.engine import Engine
from sfml_local.core.session import DEFAULT_ROLE, DEFAULT_USER, DEFAULT_WAREHOUSE, Session

Rights = Literal["CALLER", "OWNER"]
"""Whose rights a procedure has."""


@dataclass(slots=True, eq=False)
class Admission:
    """A process of `parent` that may log in as its child; `rights` are a procedure's."""

    parent: Session
    rights: Rights | None = None
    left_open: bool = False
    """Whether one of its sessions has ended with an open transaction of its own."""


IDLE_SECONDS = 4 * 3600.0
"""Seconds without a request after which a session ends: https://docs.snowflake.com/en/user-guide/session-policies"""

_KEY = secrets.token_bytes(32)


def _digest(token: str) -> bytes:
    return hmac.digest(_KEY, token.encode("utf-8", "replace"), "sha256")


class Sessions:
    """The sessions that are open, by token."""

    def __init__(
        self,
        engine: Engine,
        closed: Callable[[Session], None] = lambda session: None,
        committing: Sequence[Callable[[Session], None]] = (),
    ) -> None:
        self._engine = engine
        self._closed = closed
        self._committing = committing
        # No session of an earlier server has the same id.
        self._ids = itertools.count(time.time_ns() // 1_000_000)
        # By the digest of a token, so that the duration of a search reveals nothing about other tokens.
        self._by_token: dict[bytes, Session] = {}
        self._admitted: dict[bytes, Admission] = {}
        self._lock = threading.Lock()

    def open(
        self,
        *,
        database: str | None = None,
        schema: str | None = None,
        user: str = DEFAULT_USER,
        role: str = DEFAULT_ROLE,
        warehouse: str | None = DEFAULT_WAREHOUSE,
        parameters: Mapping[str, Any] | None = None,
        task: Any = None,
        parent: Session | None = None,
    ) -> Session:
        """A new session; a database or schema that does not exist is left unset, as Snowflake does."""
        session = Session(
            next(self._ids),
            self._engine.connect(),
            user=user,
            role=role,
            warehouse=warehouse,
            parameters=parameters,
            task=task,
            parent=parent,
            committing=self._committing,
        )
        self._engine.use(session, database, schema)
        return self._add(session)

    def _add(self, session: Session) -> Session:
        with self._lock:
            self._by_token[_digest(session.token)] = session
        return session

    def _callers(self, parent: Session, parameters: Mapping[str, Any] | None) -> Session:
        session = Session(
            parent.id,
            None,
            user=parent.user,
            role=parent.role,
            warehouse=parent.warehouse,
            parameters={**parent.parameters, **(parameters or {})},
            task=parent.task,
            parent=parent,
            committing=self._committing,
        )
        session.scope = parent.scope
        return session

    def child_of(
        self,
        parent: Session,
        *,
        database: str | None = None,
        schema: str | None = None,
        role: str | None = None,
        warehouse: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        rights: Rights | None = None,
    ) -> Session:
        """A session for a process of `parent`: with its user, task, and by default its role and parameters.

        That of a procedure with its caller's rights works in the parent's, unless it asks for another place.
        """
        if rights == "CALLER" and _is_place_of(parent, database, schema, role, warehouse):
            return self._add(self._callers(parent, parameters))
        session = self.open(
            database=database or parent.database,
            schema=schema or parent.schema,
            user=parent.user,
            role=role or parent.role,
            warehouse=warehouse or parent.warehouse,
            parameters={**parent.parameters, **(parameters or {})},
            task=parent.task,
            parent=parent,
        )
        if rights is not None:
            _place_in_procedure(session, rights)
        return session

    def __iter__(self) -> Iterator[Session]:
        with self._lock:
            return iter(list(self._by_token.values()))

    def admit(self, admission: Admission) -> str:
        """A password with which the process logs in."""
        password = secrets.token_urlsafe(32)
        with self._lock:
            self._admitted[_digest(password)] = admission
        return password

    def admitted(self, password: str) -> Admission | None:
        """What a password of `admit` was made for."""
        with self._lock:
            return self._admitted.get(_digest(password))

    def dismiss(self, password: str) -> None:
        """Invalidate a password of `admit`, and close the sessions that it opened."""
        with self._lock:
            admission = self._admitted.pop(_digest(password), None)
        for session in self:
            if admission is not None and session.admitted_by is admission:
                self.close(session)

    def by_token(self, token: str) -> Session | None:
        """The session with this token."""
        with self._lock:
            found = self._by_token.get(_digest(token))
            if found is not None:
                found.last_request = time.monotonic()
            return found

    def close_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Close the sessions of clients that have sent no request for too long."""
        since = time.monotonic() - seconds
        parents = {session.parent for session in self}
        for session in self:
            is_idle = session.last_request is not None and session.last_request < since
            if is_idle and session not in parents and not session.outcomes.is_busy:
                self.close(session)

    def close(self, session: Session) -> None:
        with self._lock:
            self._by_token.pop(_digest(session.token), None)
        if isinstance(session.admitted_by, Admission) and _rolled_back(session):
            session.admitted_by.left_open = True
        scoped_tables.give_back(session)
        session.close()
        if not session.is_callers:
            self._closed(session)

    def close_all(self) -> None:
        for session in self:
            self.close(session)


def _place_in_procedure(session: Session, rights: Rights) -> None:
    """Such a session inherits AUTOCOMMIT.

    https://docs.snowflake.com/en/developer-guide/stored-procedure/stored-procedures-rights
    """
    session.is_owners = rights == "OWNER"
    transactions.set_autocommit(session, session.parameters.get("AUTOCOMMIT") is not False)
    session.scope = 1


def _rolled_back(session: Session) -> bool:
    """Roll back the open transaction of a session that ends; returns whether it had one of its own."""
    if session.is_callers or session.is_closed or not transactions.is_open(session):
        return False
    transactions.roll_back(session)
    return True


def _is_place_of(
    session: Session, database: str | None, schema: str | None, role: str | None, warehouse: str | None
) -> bool:
    """Whether a login asks for nothing, or for what the session has."""
    asked = (database, schema, role, warehouse)
    there = (session.database, session.schema, session.role, session.warehouse)
    return all(one in (None, own) for one, own in zip(asked, there, strict=True))
