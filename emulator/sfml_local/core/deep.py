"""Threads for deep recursion: statements are parsed and rewritten recursively, with 17 frames per parenthesis."""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

FRAMES = 10_000
"""Python's recursion limit during such work: enough for 200 levels of nesting, and for chains of 1,000 terms."""

STACK = 32 * 2**20
"""Bytes of stack of such a thread, reserved but only used on demand; DuckDB recurses on it, too."""

SHORT = 80
"""A statement with at most this many characters needs no special thread."""

IDLE = 8
"""How many idle threads are kept; each has a connection to the account's store."""

_lock = threading.Lock()
_idle: list[SimpleQueue[Callable[[], None]]] = []
_busy = 0
_usual = 0


def deeply(function: Callable[[], T]) -> T:
    """Call the function in a thread with room for deep recursion; returns its result, or raises its exception.

    The caller must not hold a lock that the function acquires, because the function runs in another thread.
    """
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(function))
        except BaseException as error:
            future.set_exception(error)

    with _room():
        if not _handed_over(work):  # the system allows no more threads, so use this one
            work()
        return future.result()


def _handed_over(work: Callable[[], None]) -> bool:
    """Whether an idle or new thread accepted the work."""
    with _lock:
        if _idle:
            _idle.pop().put(work)
            return True
        works: SimpleQueue[Callable[[], None]] = SimpleQueue()
        works.put(work)
        usual = threading.stack_size(STACK)
        try:
            threading.Thread(target=_serve, args=(works,), name="statements", daemon=True).start()
        except RuntimeError:
            return False
        finally:
            threading.stack_size(usual)
        return True


def _serve(works: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        works.get()()
        with _lock:
            if len(_idle) >= IDLE:
                return
            _idle.append(works)


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Raise the recursion limit, which applies to the whole process, while any thread needs it."""
    global _busy, _usual
    with _lock:
        if not _busy:
            _usual = sys.getrecursionlimit()
            sys.setrecursionlimit(max(_usual, FRAMES))
        _busy += 1
    try:
        yield
    finally:
        with _lock:
            _busy -= 1
            if not _busy:
                sys.setrecursionlimit(_usual)
