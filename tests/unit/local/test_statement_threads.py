"""The threads in which the server executes statements."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from sfml_local.core import deep
from sfml_local.core.deep import in_thread


def called(*functions: Callable[[], object]) -> list[object]:
    """The results of functions that are called at the same time, and the exceptions of those that fail."""

    async def call() -> list[object]:
        return await asyncio.gather(*map(in_thread, functions), return_exceptions=True)

    return asyncio.run(call())


def test_a_result_and_a_failure_reach_the_caller() -> None:
    def fail() -> None:
        raise KeyError("absent")

    assert called(lambda: 1) == [1]
    [failure] = called(fail)
    assert isinstance(failure, KeyError)


def test_one_after_the_other_runs_in_one_thread() -> None:
    assert len({called(threading.get_ident)[0] for _ in range(20)}) == 1


def test_what_finds_no_thread_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    most = deep.IDLE + 2
    monkeypatch.setattr(deep, "MOST", most)
    meeting = threading.Barrier(most, timeout=30)
    lock, present, highest = threading.Lock(), 0, 0

    def meet() -> None:
        nonlocal present, highest
        with lock:
            present += 1
            highest = max(highest, present)
        meeting.wait()
        with lock:
            present -= 1

    assert called(*[meet] * (3 * most)) == [None] * (3 * most)
    assert highest == most


def test_a_system_that_allows_no_thread_fails_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "MOST", 0)
    monkeypatch.setattr(deep, "_idle", [])
    monkeypatch.setattr(deep, "_threads", 0)
    [failure] = called(lambda: 1)
    assert isinstance(failure, RuntimeError)


FORKED = """
import asyncio, os
from sfml_local.core.deep import deeply, in_thread
asyncio.run(in_thread(int))
child = os.fork()
if not child:
    os._exit(asyncio.run(in_thread(lambda: 7)) + deeply(lambda: 1))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_process_has_threads_of_its_own() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "8\n"
