"""`python -m sfml.local --folder FOLDER`: serve one folder until told to end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from sfml.local import log_format, private_files, server_log
from sfml.local.process import FATAL, INFO_FILE, LOG_FILE, ServerInfo, is_passing, lock, write_info
from sfml.local.redaction import redacted

POLL_SECONDS = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sfml.local", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the account's data lives")
    parser.add_argument(
        "--idle-exit", type=float, metavar="SECONDS", help="end after so long without a request"
    )
    arguments = parser.parse_args()
    os.umask(private_files.UMASK)
    held = lock(arguments.folder)
    if held is None:
        print(f"{FATAL}another local Snowflake serves {arguments.folder}", file=sys.stderr)
        return 1
    log_format.set_up(arguments.folder / LOG_FILE)
    private_files.tighten(arguments.folder)
    # What a server that was killed left behind is not this one's.
    (arguments.folder / INFO_FILE).unlink(missing_ok=True)
    end = threading.Event()

    def ask_to_end(number: int, frame: FrameType | None) -> None:
        end.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_end)
    try:
        return serve(arguments.folder, end, arguments.idle_exit)
    except Exception as error:
        log_format.logger.exception("the server ends")
        # The last line of the log is what the user is told.
        words = redacted(f"{FATAL}{type(error).__name__}: {error}")
        print(" ".join(words.split()), file=sys.stderr)
        return 1


def serve(folder: Path, end: threading.Event, idle_exit: float | None) -> int:
    """Serve until `end` is set, or nobody has asked for anything for `idle_exit` seconds."""
    from sfml.local.account import DATABASE, SCHEMA
    from sfml.local.app import LocalServer
    from sfml.local.procedures import expects_processes, warm_parent_of
    from sfml.local.session import DEFAULT_USER
    from sfml.local.tasks.service import scheduler_of

    # What a command starts for its own sake must not begin to run what schedules ask for.
    with LocalServer(folder, schedules=not is_passing(folder)) as server:
        write_info(
            folder,
            ServerInfo(
                running=True,
                host=server.host,
                port=server.port,
                protocol="http",
                account=server.account.name,
                user=DEFAULT_USER,
                password=server.token,
                database=DATABASE,
                schema=SCHEMA,
                pid=os.getpid(),
                notices=server.account.notices,
            ),
        )
        while not end.wait(POLL_SECONDS):
            server_log.rotate(folder / LOG_FILE)
            if not is_passing(folder):
                scheduler_of(server.account).turn_on()
                if expects_processes(server.account):
                    warm_parent_of(server.account).warm_up()
            idle = time.monotonic() - server.account.last_request
            if idle_exit is not None and idle > idle_exit and not server.account.children:
                break
        (folder / INFO_FILE).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
