"""On which core a worker of the suite keeps its threads, and when it goes to another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import worker_cores
from worker_cores import BUSY, IDLE, better_core, idle_seconds

TESTS = Path(__file__).parents[2]

IN_A_WORKER = """
import json, os, subprocess, sys, threading
from worker_cores import THREADS, WorkerCore, can_choose, cores

if not can_choose(cores()):
    sys.exit()

def all_threads():
    return [sorted(os.sched_getaffinity(int(thread.name))) for thread in THREADS.iterdir()]

def started():
    return json.loads(subprocess.check_output([sys.executable, "-c",
        "import os; print(sorted(os.sched_getaffinity(0)))"]))

def forked(asked):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, json.dumps(asked()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return json.loads(os.read(read, 1000))

over, allowed = threading.Event(), cores()
early = threading.Thread(target=over.wait, daemon=True); early.start()
worker = WorkerCore(1, allowed)
late = threading.Thread(target=over.wait, daemon=True); late.start()
told = [all_threads(), started(), all_threads()]
told += [forked(all_threads), forked(started), forked(lambda: started() and all_threads())]
worker._go(min(allowed))
print(json.dumps([sorted(allowed), *told, all_threads()]))
over.set()
"""


def test_threads_are_on_one_core_and_what_they_start_is_on_all() -> None:
    path = os.pathsep.join([str(TESTS), *sys.path])
    answer = subprocess.check_output(
        [sys.executable, "-c", IN_A_WORKER], env={**os.environ, "PYTHONPATH": path}, text=True
    )
    if not answer:
        pytest.skip("a process may not choose its core here, or has one only")
    every, before, started, after, forked, started_by_fork, after_fork, moved = json.loads(answer)
    assert before == after == [[every[1]]] * 3
    assert started == started_by_fork == every
    assert forked == after_fork == [every]
    assert moved == [[every[0]]] * 3


@pytest.mark.parametrize(
    ("shares", "gone_to"),
    [
        ({0: 0.0, 1: 0.9}, 1),
        ({0: 0.0, 1: 0.3, 2: 0.9}, 2),
        ({0: 0.0, 1: 0.9, 2: 0.9}, 1),
        ({0: 0.0, 1: IDLE}, None),
        ({0: BUSY, 1: 0.9}, None),
        ({0: 0.9, 1: 0.0}, None),
        ({0: 0.0, 1: 0.0}, None),
    ],
)
def test_a_worker_leaves_a_busy_core_for_an_idle_one(shares: dict[int, float], gone_to: int | None) -> None:
    assert better_core(0, shares) == gone_to


def test_the_system_says_how_long_each_core_was_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = tmp_path / "stat"
    statistics.write_text(
        "cpu  9 9 9 900 90 9\ncpu0 1 2 3 400 50 7\ncpu11 1 2 3 500 40 7\nintr 1 2\n\nctxt 5\n"
    )
    monkeypatch.setattr(worker_cores, "STATISTICS", statistics)
    monkeypatch.setattr(worker_cores, "TICKS", 100)
    assert idle_seconds() == {0: 4.5, 11: 5.4}
