"""What operating costs in calls and in time: the status of many pipelines, parts of runs, a backfill.

The status is read together, as `sfml status` does, and pipeline by pipeline, from the same local server, whose calls
can be made to take longer, as an account's do. Every REST and SQL call after the login is counted.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from generated import many_pipelines
from processes import Sample, medians

from sfml.account.history import DeployedRoot
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.lower.desired import DesiredGraph
from sfml.operations.backfill import Backfill, BackfillRequest, backfill_plan
from sfml.operations.fleet import fleet_health
from sfml.operations.graph_health import graph_health
from sfml.operations.held_lease import holding, new_lease
from sfml.operations.part_plan import PartRequest, part_plan
from sfml.operations.part_runs import end_part, start_part
from sfml.operations.runs import follow, start
from sfml.operations.target_account import TargetAccount
from sfml.plan.lane import backfill_lease
from sfml.testing.pipelines import apply_graph, compile_spec, connected_to
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

SFML = str(Path(sys.executable).with_name("sfml"))
PIPELINES = (1, 50)
MANY = 200
DELAYS = (0.0, 0.05)
GOING_ON = ("SCHEDULED", "EXECUTING")
VALUES = 90
AT_ONCE = 4

BACKFILLED = """version: 1
pipeline: filled
graph:
  config: {n: 0}
  tasks:
    load: {sql: select 1}
    report: {sql: select 2, after: [load]}
"""
PROJECT = "version: 1\ntargets:\n  local: {kind: local, default: true}\n"
READINGS = ("TASK_HISTORY(", "CURRENT_TASK_GRAPHS(", "COMPLETE_TASK_GRAPHS(")
"""What a run that is followed is read with, as often as it takes long."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls, those of them that read a run that is followed, and seconds."""

    calls: int
    readings: int
    seconds: float


def measured(folder: Path, rounds: int) -> Iterator[str]:
    """The lines of the tables."""
    yield (
        f"Measured on {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, at a load of {os.getloadavg()[0]:.0f}; in the first and the last table, server"
        " and clients share one process."
    )
    faults = Faults()
    with LocalServer(folder / "server", faults=faults) as server:
        yield from ("", *_statuses(folder, server, faults))
        yield from ("", *_processes(folder / "processes", rounds))
        yield from ("", *_parts(folder / "parts", server, faults))


# -- the status of many pipelines


def _statuses(folder: Path, server: LocalServer, faults: Faults) -> Iterator[str]:
    yield "| status of | read | calls |" + "".join(f" {delay * 1000:.0f} ms a call |" for delay in DELAYS)
    yield "|---|---|---:|" + "---:|" * len(DELAYS)
    for count in PIPELINES:
        specs = many_pipelines(folder / f"fleet_{count}", count)
        project = specs.parent / "sfml.yaml"
        project.write_text(project.read_text().replace("kind: local", "kind: local, schema: FLEET"))
        graphs = tuple(
            compile_spec(spec, f"FLEET_{count}", None, None).desired for spec in sorted(specs.iterdir())
        )
        with connected_to(graphs[0].target, server.connect_args()) as account:
            for graph in graphs:
                apply_graph(graph, account, resume=False)
                account.history.execute(graph.root.name, {})
            while any(account.history.graphs(_root(account, graph))[0].state in GOING_ON for graph in graphs):
                time.sleep(1)
            for words, work in (
                ("together", partial(fleet_health, graphs, account.connection)),
                ("one by one", partial(_one_by_one, graphs, account)),
            ):
                costs = [_cost(work, delay, faults) for delay in DELAYS]
                times = "".join(f" {cost.seconds:.2f} s |" for cost in costs)
                yield f"| {count} pipeline{'' if count == 1 else 's'} | {words} | {costs[0].calls} |{times}"


def _root(account: TargetAccount, graph: DesiredGraph) -> DeployedRoot:
    root = account.history.root(graph.root.name)
    assert root is not None
    return root


def _one_by_one(graphs: Sequence[DesiredGraph], account: TargetAccount) -> None:
    for graph in graphs:
        graph_health(graph, account)


