"""Handles Ctrl-C and SIGTERM during a change of a graph: the first stops after the current call, the second at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import TypeVar

import click

from sfml.cli import output

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_RESTORE = "sfml.interrupts"
_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


class TooLate(KeyboardInterrupt):
    """The user interrupts a command that has already finished its work; nothing is undone."""


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """In the block, SIGTERM raises `KeyboardInterrupt` as Ctrl-C does, so that the lease is released."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(lambda: signal.signal(signal.SIGTERM, before))
    try:
        yield
    finally:
        # Not if `stopping` has installed its handler: the work is done then, and stays protected to the end.
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def stopping(stop: threading.Event, is_done: Callable[[], bool]) -> Iterator[None]:
    """In the block, the first signal sets `stop`, to end after the current call; the second one stops at once.

    Once `is_done` returns true, a signal no longer stops anything: the command releases its lease and ends normally.
    This holds until the command ends, or until `restore_signals` is called because more work begins.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late = threading.Event()

    def received(number: int, frame: FrameType | None) -> None:
        if is_done():
            if late.is_set():
                raise TooLate
            late.set()
            output.note("the work is already done; ending …")
            return
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        output.note("stopping after the current call …")

    before = {number: signal.signal(number, received) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    context = click.get_current_context(silent=True)
    try:
        yield
    finally:
        if context is not None and is_done():
            context.meta[_RESTORE] = (restore, late)
            context.call_on_close(restore)
        else:
            restore()


def restore_signals() -> bool:
    """Let signals end the command again, because its first work is done and other work begins.

    Returns whether a signal has arrived meanwhile.
    """
    context = click.get_current_context(silent=True)
    kept = context.meta.pop(_RESTORE, None) if context else None
    if kept is None:
        return False
    restore, late = kept
    restore()
    return bool(late.is_set())


def call_with_stop(stop: threading.Event, work: Callable[[], T]) -> T:
    """Call `work` with `stop` as its stop event; needed in threads, because signals reach only the main thread."""
    _STOP.set(stop)
    return work()


def stop_event() -> threading.Event:
    """The stop event of this context; a new one, which is never set, if there is none."""
    return _STOP.get() or threading.Event()


def pause(seconds: float) -> None:
    """Sleep; raises `StopRequested` when the stop event of this context is set."""
    stop = _STOP.get()
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        from sfml.operations.deployer import StopRequested

        raise StopRequested("stopped as you asked")
