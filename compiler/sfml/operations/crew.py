"""Makes independent calls at the same time, waits for all of them, and tells what went wrong in their order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context

from sfml.base.errors import AccountBusy, ConnectionFailed, SfmlError

WIDTH = 8
"""Calls that are under way at the same time."""

Call = Callable[[], None]


class Crew:
    """Some threads; one by one once the account says that calls get into each other's way (091423).

    Tasks of one graph share its version, so an account may refuse to change two at once.
    """

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self._single = threading.Event()
        self._turn = threading.Lock()

    def turn(self) -> contextlib.AbstractContextManager[object]:
        """What a call is made within: nothing, or everybody else's standing still."""
        return self._turn if self._single.is_set() else contextlib.nullcontext()

    def noticed(self, error: ConnectionFailed) -> None:
        """Go one by one from now on when the error says so."""
        if isinstance(error, AccountBusy) and error.collided:
            self._single.set()

    def carry_out(self, calls: Sequence[Call]) -> None:
        """Make every call; raises the first error in the order of the calls, with what else failed in its words."""
        # A single call has a thread of its own too: in the main one the connector would take Ctrl-C for itself, and
        # end the statement that is under way.
        with ThreadPoolExecutor(max_workers=self._width, thread_name_prefix="sfml-call") as pool:
            # Each in a copy of the caller's context, so that what it says goes where the caller's words go.
            futures = [pool.submit(copy_context().run, call) for call in calls]
            try:
                wait(futures)
            except BaseException:
                # Whoever stops at once gives the lease back next: no call of ours may be under way by then.
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise _first(errors)


def _first(errors: Sequence[BaseException]) -> BaseException:
    """The first error that is none of ours, so that a bug is not hidden; else the first, naming the others."""
    for error in errors:
        if not isinstance(error, SfmlError):
            return error
    first = errors[0]
    assert isinstance(first, SfmlError), "all others were returned"
    others = [error.message for error in errors[1:] if isinstance(error, SfmlError)]
    told = [message for message in dict.fromkeys(others) if message != first.message]
    if told:
        more = "; ".join(told[:3])
        return first.reworded(
            f"{first.message} (and {len(told)} more: {more}{' …' if len(told) > 3 else ''})"
        )
    return first
