"""Ctrl-C is heard the first time, also where it arrives in a callback whose exceptions Python ignores."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, time, weakref
from sfml.cli.entry import prepare_process

class Held: pass

def interrupted(_=None):
    {within}

prepare_process()
held = Held()
reference = weakref.ref(held, interrupted)
try:
    del held
    time.sleep(300)
    print("not heard")
except KeyboardInterrupt:
    print("heard")
"""


def ended(within: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(within=within)], capture_output=True, text=True, timeout=60
    )


def test_an_interrupt_within_a_callback_is_heard_without_a_traceback() -> None:
    found = ended("os.kill(os.getpid(), signal.SIGINT); time.sleep(1)")
    assert (found.stdout, found.stderr, found.returncode) == ("heard\n", "", 0)


@pytest.mark.parametrize("error", ["ValueError", "SystemExit"])
def test_other_errors_of_callbacks_are_printed_as_before(error: str) -> None:
    found = ended(
        f"signal.alarm(1); signal.signal(signal.SIGALRM, signal.default_int_handler); raise {error}('x')"
    )
    assert found.stdout == "heard\n"
    assert f"{error}: x" in found.stderr
