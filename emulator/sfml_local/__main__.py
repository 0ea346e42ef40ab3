"""`python -m sfml_local`: serve one folder until told to end.

In the foreground for containers and process managers; `sfml local start` runs it with `--background`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from sfml.semantics.redaction import redacted
from sfml_local.control import (
    FATAL,
    INFO_FILE,
    LOG_FILE,
    PASSING_FILE,
    ServerInfo,
    is_at,
    is_ours,
    is_passing,
    lock,
    write_info,
)
from sfml_local.core import log_format, private_files, server_log
from sfml_local.core.defaults import DATABASE, SCHEMA
from sfml_local.core.errors import SqlError
from sfml_local.core.settings import TOKEN
from sfml_local.grammar.quoting import quoted, raw

if TYPE_CHECKING:
    from sfml_local.core.account import Account

POLL_SECONDS = 0.5
LOOPBACK = "127.0.0.1"
LOOPBACKS = (LOOPBACK, "localhost")
TOKEN_LENGTH = 16


FOLDER = Path("sfml-local")
"""The default data folder of a server in the foreground."""


def main() -> int:
    """Serve according to the process's arguments; in the foreground, print the address, and fire schedules."""
    parser = argparse.ArgumentParser(
        prog="python -m sfml_local",
        description="Serve a local Snowflake from one folder until told to end.",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=FOLDER,
        help=f"where the account's data lives; {FOLDER} in this folder by default",
    )
    parser.add_argument("--background", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--idle-exit", type=float, metavar="SECONDS", help="end after so long without a request"
    )
    parser.add_argument(
        "--host", default=LOOPBACK, help="the address to listen at; others than loopback want a token"
    )
    parser.add_argument("--port", type=_port, default=0, help="the port to listen at; 0 takes a free one")
    parser.add_argument(
        "--database", default=DATABASE, help="the database that clients are told, made if need be"
    )
    parser.add_argument("--schema", default=SCHEMA, help="the schema that clients are told, made if need be")
    parser.add_argument(
        *("--file", "-f"),
        dest="files",
        type=_file,
        action="append",
        default=[],
        help="run the statements of this file before clients are let in; may be given several times",
    )
    parser.add_argument(
        "--ignore",
        dest="ignored",
        type=_pattern,
        metavar="REGEX",
        action="append",
        default=[],
        help="let statements that begin with this succeed and do nothing; may be given several times",
    )
    arguments = parser.parse_args()
    foreground = not arguments.background
    if foreground and not is_ours(arguments.folder):
        print(f"{FATAL}{arguments.folder} is not empty and holds no local Snowflake", file=sys.stderr)
        return 1
    os.umask(private_files.UMASK)
    token = os.environ.pop(TOKEN, None)
    if arguments.host not in LOOPBACKS and len(token or "") < TOKEN_LENGTH:
        needs = f"{TOKEN} has to hold a token of {TOKEN_LENGTH} characters or more"
        print(f"{FATAL}at {arguments.host} others can reach it: {needs}", file=sys.stderr)
        return 1
    held = lock(arguments.folder)
    if held is None:
        print(f"{FATAL}another local Snowflake serves {arguments.folder}", file=sys.stderr)
        return 1
    log_format.set_up(arguments.folder / LOG_FILE)
    private_files.tighten(arguments.folder)
    # Remove the files of a server that was killed.
    (arguments.folder / INFO_FILE).unlink(missing_ok=True)
    end = threading.Event()

    def ask_to_end(number: int, frame: FrameType | None) -> None:
        end.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_end)
    try:
        return serve(arguments, end, token, held, foreground=foreground)
    except (AddressTaken, SqlError) as error:
        print(redacted(" ".join(f"{FATAL}{error}".split())), file=sys.stderr)
        return 1
    except Exception as error:
        log_format.logger.exception("the server ends")
        # The user sees the last line of the log.
        words = redacted(f"{FATAL}{type(error).__name__}: {error}")
        print(" ".join(words.split()), file=sys.stderr)
        return 1


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return int(text)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as cause:
        raise argparse.ArgumentTypeError(f"{text} is no regular expression: {cause}") from cause
    return text


