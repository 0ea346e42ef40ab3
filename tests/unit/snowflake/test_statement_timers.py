"""Timers of statements share one thread, and each calls its function in its own time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from sfml.snowflake.statement_timers import StatementTimer


def started(seconds: float, function: object, *args: object) -> StatementTimer:
    timer = StatementTimer(seconds, function, args)  # type: ignore[arg-type]
    timer.start()
    return timer


def watches() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "statement-timers"]


def test_many_wait_in_one_thread_and_the_shortest_is_not_kept_by_the_longest() -> None:
    called: list[str] = []
    ended = threading.Event()
    long = [started(600, called.append, "long") for _ in range(100)]
    assert len(watches()) == 1
    short = started(0.02, ended.set)
    assert ended.wait(10)
    for timer in long:
        timer.cancel()
    assert called == []
    assert not any(timer.executed for timer in long)
    for thread in threading.enumerate():
        if thread.name == "statement-timer":
            thread.join(10)
    assert short.executed


def test_a_cancelled_one_calls_nothing() -> None:
    called: list[str] = []
    ended = threading.Event()
    cancelled = started(0.02, called.append, "cancelled")
    cancelled.cancel()
    cancelled.cancel()
    started(0.04, ended.set)
    assert ended.wait(10)
    assert called == []
    assert not cancelled.executed


def test_a_call_that_takes_long_keeps_no_other_waiting() -> None:
    other, both = threading.Event(), threading.Event()
    started(0.01, lambda: other.wait(10) and both.set())
    started(0.03, other.set)
    assert both.wait(10)


def test_the_thread_ends_with_the_last_one_and_the_next_has_another() -> None:
    ended = threading.Event()
    started(0.01, ended.set)
    [thread] = watches()
    assert ended.wait(10)
    thread.join(10)
    assert not thread.is_alive()
    again = threading.Event()
    started(0.01, again.set)
    assert again.wait(10)


FORKED = """
import os, threading
from sfml.snowflake.statement_timers import StatementTimer
StatementTimer(600, print).start()
child = os.fork()
if not child:
    ended = threading.Event()
    StatementTimer(0.01, ended.set).start()
    os._exit(7 if ended.wait(10) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "7\n"
