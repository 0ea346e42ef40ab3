"""Processes that run a user's code: connected like clients, and ended with their statement or with the server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sfml_local.core.child import Child
from sfml_local.core.sessions import Admission

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

POLL_SECONDS = 0.05
GRACE_SECONDS = 5.0
LOG_LIMIT = 16 * 2**20
"""The most bytes of one log; the log says where it is cut."""

PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})
SUPERVISOR = Path(__file__).with_name("supervisor.py")


class Supervised:
    """A command with its own supervisor: it ends with all processes that it started, even if the server is killed.

    A preexec_fn would be unsafe, because no Python code may run between fork and exec in a server with threads.
    """

    def __init__(self, argv: Sequence[str], *, log: Path | None = None, **options: Any) -> None:
        """`log` is the file for the command's output; without it, `options` set its streams."""
        ours, self._lifeline = os.pipe()
        if log is not None:
            options |= dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        try:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(SUPERVISOR), str(ours)),
                    *("-" if log is None else str(log), str(LOG_LIMIT), *argv),
                ],
                pass_fds=(ours,),
                start_new_session=True,
                **options,
            )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(ours)
        self._lock = threading.Lock()

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None if the process still runs after that time."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def ask_to_end(self) -> None:
        """SIGTERM for the command and its group."""
        with self._lock, contextlib.suppress(OSError):
            if self._lifeline >= 0:
                os.write(self._lifeline, b".")

    def end(self) -> int:
        """Kill all of its remaining processes; returns the exit code."""
        with self._lock:
            if self._lifeline >= 0:
                os.close(self._lifeline)
                self._lifeline = -1
        try:
            return self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Running(Protocol):
    """A command that runs under a supervisor, however it was started."""

    def wait(self, seconds: float) -> int | None: ...

    def ask_to_end(self) -> None: ...

    def end(self) -> int: ...


class Start(Protocol):
    """A function that starts a command, with its output in the log."""

    def __call__(self, argv: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> Running: ...


def runs_folder(account: Account) -> Path:
    """The folder for temporary files of running processes; the next start removes what a killed server left there."""
    folder = account.folder / "runs"
    folder.mkdir(exist_ok=True)
    return folder


def make_home(account: Account, prefix: str) -> Path:
    """A link in the account's folder to a new temporary folder, which other users cannot enter.

    The path of a socket is limited to about a hundred characters, too few for a path below a project. By the link, the
    next start finds the folder of a killed server.
    """
    home = Path(tempfile.mkdtemp(prefix=prefix))
    link = runs_folder(account) / home.name
    link.symlink_to(home)
    return link


def remove_home(link: Path) -> None:
    """Remove such a link and its folder."""
    with contextlib.suppress(OSError):
        shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()


def run_child(
    account: Account,
    session: Session,
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
    cancel: threading.Event | None = None,
    start: Start = Supervised,
    places: threading.Semaphore | None = None,
    admission: Admission | None = None,
) -> int:
    """Run a command to its end, with its output in `log`; returns its exit code.

    The process finds the account in SNOWFLAKE_… variables and is admitted as a child of `session`; `admission` is
    a procedure's. It ends, with all that it started, on timeout, when `cancel` is set, by `interrupt`, and with the
    server; its exit code is then negative. It waits until one of the `places` is free.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    link = make_home(account, "sfml-home-")
    home = link.readlink()
    password = account.sessions.admit(admission or Admission(session))
    child = Child(session, log=log)
    account.children.add(child)
    ends = (child.stop, account.stopping, *([cancel] if cancel is not None else []))

    def has_to_end() -> bool:
        late = deadline is not None and time.monotonic() > deadline
        return late or any(end.is_set() for end in ends)

    try:
        with contextlib.ExitStack() as taken:
            if places is not None:
                while not places.acquire(timeout=POLL_SECONDS):
                    if has_to_end():
                        return -signal.SIGTERM
                taken.callback(places.release)
            running = start(
                argv,
                log=log,
                env={**environment(account, session, password, home), **(env or {})},
                cwd=cwd or home,
            )
            taken.callback(running.end)
            while (code := running.wait(POLL_SECONDS)) is None:
                if has_to_end():
                    return _ended_early(running)
            return code
    finally:
        account.children.discard(child)
        account.sessions.dismiss(password)
        remove_home(link)


def interrupt(account: Account, session: Session) -> None:
    """End every process that works for this session."""
    for child in tuple(account.children):
        if child.works_for(session):
            child.stop.set()


def environment(account: Account, session: Session, password: str, home: Path) -> dict[str, str]:
    """This process's environment without proxies and the user's own Snowflake settings, and with the account's.

    snowflake.core sends even loopback addresses through HTTPS_PROXY, and a connections file in the home
    directory takes precedence over the environment, so the process gets its own home directory.
    """
    own = {
        "SNOWFLAKE_HOST": account.host,
        "SNOWFLAKE_PORT": str(account.port),
        "SNOWFLAKE_PROTOCOL": "http",
        "SNOWFLAKE_ACCOUNT": account.name,
        "SNOWFLAKE_USER": session.user,
        "SNOWFLAKE_PASSWORD": password,
        "SNOWFLAKE_DATABASE": session.database,
        "SNOWFLAKE_SCHEMA": session.schema,
        "SNOWFLAKE_ROLE": session.role,
        "SNOWFLAKE_WAREHOUSE": session.warehouse,
        "SNOWFLAKE_HOME": str(home),
        # Otherwise each login asks the metadata services of clouds for its location, and waits for their timeouts.
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
        # Otherwise the connector looks for proxies in every variable at each request, for a third of its time.
        "NO_PROXY": account.host,
        "HOME": str(home),
        "PYTHONUNBUFFERED": "1",
    }
    return {**without_proxies(), **{name: value for name, value in own.items() if value is not None}}


def without_proxies() -> dict[str, str]:
    """This process's environment without proxies and the user's own Snowflake settings."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in PROXIES and not name.startswith("SNOWFLAKE_")
    }


def _ended_early(running: Running) -> int:
    """Ask the command and its group to end, then kill them."""
    running.ask_to_end()
    running.wait(GRACE_SECONDS)
    code = running.end()
    return code if code < 0 else -signal.SIGTERM