UNUSED = ("boto3", "botocore", "pandas")
"""Libraries that Snowflake's connector imports where they are installed, a third of the time to start.

A server needs the connector's errors and types. What needs pandas later imports it itself.
"""


class AddressTaken(Exception):
    """The server's address is in use."""


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Imports without the garbage collector: what they make stays, and looking through it takes time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def hidden(libraries: Sequence[str]) -> Iterator[None]:
    """Let imports go on as if these libraries were not installed, but for those that are imported already."""
    absent = dict.fromkeys(name for name in libraries if name not in sys.modules)
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def serve(
    arguments: argparse.Namespace, end: threading.Event, token: str | None, held: int, *, foreground: bool
) -> int:
    """Serve until `end` is set, there has been no request for `idle_exit` seconds, or the folder is gone.

    `held` is the folder's lock.
    """
    with uncollected(), hidden(UNUSED):
        from sfml_local.core.session import DEFAULT_USER
        from sfml_local.http.app import LocalServer
        from sfml_local.services.routines.procedures import expects_processes, warm_parent_of
        from sfml_local.services.tasks.execution import scheduler_of

    folder: Path = arguments.folder
    # A server that a command starts only for itself must not run schedules.
    schedules = foreground or not is_passing(folder)
    try:
        server = LocalServer(
            folder,
            schedules=schedules,
            host=arguments.host,
            port=arguments.port,
            token=token,
        )
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        raise AddressTaken(
            f"it cannot listen at {arguments.host}:{arguments.port}: {error.strerror}; another --port may be free"
        ) from error
    with server:
        database, schema = quoted(raw(arguments.database)), quoted(raw(arguments.schema))
        prepare(server.account, database, schema, arguments)
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
                database=raw(arguments.database),
                schema=raw(arguments.schema),
                pid=os.getpid(),
                notices=server.account.notices,
            ),
        )
        if foreground:
            (folder / PASSING_FILE).unlink(missing_ok=True)
            print(f"The local Snowflake is running at http://{arguments.host}:{server.port}", flush=True)
            if token is None:
                print(f"Its token, the password of any client, is in {folder / INFO_FILE}", flush=True)
        while not end.wait(POLL_SECONDS):
            if not is_at(folder, held):
                message = f"{folder} was removed or moved while its local Snowflake ran, which ends now"
                print(f"{FATAL}{message}", file=sys.stderr)
                return 1
            server_log.rotate(folder / LOG_FILE)
            if not is_passing(folder):
                scheduler_of(server.account).turn_on()
                if expects_processes(server.account):
                    warm_parent_of(server.account).warm_up()
            idle = time.monotonic() - server.account.last_request
            if arguments.idle_exit is not None and idle > arguments.idle_exit and not server.account.children:
                break
        (folder / INFO_FILE).unlink(missing_ok=True)
    return 0


def prepare(account: Account, database: str, schema: str, arguments: argparse.Namespace) -> None:
    """Create the default database and schema of clients if they are missing, and run the files in them."""
    from snowflake.connector.util_text import split_statements

    session = account.sessions.open()
    try:
        account.execute(session, f"CREATE DATABASE IF NOT EXISTS {database}")
        account.execute(session, f"CREATE SCHEMA IF NOT EXISTS {database}.{schema}")
        account.execute(session, f"USE SCHEMA {database}.{schema}")
        account.ignored.add(*arguments.ignored)
        for file in arguments.files:
            try:
                for statement, _ in split_statements(io.StringIO(file.read_text(encoding="utf-8"))):
                    if statement and statement.strip().strip(";"):
                        account.execute(session, statement)
            except SqlError as error:
                raise SqlError(f"{file}: {error.message}", error.errno, error.sqlstate) from error
            except UnicodeDecodeError as error:
                raise SqlError(f"{file} is not UTF-8 text") from error
    finally:
        account.sessions.close(session)


if __name__ == "__main__":
    sys.exit(main())
