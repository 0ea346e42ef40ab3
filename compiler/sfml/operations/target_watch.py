"""Who is told while a target is opened and as long as it is open."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sfml.local.process import ServerInfo
    from sfml.snowflake.host import Host


class TargetWatch(Protocol):
    """What a command says of its connection; an operation says nothing itself."""

    def starts_server(self) -> None:
        """A local server is about to be started."""
        ...

    def server_open(self, folder: Path, info: ServerInfo, target: str) -> AbstractContextManager[None]:
        """The block in which a local server is used."""
        ...

    def host_open(self, host: Host) -> AbstractContextManager[Callable[[], None]]:
        """The block in which an account is used; what it gives is called once the login is done."""
        ...

    def warns(self, text: str) -> None:
        """A local server met damage."""
        ...

    def notes(self, text: str) -> None:
        """Something is wrong with a file of connections."""
        ...

    def not_closed(self, error: Exception) -> None:
        """A connection could not be closed, after all work was done."""
        ...


class Unwatched:
    """Nobody is told."""

    def starts_server(self) -> None: ...

    def server_open(self, folder: Path, info: ServerInfo, target: str) -> AbstractContextManager[None]:
        return nullcontext()

    def host_open(self, host: Host) -> AbstractContextManager[Callable[[], None]]:
        return nullcontext(lambda: None)

    def warns(self, text: str) -> None: ...

    def notes(self, text: str) -> None: ...

    def not_closed(self, error: Exception) -> None: ...
