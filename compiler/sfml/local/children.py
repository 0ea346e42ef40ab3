"""Processes that run a user's code: connected as anyone is, and gone when their statement or the server goes."""

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session

POLL_SECONDS = 0.05
GRACE_SECONDS = 5.0
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"})

# Asks Linux to kill the process when the server dies, however it dies, and then becomes the command. A
# process of its own and no preexec_fn: between fork and exec of a threaded server no Python code is safe.
_LIFELINE = """
import ctypes, os, signal, sys
try:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (AttributeError, OSError):
    pass
if os.getppid() != int(sys.argv[1]):
    os._exit(137)
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(slots=True, eq=False)
class Child:
    """A running process and whose it is; `stop` ends it."""

    session: Session
    stop: threading.Event = field(default_factory=threading.Event)

    def works_for(self, session: Session) -> bool:
        """Whether this session, or one that it opened, started the process."""
        ancestor: Session | None = self.session
        while ancestor is not None:
            if ancestor is session:
                return True
            ancestor = ancestor.parent
        return False


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
) -> int:
    """Run a command to its end and answer its exit code; output goes to `log`.

    The process finds the account in SNOWFLAKE_… variables and is admitted as a child of `session`. It ends,
    with all that it started, on timeout, when `cancel` is set, by `interrupt`, and with the server; its exit
    code is then negative.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    home = Path(tempfile.mkdtemp(prefix="sfml-home-"))
    password = account.sessions.admit(session)
    child = Child(session)
    account.children.add(child)
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _LIFELINE, str(os.getpid()), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment(account, session, password, home), **(env or {})},
                cwd=cwd or home,
                start_new_session=True,
            )
        ends = (child.stop, account.stopping, *([cancel] if cancel is not None else []))
        while process.poll() is None:
            if any(end.is_set() for end in ends) or (deadline is not None and time.monotonic() > deadline):
                return _end(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
        _signal(process, signal.SIGKILL)  # what it left running in the background
        return process.returncode
    finally:
        account.children.discard(child)
        account.sessions.dismiss(password)
        shutil.rmtree(home, ignore_errors=True)


def interrupt(account: Account, session: Session) -> None:
    """End every process that works for this session."""
    for child in tuple(account.children):
        if child.works_for(session):
            child.stop.set()


def environment(account: Account, session: Session, password: str, home: Path) -> dict[str, str]:
    """This process's environment without proxies and the user's own Snowflake settings, and with the account's.

    snowflake.core sends even loopback addresses through HTTPS_PROXY, and a connections file in the home
    directory takes precedence over the environment: hence a home of its own.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() not in PROXIES and not name.startswith("SNOWFLAKE_")
    }
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
        "HOME": str(home),
        "PYTHONUNBUFFERED": "1",
    }
    return {**kept, **{name: value for name, value in own.items() if value is not None}}


def _end(process: subprocess.Popen[bytes]) -> int:
    """Ask the process group to end, then make it."""
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    _signal(process, signal.SIGKILL)
    code = process.wait()
    return code if code < 0 else -signal.SIGTERM


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
