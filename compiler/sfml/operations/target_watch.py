"""The interface through which operations report events of a connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sfml.snowflake.host import Host
    from sfml_local.control import ServerInfo


class TargetWatch(Protocol):
    """Receives the events of a connection. Operations print nothing themselves; commands implement this."""

    owns_process: bool
    """Whether the process belongs to the command, so that clients may be imported without optional libraries."""

    def starts_server(self) -> None:
        """Called before a local server is started."""
        ...

    def server_open(self, folder: Path, info: ServerInfo, target: str) -> AbstractContextManager[None]:
        """A context manager for the time in which a local server is used."""
        ...

    def host_open(self, host: Host) -> AbstractContextManager[Callable[[], None]]:
        """A context manager for the time in which an account is used; its function is called after the login."""
        ...

    def warns(self, text: str) -> None:
        """Called with a warning of a local server about damaged files."""
        ...

    def notes(self, text: str) -> None:
        """Called with a remark on the connections file."""
        ...

    def not_closed(self, error: Exception) -> None:
        """Called if the connection could not be closed after the work."""
        ...


class SilentTargetWatch:
    """Ignores all events."""

    owns_process = False

    def starts_server(self) -> None: ...

    def server_open(self, folder: Path, info: ServerInfo, target: str) -> AbstractContextManager[None]:
        return nullcontext()

    def host_open(self, host: Host) -> AbstractContextManager[Callable[[], None]]:
        return nullcontext(lambda: None)

    def warns(self, text: str) -> None: ...

    def notes(self, text: str) -> None: ...

    def not_closed(self, error: Exception) -> None: ...
