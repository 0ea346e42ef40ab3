"""What a task costs on the local server, in time and memory, beside dagster on the same graphs.

Graphs of trivial Python steps and of trivial SQL, deployed by `sfml apply` and run by `sfml run`, and the same
shape run by `dagster job execute`. Both give each step a process of its own, as many at once as there are cores.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import dagster_runs

SFML = str(Path(sys.executable).with_name("sfml"))
CORES = str(os.cpu_count() or 1)
WIDTH = 99
"""Tasks under one task: Snowflake allows a hundred."""

SIZES = (1, 10, 100, 999)
"""Steps; a graph has a root besides, and Snowflake takes a thousand tasks in all."""

DAGSTER_SIZES = (1, 10, 100)
ROUNDS = 3
STARTS = 3

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
WORK = {"python": "step: bench.trivial.nothing", "sql": "sql: select 1", "rest": "step: bench.trivial.rest"}
NAMES = {"python": "Python steps", "sql": "SQL tasks", "dagster": "Python steps"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a graph: seconds that its command took, from start to end of its graph, and of its tasks."""

    command: float
    graph: float
    tasks: tuple[float, ...] = ()


def measured(folder: Path, sizes: tuple[int, ...] = SIZES, dagster: str | None = None) -> Iterator[str]:
    """The tables; `dagster` is a Python that has it."""
    os.environ["SFML_LOCAL_TASK_WORKERS"] = CORES
    load = os.getloadavg()[0]
    beside = f", dagster {dagster_runs.version(dagster)}" if dagster else ""
    yield (
        f"Measured on {platform.system()} {platform.machine()}, {CORES} cores, Python "
        f"{platform.python_version()}, {CORES} tasks at once{beside}; load when it began: {load:.1f}."
    )
    project = _project(folder, sizes)
    try:
        first = [_started(project, stop=number + 1 < STARTS) for number in range(STARTS)]
        connection = _connected(project)
        memory = list(_memory_at_rest(project, connection))
        for spec in sorted((project / "specs").iterdir()):
            _say(f"sfml apply {spec.name}")
            _sfml(project, "apply", f"specs/{spec.name}", "-t", "local", "--auto-approve", "--quiet")
        for kind in ("python", "sql"):
            _sfml(project, "run", f"specs/{kind}_{sizes[0]}.yaml", "-t", "local")
        memory += _memory_of_parent(project)
        taken = _all_runs(project, connection, sizes, dagster)
        yield from (
            "",
            "| graph | run by | whole command | graph | a task more | one task | beside dagster |",
        )
        yield "|---|---|---:|---:|---:|---:|---:|"
        for kind in taken:
            yield from _rows(kind, taken[kind], _more(taken.get("dagster", {})))
        ended = f"Load when the last graph had ended: {os.getloadavg()[0]:.1f}."
        yield from ("", f"Server start to the first answer to a query: {median(first):.1f} s. {ended}", "")
        yield from ("| process | resident | of it its own |", "|---|---:|---:|")
        yield from memory
        yield from _memory_at_work(project)
    finally:
        subprocess.run([SFML, "local", "stop"], cwd=project, capture_output=True)


def _all_runs(
    project: Path, connection: Any, sizes: tuple[int, ...], dagster: str | None
) -> dict[str, dict[int, list[Run]]]:
    """By kind and size; the contestants take turns, so that a busy machine is busy for all of them."""
    taken: dict[str, dict[int, list[Run]]] = {kind: {} for kind in NAMES if kind != "dagster" or dagster}
    for size in sizes:
        for number in range(ROUNDS if size < 100 else 1):
            for kind in ("python", "sql"):
                run = _run(project, connection, f"{kind}_{size}")
                taken[kind].setdefault(size, []).append(run)
                _say(f"{size} {NAMES[kind]}: {run.command:.1f} s")
            if dagster and size in DAGSTER_SIZES and number == 0:
                command = dagster_runs.run(dagster, project, f"dagster_{size}.py")
                taken["dagster"].setdefault(size, []).append(Run(command, command))
                _say(f"{size} {NAMES['dagster']}, dagster: {command:.1f} s")
    return taken


def _rows(kind: str, by_size: dict[int, list[Run]], dagster: dict[int, float]) -> Iterator[str]:
    more = _more(by_size)
    for size, runs in by_size.items():
        command, graph = median(run.command for run in runs), median(run.graph for run in runs)
        tasks = [seconds for run in runs for seconds in run.tasks]
        one = f"{median(tasks):.3f} s" if tasks else ""
        shown = f"{graph:.2f} s" if tasks else ""
        grown = f"{more[size]:.3f} s" if size in more else ""
        by = "`dagster job execute`" if kind == "dagster" else "`sfml run`"
        ratio = f"1/{dagster[size] / more[size]:.0f}" if kind == "python" and size in dagster else ""
        yield f"| {size} {NAMES[kind]} | {by} | {command:.2f} s | {shown} | {grown} | {one} | {ratio} |"


def _more(by_size: dict[int, list[Run]]) -> dict[int, float]:
    """By size, what each task beyond those of the smallest graph adds to the graph's time."""
    graphs = {size: median(run.graph for run in runs) for size, runs in by_size.items()}
    smallest = min(graphs, default=0)
    return {
        size: (graph - graphs[smallest]) / (size - smallest)
        for size, graph in graphs.items()
        if size > smallest
    }


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


def _started(project: Path, *, stop: bool) -> float:
    """Seconds until a server just started answers a query."""
    began = time.perf_counter()
    _sfml(project, "local", "start")
    connection = _connected(project)
    connection.cursor().execute("SELECT 1").fetchone()
    first = time.perf_counter() - began
    connection.close()
    if stop:
        _sfml(project, "local", "stop")
    return first


def _connected(project: Path) -> Any:
    import snowflake.connector

    info = _info(project)
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return snowflake.connector.connect(**{key: info[key] for key in keys})


def _info(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_sfml(project, "local", "status", "-o", "json"))
    return found


def _memory_at_rest(project: Path, connection: Any) -> Iterator[str]:
    """What a server holds that has answered a query and run nothing."""
    connection.cursor().execute("SELECT 1").fetchone()
    time.sleep(3)  # until it has imported what it is for
    yield _held("the server, just started", _info(project)["pid"])


def _memory_of_parent(project: Path) -> Iterator[str]:
    """What the process holds that procedures are forked from; a server starts it when it has something to run."""
    yield _held("what procedures are forked from", _children(_info(project)["pid"])[0])


def _memory_at_work(project: Path) -> Iterator[str]:
    """What the server holds after all these runs, and what a task adds while it runs."""
    server = _info(project)["pid"]
    [parent] = _children(server)
    yield _held("the server, after these runs", server)
    run = subprocess.Popen([SFML, "run", "specs/rest_1.yaml", "-t", "local", "--quiet"], cwd=project)
    while not (workers := _children(parent)):
        time.sleep(0.1)
    time.sleep(3)  # until it has connected and rests
    yield _held("the process of a step", workers[0])
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


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _parent(index: int) -> int | None:
    """The task before this one: a tree in which each task has at most WIDTH below it."""
    return (index - 1) // WIDTH if index else None


def _project(folder: Path, sizes: tuple[int, ...]) -> Path:
    files = {"sfml.yaml": PROJECT, "steps/bench/__init__.py": "", "steps/bench/trivial.py": STEPS}
    for size in sizes:
        files |= {f"specs/{kind}_{size}.yaml": _spec(kind, size) for kind in ("python", "sql")}
        files[f"dagster_{size}.py"] = dagster_runs.job_file(size, _parent)
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
