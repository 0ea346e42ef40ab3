"""The same graphs under dagster, whose default executor gives each step a process of its own, as we do."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REQUIREMENT = "dagster>=1.13,<2"


def cached_python() -> str:
    """A Python that has dagster: of an environment in the user's cache folder, made when it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "sfml-benchmarks" / f"dagster-python{sys.version_info[0]}.{sys.version_info[1]}"
    python = folder / "bin" / "python"
    if not _has_dagster(python):
        print(f"installing {REQUIREMENT} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", REQUIREMENT], check=True)
    return str(python)


def _has_dagster(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([python, "-c", "import dagster"], capture_output=True).returncode == 0


def version(python: str) -> str:
    """dagster's version in that environment."""
    code = "from importlib.metadata import version; print(version('dagster'))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def job_file(size: int, parent: Callable[[int], int | None]) -> str:
    """A job of trivial ops in which each runs after its parent."""
    calls = []
    for index in range(size):
        before = parent(index)
        op, given = ("first", "") if before is None else ("nothing", f"start=t{before}")
        calls.append(f"    t{index} = {op}.alias('t{index}')({given})")
    return (
        "from dagster import In, Nothing, job, op\n\n\n"
        "@op(ins={'start': In(Nothing)})\ndef nothing() -> None: ...\n\n\n"
        "@op\ndef first() -> None: ...\n\n\n@job\ndef trivial():\n" + "\n".join(calls) + "\n"
    )


def run(python: str, project: Path, file: str) -> float:
    """Seconds of `dagster job execute`."""
    home = project / "dagster"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    began = time.perf_counter()
    done = subprocess.run(
        [python, "-m", "dagster", "job", "execute", "-f", file, "-j", "trivial"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    took = time.perf_counter() - began
    if done.returncode or "RUN_SUCCESS" not in done.stderr + done.stdout:
        raise RuntimeError(f"dagster: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return took
