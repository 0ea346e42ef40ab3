"""The threads in which statements are executed, with room for deep recursion.

Statements are parsed and rewritten recursively, with 17 frames per parenthesis.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

FRAMES = 10_000
"""Python's recursion limit during such work: enough for 200 levels of nesting, and for chains of 1,000 terms."""

STACK = 32 * 2**20
"""Bytes of stack of such a thread, reserved but only used on demand; DuckDB recurses on it, too."""

SHORT = 80
"""A statement with at most this many characters needs no higher limit."""

IDLE = 8
"""How many idle threads are kept; each has a connection to the account's store."""

MOST = 256
"""Threads that work for event loops. A task waits in one for its child process, whose queries need further ones."""

Tell = Callable[[], object]
Work = Callable[[], Tell]
"""Does something, and returns what tells the caller of it: a thread is free for the next work before that."""

_lock = threading.Lock()
_idle: list[SimpleQueue[Work]] = []
_waiting: deque[Work] = deque()
_threads = 0
_busy = 0
_usual = 0


def deeply(function: Callable[[], T]) -> T:
    """Call the function in a thread with room for deep recursion; returns its result, or raises its exception.

    The caller must not hold a lock that the function acquires, because the function runs in another thread.
    """
    future: Future[T] = Future()
    context = contextvars.copy_context()

    def work() -> Tell:
        try:
            return partial(future.set_result, context.run(function))
        except BaseException as error:
            return partial(future.set_exception, error)

    with _room():
        if not _handed_over(work):  # the system allows no more threads, so use this one
            work()()
        return future.result()


async def in_thread(function: Callable[[], T], *, deep: bool = False) -> T:
    """Call the function in such a thread while the event loop goes on; `deep` gives it room for deep recursion.

    A caller that is cancelled no longer waits, and the function goes on.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    call = partial(contextvars.copy_context().run, function)

    def work() -> Tell:
        return partial(_tell, loop, partial(_end, done, *_called(call, deep=deep)))

    if not _handed_over(work, MOST):
        _wait_for_thread(work)
    return await done


def _called(call: Callable[[], T], *, deep: bool) -> tuple[T | None, BaseException | None]:
    """The function's result, or its exception."""
    try:
        if not deep:
            return call(), None
        with _room():
            return call(), None
    except BaseException as error:
        return None, error


def _tell(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
        loop.call_soon_threadsafe(end)


def _end(done: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _handed_over(work: Work, most: float = math.inf) -> bool:
    """Whether an idle thread, or a new one if there are fewer than `most`, accepted the work."""
    global _threads
    with _lock:
        if _idle:
            _idle.pop().put(work)
            return True
        if _threads >= most:
            return False
        works: SimpleQueue[Work] = SimpleQueue()
        works.put(work)
        usual = threading.stack_size(STACK)
        try:
            threading.Thread(target=_serve, args=(works,), name="statements", daemon=True).start()
        except RuntimeError:
            return False
        finally:
            threading.stack_size(usual)
        _threads += 1
        return True


def _wait_for_thread(work: Work) -> None:
    """Leave the work to the first thread that has time for it; raises RuntimeError if there is none."""
    with _lock:
        if not _threads:
            raise RuntimeError("the system allows no thread")
        if _idle:
            _idle.pop().put(work)
        else:
            _waiting.append(work)


def _serve(works: SimpleQueue[Work]) -> None:
    goes_on = True
    while goes_on:
        tell = works.get()()
        goes_on = _is_free(works)
        tell()
        del tell


def _is_free(works: SimpleQueue[Work]) -> bool:
    """Make a thread wait for its next work; false if there are enough that do."""
    global _threads
    with _lock:
        if _waiting:
            works.put(_waiting.popleft())
        elif len(_idle) < IDLE:
            _idle.append(works)
        else:
            _threads -= 1
            return False
        return True


def _forget_threads() -> None:
    """A forked process has none of its parent's threads."""
    global _lock, _threads, _busy
    _lock = threading.Lock()
    _idle.clear()
    _waiting.clear()
    _threads = _busy = 0


os.register_at_fork(after_in_child=_forget_threads)


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
