"""The end of the process: the outcome is told, and Ctrl-C no longer changes it."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType


def keep_exit_code(code: int) -> None:
    """From here on, Ctrl-C ends the process at once, with this code and without a traceback.

    Python still waits for threads, and for connections that are closed: people press again meanwhile. Its own handler
    would raise KeyboardInterrupt in the middle of that; later, it lets the signal kill the process.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    ):
        return

    def leave(number: int, frame: FrameType | None) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code)

    signal.signal(signal.SIGINT, leave)


def ignore_interrupts_at_last() -> None:
    """Ignore Ctrl-C once everything else is done; to be called first, as Python calls the first one last."""
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
