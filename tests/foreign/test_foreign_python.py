"""The private names of Python itself that are read, each with the rule that rests on it."""

from __future__ import annotations

import atexit
import sys
import threading


def test_python_has_its_private_names() -> None:
    assert isinstance(sys._xoptions, dict), "lower/programs.py: where Snowflake unpacks a procedure's imports"
    assert callable(getattr(threading, "_shutdown", None)), (
        "local/as_main.py: a forked job waits for its threads"
    )
    assert callable(getattr(atexit, "_run_exitfuncs", None)), (
        "local/as_main.py: a forked job runs its exit hooks"
    )
