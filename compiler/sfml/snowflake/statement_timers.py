"""Timers of statements that share one thread.

The connector cancels a statement that takes longer than the connection's network timeout, and starts a thread for each
statement that waits for this. Starting it takes a tenth of what a statement takes the client, and the thread then
competes with the one that reads the answer.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class StatementTimer:
    """What the connector uses of its timer: `start`, `cancel`, and whether it was `executed`."""

    def __init__(
        self,
        interval: float,
        function: Callable[..., object],
        args: Iterable[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """`interval` is in seconds from the start."""
        self._interval = interval
        self._call = (function, tuple(args or ()), dict(kwargs or {}))
        self.due = 0.0
        self.executed = False

    def start(self) -> None:
        self.due = time.monotonic() + self._interval
        _watch.add(self)

    def cancel(self) -> None:
        _watch.remove(self)

    def run(self) -> None:
        function, args, kwargs = self._call
        function(*args, **kwargs)
        self.executed = True


class _Watch:
    """The started timers, and a thread that sleeps until the first of them is due."""

    def __init__(self) -> None:
        self._timers: set[StatementTimer] = set()
        self._thread: threading.Thread | None = None
        self._wakes = 0.0
        # Reentrant, because a signal's handler may cancel a timer.
        self._changed = threading.Condition(threading.RLock())

    def add(self, timer: StatementTimer) -> None:
        with self._changed:
            self._timers.add(timer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="statement-timers", daemon=True)
                self._thread.start()
            elif timer.due < self._wakes:
                self._changed.notify()

    def remove(self, timer: StatementTimer) -> None:
        """The thread is not woken: it looks at the others when it would have looked at this one."""
        with self._changed:
            self._timers.discard(timer)

    def _serve(self) -> None:
        while (due := self._due()) is not None:
            for timer in due:
                # Cancelling a statement may take longer than another timer can wait.
                threading.Thread(target=timer.run, name="statement-timer", daemon=True).start()

    def _due(self) -> list[StatementTimer] | None:
        """Wait for timers that are due, and take them; None, and no thread any more, if there are no timers."""
        with self._changed:
            while self._timers:
                now = time.monotonic()
                if due := [timer for timer in self._timers if timer.due <= now]:
                    self._timers.difference_update(due)
                    return due
                self._wakes = min(timer.due for timer in self._timers)
                self._changed.wait(self._wakes - now)
            self._thread = None
            return None


_watch = _Watch()


def _renew() -> None:
    """A forked process has none of its parent's threads."""
    global _watch
    _watch = _Watch()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
