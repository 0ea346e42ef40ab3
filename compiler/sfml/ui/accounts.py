"""The targets that the page looks at: connections that stay open, with at most two requests a second to each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sfml.base.errors import AccountError, ConnectionFailed, LocalServerError, SfmlError
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.fleet_accounts import account_of
from sfml.operations.local_server import LOCAL_FOLDER
from sfml.operations.target_account import TargetAccount, account_on, target_account, target_connection
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


class _OpenAccount:
    """One account: opened at its first use, and again after its connection was lost."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._turn = threading.Lock()
        self._stack: ExitStack | None = None
        self._connection: SnowflakeConnection | None = None
        self._targets: dict[tuple[str, bool], TargetAccount] = {}
        self._was_open = False

    def connection(self, spec: CompiledSpec, *, is_paced: bool) -> SnowflakeConnection:
        with self._turn:
            return self._connected(spec, is_paced)

    def target(self, spec: CompiledSpec, *, is_paced: bool) -> TargetAccount:
        """The target on the connection. Raises `MissingSchema` and what connecting raises."""
        target = spec.desired.target
        key = repr(target), is_paced
        with self._turn:
            connection = self._connected(spec, is_paced)
            if key not in self._targets:
                self._targets[key] = account_on(connection, target)
            return self._targets[key]

    def demand_server(self, spec: CompiledSpec) -> None:
        """Raise `LocalServerError` if the local server has ended. It is started once only."""
        target = spec.desired.target
        folder = spec.root / LOCAL_FOLDER
        if not target.is_local or not self._was_open or control.is_locked(folder):
            return
        self._close()
        raise LocalServerError(
            f"the local Snowflake of target `{target.name}` has ended", help="sfml local start"
        )

    def _connected(self, spec: CompiledSpec, is_paced: bool) -> SnowflakeConnection:
        self.demand_server(spec)
        if self._connection is None:
            self._open(spec)
        connection = self._connection
        assert connection is not None, "it was opened just now"
        return (
            cast("SnowflakeConnection", PacedConnection(connection, self._pace)) if is_paced else connection
        )

    def _open(self, spec: CompiledSpec) -> None:
        self._pace.wait()
        with ExitStack() as stack:
            connection = stack.enter_context(target_connection(spec, _Watch()))
            be_patient_for(connection, LOCAL_PATIENCE if spec.desired.target.is_local else PATIENCE)
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
        self._targets = {}
        return stack


class Accounts:
    """The accounts of one page, each with one connection for all that is looked at in it."""

    def __init__(self, a_second: float | None = A_SECOND) -> None:
        self._a_second = a_second
        self._turn = threading.Lock()
        self._open: dict[Hashable, _OpenAccount] = {}

    def looking(self, spec: CompiledSpec) -> TargetAccount:
        """The target for reading: its statements wait for their turn. Raises what connecting raises."""
        return self._of(spec).target(spec, is_paced=True)

    def connection(self, spec: CompiledSpec) -> SnowflakeConnection:
        """The connection to the account of a target, for reading many of its pipelines; statements wait."""
        return self._of(spec).connection(spec, is_paced=True)

    def planning(self, spec: CompiledSpec) -> TargetAccount:
        """The target for the plan of an action, which somebody waits for; its statements pass at once."""
        return self._of(spec).target(spec, is_paced=False)

    @contextmanager
    def acting(self, spec: CompiledSpec) -> Iterator[TargetAccount]:
        """The target for an action: a connection of its own, as a command has, because it has a current schema."""
        self._of(spec).demand_server(spec)
        with target_account(spec, _Watch()) as target:
            yield target

    def failed(self, spec: CompiledSpec, error: SfmlError) -> SfmlError:
        """The error of a call, after a connection that was lost is closed; the next call opens another one."""
        return self._of(spec).lost(error) if is_lost(error) else error

    def close(self) -> None:
        """Close every connection, and stop a local server that was started for the page."""
        with self._turn:
            accounts = list(self._open.values())
        for account in accounts:
            account.close()

    def _of(self, spec: CompiledSpec) -> _OpenAccount:
        key = account_of(spec)
        with self._turn:
            if key not in self._open:
                is_local = spec.desired.target.is_local
                self._open[key] = _OpenAccount(Pace(None if is_local else self._a_second))
            return self._open[key]


def is_lost(error: SfmlError) -> bool:
    """Whether an error means that the connection cannot be used any more."""
    return isinstance(error, ConnectionFailed) or (
        isinstance(error, AccountError) and (error.code or "").startswith(_SESSION_OVER)
    )
