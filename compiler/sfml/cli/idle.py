"""Waits for the runs that are executing before a graph is changed, or refuses to change it under them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfml.base.errors import ConflictingState, UsageError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.interrupts import pause
from sfml.cli.locking import Seconds
from sfml.cli.options import Options
from sfml.operations.target_account import Connected

if TYPE_CHECKING:
    from sfml.account.history import GraphRow
    from sfml.operations.holding import Held
    from sfml.plan.model import ObservedGraph

F = TypeVar("F", bound=Callable[..., Any])

_WAIT = 3600.0
_LOCAL_PAUSE = 0.1
_ACCOUNT_PAUSE = 5.0


@record
class Idleness:
    """What to do about runs that execute: wait so many seconds for them, refuse, or (neither) go on.

    A run that executes while its graph is changed finishes on the version that it began with.
    """

    wait: float | None = None
    refuse: bool = False


def idle_options(function: F) -> F:
    """Adds the flags about runs that execute; the command takes them as one `idleness: Idleness`."""

    @click.option(
        "--wait-for-idle",
        type=Seconds(),
        is_flag=False,
        flag_value=_WAIT,
        default=None,
        metavar="[=TIME]",
        help="Wait until no run is executing before anything is changed: =30m; else at most 1 h.",
    )
    @click.option("--fail-on-active-runs", is_flag=True, help="Change nothing while a run is executing.")
    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        idleness = Idleness(arguments.pop("wait_for_idle"), arguments.pop("fail_on_active_runs"))
        if idleness.refuse and idleness.wait is not None:
            raise UsageError("--wait-for-idle and --fail-on-active-runs exclude each other")
        return function(idleness=idleness, **arguments)

    return command  # type: ignore[return-value]


def demand_idle(
    observed: ObservedGraph | None, target: Connected, held: Held, idleness: Idleness, options: Options
) -> None:
    """Wait or raise as asked; costs no call when neither is asked for, or nothing is deployed."""
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
    if running and not (options.quiet or options.json):
        output.note(f"waiting for {_words(running)} of {observed.root.name} …")
    while running:
        if time.monotonic() > deadline:
            raise ConflictingState(
                f"{_words(running)} of {observed.root.name} is still executing; nothing was changed",
                help="give it more time: --wait-for-idle=2h",
            )
        pause(_LOCAL_PAUSE if target.connection.host in ("127.0.0.1", "localhost") else _ACCOUNT_PAUSE)
        held.look()
        running = _executing(observed, target)


def _executing(observed: ObservedGraph, target: Connected) -> list[GraphRow]:
    from sfml.account.history import DeployedRoot
    from sfml.base.quoting import raw

    root = DeployedRoot(raw(observed.root.name), observed.root.id, observed.root.started, None, None)
    return [graph for graph in target.history.graphs(root) if graph.state == "EXECUTING"]


def _words(running: list[GraphRow]) -> str:
    shown = ", ".join(graph.run_group for graph in running[:3])
    return f"run {shown}" if len(running) == 1 else f"one of runs {shown}"
