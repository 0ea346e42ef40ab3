"""Processes for procedures and jobs, forked from a parent that has already imported the Snowflake clients.

A new process for a procedure takes more than a second to start, nearly all of it for imports. The
parent (`warm_parent`) is started with the first procedure, and again after it has ended; where forking is not
possible, a new interpreter is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sfml_local.processes.children import GRACE_SECONDS, LOG_LIMIT, Supervised, without_proxies
from sfml_local.processes.warm_parent import LENGTH


class WarmParent:
    """The parent's process, started at first use; several threads may use it."""

    def __init__(self, home: Path, also: Sequence[str] = (), *, warm: bool = True) -> None:
        """`home` is the parent's home directory, `also` are further modules that it imports."""
        self._home = home
        self._also = tuple(also)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._forked = 0
        # Forking crashes where frameworks of the system run threads, as on macOS.
        self._usable = sys.platform == "linux" and warm

    @property
    def pid(self) -> int | None:
        """The parent's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def warm_up(self) -> bool:
        """Start a parent if none runs, without waiting for it; False if forking is not possible."""
        with self._lock:
            return self._runs()

    def start(
        self, argv: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path
    ) -> Forked | Supervised:
        """Run `python -m …processes.worker REQUEST`, the same of `predictor`, or `python as_main.py SCRIPT …`.

        The latter also after `ray_node.py HEAD PORT 0`, for the first instance of a job with several.

        The process is forked if possible.
        """
        order = {
            "argv": list(argv),
            "log": str(log.resolve()),
            "limit": LOG_LIMIT,
            "env": dict(env),
            "cwd": str(cwd),
        }
        text = json.dumps(order).encode()
        lifeline, ours = os.pipe()
        told, theirs = os.pipe()
        try:
            if self._sent(text, lifeline, theirs):
                return Forked(self, argv, log, env, cwd, ours, told)
        finally:
            os.close(lifeline)
            os.close(theirs)
        os.close(ours)
        os.close(told)
        return Supervised(argv, log=log, env=env, cwd=cwd)

    def _sent(self, text: bytes, *descriptors: int) -> bool:
        with self._lock:
            for _ in range(2):  # sending shows whether the parent has died
                if not self._runs():
                    return False
                assert self._control is not None
                try:
                    socket.send_fds(self._control, [LENGTH.pack(len(text))], descriptors)
                    self._control.sendall(text)
                    return True
                except OSError:
                    self._bury()
        return False

    def _runs(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            self._bury()
        if self._process is None and self._usable:
            self._start()
        return self._process is not None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._home.mkdir(exist_ok=True)
            self._forked = 0
            # The clients must not read the user's Snowflake settings when they are imported.
            home = {"HOME": str(self._home), "SNOWFLAKE_HOME": str(self._home), "PYTHONUNBUFFERED": "1"}
            try:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "sfml_local.processes.warm_parent",
                        str(theirs.fileno()),
                        *self._also,
                    ],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**without_proxies(), **home},
                    cwd=self._home,
                    start_new_session=True,
                )
                self._control = ours
            except OSError:
                ours.close()
                self._usable = False

    def forked(self) -> None:
        """Note that the parent works."""
        self._forked += 1

    def _bury(self) -> None:
        """Forget a parent that takes no more orders. If it died before it ever forked, do not start another.

        It ends with what it has forked, or is killed where nothing can be left of that.
        """
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            if not self._forked:
                self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(GRACE_SECONDS)
                self._usable &= self._forked > 0 or code < 0
        shutil.rmtree(self._home, ignore_errors=True)
        self._process = self._control = None

    def stop(self) -> None:
        """End the parent; forked processes end with their statements."""
        with self._lock:
            self._usable = False
            self._bury()


class Forked:
    """A process that the parent forked and supervises; with the interface of `Supervised`."""

    def __init__(
        self,
        parent: WarmParent,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        cwd: Path,
        lifeline: int,
        told: int,
    ) -> None:
        self._parent = parent
        self._again = (argv, log, env, cwd)
        self._lifeline, self._told = lifeline, told
        self._said = b""
        self._instead: Supervised | None = None
        self._poll = select.poll()
        self._poll.register(told, select.POLLIN)
        self._code: int | None = None

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None if the process still runs after that time."""
        if self._instead is not None:
            return self._instead.wait(seconds)
        deadline = time.monotonic() + seconds
        while self._code is None:
            if not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return None
            self._hear()
            if self._instead is not None:
                return None
        return self._code

    def _hear(self) -> None:
        data = os.read(self._told, 64)
        if not self._said and data:
            self._parent.forked()
        self._said += data
        lines = self._said.split(b"\n")
        if len(lines) > 2:
            self._code = int(lines[1])
        elif not data and self._said:
            self._code = -signal.SIGKILL  # the parent was killed, and its commands with it
        elif not data and self._lifeline >= 0:
            # The parent died before it forked, so nothing has run yet.
            argv, log, env, cwd = self._again
            self._instead = Supervised(argv, log=log, env=env, cwd=cwd)
        elif not data:
            self._code = -signal.SIGKILL

    def ask_to_end(self) -> None:
        """SIGTERM for the command and its group."""
        if self._instead is not None:
            self._instead.ask_to_end()
        elif self._lifeline >= 0:
            with contextlib.suppress(OSError):
                os.write(self._lifeline, b".")

    def end(self) -> int:
        """Kill all of its remaining processes; returns the exit code."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self._instead is not None:
            code: int | None = self._instead.end()
        else:
            code = self.wait(GRACE_SECONDS)
            if code is None and b"\n" in self._said:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(self._said.split(b"\n")[0]), signal.SIGKILL)
        if self._told >= 0:
            os.close(self._told)
            self._told = -1
        self._code = -signal.SIGKILL if code is None else code
        return self._code
