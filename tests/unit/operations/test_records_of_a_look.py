"""What one look at a followed run asks for: records of ended runs only when they may tell something of this one."""

from __future__ import annotations

from typing import Any, cast

from made_graphs import closure, graph, sql

from sfml.account.history import DeployedRoot, GraphRow, TaskRow
from sfml.lower.lower import lower
from sfml.operations.runs import AwaitedRun, read_run

ROOT = DeployedRoot("CLV", "1", True, None, None)
DESIRED = lower(graph(sql("a")), closure, "0.1.0")
AWAITED = AwaitedRun(ROOT, "r1", None, retries=1)


class Records:
    """The records of an account, and whether those of ended runs were asked for."""

    def __init__(self, going_on: tuple[GraphRow, ...], ended: tuple[GraphRow, ...] = ()) -> None:
        self._going_on, self._ended = going_on, ended
        self.is_asked = False

    def going_on(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        return self._going_on

    def ended(self, root: DeployedRoot) -> tuple[GraphRow, ...]:
        self.is_asked = True
        return self._ended

    def rows(self, root: DeployedRoot, since: object = None) -> tuple[TaskRow, ...]:
        attempts = sorted(
            record.attempt for record in (*self._going_on, *self._ended) if record.run_group == "r1"
        )
        return tuple(
            TaskRow("CLV$A", "SUCCEEDED", None, None, None, None, None, None, None, "r1", attempt)
            for attempt in attempts
        )


def test_a_first_attempt_that_goes_on_needs_no_records_of_ended_runs() -> None:
    account = Records((GraphRow("r1", 1, "EXECUTING"), GraphRow("r2", 1, "SCHEDULED")))
    run, ended = read_run(DESIRED, cast(Any, account), AWAITED)
    assert run is not None and run.state == "EXECUTING"
    assert not ended and not account.is_asked


def test_a_second_attempt_tells_how_the_first_one_ended() -> None:
    """The rows of the first attempt would say that it succeeded: the timeout of a graph leaves no error in them."""
    account = Records((GraphRow("r1", 2, "EXECUTING"),), (GraphRow("r1", 1, "FAILED"),))
    run, ended = read_run(DESIRED, cast(Any, account), AWAITED)
    assert run is not None and [one.state for one in run.attempts] == ["FAILED", "EXECUTING"]
    assert not ended


def test_a_run_that_does_not_go_on_is_looked_for_among_ended_ones() -> None:
    account = Records((GraphRow("r2", 1, "EXECUTING"),), (GraphRow("r1", 1, "SUCCEEDED"),))
    run, ended = read_run(DESIRED, cast(Any, account), AWAITED)
    assert run is not None and run.state == "SUCCEEDED"
    assert ended
