"""Commands as whole processes: how long they take, how much they compute, how much memory they reach."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One process: seconds by the clock, seconds of CPU, and the most memory it held, in bytes."""

    wall: float
    cpu: float
    memory: int


def sample(command: Sequence[str], folder: Path) -> Sample:
    """What one process of `command` took. Raises RuntimeError when it fails: a failure measures nothing."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()}")
    return Sample(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def medians(commands: Mapping[str, Sequence[str]], folder: Path, rounds: int) -> dict[str, Sample]:
    """The median of each command over several rounds, in which the commands take turns.

    Taking turns lets a machine that is busy for a while be so for all of them; the first round warms
    caches and is not counted.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            samples[name].append(sample(command, folder))
    return {name: _median(taken[1:]) for name, taken in samples.items()}


def _median(samples: Sequence[Sample]) -> Sample:
    return Sample(
        median(one.wall for one in samples),
        median(one.cpu for one in samples),
        round(median(one.memory for one in samples)),
    )
