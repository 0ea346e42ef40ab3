"""Ctrl-C within a callback that Python calls by itself, such as that of a weak reference, is heard like any other.

Python would print its traceback as that of an error that is ignored, and go on: people would have to press again.
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress
from typing import Any

SOON = 0.05
"""Seconds until the interrupt is repeated, when the callback has ended."""


def hear_every_interrupt() -> None:
    """Repeat interrupts of callbacks in the main thread; what else Python cannot raise is printed as before."""
    usual = sys.unraisablehook

    def repeat(unraisable: Any) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            usual(unraisable)
            return
        again = threading.Timer(SOON, _interrupt)
        again.daemon = True
        with suppress(RuntimeError):  # Python ends, and starts no more threads
            again.start()

    sys.unraisablehook = repeat


def _interrupt() -> None:
    """Interrupt the main thread, also where it waits in a call of the system."""
    if hasattr(signal, "pthread_kill"):
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)
