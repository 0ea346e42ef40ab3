"""A task graph in the form that simulation needs: shapes and conditions by names in Snowflake, and a mapping back."""

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
    """One pipeline for one target, ready to be simulated."""

    def __init__(self, graph: TaskGraph) -> None:
        self.graph = graph
        self._named = named_graph(graph)
        self.root = raw(self._named.root)
        self.raw_names = self._named.raw_names
        """Name in the spec → name in Snowflake."""
        self.names: Mapping[str, str] = {raw_name: name for name, raw_name in self.raw_names.items()}
        """Name in Snowflake → name in the spec; the root is left out, which has no name in the spec."""
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
        # The graph's tasks are in topological order, and the checks have found no errors in it.
        return GraphShape(self.root, tuple(tasks), last)

    @cached_property
    def started_by(self) -> Mapping[str, bool]:
        """Stream that starts the pipeline → True, because it has data in a run that it started."""
        schedule = self.graph.settings.schedule
        names = schedule.streams if isinstance(schedule, StreamSchedule) else ()
        return {name.upper(): True for name in names}

    @property
    def outcomes(self) -> Mapping[str, Mapping[str, str]]:
        """Branch → outcome → the return value that Snowflake compares."""
        return self._named.outcomes

    def node(self, raw_name: str) -> TaskNode | None:
        """The task with that name in Snowflake; None for the root."""
        name = self.names.get(raw_name)
        return None if name is None else self.graph.task(name)

    def condition_with(self, node: TaskNode, *, holds: bool) -> str | None:
        """The task's condition with its own `when` replaced by TRUE or FALSE."""
        return condition_of(self._named, replace(node, when="TRUE" if holds else "FALSE")).whole

    def states_by_spec_name(self, states: Mapping[str, State]) -> dict[str, State]:
        """The states by names in the spec, in the order of the graph; the root is left out."""
        return {name: states[raw_name] for name, raw_name in self.raw_names.items()}


def returned_text(node: TaskNode, end: GivenEnd | None) -> Returned:
    """The return value of a task in a test: that of a step or job as JSON, that of other tasks as text.

    It is None for a task that returns nothing, and unknown if the test does not give it.
    """
    if end is None or not end.has_result:
        return Unknown(f"what `{node.name}` returns is not given")
    if end.returns is None:
        return None
    if isinstance(end.returns, str) and not isinstance(node.body, StepBody | JobBody):
        return end.returns
    return json.dumps(end.returns, ensure_ascii=False, separators=(",", ":"))
