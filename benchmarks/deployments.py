"""What deploying costs in calls and in time, beside `DAGOperation.deploy(dag, mode=or_replace)` of the same graph.

Both deploy to the same local server, in turns, whose calls can be made to take longer, as an account's do. Every REST
and SQL call after the login is counted. Clients are loaded and connected before the clock starts.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from snowflake.connector import connect

import sfml
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import planned_graph
from sfml.operations.target_account import TargetAccount
from sfml.testing.pipelines import apply_graph, compile_spec, connected_to
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

SIZES = (6, 100, 999)
"""Tasks beside the root; Snowflake takes a thousand in all."""

DELAYS = (0.0, 0.05, 0.2)
WIDTH = 20
"""Tasks on a level."""

LARGE = 999
WHAT = {
    "first": "first deployment",
    "plan": "no change: `sfml plan`",
    "none": "no change: `sfml apply`",
    "one": "one task changed",
    "removed": "one task removed",
    "code": "code of one step changed",
}
"""After the first, dagv1 makes the whole graph anew whatever changed: that is measured once."""

ACCOUNT_CHANGES: dict[str, dict[str, Any]] = {
    "first": {},
    "none": {},
    "one": {"body": "select 2"},
    "code": {"body": "select 2", "answer": 2},
}

PROJECT = """version: 1
steps: [steps]
targets:
  local: {kind: local, default: true}
  account:
    {connection: measured, account: LOCAL-LOCAL, owner_role: SYSADMIN, database: MEASURED, schema: ML, warehouse: W}
"""
STEP = "from sfml_steps import Context, step\n\n\n@step\ndef work(ctx: Context) -> int:\n    return {}\n"


@dataclass(frozen=True, slots=True)
class Cost:
    calls: int
    seconds: float


Costs = dict[tuple[int, float, str, str], Cost]
"""By size, delay, contestant and what was done."""


def measured(folder: Path, sizes: tuple[int, ...] = SIZES) -> Iterator[str]:
    """The lines of the tables."""
    import snowflake.core.task.dagv1  # noqa: F401  (seconds, which are no part of it)

    yield (
        f"Measured on {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, snowflake.core {version('snowflake.core')}, at a load of"
        f" {os.getloadavg()[0]:.0f}. Server and clients share one process."
    )
    faults = Faults()
    with LocalServer(folder / "server", faults=faults) as server:
        costs: Costs = {}
        for size in sizes:
            graphs = _graphs(folder, size, WIDTH)
            for delay in DELAYS if size < LARGE else (DELAYS[0], DELAYS[-1]):
                _measure(costs, graphs, size, delay, server, faults)
        yield from ("", *_table(costs, sizes), "")
        yield (
            "dagv1 makes two calls a task for a first deployment and four for each later one, whatever changed: a later"
            f" one is measured once. {LARGE} tasks are not deployed at each delay, by dagv1 without one only:"
            " that would take longer than all the rest."
        )
        yield ""
        yield from _depths(folder, server, faults)
        yield ""
        yield from _accounts(folder, server, faults, sizes)


def _measure(
    costs: Costs,
    graphs: dict[str, DesiredGraph],
    size: int,
    delay: float,
    server: LocalServer,
    faults: Faults,
) -> None:
    def take(who: str, what: str, do: Callable[[TargetAccount], object]) -> None:
        cost = _cost(graphs["first"], do, delay, server, faults)
        costs[size, delay, who, what] = cost
        print(f"{size} tasks, {delay * 1000:.0f} ms: {who} {what}: {cost}", file=sys.stderr, flush=True)

    take("sfml", "first", lambda account: apply_graph(graphs["first"], account, resume=True))
    take("sfml", "plan", lambda account: planned_graph(graphs["first"], account))
    for what in ("none", "one", "removed", "code"):
        take("sfml", what, lambda account, what=what: apply_graph(graphs[what], account))  # type: ignore[misc]
    _clear(graphs["first"], server, faults)
    if size < LARGE or not delay:
        take("dagv1", "first", _dagv1(graphs["first"]))
        take("dagv1", "again", _dagv1(graphs["first"]))
        _clear(graphs["first"], server, faults)


def _dagv1(graph: DesiredGraph) -> Callable[[TargetAccount], object]:
    """The graph made anew by Snowflake's own client; building its objects is no part of it."""
    from snowflake.core import CreateMode, Root
    from snowflake.core.task.dagv1 import DAGOperation

    from sfml.snowflake.dag import dag

    built, target = dag(graph), graph.target

    def deploy(account: TargetAccount) -> None:
        schema = Root(account.connection).databases[target.database].schemas[target.schema]
        DAGOperation(schema).deploy(built, mode=CreateMode.or_replace)

    return deploy


def _cost(
    graph: DesiredGraph,
    do: Callable[[TargetAccount], object],
    delay: float,
    server: LocalServer,
    faults: Faults,
) -> Cost:
    with connected_to(graph.target, server.connect_args()) as account:
        return _timed(lambda: do(account), delay, faults)


def _timed(do: Callable[[], object], delay: float, faults: Faults) -> Cost:
    faults.forget_calls()
    if delay:
        faults.delay(delay)
    began = time.perf_counter()
    do()
    taken = time.perf_counter() - began
    calls = faults.count()
    faults.clear()
    return Cost(calls, taken)


def _clear(graph: DesiredGraph, server: LocalServer, faults: Faults) -> None:
    with connected_to(graph.target, server.connect_args()) as account:
        account.connection.cursor().execute(f"DROP SCHEMA {graph.target.database}.{graph.target.schema}")


