"""`python -m sfml.local --folder F`: serves the folder until it is told to end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from sfml.errors import LocalServerError
from sfml.local.process import ServerInfo, publish, serving, withdraw


def main() -> int:
    """Serve; the exit code is 1 when another server has the folder."""
    parser = argparse.ArgumentParser(prog="python -m sfml.local", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the account's data lives")
    folder: Path = parser.parse_args().folder
    try:
        with serving(folder):
            serve(folder)
    except LocalServerError as error:
        print(f"{error.message} ({error.help})", file=sys.stderr)
        return 1
    return 0


def serve(folder: Path) -> None:
    """Serve the folder until SIGTERM or SIGINT."""
    # Snowflake's clients import for seconds: only once the folder is ours.
    from sfml.local.app import LocalServer

    done = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        done.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with LocalServer(folder) as server:
        connect = server.connect_args()
        fields = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
        publish(folder, ServerInfo(running=True, pid=os.getpid(), **{name: connect[name] for name in fields}))
        try:
            done.wait()
        finally:
            withdraw(folder)


if __name__ == "__main__":
    sys.exit(main())
