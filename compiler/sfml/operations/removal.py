"""Plans the removal of a pipeline: of its graph, and of its files on the stage."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from sfml.account.part_graphs import lane_graphs, part_graphs
from sfml.base.errors import ConflictingState, RecordUnreadable
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import folded_name
from sfml.operations.apply_plan import inspect_stage, refuse_newer, traces_of
from sfml.operations.deployer import Work
from sfml.operations.held_lease import is_gone, new_lease
from sfml.operations.ownership import Ownership, above_strangers, graph_to_restore, ownership, taking_out
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import Artefact, observed_artefact
from sfml.plan.backfill_state import has_backfill
from sfml.plan.journal import Journal, header_of
from sfml.plan.lane import backfill_lease
from sfml.plan.lease import Lease
from sfml.plan.model import ObservedGraph
from sfml.plan.part_record import open_marks
from sfml.plan.stage_content import StageContent
from sfml.plan.stages import DropTask, Group, RemoveFiles, UnfinishedApply, removal_stages

if TYPE_CHECKING:
    from sfml.operations.deployer import Work


@record
class Removal:
    """The parts of a pipeline in the target, and the groups of stages that remove them; no groups if nothing exists."""

    desired: DesiredGraph
    observed: ObservedGraph | None
    staged: StageContent | None
    journal: Journal | None
    loose: tuple[str, ...]
    groups: tuple[Group, ...]
    was: Artefact | None
    unreadable: RecordUnreadable | None = None
    parts: tuple[str, ...] = ()
    """The tasks of graphs of parts of runs and of lanes of a backfill, their roots last."""
    backfill: Lease | None = None
    """The lease of a backfill that is going on, whose command will fail."""

    @property
    def names(self) -> tuple[str, ...]:
        """The tasks to be removed, the root first."""
        there = tuple(self.observed.by_name) if self.observed else ()
        return (*there, *self.loose, *self.parts)

    def work(self, lease: Lease) -> Work:
        """The work that carries out the removal under this lease."""
        journal = self.journal
        number = journal.header.number if journal else self.staged.next_number if self.staged else 1
        header = header_of(lease, number, work="destroy")
        return Work(
            *(self.groups, self.desired, header, self.observed, self.was),
            removes=True,
            unreadable=self.unreadable,
        )


def planned_removal(desired: DesiredGraph, target: TargetAccount) -> Removal:
    """Plan a destroy. Reads the target, and changes nothing.

    Of `desired`, only the pipeline, the target and the names are used. Remains of an unfinished apply or destroy are
    included. Raises `ConflictingState` for a graph that sfml did not make.
    """
    staged, journal, unreadable = inspect_stage(desired, target)
    refuse_newer(unreadable)
    observed = target.tasks.observed(desired.root.name)
    traces = traces_of(journal, unreadable, desired, target)
    if journal is None and observed is not None and observed.record is None:
        raise ConflictingState(
            f"{observed.root.name} was not made by sfml; nothing was changed",
            help=f"drop it yourself, or take it over first:  sfml apply {shlex.quote(desired.spec_path)} --adopt",
        )
    if traces and observed is not None:
        observed = target.tasks.in_doubt(observed, traces)
    own = ownership(desired, observed, staged, traces, target, thorough=True)
    _refuse_others(desired, own)
    observed, lost = own.observed, tuple(task.name for task in own.loose)
    now = observed_artefact(desired.pipeline, desired.target, observed)
    was = journal.was if journal else graph_to_restore(now, own)
    there = now or was or (journal.meant if journal else None)
    groups: tuple[Group, ...]
    if there is None:
        groups = ((RemoveFiles(),),) if staged and staged.paths else ()
    else:
        groups = removal_stages(
            there if now else replace(there, tasks=tuple(task for task in there.tasks if task.name in lost)),
            root_started=bool(observed and observed.root.started),
            # An interrupted first deployment already has a journal, and no previous graph.
            unfinished=UnfinishedApply(lost, journal.header.number if journal and was is None else None),
            loose_on=own.started_roots,
            with_files=True,
        )
        if staged is None:
            groups = tuple(group for group in groups if group != (RemoveFiles(),))
    parts = _parts(desired, target, staged)
    groups = (*(tuple(map(DropTask, level)) for level in parts if level), *groups)
    names = tuple(name for level in parts for name in level)
    backfill = target.leases.holder(backfill_lease(desired.root.name)) if names else None
    return Removal(
        *(desired, observed, staged, journal, lost, groups, was, unreadable, names),
        backfill=None if backfill is None or is_gone(backfill, new_lease("")) else backfill,
    )


def _parts(
    desired: DesiredGraph, target: TargetAccount, staged: StageContent | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tasks of graphs of parts and of lanes, and their roots. Costs no call if the stage names no such graph."""
    if not (open_marks(staged) or has_backfill(staged)):
        return (), ()
    there = target.history.deployed(desired.root.name)
    graphs = (*part_graphs(there, desired.root.name), *lane_graphs(there, desired.root.name))
    children = (task.name for graph in graphs for task in graph.tasks if task.name != graph.root)
    roots = (graph.root for graph in graphs if graph.has_root)
    return tuple(map(folded_name, children)), tuple(map(folded_name, roots))


def _refuse_others(desired: DesiredGraph, own: Ownership) -> None:
    """Raise `ConflictingState` if a stranger runs below the graph, because the removal would detach it."""
    if own.strangers:
        shown = ", ".join(sorted(task.name for task in own.strangers)[:5])
        raise ConflictingState(
            f"{shown} below {desired.root.name} is neither in the spec nor of its last deployment;"
            " nothing was changed",
            help=f"drop it, or take it out of the graph:  {taking_out(desired, own, above_strangers(own))}",
        )
