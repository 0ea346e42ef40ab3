"""A task graph as the rules see it: shapes and conditions in Snowflake's names, with the way back to the spec's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from sfml.base.quoting import raw
from sfml.graph.declared_tests import GivenEnd
from sfml.graph.model import JobBody, StepBody, StreamSchedule, TaskGraph, TaskNode
from sfml.lower.conditions import condition_of, root_condition
from sfml.lower.named_graph import named_graph
from sfml.semantics.evaluating import Unknown
from sfml.semantics.graph import GraphShape, TaskShape
from sfml.semantics.running import Returned
from sfml.semantics.states import State


class Behaviour:
    """One pipeline for one target, ready to be carried out."""

    def __init__(self, graph: TaskGraph) -> None:
        self.graph = graph
        self._named = named_graph(graph)
        self.root = raw(self._named.root)
        self.raw_names = self._named.raw_names
        self.names: Mapping[str, str] = {found: name for name, found in self.raw_names.items()}
        """Name in Snowflake → name in the spec; the root has none."""
        self.shape = self._shape()

    def _shape(self) -> GraphShape:
        graph = self.graph
        tasks = [TaskShape(self.root, condition=root_condition(graph.settings))]
        for node in graph.tasks:
            above = tuple(sorted(self.raw_names[name] for name in node.after)) or (self.root,)
            tasks.append(TaskShape(self.raw_names[node.name], above, condition_of(self._named, node).whole))
        finalizer = graph.finalizer
        last = None
        if finalizer is not None:
            condition = condition_of(self._named, finalizer).whole
            last = TaskShape(self.raw_names[finalizer.name], condition=condition, finalizes=self.root)
        # The graph's tasks come in topological order already, and the checks have seen to the rest.
        return GraphShape(self.root, tuple(tasks), last)

    @cached_property
    def started_by(self) -> Mapping[str, bool]:
        """The streams that start the pipeline: in a run that they started, they have data."""
        schedule = self.graph.settings.schedule
        names = schedule.streams if isinstance(schedule, StreamSchedule) else ()
        return {name.upper(): True for name in names}

    @property
    def outcomes(self) -> Mapping[str, Mapping[str, str]]:
        """Branch → its outcomes, each with the value that Snowflake compares."""
        return self._named.outcomes

    def node(self, found: str) -> TaskNode | None:
        """The task of a name in Snowflake; None for the root."""
        name = self.names.get(found)
        return None if name is None else self.graph.task(name)

    def condition_with(self, node: TaskNode, *, holds: bool) -> str | None:
        """The task's condition with its own `when` replaced by what it comes to."""
        return condition_of(self._named, replace(node, when="TRUE" if holds else "FALSE")).whole

    def told(self, states: Mapping[str, State]) -> dict[str, State]:
        """The states by the spec's names, in the order of the spec's graph; the root is left out."""
        return {name: states[found] for name, found in self.raw_names.items()}


def returned_text(node: TaskNode, given: GivenEnd | None) -> Returned:
    """What the task's body sets as its return value: a step's result as JSON, any other's text as it is."""
    if given is None or not given.has_result:
        return Unknown(f"what `{node.name}` returns is not given")
    if given.returns is None:
        return None
    if isinstance(given.returns, str) and not isinstance(node.body, StepBody | JobBody):
        return given.returns
    return json.dumps(given.returns, ensure_ascii=False, separators=(",", ":"))
