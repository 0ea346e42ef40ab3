"""The server as a process of its own: start, stop, look, reset. Imports nothing heavy.

A folder's server holds a lock on `server.lock` for as long as it lives, so that it is known to be running
however it was started and however it ended; `server.json` tells its address and token to whoever may read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sfml.errors import LocalServerError

START_SECONDS = 90.0
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_INFO, _LOCK, _LOG = "server.json", "server.lock", "server.log"
_USERS, _PASSING = "server.users", "server.passing"


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What any client connects with; `password` is the server's token. All None when nothing runs."""

    running: bool
    host: str | None = None
    port: int | None = None
    protocol: str | None = None
    account: str | None = None
    user: str | None = None
    password: str | None = None
    database: str | None = None
    schema: str | None = None
    pid: int | None = None


STOPPED = ServerInfo(running=False)


def status(folder: Path) -> ServerInfo:
    """The folder's server, if it runs and answers."""
    if not _is_locked(folder):
        return STOPPED
    try:
        info = ServerInfo(**json.loads((folder / _INFO).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return STOPPED
    return info if _answers(info) else STOPPED


def start(folder: Path) -> ServerInfo:
    """The folder's server, started if it was not running; raises `LocalServerError` when it does not come up."""
    running = status(folder)
    if running.running:
        return running
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with (folder / _LOG).open("wb") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "sfml.local", "--folder", str(folder.resolve())),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
    for _ in _polls(START_SECONDS):
        info = status(folder)
        if info.running:
            return info
        if process.poll() is not None and not _is_locked(folder):
            raise LocalServerError(
                f"the local Snowflake did not start:\n{_log_tail(folder)}",
                help=f"its whole log is {folder / _LOG}",
            )
    process.kill()
    raise LocalServerError(
        f"the local Snowflake did not answer within {START_SECONDS:.0f} s:\n{_log_tail(folder)}",
        help=f"its whole log is {folder / _LOG}",
    )


def keep(folder: Path) -> ServerInfo:
    """The folder's server, started if need be, which stays until it is stopped."""
    (folder / _PASSING).unlink(missing_ok=True)
    return start(folder)


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[ServerInfo]:
    """The folder's server for as long as it is needed: one that runs, or one that the last to need it stops."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _USERS).open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        info = status(folder)
        if not info.running:
            (folder / _PASSING).touch()
            info = start(folder)
        try:
            yield info
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            # Whoever still holds a share stops it later; whoever comes now waits until it is gone.
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if (folder / _PASSING).exists():
                    stop(folder)


def stop(folder: Path) -> None:
    """Stop the folder's server and wait until it has let go of its files; nothing to do when none runs."""
    pid = _pid(folder)
    (folder / _PASSING).unlink(missing_ok=True)
    if not _is_locked(folder) or pid is None:
        (folder / _INFO).unlink(missing_ok=True)
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        for _ in _polls(STOP_SECONDS):
            if not _is_locked(folder):
                (folder / _INFO).unlink(missing_ok=True)
                return
    raise LocalServerError(f"the local Snowflake (pid {pid}) does not end", help=f"kill -9 {pid}")


def reset(folder: Path) -> None:
    """Stop the server and delete everything that it holds."""
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Hold the folder for one server; raises `LocalServerError` when another has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise LocalServerError(
                f"another local Snowflake serves {folder}", help="stop it with  sfml local stop"
            ) from cause
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def publish(folder: Path, info: ServerInfo) -> None:
    """Tell the address and the token, to this user alone."""
    scratch = folder / f"{_INFO}.{os.getpid()}"
    with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(info), file)
    scratch.replace(folder / _INFO)


def withdraw(folder: Path) -> None:
    (folder / _INFO).unlink(missing_ok=True)


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _answers(info: ServerInfo) -> bool:
    if info.host is None or info.port is None:
        return False
    try:
        with socket.create_connection((info.host, info.port), timeout=2):
            return True
    except OSError:
        return False


def _pid(folder: Path) -> int | None:
    """The process that holds the lock, as it wrote into it."""
    try:
        return int((folder / _LOCK).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _log_tail(folder: Path, lines: int = 15) -> str:
    try:
        text = (folder / _LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "(it wrote no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(its log is empty)"


def _polls(seconds: float) -> Iterator[None]:
    """Turns of waiting until the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(_POLL_SECONDS)