def _graphs(folder: Path, size: int, width: int) -> dict[str, DesiredGraph]:
    """The graph, and what it becomes in each round."""
    project = folder / f"of_{size}_by_{width}"
    first = _compiled(project, size, width)
    one = _compiled(project, size, width, body="select 2")
    removed = _compiled(project, size, width, body="select 2", less=1)
    code = _compiled(project, size, width, body="select 2", less=1, answer=2)
    return {"first": first, "none": first, "one": one, "removed": removed, "code": code}


def _compiled(
    project: Path, size: int, width: int, *, body: str = "select 1", less: int = 0, answer: int = 1
) -> DesiredGraph:
    spec = _written(project, size, width, body=body, less=less, answer=answer)
    return compile_spec(spec, "SFML", "local", None).desired


def _written(
    project: Path, size: int, width: int, *, body: str = "select 1", less: int = 0, answer: int = 1
) -> Path:
    """Write one step and SQL tasks, each below one of the level above."""
    lines = ["version: 1", f"pipeline: measured_{size}_{width}", "graph:", "  tasks:"]
    for at in range(size - less):
        what = "step: bench.one.work" if at == 0 else f"sql: {body if at == 2 else 'select 1'}"
        after = f"\n      after: [t{at - width}]" if at >= width else ""
        lines.append(f"    t{at}:\n      {what}{after}")
    lines.append("schedule: {cron: '0 0 * * *', timezone: UTC}")
    files = {
        "sfml.yaml": PROJECT,
        "steps/bench/__init__.py": "",
        "steps/bench/one.py": STEP.format(answer),
        "specs/measured.yaml": "\n".join(lines) + "\n",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    return project / "specs" / "measured.yaml"


def _table(costs: Costs, sizes: tuple[int, ...]) -> Iterator[str]:
    heads = "".join(f" {delay * 1000:.0f} ms: sfml | dagv1 |" for delay in DELAYS)
    yield f"| tasks | what | calls: sfml | dagv1 |{heads}"
    yield "|---:|---|---:|---:|" + "---:|---:|" * len(DELAYS)
    for size in sizes:
        for what, words in WHAT.items():
            other = "first" if what == "first" else "again"
            times = "".join(
                f" {_seconds(costs, size, delay, 'sfml', what)} | {_seconds(costs, size, delay, 'dagv1', other)} |"
                for delay in DELAYS
            )
            ours, theirs = costs[size, 0.0, "sfml", what], costs.get((size, 0.0, "dagv1", other))
            yield f"| {size} | {words} | {ours.calls} | {theirs.calls if theirs else ''} |{times}"


def _seconds(costs: Costs, size: int, delay: float, who: str, what: str) -> str:
    cost = costs.get((size, delay, who, what))
    return f"{cost.seconds:.2f} s" if cost else ""


def _depths(folder: Path, server: LocalServer, faults: Faults) -> Iterator[str]:
    """The same number of tasks on more and more levels."""
    yield "| 100 tasks, 50 ms a call | calls | first deployment |"
    yield "|---|---:|---:|"
    for levels in (1, 10, 100):
        graph = _graphs(folder, 100, 100 // levels)["first"]
        cost = _cost(graph, lambda account: apply_graph(graph, account, resume=True), 0.05, server, faults)  # noqa: B023
        _clear(graph, server, faults)
        yield f"| on {levels} level{'s' if levels > 1 else ''} | {cost.calls} | {cost.seconds:.2f} s |"


def _accounts(folder: Path, server: LocalServer, faults: Faults, sizes: tuple[int, ...]) -> Iterator[str]:
    """The same graphs on a target that is an account, which is looked at before it is changed."""
    keys = ("account", "user", "password", "host", "port", "protocol")
    arguments = server.connect_args()
    lines = (f"{key} = {json.dumps(arguments[key])}" for key in keys)
    os.environ["SNOWFLAKE_CONNECTIONS"] = "\n".join(("[measured]", *lines))
    with connect(**arguments) as connection:
        for statement in ("CREATE WAREHOUSE W", "CREATE DATABASE MEASURED", "CREATE SCHEMA MEASURED.ML"):
            connection.cursor().execute(statement)
    yield "| on a target that is an account | what | calls | 0 ms | 50 ms |"
    yield "|---:|---|---:|---:|---:|"
    for size in (size for size in sizes if size < LARGE):
        costs: dict[tuple[str, float], Cost] = {}
        for delay in DELAYS[:2]:
            for what, change in ACCOUNT_CHANGES.items():
                project = folder / f"of_{size}_by_{WIDTH}"
                _written(project, size, WIDTH, **change)
                pipeline = sfml.open(project).pipeline(f"measured_{size}_{WIDTH}", target="account")
                with pipeline.connect() as account:
                    plan = account.plan(resume=True)
                    cost = _timed(lambda: account.apply(plan, approve=True), delay, faults)  # noqa: B023
                costs[what, delay] = cost
                print(f"{size} tasks on an account, {what}: {cost}", file=sys.stderr, flush=True)
            with pipeline.connect() as account:
                account.connection.cursor().execute("DROP SCHEMA MEASURED.ML")
                account.connection.cursor().execute("CREATE SCHEMA MEASURED.ML")
        for what in ACCOUNT_CHANGES:
            times = " | ".join(f"{costs[what, delay].seconds:.2f} s" for delay in DELAYS[:2])
            yield f"| {size} tasks | {WHAT[what]} | {costs[what, 0.0].calls} | {times} |"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print("\n".join(measured(Path(scratch), tuple(map(int, sys.argv[1:])) or SIZES)))
