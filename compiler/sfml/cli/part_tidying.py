"""Removes what parts of runs left over, at the start of the next command that changes the pipeline."""

from __future__ import annotations

from sfml.account.deployed import DeployedGraph
from sfml.account.part_graphs import part_graphs
from sfml.base.errors import LeaseHeld
from sfml.cli import output
from sfml.cli.lease_options import Locking, locked
from sfml.cli.options import Options
from sfml.lower.desired import DesiredGraph
from sfml.operations.held_lease import HeldLease
from sfml.operations.part_runs import remove_left_over, remove_part_graphs
from sfml.operations.target_account import TargetAccount
from sfml.plan.stage_content import StageContent


def tidy_parts(
    desired: DesiredGraph,
    target: TargetAccount,
    held_lease: HeldLease,
    staged: StageContent | None,
    options: Options,
) -> None:
    """Remove graphs of parts that have ended, and say so. Costs no call if the stage names no such graph."""
    _say(remove_left_over(desired, target, held_lease, staged), options)


def tidy_unlocked(
    desired: DesiredGraph, target: TargetAccount, graph: DeployedGraph, options: Options
) -> None:
    """The same for a command that holds no lease and has read the tasks; nothing if somebody else holds it."""
    if not part_graphs(graph, desired.root.name):
        return
    try:
        with locked(desired, target, options, Locking(timeout=0)) as held_lease:
            _say(remove_part_graphs(desired, target, held_lease), options)
    except LeaseHeld:
        pass  # whoever holds it may be making a part just now


def _say(removed: tuple[str, ...], options: Options) -> None:
    if removed and options.speaks:
        output.note(f"note: removed what an earlier part of a run left over: {', '.join(removed)}")
