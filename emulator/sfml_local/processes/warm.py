"""Processes for procedures and jobs, forked from a parent that has the Snowflake clients in memory already.

A procedure's own process costs more than a second where it starts from nothing, nearly all of it imports. The
parent (`warm_parent`) is started with the first procedure and again when it is gone; where it cannot be had, a
process starts from nothing.
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

SETTING = "SFML_LOCAL_WARM"
"""`0` has every process start from nothing."""


class WarmParent:
    """The parent's process, started when it is needed; threads may ask at the same time."""

    def __init__(self, home: Path, also: Sequence[str] = ()) -> None:
        """`home` is the home directory that the parent has while it lives, `also` what it imports besides."""
        self._home = home
        self._also = tuple(also)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._forked = 0
        # Forking where frameworks of the system run threads of their own, as on macOS, ends in crashes.
        self._usable = sys.platform == "linux" and os.environ.get(SETTING, "1") != "0"

    @property
    def pid(self) -> int | None:
        """The parent's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def warm_up(self) -> bool:
        """See that a parent runs, without waiting for it; False where there cannot be one."""
        with self._lock:
            return self._runs()

    def start(
        self, argv: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path
    ) -> Forked | Supervised:
        """Run `python -m …processes.worker REQUEST`, the same of `predictor`, or `python as_main.py SCRIPT …`.

        Forked where that can be had.
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
            for _ in range(2):  # a parent that has just died is noticed by sending to it
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
            # The user's own Snowflake settings must not be what the clients find when they are imported.
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
        """Note that the parent does its work."""
        self._forked += 1

    def _bury(self) -> None:
        """Forget a parent that is gone. One that never forked and died by itself will do so again."""
        if self._process is not None:
            self._process.kill()
            code = self._process.wait()
            self._usable &= self._forked > 0 or code < 0
        if self._control is not None:
            self._control.close()
        shutil.rmtree(self._home, ignore_errors=True)
        self._process = self._control = None

    def stop(self) -> None:
        """End the parent; what it forked ends with its own statement."""
        with self._lock:
            self._usable = False
            self._bury()


class Forked:
    """A process under a supervisor that the parent forked; with the interface of `Supervised`."""

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
        """The exit code once it has ended, or None when it still runs after so long."""
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
            self._code = -signal.SIGKILL  # the supervisor was killed, and its command with it
        elif not data and self._lifeline >= 0:
            # The parent died before it forked: nothing has run yet.
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
        """Kill what is left of it and answer its exit code."""
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
