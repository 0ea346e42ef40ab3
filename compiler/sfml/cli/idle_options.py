"""Before a graph is changed, waits until no run is executing, or refuses the change."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.interrupts import pause
from sfml.cli.lease_options import Seconds
from sfml.cli.options import Options
from sfml.operations.idleness import Idleness
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from sfml.operations.held_lease import HeldLease
    from sfml.plan.model import ObservedGraph

F = TypeVar("F", bound=Callable[..., Any])

_WAIT = 3600.0


def idle_options(function: F) -> F:
    """Adds the options about executing runs; the command receives them as one `idleness: Idleness`."""

    @click.option(
        "--wait-for-idle",
        type=Seconds(),
        is_flag=False,
        flag_value=_WAIT,
        default=None,
        metavar="[=TIME]",
        help="Wait until no run is executing, for at most TIME, such as =30m (by default 1 h).",
    )
    @click.option(
        "--fail-on-active-runs", is_flag=True, help="Refuse to change anything while a run is executing."
    )
    @functools.wraps(function)
    def command(**arguments: Any) -> Any:
        idleness = Idleness(arguments.pop("wait_for_idle"), arguments.pop("fail_on_active_runs"))
        if idleness.refuse and idleness.wait is not None:
            raise UsageError("--wait-for-idle and --fail-on-active-runs exclude each other")
        return function(idleness=idleness, **arguments)

    return command  # type: ignore[return-value]


def demand_idle(
    observed: ObservedGraph | None,
    target: TargetAccount,
    held_lease: HeldLease,
    idleness: Idleness,
    options: Options,
) -> None:
    """Wait for executing runs and print a note, or raise, as the options demand."""
    from sfml.operations import idleness as operation

    def waiting(words: str) -> None:
        if options.speaks:
            output.note(f"waiting for {words} …")

    operation.demand_idle(observed, target, held_lease, idleness, waiting=waiting, pause=pause)
