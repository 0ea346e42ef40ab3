"""Makes independent calls in parallel, waits for all of them, and raises their errors in a fixed order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context

from sfml.base.errors import AccountBusy, ConnectionFailed, SfmlError

WIDTH = 8
"""The maximum number of parallel calls."""

Call = Callable[[], None]


class ParallelCalls:
    """Makes calls in threads: in parallel, or one by one after the account has reported a collision (091423).

    The tasks of a graph share its version, so an account may refuse two changes at the same time.
    """

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self._single = threading.Event()
        self._turn = threading.Lock()
        self._kept: ThreadPoolExecutor | None = None

    def turn(self) -> contextlib.AbstractContextManager[object]:
        """The context for a call: a lock once calls are made one by one, otherwise nothing."""
        return self._turn if self._single.is_set() else contextlib.nullcontext()

    def note_collision(self, error: ConnectionFailed) -> None:
        """Make calls one by one from now on, if the error reports a collision."""
        if isinstance(error, AccountBusy) and error.collided:
            self._single.set()

    @contextlib.contextmanager
    def threads(self) -> Iterator[ThreadPoolExecutor]:
        """The threads for calls during the block; each `run_all` within it uses them. At its end no call is running."""
        if self._kept is not None:
            yield self._kept
            return
        with ThreadPoolExecutor(max_workers=self._width, thread_name_prefix="sfml-call") as pool:
            self._kept = pool
            try:
                yield pool
            except BaseException:
                # After an immediate stop, the lease is released next; no call may be running then.
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            finally:
                self._kept = None

    def run_all(self, calls: Sequence[Call]) -> None:
        """Make every call. Raises the first error in the order of the calls; its message includes the others."""
        # Even a single call runs in a thread: in the main thread, the connector would handle Ctrl-C itself, and cancel
        # the running statement.
        with self.threads() as pool:
            # Each call runs in a copy of the caller's context, so that its output goes to the same outlet.
            futures = [pool.submit(copy_context().run, call) for call in calls]
            wait(futures)
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise _first(errors)


def _first(errors: Sequence[BaseException]) -> BaseException:
    """The first unexpected exception, so that no bug is hidden; else the first `SfmlError`, naming the others."""
    for error in errors:
        if not isinstance(error, SfmlError):
            return error
    first = errors[0]
    assert isinstance(first, SfmlError), "all others were returned"
    others = [error.message for error in errors[1:] if isinstance(error, SfmlError)]
    messages = [message for message in dict.fromkeys(others) if message != first.message]
    if messages:
        more = "; ".join(messages[:3])
        return first.reworded(
            f"{first.message} (and {len(messages)} more: {more}{' …' if len(messages) > 3 else ''})"
        )
    return first
