"""Clocks of an account: the machine's, or one that is moved by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol


def now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class Follower(Protocol):
    """A component that works at times which it knows beforehand."""

    def next_due(self) -> datetime | None: ...

    def fire(self) -> None: ...

    def settle(self) -> None: ...


class ManualClock:
    """A clock for tests: time does not move until `advance` moves it, stopping at each due moment.

    `Account(folder, clock=ManualClock(start))` fires schedules in the thread that calls `advance`.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._lock = threading.Lock()
        self._followers: list[Follower] = []

    def __call__(self) -> datetime:
        with self._lock:
            return self._now

    def follow(self, follower: Follower) -> None:
        """Register a component that `advance` calls when it is due."""
        self._followers.append(follower)

    def leave(self, follower: Follower) -> None:
        if follower in self._followers:
            self._followers.remove(follower)

    def advance(
        self, by: timedelta | None = None, *, to: datetime | None = None, settle: bool = True
    ) -> None:
        """Move to a later moment; all work due until then is done in order, each at its own time.

        `settle` waits until work that began has ended, before time moves on.
        """
        end = to if to is not None else self() + (by or timedelta())
        while (moment := self._next(end)) is not None:
            self._set(max(moment, self()))
            for follower in self._followers:
                follower.fire()
            if settle:
                self.settle()
        self._set(max(end, self()))

    def settle(self) -> None:
        """Wait until work that began has ended."""
        for follower in self._followers:
            follower.settle()

    def _next(self, end: datetime) -> datetime | None:
        found = [moment for f in self._followers if (moment := f.next_due()) is not None and moment <= end]
        return min(found, default=None)

    def _set(self, moment: datetime) -> None:
        with self._lock:
            self._now = moment
