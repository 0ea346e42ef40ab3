"""A small project on a server of the test, and the commands in it."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import fork_server

from sfml.cli import entry
from sfml.testing.local_snowflake import LocalSnowflake
from sfml_local.http.faults import Call, Faults, When
from sfml_local.services.tasks.execution import runner_of
from sfml_local.services.tasks.run_store import unfinished_task_runs

SFML = Path(sys.executable).parent / "sfml"
PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
SPEC = """version: 1
pipeline: small
graph:
  version: 1
  tasks:
    first: {sql: 'select 1'}
    second: {sql: 'select 2', after: [first]}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""
APPLY = ("apply", "specs/small.yaml", "--auto-approve")
PAUSE = 0.02
"""Seconds between two questions: who asks without a pause slows down what it waits for."""


NOTICED = ("stopping after the current call", "the work is already done")
"""What a command says once it has noticed a signal."""


def printed_by(started: subprocess.Popen[str], noticed: threading.Event) -> str:
    """All that a command prints until it ends; the event is set once it says that it has noticed a signal.

    A call that waits for the event ends after the signal has come, however busy the machine is.
    """
    assert started.stdout is not None
    lines = []
    for line in started.stdout:
        lines.append(line)
        if any(words in line for words in NOTICED):
            noticed.set()
    started.wait(120)
    return "".join(lines)


class Printed(io.StringIO):
    """What was printed, to a reader who takes all of Unicode."""

    encoding = "utf-8"


class Held:
    """Statements of steps that wait in the server, until the test lets them go on."""

    def __init__(self, faults: Faults, words: str, *, nth: int = 1) -> None:
        """Hold statements with these words, from the `nth` one on."""
        self._come = threading.Semaphore(0)
        self._let_go = threading.Event()
        faults.do(self._hold, words, inside=True, nth=nth, times=None)

    def _hold(self, call: Call) -> None:
        self._come.release()
        self._let_go.wait(120)

    def wait(self, count: int = 1) -> None:
        """Return once `count` more of them wait."""
        for _ in range(count):
            assert self._come.acquire(timeout=120), "nothing came that is held"

    def let_go(self) -> None:
        self._let_go.set()


@dataclass
class Small:
    """A project on a server of the test, and the commands in it."""

    folder: Path
    local: LocalSnowflake
    held: list[Held] = field(default_factory=list)

    def hold(self, words: str, *, nth: int = 1) -> Held:
        """Hold what steps of this project ask, at the longest until the end of the test."""
        self.held.append(Held(self.local.faults, words, nth=nth))
        return self.held[-1]

    def settled(self) -> None:
        """Wait until no run goes on, without asking a statement again and again."""
        runner_of(self.local.server.account).settle(120)

    def begun(self, started: subprocess.Popen[str] | None = None) -> None:
        """Wait until a task runs, likewise."""
        account = self.local.server.account
        self.until(lambda: any(one.query_id for one in unfinished_task_runs(account.store)), started)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "HOME": str(self.folder)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return fork_server.Popen(
            (str(SFML), *arguments),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command that nobody interrupts, in this process: the installed one would load the clients each time."""
        with chdir(self.folder), redirect_stdout(Printed()) as text, redirect_stderr(text):
            code = entry.run(list(arguments))
        return code, text.getvalue()

    def until(self, is_so: Callable[[], object], started: subprocess.Popen[str] | None = None) -> None:
        """Ask until it is so, which it has to be before a command ends that has started."""
        deadline = time.monotonic() + 120
        while not is_so():
            assert started is None or started.poll() is None, started.communicate()
            assert time.monotonic() < deadline
            time.sleep(PAUSE)

    def edit(self, old: str, new: str) -> None:
        file = self.folder / "specs" / "small.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def apply_meeting(
        self, words: str, send: signal.Signals, when: When = "after", reason: str = "a test"
    ) -> tuple[int, str]:
        """An apply that gets a signal, and notices it, while a call with these words waits."""
        started: list[subprocess.Popen[str]] = []
        noticed = threading.Event()

        def hit(call: Call) -> None:
            started[0].send_signal(send)
            assert send == signal.SIGKILL or noticed.wait(60)

        self.local.faults.do(hit, words, when=when)
        started.append(self.start(*APPLY, "--user", "ada", "--reason", reason))
        text = printed_by(started[0], noticed)
        self.local.faults.clear()
        return started[0].returncode, text

    def bodies(self) -> dict[str, str]:
        rows = self.local.sql(f"SHOW TASKS IN SCHEMA {self.local.database}.SMALL")
        return {row["name"]: row["definition"] for row in rows if row["name"] != "SMALL"}

    def is_on(self) -> bool:
        rows = self.local.sql(f"SHOW TASKS LIKE 'SMALL' IN SCHEMA {self.local.database}.SMALL")
        return bool(rows and rows[0]["state"] == "started")
