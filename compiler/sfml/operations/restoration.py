"""Plans a restore: going back to the graph from before an unfinished apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml.base.errors import ConflictingState
from sfml.lower.desired import DesiredGraph
from sfml.operations.apply_plan import read_stage
from sfml.operations.deployer import Work
from sfml.operations.ownership import demand_one_owner, ownership, protect_strangers
from sfml.operations.target_account import TargetAccount
from sfml.plan.journal import Journal
from sfml.plan.restoration import restore_stages
from sfml.plan.stage_content import StageContent

if TYPE_CHECKING:
    from sfml.operations.deployer import Work


def restore_work(desired: DesiredGraph, target: TargetAccount) -> Work | None:
    """The work that restores the graph from before an unfinished apply; None if no apply is unfinished.

    Of `desired`, only the pipeline, the target and the root's name are used.
    """
    staged, journal = read_stage(desired, target)
    if journal is None:
        return None
    _refuse_without_code(journal, staged)
    observed = target.tasks.observed(desired.root.name)
    if observed is not None:
        observed = target.tasks.in_doubt(observed, (journal.was, journal.meant))
    own = ownership(desired, observed, staged, (journal.was, journal.meant), target)
    observed = own.observed
    groups = restore_stages(journal, observed, desired.target, own.loose, own.started_roots)
    protect_strangers(groups, own, desired)
    demand_one_owner(groups, own, desired, target.connection.role)
    graph = journal.was.graph(desired.target) if journal.was else desired
    suspended = frozenset(journal.was.suspended) if journal.was else frozenset()
    return Work(
        *(groups, graph, journal.header, observed, journal.was, {}, suspended), strangers=own.strangers
    )


def _refuse_without_code(journal: Journal, staged: StageContent | None) -> None:
    """Raise `ConflictingState` if an unfinished destroy has already removed the code of the previous graph."""
    if journal.header.work != "destroy" or journal.was is None or staged is None:
        return
    if staged.lacks(journal.was.archives):
        raise ConflictingState(
            f"{journal.pipeline} cannot be put back: the destroy removed its code already",
            help="`sfml destroy` finishes it; `sfml apply` deploys the current spec",
        )
