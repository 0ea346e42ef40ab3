"""The server as a background process: start it, get its status, stop it, empty its folder.

Nothing here imports a Snowflake package or the server, because commands that only need the status must be fast.
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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfml_local.core import private_files, server_log, set_aside
from sfml_local.grammar.quoting import raw

if TYPE_CHECKING:
    from sfml_local.evidence.behaviours import Behaviour as Behaviour

START_SECONDS = 90.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
LOG_LINES = 20
LEAST_ROOM = 2**16
"""The free bytes that a server needs to start."""

INFO_FILE = "server.json"
LOCK_FILE = "server.lock"
LOG_FILE = "server.log"
FATAL = "error: "
"""The beginning of a server log's last line if the server had to end."""
USERS_FILE = "server.users"
PASSING_FILE = "server.passing"


class ControlError(Exception):
    """A server could not be started or stopped; `help` says what to do next."""

    def __init__(self, message: str, *, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class RunsElsewhere(ControlError):
    """A server runs already, at another place than was asked for."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Whether a server runs on a folder, and the connection data for clients; the password is its token."""

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
    notices: tuple[str, ...] = ()
    """Sentences for the user about damage that the server found."""


STOPPED = ServerInfo(running=False)


def status(folder: Path | str) -> ServerInfo:
    """The server of this folder; `running` is False if there is none, however the last one ended."""
    folder = Path(folder)
    if not is_locked(folder):
        return replace(STOPPED, notices=set_aside.notices(folder))
    info = read_info(folder)
    return info if info is not None and _is_of_holder(folder, info) and _answers(info) else STOPPED


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a server, and the default place of its clients; None leaves the choice to the server."""

    port: int | None = None
    database: str | None = None
    schema: str | None = None
    ignored: tuple[str, ...] = ()
    """Regular expressions: statements whose beginning matches one succeed and do nothing."""

    def differences(self, info: ServerInfo) -> Iterator[str]:
        """The settings that a running server has with other values, such as `port 8123`."""
        for what in ("port", "database", "schema"):
            wanted, there = getattr(self, what), getattr(info, what)
            if wanted is not None and there != (wanted if what == "port" else raw(wanted)):
                yield f"{what} {there}"

    def arguments(self) -> Iterator[str]:
        """The same as arguments of the server."""
        for what in ("port", "database", "schema"):
            if (wanted := getattr(self, what)) is not None:
                yield f"--{what}={wanted}"
        yield from (f"--ignore={pattern}" for pattern in self.ignored)


def start(
    folder: Path | str,
    *,
    idle_exit: float | None = None,
    wait: float = START_SECONDS,
    place: Place | None = None,
) -> ServerInfo:
    """Start a server on this folder unless one runs, and wait until it answers; raises ControlError."""
    folder = Path(folder)
    private_files.make_folder(folder)
    running = status(folder)
    if running.running:
        return running
    log = folder / LOG_FILE
    arguments = [] if idle_exit is None else ["--idle-exit", str(idle_exit)]
    arguments += (place or Place()).arguments()
    with server_log.opened(log) as output:
        begins = output.tell()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "sfml_local",
                "--background",
                "--folder",
                str(folder.resolve()),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
            umask=private_files.UMASK,
        )
    found = STOPPED

    def is_up_or_gone() -> bool:
        nonlocal found
        found = status(folder)
        # Another process may have won the race for the folder; its server can be used as well.
        return found.running or (process.poll() is not None and not is_locked(folder))

    _wait_until(is_up_or_gone, wait)
    if found.running:
        if found.pid != process.pid:
            # Otherwise our server would take the folder once the other one stops, unnoticed.
            process.kill()
            process.wait()
        return found
    if process.poll() is None:
        process.kill()
        process.wait()
        reason = f"it did not answer within {wait:g} s"
    else:
        reason = f"it ended with exit code {process.returncode}"
    if shutil.disk_usage(folder).free < LEAST_ROOM:
        raise ControlError(
            f"the local Snowflake did not come up: the disk of {folder} is full",
            help="make room on it, then run this again; nothing was deleted",
        )
    said = server_log.lines(log, begins)
    raise ControlError(
        f"the local Snowflake did not come up: {_fatal(said) or reason + _tail(said)}",
        help=f"read {log}; nothing was deleted, and `sfml local reset` starts over with an empty one",
    )


def keep(folder: Path | str, place: Place | None = None) -> ServerInfo:
    """The folder's server, started if necessary; it runs until it is stopped, and fires schedules.

    Raises `RunsElsewhere` where one runs at another place than was asked for.
    """
    found = start(folder, place=place) if status(folder).running else None
    if found is not None and (others := ", ".join((place or Place()).differences(found))):
        raise RunsElsewhere(
            f"the local Snowflake runs already, with {others}", help="stop it first:  sfml local stop"
        )
    (Path(folder) / PASSING_FILE).unlink(missing_ok=True)
    return found or start(folder, place=place)


def behaviours() -> tuple[Behaviour, ...]:
    """What a local Snowflake does, each with its certainty."""
    from sfml_local.evidence import behaviours as evidence

    return evidence.behaviours()


def user_folder() -> Path:
    """The data folder of a server outside of projects: `~/.local/share/sfml/local` on Linux."""
    from platformdirs import user_data_path

    return user_data_path("sfml", appauthor=False) / "local"


def is_ours(folder: Path) -> bool:
    """Whether the folder belongs to a local Snowflake, or could become one because it is missing or empty."""
    if not folder.exists():
        return True
    marks = (LOCK_FILE, set_aside.METADATA_FILE, set_aside.DATABASES)
    return folder.is_dir() and (any((folder / one).exists() for one in marks) or not any(folder.iterdir()))


def is_passing(folder: Path) -> bool:
    """Whether the folder's server was started by a command that will stop it; such a server fires no schedules."""
    return (folder / PASSING_FILE).exists()


@contextlib.contextmanager
def in_use(folder: Path | str, *, starting: Callable[[], None] = lambda: None) -> Iterator[ServerInfo]:
    """The folder's server during the block: a running one, or a new one, which its last user stops.

    `starting` is called before a new one starts.
    """
    folder = Path(folder)
    private_files.make_folder(folder)
    with os.fdopen(private_files.open_file(folder / USERS_FILE, os.O_RDWR), "r+") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        info = status(folder)
        if not info.running:
            starting()
            os.close(private_files.open_file(folder / PASSING_FILE, os.O_WRONLY))
            info = start(folder)
        try:
            yield info
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            # Another process with a share stops it later; a process that comes now waits until it has ended.
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if is_passing(folder):
                    stop(folder)


def stop(folder: Path | str, *, wait: float = STOP_SECONDS) -> None:
    """Stop the server of this folder and wait for its end; does nothing if none runs."""
    folder = Path(folder)
    (folder / PASSING_FILE).unlink(missing_ok=True)
    info = _info_of_holder(folder, wait)
    if info is None or info.pid is None:
        (folder / INFO_FILE).unlink(missing_ok=True)
        return
    _kill(info.pid, signal.SIGTERM)
    pid = info.pid
    if not _wait_until(lambda: _is_gone(pid), wait):
        _kill(pid, signal.SIGKILL)
        if not _wait_until(lambda: _is_gone(pid), 5):
            raise ControlError(
                f"the local Snowflake (pid {info.pid}) does not end", help=f"end process {info.pid}"
            )
    (folder / INFO_FILE).unlink(missing_ok=True)


def reset(folder: Path | str) -> None:
    """Stop the server of this folder and delete all of its data."""
    folder = Path(folder)
    stop(folder)
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


# -- the folder's lock and card -------------------------------------------------------------------------------


def is_locked(folder: Path) -> bool:
    """Whether a server holds the folder's lock; the kernel releases it when the process ends, however it ends."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def lock(folder: Path) -> int | None:
    """Lock the folder for this process until it ends, and write its id; None if another server holds the lock."""
    private_files.make_folder(folder)
    descriptor = private_files.open_file(folder / LOCK_FILE, os.O_RDWR)
    # Testing the lock acquires it for an instant, so a server that starts at that time must try again.
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(POLL_SECONDS)
        else:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return descriptor
    os.close(descriptor)
    return None


def is_at(folder: Path, descriptor: int) -> bool:
    """Whether the lock that this process holds is still the folder's: nobody has removed or moved the folder."""
    try:
        return os.path.samestat((folder / LOCK_FILE).stat(), os.fstat(descriptor))
    except OSError:
        return False


def _is_of_holder(folder: Path, info: ServerInfo) -> bool:
    """Whether the card belongs to the process that holds the lock, and not to an earlier server."""
    try:
        holder = (folder / LOCK_FILE).read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    # A server inside a test's process has no id on its card, so that nothing ends that process.
    return info.pid is None or holder == str(info.pid)


def _info_of_holder(folder: Path, wait: float) -> ServerInfo | None:
    """The card of the server that holds the lock; None if there is no server, or if it has not written it yet."""
    info: ServerInfo | None = None

    def is_known_or_gone() -> bool:
        nonlocal info
        if not is_locked(folder):
            info = None
            return True
        info = read_info(folder)
        return info is not None and _is_of_holder(folder, info)

    if not _wait_until(is_known_or_gone, wait):
        raise ControlError(
            f"a local Snowflake holds {folder} and does not say where it is",
            help=f"end the process whose id is in {folder / LOCK_FILE}",
        )
    return info


def write_info(folder: Path, info: ServerInfo) -> None:
    """Write the server's card atomically into its folder, readable by its owner only."""
    part = folder / f"{INFO_FILE}.part"
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(info), file)
    part.replace(folder / INFO_FILE)


