"""What the local server still holds after twenty runs of a large graph and ten thousand statements.

Each round runs a graph of SQL tasks with `sfml run` and, in a session of its own, statements of several kinds. Then the
server is left alone until its idle threads have ended, and looked at.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import task_runs

ROUNDS = 20
STATEMENTS = 500
"""In each round."""

TASKS = 998
"""Beside the root: 999 in all."""

REST_SECONDS = 15.0
"""The server's idle threads end after ten."""

SHOWN = (0, 1, 2, 5, 10, 15, 20)
_KINDS = (
    "CREATE OR REPLACE TABLE ROWS_OF_ROUND AS SELECT SEQ8() AS A, MD5(SEQ8()::VARCHAR) AS B"
    " FROM TABLE(GENERATOR(ROWCOUNT => 10000))",
    "SELECT * FROM ROWS_OF_ROUND",
    "INSERT INTO ROWS_OF_ROUND SELECT 1, 'x'",
    "SELECT COUNT(*), MAX(B) FROM ROWS_OF_ROUND WHERE A > {number}",
    "SHOW TASKS LIMIT 10",
)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a server process holds: megabytes, and counts."""

    resident: int
    threads: int
    descriptors: int
    processes: int
    files: int
    disk: int


def measured(folder: Path) -> Iterator[str]:
    """The table."""
    load = os.getloadavg()[0]
    yield (
        f"Measured on {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; {TASKS + 1} tasks and {STATEMENTS} statements a round; "
        f"load when it began: {load:.1f}."
    )
    project = task_runs._project(folder, (TASKS,))
    spec = f"specs/sql_{TASKS}.yaml"
    try:
        task_runs._sfml(project, "local", "start")
        task_runs._sfml(project, "apply", spec, "-t", "local", "--auto-approve", "--quiet")
        held = {0: _holdings(project)}
        for number in range(1, ROUNDS + 1):
            task_runs._sfml(project, "run", spec, "-t", "local", "--quiet")
            _work(project)
            task_runs._say(f"round {number}")
            if number in SHOWN:
                held[number] = _holdings(project)
    finally:
        subprocess.run([task_runs.SFML, "local", "stop"], cwd=project, capture_output=True)
    yield f"Load when it ended: {os.getloadavg()[0]:.1f}."
    yield ""
    yield "| after | resident | threads | descriptors | child processes | files | on the disk |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for number, each in held.items():
        name = f"{number} rounds" if number > 1 else "1 round" if number else "the deployment"
        counts = f"{each.threads} | {each.descriptors} | {each.processes} | {each.files} | {each.disk} MB"
        yield f"| {name} | {each.resident} MB | {counts} |"


def _work(project: Path) -> None:
    with task_runs._connected(project) as connection, connection.cursor() as cursor:
        for number in range(STATEMENTS):
            cursor.execute(_KINDS[number % len(_KINDS)].format(number=number)).fetchall()


def _holdings(project: Path) -> Holdings:
    """What the server holds once it rests."""
    time.sleep(REST_SECONDS)
    pid = task_runs._info(project)["pid"]
    process, local = Path(f"/proc/{pid}"), project / ".sfml" / "local"
    [resident] = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS")]
    files = [path for path in local.rglob("*") if path.is_file()]
    return Holdings(
        int(resident.split()[1]) // 1000,
        len(list((process / "task").iterdir())),
        len(list((process / "fd").iterdir())),
        len(task_runs._children(pid)),
        len(files),
        sum(path.stat().st_blocks * 512 for path in files) // 1_000_000,
    )
