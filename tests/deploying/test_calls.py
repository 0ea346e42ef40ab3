"""How many calls an apply takes: a handful without a change, few for one, and about one a task for a new graph."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from carrying import account
from graphs import TARGET, compiled

from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import planned_graph
from sfml.testing.pipelines import apply_graph, connected_to
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

SIZE = 60


def graph(body: str = "select 1", *, less: int = 0) -> DesiredGraph:
    """Ten tasks at each level, each below one of the level above."""
    tasks = (
        (f"t{at}", body if at == 5 else "select 1", (f"t{at - 10}",) if at >= 10 else ())
        for at in range(SIZE - less)
    )
    return compiled("counted", *tasks)


@pytest.fixture(scope="module", autouse=True)
def _first(server: LocalServer) -> Iterator[None]:
    with account(server.connect_args()) as connected:
        connected.stage.create()
        yield


def calls_of_apply(
    server: LocalServer, faults: Faults, wanted: DesiredGraph, *, resume: bool | None = None
) -> int:
    faults.forget_calls()
    with connected_to(TARGET, server.connect_args()) as connected:
        apply_graph(wanted, connected, resume=resume)
    return faults.count()


def test_the_calls_after_the_login_are_few(server: LocalServer, faults: Faults) -> None:
    tasks = SIZE + 1
    assert calls_of_apply(server, faults, graph(), resume=True) <= tasks + 15
    faults.forget_calls()
    with connected_to(TARGET, server.connect_args()) as connected:
        assert planned_graph(graph(), connected).plan.is_empty
    assert faults.count() <= 4
    assert calls_of_apply(server, faults, graph()) <= 6
    assert calls_of_apply(server, faults, graph("select 2")) <= 15
    assert calls_of_apply(server, faults, graph("select 2", less=1)) <= 15
    assert calls_of_apply(server, faults, graph("select 2"), resume=False) <= 15
    # Off, and with a new task that has to be resumed while the root stays off: one block.
    assert faults.count("ALTER TASK RESUME") == 1
    assert faults.count("POST :resume") == 0


def test_a_new_graph_that_stays_off_resumes_its_tasks_in_blocks(server: LocalServer, faults: Faults) -> None:
    wide = compiled("off", *((f"t{at}", "select 1", ()) for at in range(30)))
    assert calls_of_apply(server, faults, wide, resume=False) <= 1.2 * 31 + 20
    assert faults.count("POST :resume") == 0
    with connected_to(TARGET, server.connect_args()) as connected:
        found = connected.tasks.observed("OFF")
    assert found is not None and not found.root.started and all(task.started for task in found.tasks)