def read_info(folder: Path) -> ServerInfo | None:
    try:
        info = ServerInfo(**json.loads((folder / INFO_FILE).read_text(encoding="utf-8")))
        return replace(info, notices=tuple(info.notices))
    except (FileNotFoundError, ValueError, TypeError):
        return None


# -- small things ---------------------------------------------------------------------------------------------


def _answers(info: ServerInfo) -> bool:
    try:
        with socket.create_connection((str(info.host), int(info.port or 0)), timeout=2):
            return True
    except OSError:
        return False


def _environment() -> dict[str, str]:
    """This process's environment without proxies, which snowflake.core would use even on loopback."""
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
    return {name: value for name, value in os.environ.items() if name.upper() not in proxies}


def _fatal(lines: list[str]) -> str | None:
    """The last line of a server's log if it says why the server ended."""
    return lines[-1].removeprefix(FATAL) if lines and lines[-1].startswith(FATAL) else None


def _tail(lines: list[str]) -> str:
    return "".join(f"\n  {line}" for line in lines[-LOG_LINES:])


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _is_gone(pid: int) -> bool:
    """Whether the process has ended; a child process of ours is reaped."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):  # a process of another user has the id now
        return True
    return _is_left_unburied(pid)


def _is_left_unburied(pid: int) -> bool:
    """Whether the process is a zombie: the first process of a container may not reap orphans."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    return False


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
