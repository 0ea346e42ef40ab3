"""Each worker keeps the threads of its process on one core, and goes to another one that has nothing to do.

A statement passes from the test's thread to the local server's and back, several times. Between two cores that costs a
tenth of all processor time, and no two of these threads run at once: they share Python's lock. What a worker starts may
run on every core.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

LOOK = 0.1
"""Seconds between two looks at how busy the cores are, at least."""

IDLE, BUSY = 0.25, 0.1
"""The share of its time that a core is idle at least to be gone to, and at most to be left."""

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
STATISTICS = Path("/proc/stat")
THREADS = Path("/proc/self/task")


def cores() -> frozenset[int]:
    """The cores on which this process may run."""
    if sys.platform != "linux":
        return frozenset(range(os.cpu_count() or 1))
    return frozenset(os.sched_getaffinity(0))


def can_choose(allowed: frozenset[int]) -> bool:
    return sys.platform == "linux" and len(allowed) > 1 and STATISTICS.exists()


class WorkerCore:
    """The core of this worker, which may change between two tests."""

    def __init__(self, number: int, allowed: frozenset[int]) -> None:
        self.allowed = allowed
        self._looked_at, self._idle = time.monotonic(), idle_seconds()
        self._go(sorted(allowed)[number % len(allowed)])
        self._let_children_choose()

    def pytest_runtest_logstart(self) -> None:
        passed = time.monotonic() - self._looked_at
        if passed < LOOK:
            return
        idle = idle_seconds()
        shares = {core: (idle.get(core, 0.0) - self._idle.get(core, 0.0)) / passed for core in self.allowed}
        self._looked_at, self._idle = self._looked_at + passed, idle
        better = better_core(self.core, shares)
        # One of two neighbours is to go, and neither knows what the other one does.
        if better is not None and random.random() < 0.5:
            self._go(better)

    def _go(self, core: int) -> None:
        self.core, self.home = core, frozenset({core})
        for thread in THREADS.iterdir():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), self.home)

    def _let_children_choose(self) -> None:
        """Start processes with all cores: they have those of the thread that starts them."""
        start = subprocess.Popen.__init__

        def in_child() -> None:
            self.home = self.allowed
            os.sched_setaffinity(0, self.allowed)

        @wraps(start)
        def with_all_cores(*arguments: Any, **options: Any) -> None:
            with self._all_cores():
                start(*arguments, **options)

        subprocess.Popen.__init__ = with_all_cores  # type: ignore[method-assign]
        os.register_at_fork(after_in_child=in_child)

    @contextlib.contextmanager
    def _all_cores(self) -> Iterator[None]:
        os.sched_setaffinity(0, self.allowed)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self.home)


def better_core(core: int, shares: Mapping[int, float]) -> int | None:
    """The core to go to, by the share of its time that each was idle, or none."""
    best = max(shares, key=lambda other: (shares[other], -other))
    return best if shares[best] > IDLE and shares[core] < BUSY else None


def idle_seconds() -> dict[int, float]:
    """How long each core of the machine has had nothing to do, since it was started."""
    lines = (line.split() for line in STATISTICS.read_text().splitlines())
    # The name of a core, and ticks for: user, nice, system, idle, waiting for a disk.
    return {
        int(words[0][3:]): (int(words[4]) + int(words[5])) / TICKS
        for words in lines
        if words and words[0].startswith("cpu") and words[0] != "cpu"
    }


def keep_to_a_core(config: pytest.Config, worker: str) -> None:
    """Give worker `gwN` a core, where the system lets it choose."""
    allowed = cores()
    if can_choose(allowed):
        config.pluginmanager.register(WorkerCore(int(worker.removeprefix("gw")), allowed))
