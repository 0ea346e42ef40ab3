"""Processes that are kept for later calls: the least used idle ones end when there are too many."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Process(Protocol):
    """A process, or what starts one again once it has ended."""

    @property
    def is_over(self) -> bool:
        """Whether another one has to take its place."""

    def stop(self) -> None:
        """End it, also in the middle of a call."""


Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept", bound=Process)


@dataclass(slots=True)
class _Entry(Generic[Kept]):
    process: Kept
    calls: int = 0
    """The number of threads that use it."""
    used: float = field(default_factory=time.monotonic)
    """When the last one let go of it."""


class Pool(Generic[Key, Kept]):
    """The processes of an account for one purpose, by what each is for."""

    def __init__(self, most: int, make: Callable[[Key], Kept]) -> None:
        """At most `most` processes are kept while nobody uses them."""
        self._most = most
        self._make = make
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry[Kept]] = OrderedDict()

    @contextlib.contextmanager
    def of(self, key: Key) -> Iterator[Kept]:
        """The process for a key, to be used within the block; idle ones give way to it."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None or entry.process.is_over:
                entry = _Entry(self._make(key))
            self._entries[key] = entry
            entry.calls += 1
        try:
            yield entry.process
        finally:
            with self._lock:
                entry.calls -= 1
                entry.used = time.monotonic()
                idle = [key for key, one in self._entries.items() if not one.calls]
                surplus = self._taken(idle[: max(0, len(self._entries) - self._most)])
            _stop(surplus)

    def end(self, is_meant: Callable[[Key, Kept], bool] = lambda key, process: True) -> None:
        """End the processes that are meant, by default all, also in the middle of a call."""
        with self._lock:
            ended = self._taken([key for key, one in self._entries.items() if is_meant(key, one.process)])
        _stop(ended)

    def end_idle(self, seconds: float) -> bool:
        """End the processes that nobody has used for so long; whether there were any."""
        limit = time.monotonic() - seconds
        with self._lock:
            ended = self._taken(
                [key for key, one in self._entries.items() if not one.calls and one.used < limit]
            )
        _stop(ended)
        return bool(ended)

    @property
    def is_empty(self) -> bool:
        return not self._entries

    def _taken(self, keys: list[Key]) -> list[Kept]:
        return [self._entries.pop(key).process for key in keys]


def _stop(processes: list[Kept]) -> None:
    for process in processes:
        process.stop()
