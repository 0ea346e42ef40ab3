"""Commands that share a process: each with its exit code, the first alone with what it reports."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = "from sfml.cli.several import main; main()"
KILLED = """
import os, signal
from sfml.cli import several
several.run = lambda arguments: 0 if arguments == ["first"] else os.kill(os.getpid(), signal.SIGKILL)
several.main()
"""
INTERRUPTED = """
from sfml.cli import several
def interrupt(arguments): raise KeyboardInterrupt
several.run = interrupt
several.main()
"""


def ended(program: str, *commands: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, "|", *commands], capture_output=True, text=True, timeout=60
    )


def test_each_command_has_its_output_and_its_exit_code() -> None:
    found = ended(PROGRAM, "explain SF1", "--version", "no-such-command")
    refused, code, version, well, nothing, wrong, end = found.stdout.split("|")
    assert (refused, code, well, nothing, wrong, end) == ("", "2", "0", "", "2", "")
    assert version.startswith("sfml ")
    assert "SF1" in found.stderr and "no-such-command" not in found.stderr


def test_what_had_ended_is_told_where_the_process_is_killed() -> None:
    found = ended(KILLED, "first", "second")
    assert found.stdout == "|0|" and found.returncode < 0


def test_an_interrupt_leaves_no_traceback() -> None:
    found = ended(INTERRUPTED, "first", "second")
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 130)