def _processes(folder: Path, rounds: int) -> Iterator[str]:
    """Whole processes on a server that is up, beside those that only compile."""
    specs = many_pipelines(folder, MANY)
    names = specs.name
    _sfml(folder, "local", "start")
    try:
        _sfml(folder, "apply", names, "--auto-approve", "--quiet")
        one = f"{names}/pipeline_000.yaml"
        commands: dict[str, Sequence[str]] = {
            "`sfml status` of one pipeline": (SFML, "status", one),
            f"`sfml validate` of {MANY}": (SFML, "validate", names, "--target", "local"),
            f"`sfml status` of {MANY}, the first": (
                *("sh", "-c", 'rm -rf .sfml/outlines && exec "$@"', "first"),
                *(SFML, "status", names),
            ),
            f"`sfml status` of {MANY}, the next": (SFML, "status", names),
        }
        taken: dict[str, Sample] = medians(commands, folder, rounds)
    finally:
        _sfml(folder, "local", "stop")
    yield "| process, pipelines in a schema each | time | CPU |"
    yield "|---|---:|---:|"
    for words, sample in taken.items():
        yield f"| {words} | {sample.wall:.2f} s | {sample.cpu:.2f} s |"


def _sfml(folder: Path, *words: str) -> None:
    subprocess.run((SFML, *words), cwd=folder, check=True, stdout=subprocess.DEVNULL)


# -- parts and backfills


def _parts(folder: Path, server: LocalServer, faults: Faults) -> Iterator[str]:
    folder.mkdir()
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "filled.yaml").write_text(BACKFILLED, encoding="utf-8")
    spec = compile_spec(folder / "filled.yaml", "FILLED", None, None)
    with chdir(folder), connected_to(spec.desired.target, server.connect_args()) as account:
        apply_graph(spec.desired, account, resume=False)
        for _ in follow(
            spec.desired, account.history, start(spec.desired, account.history, {}), interval=0.05
        ):
            pass
        costs = {
            "`sfml run --only load`": _cost(lambda: _part(spec, account, ("load",)), 0.0, faults),
            "`sfml run --only load,report`": _cost(
                lambda: _part(spec, account, ("load", "report")), 0.0, faults
            ),
            f"`sfml backfill` of {VALUES} values, {AT_ONCE} at once": _cost(
                lambda: _backfill(spec, account), 0.0, faults
            ),
            "the same backfill again": _cost(lambda: _backfill(spec, account), 0.0, faults),
        }
    yield "| two tasks of SQL | calls | of them readings of runs | time |"
    yield "|---|---:|---:|---:|"
    for words, cost in costs.items():
        yield f"| {words} | {cost.calls} | {cost.readings} | {cost.seconds:.1f} s |"


def _part(spec: CompiledSpec, account: TargetAccount, only: tuple[str, ...]) -> None:
    desired = spec.desired
    with holding(account.leases, desired.root.name, new_lease("bench")) as held_lease:
        plan = part_plan(spec, account, PartRequest(only=only), "bench")
        started = start_part(desired, account, held_lease, plan, interval=0.25)
    *_, run = started.states(desired)
    with holding(account.leases, desired.root.name, new_lease("bench")) as held_lease:
        end_part(desired, account, held_lease, started, run)


def _backfill(spec: CompiledSpec, account: TargetAccount) -> None:
    desired = spec.desired
    request = BackfillRequest(tuple({"n": str(number)} for number in range(VALUES)), AT_ONCE)
    with holding(account.leases, backfill_lease(desired.root.name), new_lease("bench")) as held_lease:
        plan = backfill_plan(spec, account, request)
        work = Backfill(
            plan,
            account,
            held_lease,
            lambda: holding(account.leases, desired.root.name, new_lease("bench")),
        )
        if plan.todo:
            for _ in work.run():
                pass


def _cost(work: Callable[[], object], delay: float, faults: Faults) -> Cost:
    faults.forget_calls()
    if delay:
        faults.delay(delay)
    began = time.perf_counter()
    work()
    taken = time.perf_counter() - began
    count, readings = faults.count(), sum(faults.count(word) for word in READINGS)
    faults.clear()
    return Cost(count, readings, taken)
