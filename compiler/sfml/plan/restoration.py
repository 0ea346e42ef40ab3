"""The plan and stages of a restore: back to the graph before an unfinished apply, which its journal holds."""

from __future__ import annotations

from dataclasses import replace

from sfml.graph.model import Target
from sfml.plan.artefact import Artefact, observed_artefact
from sfml.plan.diff import make_plan
from sfml.plan.journal import Journal
from sfml.plan.model import Action, Change, ObservedGraph, ObservedTask, Plan
from sfml.plan.stages import FilesToWrite, Group, UnfinishedApply, removal_stages, stages_for


def restore_plan(
    was: Artefact,
    observed: ObservedGraph | None,
    target: Target,
    loose: tuple[ObservedTask, ...] = (),
) -> Plan:
    """The plan back to the graph `was`; child tasks that were suspended stay suspended, and so does the root."""
    plan = make_plan(was.graph(target), observed, resume=was.root_started, adopt=True, loose=loose)
    changes = tuple(_as_it_was(change, was) for change in plan.changes)
    return replace(plan, changes=changes, resume_root=was.root_started, notes=())


def restore_stages(
    journal: Journal,
    observed: ObservedGraph | None,
    target: Target,
    loose: tuple[ObservedTask, ...],
    loose_on: tuple[str, ...] = (),
) -> tuple[Group, ...]:
    """The stages of a restore: back to the old graph, or the removal of the graph if there was none before.

    `loose` are deployed tasks of either graph that are not below its root; `loose_on` those of them that are started.
    """
    leftover = tuple(task.name for task in loose)
    number = journal.header.number
    now = observed_artefact(journal.pipeline, target, observed)
    if journal.was is None:
        root_started = bool(observed and observed.root.started)
        there = now or journal.meant
        assert there is not None, "an apply has a graph before it or after it"
        if now is None:
            there = replace(there, tasks=tuple(task for task in there.tasks if task.name in leftover))
        return removal_stages(
            there, root_started=root_started, unfinished=UnfinishedApply(leftover, number), loose_on=loose_on
        )
    plan = restore_plan(journal.was, observed, target, loose)
    graph = journal.was.graph(target)
    unfinished = UnfinishedApply(number=number)
    return stages_for(plan, graph, FilesToWrite(), was=now, unfinished=unfinished, loose_on=loose_on)


def _as_it_was(change: Change, was: Artefact) -> Change:
    """The change, without resuming a child task that was suspended."""
    if change.name not in was.suspended:
        return change
    fields = tuple(field for field in change.fields if field.path != "state")
    if fields or change.action is not Action.ALTER:
        return replace(change, fields=fields)
    return replace(change, action=Action.UNCHANGED, fields=())
