"""A run that begins or ends while it is read is never told as one that has ended with tasks that still run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from carrying import account
from graphs import compiled
from small import PAUSE

from sfml.account.history import DeployedRoot, Run
from sfml.operations.fleet import fleet_health
from sfml.operations.graph_health import graph_health
from sfml.operations.runs import cancel_runs, recent_runs
from sfml.operations.target_account import TargetAccount
from sfml.testing.pipelines import apply_graph
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

DESIRED = compiled(
    "goes_on",
    ("first", "select 1", ()),
    ("waits", "CALL SYSTEM$WAIT(600)", ("first",)),
    ("last", "select 3", ("waits",)),
)
ROOT = DESIRED.root.name


def alone(connected: TargetAccount, root: DeployedRoot) -> Run | None:
    return graph_health(DESIRED, connected).run


def listed(connected: TargetAccount, root: DeployedRoot) -> Run | None:
    return next(iter(recent_runs(DESIRED, connected.history, root)), None)


def among_many(connected: TargetAccount, root: DeployedRoot) -> Run | None:
    (found,) = fleet_health([DESIRED], connected.connection)
    assert not isinstance(found, Exception), found
    return found.run


READERS = (alone, listed, among_many)


@pytest.fixture
def meanwhile(server: LocalServer, connected: TargetAccount) -> Iterator[TargetAccount]:
    """The account over another connection, where the graph is deployed; no run is left over."""
    apply_graph(DESIRED, connected, resume=False)
    with account(server.connect_args()) as other:
        yield other
        end(other)


def root_of(there: TargetAccount) -> DeployedRoot:
    root = there.history.root(ROOT)
    assert root is not None
    return root


def begin(there: TargetAccount) -> None:
    """Start a run, and return when its second task runs."""
    there.history.execute(ROOT, {})
    while not any(row.state == "EXECUTING" for row in there.history.rows(root_of(there))):
        time.sleep(PAUSE)


def end(there: TargetAccount) -> None:
    cancel_runs(DESIRED, there.history, root_of(there), interval=0.05)


@pytest.mark.parametrize("function", ["TASK_HISTORY", "COMPLETE_TASK_GRAPHS"])
@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("change", [begin, end])
def test_a_run_is_told_with_the_tasks_of_its_state(
    connected: TargetAccount,
    meanwhile: TargetAccount,
    faults: Faults,
    read: Callable[[TargetAccount, DeployedRoot], Run | None],
    change: Callable[[TargetAccount], None],
    function: str,
) -> None:
    root = root_of(connected)
    before = listed(connected, root)
    if change is end:
        begin(meanwhile)
    rule = faults.do(lambda _: change(meanwhile), f"FROM TABLE {function}", when="after")
    found = read(connected, root)
    assert rule.fired
    executing = found is not None and any(task.state == "EXECUTING" for task in found.tasks)
    if found is not None and found != before and found.is_over:
        assert not executing and found.outcome == "cancelled"
    end(meanwhile)
    last: Any = read(connected, root)
    assert last.outcome == "cancelled"
