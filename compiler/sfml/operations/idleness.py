"""Before a graph is changed, waits until no run is executing, or refuses the change."""

from __future__ import annotations

import time
from collections.abc import Callable

from sfml.account.history import DeployedRoot, GraphRow
from sfml.account.part_graphs import lane_graphs, part_graphs
from sfml.base.errors import ConflictingState
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.lower.names import folded_name
from sfml.operations.held_lease import HeldLease
from sfml.operations.target_account import TargetAccount
from sfml.plan.model import ObservedGraph

_LOCAL_PAUSE = 0.1
_ACCOUNT_PAUSE = 5.0


@record
class Idleness:
    """How to treat executing runs: wait for at most `wait` seconds, refuse the change, or (neither) go on.

    A run that is executing while its graph is changed finishes with the version that it began with.
    """

    wait: float | None = None
    refuse: bool = False


def demand_idle(
    observed: ObservedGraph | None,
    target: TargetAccount,
    held_lease: HeldLease,
    idleness: Idleness,
    *,
    waiting: Callable[[str], None] = lambda words: None,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Wait for executing runs, or raise `ConflictingState`. Costs no call without a demand or a deployed graph.

    `waiting` is called once with a description of the runs; `pause` is called with the seconds between two readings.
    """
    if observed is None or not (idleness.refuse or idleness.wait is not None):
        return
    running = _executing(observed, target)
    if running and idleness.refuse:
        raise ConflictingState(
            f"{_words(running)} of {observed.root.name} is executing; nothing was changed",
            help="run it again later, with --wait-for-idle, or without --fail-on-active-runs: a run that is"
            " executing finishes on the version that it began with",
        )
    deadline = time.monotonic() + (idleness.wait or 0)
    if running:
        waiting(f"{_words(running)} of {observed.root.name}")
    while running:
        if time.monotonic() > deadline:
            raise ConflictingState(
                f"{_words(running)} of {observed.root.name} is still executing; nothing was changed",
                help="give it more time: --wait-for-idle=2h",
            )
        pause(_LOCAL_PAUSE if target.connection.host in ("127.0.0.1", "localhost") else _ACCOUNT_PAUSE)
        held_lease.look()
        running = _executing(observed, target)


def _executing(observed: ObservedGraph, target: TargetAccount) -> list[GraphRow]:
    """The runs of the graph, of parts of its runs and of lanes of a backfill that are executing."""
    root = DeployedRoot(raw(observed.root.name), observed.root.id, observed.root.started, None, None)
    there = target.history.deployed(observed.root.name)
    beside = (*part_graphs(there, observed.root.name), *lane_graphs(there, observed.root.name))
    others = [target.history.root(folded_name(graph.root)) for graph in beside if graph.has_root]
    roots = (root, *(other for other in others if other is not None))
    return [graph for one in roots for graph in target.history.going_on(one) if graph.state == "EXECUTING"]


def _words(running: list[GraphRow]) -> str:
    shown = ", ".join(graph.run_group for graph in running[:3])
    return f"run {shown}" if len(running) == 1 else f"one of runs {shown}"
