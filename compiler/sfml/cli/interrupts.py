"""Ctrl-C and SIGTERM while a graph is changed: ask to stop, stop at once, or come too late to undo anything."""

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
_GIVE_BACK = "sfml.interrupts"
_STOP: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


class TooLate(KeyboardInterrupt):
    """A command that has done its work is to end at once: what it did stays done."""


@contextmanager
def ended_gently() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that the lease is given back."""
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
        # Not when `stopping` has left its own: the work is done then, and stays protected to the end.
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, before)


@contextmanager
def stopping(stop: threading.Event, is_done: Callable[[], bool]) -> Iterator[None]:
    """The first signal asks to stop after the call that is under way, the second stops at once.

    Once `is_done`, a signal stops nothing any more: the command gives back what it holds and ends as it would have.
    That stays so until the command ends, or until `give_back` says that more work begins.
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
            output.note("it is done already; ending …")
            return
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        output.note("stopping after the call that is under way …")

    before = {number: signal.signal(number, received) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    context = click.get_current_context(silent=True)
    try:
        yield
    finally:
        if context is not None and is_done():
            context.meta[_GIVE_BACK] = (restore, late)
            context.call_on_close(restore)
        else:
            restore()


def give_back() -> bool:
    """Let signals end the command again: what it was asked for first is done, and something else begins.

    Answers whether somebody asked it to end meanwhile.
    """
    context = click.get_current_context(silent=True)
    kept = context.meta.pop(_GIVE_BACK, None) if context else None
    if kept is None:
        return False
    restore, late = kept
    restore()
    return bool(late.is_set())


def heeding(stop: threading.Event, work: Callable[[], T]) -> T:
    """What the work answers, which is asked to stop by this event: signals reach the main thread alone."""
    _STOP.set(stop)
    return work()


def stop_event() -> threading.Event:
    """What asks the work of this context to stop; one that nobody sets where signals end it."""
    return _STOP.get() or threading.Event()


def pause(seconds: float) -> None:
    """Sleep; raises `deploy.Stopped` when the work of this context is asked to stop."""
    stop = _STOP.get()
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        from sfml.operations.deploy import StopRequested

        raise StopRequested("stopped as you asked")
