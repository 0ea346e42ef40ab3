"""Messages of a command about its connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.cli import output
from sfml.cli.host_watch import watched_host
from sfml.cli.options import Options
from sfml.cli.server_watch import exit_with_server

if TYPE_CHECKING:
    from sfml.snowflake.host import Host
    from sfml_local.control import ServerInfo


class TargetScreen:
    """Prints on standard error; with --quiet or JSON output, only what the user must know."""

    owns_process = True

    def __init__(self, options: Options) -> None:
        self._as_json = options.json
        self._is_silent = not options.speaks

    def starts_server(self) -> None:
        if not self._is_silent:
            output.note("starting the local Snowflake …")

    def server_open(self, folder: Path, info: ServerInfo, target: str) -> AbstractContextManager[None]:
        return exit_with_server(folder, info, target, as_json=self._as_json)

    def host_open(self, host: Host) -> AbstractContextManager[Callable[[], None]]:
        return watched_host(host, self._is_silent)

    def warns(self, text: str) -> None:
        if not self._is_silent:
            output.note(f"warning: {text}")

    def notes(self, text: str) -> None:
        if not self._is_silent:
            output.note(f"note: {text}")

    def not_closed(self, error: Exception) -> None:
        output.note(f"note: the connection did not close cleanly: {error}")
