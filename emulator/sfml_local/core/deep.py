"""Threads for work that recurses far: statements are read and rewritten by recursion, 17 frames a parenthesis."""

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
"""Python's limit while such work is done: room for 200 levels of anything, and for chains of some thousand terms."""

STACK = 32 * 2**20
"""Bytes of stack of a thread that does it, reserved and used as it is needed: DuckDB recurses on it, too."""

SHORT = 80
"""Characters of a statement that cannot need more than any thread has."""

IDLE = 8
"""How many threads are kept for later; each holds its connection to the account's store."""

_lock = threading.Lock()
_idle: list[SimpleQueue[Callable[[], None]]] = []
_busy = 0
_usual = 0


def deeply(function: Callable[[], T]) -> T:
    """What the function answers or raises, from another thread that has room for deep recursion.

    The caller must hold no lock that the function takes: it is another thread's.
    """
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(function))
        except BaseException as error:
            future.set_exception(error)

    with _room():
        if not _handed_over(work):  # the machine gives no more threads: do what this one can do
            work()
        return future.result()


def _handed_over(work: Callable[[], None]) -> bool:
    """Whether a thread, idle or new, took the work."""
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
    """Raise the limit, which is the whole process's, for as long as somebody needs it."""
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
