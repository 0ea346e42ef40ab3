"""The targets that the page looks at: connections that stay open, with at most two requests a second to each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sfml.base.errors import AccountError, ConnectionFailed, LocalServerError, SfmlError
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.local_server import LOCAL_FOLDER
from sfml.operations.target_account import TargetAccount, account_on, target_connection
from sfml.operations.target_watch import SilentTargetWatch
from sfml.snowflake.connection import be_patient_for
from sfml_local import control

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.snowflake.host import Host
    from sfml_local.control import ServerInfo

A_SECOND = 2.0
"""The most requests a second to one account while somebody looks."""

PATIENCE = 30.0
LOCAL_PATIENCE = 5.0
"""Seconds for which a statement is repeated whose connection broke."""

_SESSION_OVER = "3901"
"""The beginning of Snowflake's codes for a session or token that is not valid any more."""


class Pace:
    """Lets requests pass one by one, at most `a_second` in a second; all at once if it is None."""

    def __init__(
        self,
        a_second: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._gap = 0.0 if a_second is None else 1.0 / a_second
        self._clock, self._sleep = clock, sleep
        self._turn = threading.Lock()
        self._next = clock()

    def wait(self) -> None:
        """Wait for the turn of one request."""
        if not self._gap:
            return
        with self._turn:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + self._gap
        if at > now:
            self._sleep(at - now)


class PacedConnection:
    """A connection whose statements wait for their turn; everything else is the connection's own."""

    def __init__(self, connection: SnowflakeConnection, pace: Pace) -> None:
        self._connection = connection
        self._pace = pace

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        """A cursor; the code of this project executes one statement with each."""
        self._pace.wait()
        return self._connection.cursor(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class _Watch(SilentTargetWatch):
    """Prints nothing: what goes wrong stands on the page. Clients are imported lightly, as by a command."""

    owns_process = True

    def server_open(self, folder: Path, info: ServerInfo, target: str) -> AbstractContextManager[None]:
        return nullcontext()

    def host_open(self, host: Host) -> AbstractContextManager[Callable[[], None]]:
        return nullcontext(lambda: None)


class _OpenTarget:
    """One target: opened at its first use, and again after its connection was lost."""

    def __init__(self, compiled_spec: CompiledSpec, pace: Pace) -> None:
        self._spec = compiled_spec
        self._pace = pace
        self._turn = threading.Lock()
        self._stack: ExitStack | None = None
        self._connection: SnowflakeConnection | None = None
        self._accounts: dict[bool, TargetAccount] = {}
        self._was_open = False

    def account(self, *, is_paced: bool) -> TargetAccount:
        with self._turn:
            self._demand_server()
            if self._connection is None:
                self._open()
            if is_paced not in self._accounts:
                connection = self._connection
                assert connection is not None, "it was opened just now"
                paced = cast("SnowflakeConnection", PacedConnection(connection, self._pace))
                self._accounts[is_paced] = account_on(
                    paced if is_paced else connection, self._spec.desired.target
                )
            return self._accounts[is_paced]

    def _demand_server(self) -> None:
        """Raise `LocalServerError` if the local server has ended. It is started once only."""
        if not self._spec.desired.target.is_local:
            return
        folder = self._spec.root / LOCAL_FOLDER
        if not self._was_open or control.is_locked(folder):
            return
        self._close()
        raise LocalServerError(
            f"the local Snowflake of target `{self._spec.desired.target.name}` has ended",
            help="sfml local start",
        )

    def _open(self) -> None:
        target = self._spec.desired.target
        self._pace.wait()
        with ExitStack() as stack:
            connection = stack.enter_context(target_connection(self._spec, _Watch()))
            be_patient_for(connection, LOCAL_PATIENCE if target.is_local else PATIENCE)
            self._stack, self._connection = stack.pop_all(), connection
        self._was_open = True

    def lost(self, error: SfmlError) -> SfmlError:
        """Close a connection that was lost; returns the error, which names the connection and its host."""
        with self._turn:
            stack = self._forgotten()
        if stack is None:
            return error
        try:
            with stack:
                raise error
        except SfmlError as located:
            return located
        return error

    def close(self) -> None:
        with self._turn:
            self._close()

    def _close(self) -> None:
        stack = self._forgotten()
        if stack is not None:
            stack.close()

    def _forgotten(self) -> ExitStack | None:
        """What closes the connection, which is not used any more."""
        stack, self._stack, self._connection = self._stack, None, None
        self._accounts = {}
        return stack


class Accounts:
    """The open targets of one page; those of one account share its pace."""

    def __init__(self, a_second: float | None = A_SECOND) -> None:
        self._a_second = a_second
        self._turn = threading.Lock()
        self._open: dict[str, _OpenTarget] = {}
        self._paces: dict[str, Pace] = {}

    def looking(self, compiled_spec: CompiledSpec) -> TargetAccount:
        """The target for reading: its statements wait for their turn. Raises what connecting raises."""
        return self._of(compiled_spec).account(is_paced=True)

    def acting(self, compiled_spec: CompiledSpec) -> TargetAccount:
        """The target for an action, which is not slowed down; it uses the same connection."""
        return self._of(compiled_spec).account(is_paced=False)

    def failed(self, compiled_spec: CompiledSpec, error: SfmlError) -> SfmlError:
        """The error of a call, after a connection that was lost is closed; the next call opens another one."""
        return self._of(compiled_spec).lost(error) if is_lost(error) else error

    def close(self) -> None:
        """Close every connection, and stop a local server that was started for the page."""
        with self._turn:
            targets = list(self._open.values())
        for one in targets:
            one.close()

    def _of(self, compiled_spec: CompiledSpec) -> _OpenTarget:
        target = compiled_spec.desired.target
        key = f"{compiled_spec.root}\n{target!r}"
        account = f"{target.connection} {target.account}"
        with self._turn:
            if key not in self._open:
                pace = self._paces.setdefault(account, Pace(None if target.is_local else self._a_second))
                self._open[key] = _OpenTarget(compiled_spec, pace)
            return self._open[key]


def is_lost(error: SfmlError) -> bool:
    """Whether an error means that the connection cannot be used any more."""
    return isinstance(error, ConnectionFailed) or (
        isinstance(error, AccountError) and (error.code or "").startswith(_SESSION_OVER)
    )
