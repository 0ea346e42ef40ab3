"""Draft → typed graph: tasks in topological order, with the edges from `after` and `outcomes`."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from sfml.base.source import Span
from sfml.graph.draft import GraphDraft, TaskDraft
from sfml.graph.model import TaskGraph, TaskNode
from sfml.graph.topology import topological_order


def build_graph(draft: GraphDraft) -> TaskGraph:
    """The graph of a draft without errors: all its names exist, and it has no cycle."""
    order = topological_order(draft.predecessors)
    drafts = draft.by_name
    assert len(order) == len(draft.tasks), "the checks find cycles before the graph is built"
    return TaskGraph(
        pipeline=draft.pipeline,
        spec_path=draft.spec_path,
        target=draft.target,
        settings=replace(draft.settings, spans=MappingProxyType(_root_spans(draft))),
        tasks=tuple(_node(drafts[name], draft.predecessors[name]) for name in order),
        finalizer=draft.finalizers[0].node if draft.finalizers else None,
        description=draft.description,
        config=draft.config,
        overridable=tuple(ref.name for ref in draft.overridable),
        seeds=draft.seeds,
        root_name=draft.root_name,
        root_body=draft.root_body,
        query_tag=draft.query_tag,
        own_names=MappingProxyType(
            {
                task.name: task.node.own_name
                for task in (*draft.tasks, *draft.finalizers)
                if task.node.own_name is not None
            }
        ),
        moved=MappingProxyType({to.name: old.name for old, to in draft.moved if to.name in drafts}),
        tests=draft.tests,
        sizes=draft.sizes,
        budget=draft.budget,
    )


def _root_spans(draft: GraphDraft) -> dict[str, Span]:
    """Setting of the root → its span: the settings of the schedule config, and the entries of `config`."""
    spans = {"": draft.places["pipeline"].span, **draft.settings.spans}
    return {**spans, **{key: place.span for key, place in draft.places.items() if key.startswith("config.")}}


def _node(task: TaskDraft, after: tuple[str, ...]) -> TaskNode:
    outcomes = None
    if task.outcomes is not None:
        outcomes = MappingProxyType(
            {outcome: tuple(ref.name for ref in refs) for outcome, refs in task.outcomes.items()}
        )
    return replace(task.node, after=tuple(sorted(after)), outcomes=outcomes)
