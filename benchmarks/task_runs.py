"""`python benchmarks/task_runs.py`: what a task costs on the local server, in time and memory.

Graphs of trivial Python steps and of trivial SQL, deployed by `sfml apply` and run by `sfml run`, and the same
shape run by `dagster job execute` where a Python that has dagster is named with `--dagster`. Both run each step
in a process of its own, as many at once as the machine has cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- task runs: begin -->", "<!-- task runs: end -->"
SFML = str(Path(sys.executable).with_name("sfml"))
CORES = str(os.cpu_count() or 1)
WIDTH = 99
"""Tasks under one task: Snowflake allows a hundred."""

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
STEPS = '''from sfml_steps import Context, step


@step
def nothing(ctx: Context) -> None:
    """Do nothing."""


@step
def rest(ctx: Context) -> None:
    """Do nothing for a while, so that somebody can look at the process."""
    import time

    time.sleep(20)
'''
WORK = {"python": "step: work.trivial.nothing", "sql": "sql: select 1", "rest": "step: work.trivial.rest"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a graph: seconds that its command took, from start to end of its graph, and of its tasks."""

    command: float
    graph: float
    tasks: tuple[float, ...]


def main() -> None:
    """Measure, print the tables, and put them into the page with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dagster", metavar="PYTHON", help="a Python that has dagster")
    parser.add_argument("--dagster-up-to", type=int, default=100, metavar="TASKS", help="its largest graph")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()
    os.environ["SFML_LOCAL_TASK_WORKERS"] = CORES
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(_measured(Path(folder), options))
    print(text)
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _measured(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    load = os.getloadavg()[0]
    yield (
        f"Measured on {platform.system()} {platform.machine()}, {CORES} cores, Python "
        f"{platform.python_version()}, {CORES} tasks at once; load when it began: {load:.1f}."
    )
    project = _project(folder, options.sizes)
    yield from ("", "| graph | run by | whole command | graph | a task more | one task |")
    yield "|---|---|---:|---:|---:|---:|"
    try:
        first, connection = _started(project)
        for kind in ("python", "sql"):
            _sfml(project, "run", f"specs/{kind}_{options.sizes[0]}.yaml", "-t", "local")
        taken = _all_runs(project, connection, options)
        for name in taken:
            yield from _rows(name, taken[name])
        yield from ("", f"Server start to the first answer to a query: {first:.1f} s.", "")
        yield from _memory(project, connection)
    finally:
        subprocess.run([SFML, "local", "stop"], cwd=project, capture_output=True)


def _all_runs(project: Path, connection: Any, options: argparse.Namespace) -> dict[str, dict[int, list[Run]]]:
    """By name and size; the contestants take turns, so that a busy machine is busy for all of them."""
    names = ["Python steps", "SQL tasks"] + (["Python steps, dagster"] if options.dagster else [])
    taken: dict[str, dict[int, list[Run]]] = {name: {} for name in names}
    for size in options.sizes:
        for number in range(options.rounds if size < 100 else 1):
            for name, kind in (("Python steps", "python"), ("SQL tasks", "sql")):
                taken[name].setdefault(size, []).append(_run(project, connection, f"{kind}_{size}"))
            if options.dagster and size <= options.dagster_up_to and number == 0:
                command = _dagster(options.dagster, project, size)
                taken["Python steps, dagster"].setdefault(size, []).append(Run(command, command, ()))
    return taken


def _rows(name: str, by_size: dict[int, list[Run]]) -> Iterator[str]:
    what, _, tool = name.partition(", ")
    smallest: tuple[int, float] | None = None  # the graph's time grows from here
    for size, runs in by_size.items():
        command, graph = median(run.command for run in runs), median(run.graph for run in runs)
        more = f"{(graph - smallest[1]) / (size - smallest[0]):.3f} s" if smallest else ""
        tasks = [seconds for run in runs for seconds in run.tasks]
        one = f"{median(tasks):.3f} s" if tasks else ""
        shown = f"{graph:.2f} s" if tasks else ""
        by = f"`{tool} job execute`" if tool else "`sfml run`"
        yield f"| {size} {what} | {by} | {command:.2f} s | {shown} | {more} | {one} |"
        smallest = smallest or (size, graph)


def _run(project: Path, connection: Any, pipeline: str) -> Run:
    began = time.perf_counter()
    _sfml(project, "run", f"specs/{pipeline}.yaml", "-t", "local", "--quiet")
    command = time.perf_counter() - began
    rows = connection.cursor().execute(
        "SELECT NAME, QUERY_START_TIME, COMPLETED_TIME FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
        "RESULT_LIMIT => 10000)) WHERE STATE = 'SUCCEEDED' AND GRAPH_RUN_GROUP_ID = (SELECT GRAPH_RUN_GROUP_ID"
        " FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY(RESULT_LIMIT => 1))"
        " WHERE STATE = 'SUCCEEDED' ORDER BY COMPLETED_TIME DESC LIMIT 1)"
    )
    times: dict[str, tuple[datetime, datetime]] = {name: (start, end) for name, start, end in rows}
    whole = max(end for _, end in times.values()) - min(start for start, _ in times.values())
    tasks = tuple((end - start).total_seconds() for name, (start, end) in times.items() if "$" in name)
    if len(tasks) != int(pipeline.rpartition("_")[2]):
        raise RuntimeError(f"{pipeline}: {len(tasks)} tasks succeeded")
    return Run(command, whole.total_seconds(), tasks)


def _started(project: Path) -> tuple[float, Any]:
    """Seconds until a server just started answers a query, and a connection to it; then the graphs on it."""
    import snowflake.connector

    began = time.perf_counter()
    _sfml(project, "local", "start")
    info = json.loads(_sfml(project, "local", "status", "-o", "json"))
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    connection = snowflake.connector.connect(**{key: info[key] for key in keys})
    connection.cursor().execute("SELECT 1").fetchone()
    first = time.perf_counter() - began
    for spec in sorted((project / "specs").iterdir()):
        _sfml(project, "apply", f"specs/{spec.name}", "-t", "local", "--auto-approve", "--quiet")
    return first, connection


def _memory(project: Path, connection: Any) -> Iterator[str]:
    """What the server holds at rest, and what a task adds while it runs."""
    server = json.loads(_sfml(project, "local", "status", "-o", "json"))["pid"]
    [parent] = _children(server)
    yield "| process | resident | of it its own |"
    yield "|---|---:|---:|"
    yield _held("the server, after these runs", server)
    yield _held("what procedures are forked from", parent)
    run = subprocess.Popen([SFML, "run", "specs/rest_1.yaml", "-t", "local", "--quiet"], cwd=project)
    while not (supervisors := _children(parent)) or not (workers := _children(supervisors[0])):
        time.sleep(0.1)
    time.sleep(3)  # until it has connected and rests
    yield _held("the process of a step", workers[0])
    yield _held("the supervisor of that process", supervisors[0])
    run.wait()


def _held(what: str, pid: int) -> str:
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kilobytes = line.split()[:2]
        sizes[name.rstrip(":")] = int(kilobytes) / 1000
    own = sizes["Private_Dirty"] + sizes["Private_Clean"]
    return f"| {what} | {sizes['Rss']:.0f} MB | {own:.0f} MB |"


def _children(pid: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def _sfml(project: Path, *arguments: str) -> str:
    done = subprocess.run([SFML, *arguments], cwd=project, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"sfml {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _dagster(python: str, project: Path, size: int) -> float:
    """Seconds of `dagster job execute`; its default executor runs each step in a process of its own."""
    home = project / "dagster"
    home.mkdir(exist_ok=True)
    environment = {**os.environ, "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    began = time.perf_counter()
    done = subprocess.run(
        [python, "-m", "dagster", "job", "execute", "-f", f"dagster_{size}.py", "-j", "trivial"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode or "RUN_SUCCESS" not in done.stderr + done.stdout:
        raise RuntimeError(f"dagster: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - began


def _parent(index: int) -> int | None:
    """The task before this one: a tree in which each task has at most WIDTH below it."""
    return (index - 1) // WIDTH if index else None


def _project(folder: Path, sizes: list[int]) -> Path:
    files = {"sfml.yaml": PROJECT, "steps/work/__init__.py": "", "steps/work/trivial.py": STEPS}
    for size in sizes:
        files |= {f"specs/{kind}_{size}.yaml": _spec(kind, size) for kind in ("python", "sql")}
        files[f"dagster_{size}.py"] = _dagster_file(size)
    files["specs/rest_1.yaml"] = _spec("rest", 1)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _spec(kind: str, size: int) -> str:
    lines = ["version: 1", f"pipeline: {kind}_{size}", "graph:", "  tasks:"]
    for index in range(size):
        after = "" if _parent(index) is None else f"\n      after: [t{_parent(index)}]"
        lines.append(f"    t{index}:\n      {WORK[kind]}{after}")
    return "\n".join(lines) + "\n"


def _dagster_file(size: int) -> str:
    calls = []
    for index in range(size):
        before = _parent(index)
        given = "" if before is None else f"start=t{before}"
        calls.append(f"    t{index} = nothing.alias('t{index}')({given})")
    return (
        "from dagster import In, Nothing, job, op\n\n\n"
        "@op(ins={'start': In(Nothing)})\ndef nothing() -> None: ...\n\n\n"
        "@op\ndef first() -> None: ...\n\n\n@job\ndef trivial():\n"
        + "\n".join(calls).replace("nothing.alias('t0')", "first.alias('t0')")
        + "\n"
    )


if __name__ == "__main__":
    main()
