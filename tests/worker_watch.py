"""A worker that dies ends the whole run, with a failure and soon, whatever the other workers do."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

LOOK, GRACE = 1.0, 15.0
"""Seconds between two looks at the workers, and between one's death, the others' end and that of the run."""


FOLDER = "sfml_workers"
"""The key under which a worker is told where to leave the number of its process."""


def report_worker(workerinput: Mapping[str, Any]) -> None:
    """Leave this worker's process number where the watch reads it."""
    if FOLDER in workerinput:
        (Path(workerinput[FOLDER]) / workerinput["workerid"]).write_text(str(os.getpid()))


class WorkerWatch:
    """Looks after the workers of a run from the process that hands tests out.

    xdist hears of a death on a pipe, which a process that the dead worker left behind may hold open for ever. And when
    it hears, it waits until the other workers have done all that was handed out to them.
    """

    def __init__(self) -> None:
        self._workers: dict[str, int] = {}
        self._over = threading.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="sfml-workers-")
        threading.Thread(target=self._watch, name="worker-watch", daemon=True).start()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[FOLDER] = self._folder.name

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        name = node.gateway.id
        self._workers[name] = int((Path(self._folder.name) / name).read_text())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        if not error:
            self._workers.pop(node.gateway.id, None)

    def pytest_unconfigure(self) -> None:
        self._over.set()
        self._folder.cleanup()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            for name, pid in list(self._workers.items()):
                # The worker that has said its last word is taken off the list a moment later.
                if not is_alive(pid) and not self._over.wait(LOOK) and name in self._workers:
                    self._end(name, pid)
                    return

    def _end(self, name: str, pid: int) -> None:
        say(f"worker {name} (process {pid}) died: the run fails")
        if self._over.wait(GRACE):
            return
        for other in self._workers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
        if not self._over.wait(GRACE):
            say("the run does not end by itself")
            os._exit(3)


def say(text: str) -> None:
    print(f"\n{text}", file=sys.__stderr__, flush=True)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()
