"""Cancelling runs: what is asked to end at each look, until nothing but finalizers is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from made_graphs import closure, graph, sql

from sfml.account.history import DeployedRoot, GraphRow, TaskRow
from sfml.base.errors import ConnectionFailed
from sfml.lower.lower import lower
from sfml.operations import runs
from sfml.operations.runs import cancel_runs

ROOT = DeployedRoot("CLV", "1", True, None, None)
DESIRED = lower(graph(sql("a"), sql("b", after=("a",)), finalizer=sql("tidy")), closure, "0.1.0")
GOES_ON = GraphRow("r1", 1, "EXECUTING")


def row(name: str, state: str) -> TaskRow:
    return TaskRow(name, state, None, None, None, None, None, None, None, "r1", 1)


class Looks:
    """Answers one look after another; the last one again and again."""

    def __init__(self, *looks: tuple[Sequence[TaskRow], Sequence[GraphRow]]) -> None:
        self.looks = list(looks)
        self.cancelled: list[str] = []

    def rows(self, root: DeployedRoot) -> Sequence[TaskRow]:
        return self.looks[0][0]

    def going_on(self, root: DeployedRoot) -> Sequence[GraphRow]:
        return self.looks[0][1]

    def cancel(self, name: str) -> None:
        self.cancelled.append(name)

    def next(self, seconds: float) -> None:
        if len(self.looks) > 1:
            self.looks.pop(0)


def cancelled(*looks: tuple[Sequence[TaskRow], Sequence[GraphRow]]) -> tuple[tuple[str, ...], list[str]]:
    account = Looks(*looks)
    groups = cancel_runs(DESIRED, cast(Any, account), ROOT, interval=0, sleep=account.next)
    return groups, account.cancelled


def test_a_run_between_two_tasks_is_executing() -> None:
    between = ([row("CLV$A", "SUCCEEDED")], [GOES_ON])
    begun = ([row("CLV$A", "SUCCEEDED"), row("CLV$B", "EXECUTING")], [GOES_ON])
    over = ([row("CLV$B", "CANCELLED")], [GraphRow("r1", 1, "FAILED")])
    assert cancelled(between, begun, over) == (("r1",), ["CLV$B"])


def test_a_finalizer_that_executes_is_left_alone() -> None:
    begun = ([row("CLV$A", "EXECUTING")], [GOES_ON])
    last = ([row("CLV$A", "CANCELLED"), row("CLV$TIDY", "EXECUTING")], [GOES_ON])
    assert cancelled(begun, last) == (("r1",), ["CLV$A"])


def test_a_scheduled_run_is_none_that_executes() -> None:
    assert cancelled(([row("CLV", "SCHEDULED")], [GraphRow("r2", 1, "SCHEDULED")])) == ((), [])


def test_a_run_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "END_WITHIN", 0.01)
    with pytest.raises(ConnectionFailed, match="run r1 was asked to end"):
        cancelled(([row("CLV$A", "SUCCEEDED")], [GOES_ON]))
