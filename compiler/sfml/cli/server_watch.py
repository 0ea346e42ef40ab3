"""Ends a command whose local server has died, because its clients would repeat calls to a closed port for minutes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.errors import LocalServerError
from sfml.cli import output

if TYPE_CHECKING:
    from sfml_local.control import ServerInfo

LOOK_SECONDS = 0.5


@contextmanager
def exit_with_server(
    folder: Path, info: ServerInfo, connection: str, *, as_json: bool = False
) -> Iterator[None]:
    """End the process, with exit code 1 and a message, if the server of this folder ends during the block."""
    from sfml_local import control

    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            if not control.is_locked(folder) and not over.is_set():
                _end(
                    f"the local Snowflake of target `{connection}` at {info.host}:{info.port} has ended",
                    f"read {folder / control.LOG_FILE}, then run the command again",
                    as_json,
                )

    thread = threading.Thread(target=watch, name="server-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(message: str, help: str, as_json: bool) -> None:
    """Print the error and exit at once: other threads are inside calls of the clients and cannot be interrupted."""
    if output.is_terminal():
        sys.stdout.write("\x1b[?25h\n")  # a live view hides the cursor
    error = LocalServerError(message, help=help)
    output.report(output.ErrorAsJson(error) if as_json else error)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)
