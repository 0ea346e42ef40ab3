"""Waits for the runs that are executing before a graph is changed, or refuses to change it under them."""

from __future__ import annotations

import time
from collections.abc import Callable

from sfml.account.history import DeployedRoot, GraphRow
from sfml.base.errors import ConflictingState
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.operations.holding import HeldLease
from sfml.operations.target_account import TargetAccount
from sfml.plan.model import ObservedGraph

_LOCAL_PAUSE = 0.1
_ACCOUNT_PAUSE = 5.0


@record
class Idleness:
    """What to do about runs that execute: wait so many seconds for them, refuse, or (neither) go on.

    A run that executes while its graph is changed finishes on the version that it began with.
    """

    wait: float | None = None
    refuse: bool = False


def demand_idle(
    observed: ObservedGraph | None,
    target: TargetAccount,
    held: HeldLease,
    idleness: Idleness,
    *,
    waiting: Callable[[str], None] = lambda words: None,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Wait or raise as asked; costs no call when neither is asked for, or nothing is deployed.

    `waiting` is told of which runs, once; `pause` waits between two looks, in seconds.
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
        held.look()
        running = _executing(observed, target)


def _executing(observed: ObservedGraph, target: TargetAccount) -> list[GraphRow]:
    root = DeployedRoot(raw(observed.root.name), observed.root.id, observed.root.started, None, None)
    return [graph for graph in target.history.graphs(root) if graph.state == "EXECUTING"]


def _words(running: list[GraphRow]) -> str:
    shown = ", ".join(graph.run_group for graph in running[:3])
    return f"run {shown}" if len(running) == 1 else f"one of runs {shown}"
