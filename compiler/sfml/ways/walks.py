"""The ways through a graph, for all outcomes of branches and all failures.

On the plain way every branch returns its first outcome and no task fails. Another way is described by its choices: the
decisions that differ from the plain way. Ways with few choices come first, so that a limit leaves out combinations, and
never single causes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TypeAlias

from sfml.base.record import record
from sfml.semantics.decisions import graph_state
from sfml.semantics.states import State
from sfml.ways.shape import Behaviour
from sfml.ways.walker import Trace, Walker, fewest_changes

WayKey: TypeAlias = tuple[tuple[State, ...], tuple[tuple[str, str], ...]]
"""The states in the order of the graph, and the reasons of tasks that failed because of a missing result."""


@record
class Choice:
    """A decision of a task: an outcome, `fails`, or whether its condition holds; `task` is None for the root."""

    task: str | None
    what: str


@record
class Way:
    """One way through a graph. `states` are by names in the spec; `also` are other choices with the same result."""

    choices: tuple[Choice, ...]
    """The choices of branches on the way, and all that differ from the plain way."""
    states: Mapping[str, State]
    state: State
    also: tuple[tuple[Choice, ...], ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Task that failed because of a missing result → which result, and why it is missing."""

    @property
    def key(self) -> WayKey:
        """The identity of the way: walks with the same key are the same way."""
        return tuple(self.states.values()), tuple(sorted(self.reasons.items()))


@record
class WayWalk:
    """The ways in the order found, and the extent of the search."""

    ways: tuple[Way, ...]
    failures: int
    """The most tasks that fail on one way; tasks that fail because of a missing result are not counted."""
    count: int
    """The number of combinations of choices that were walked."""
    left: int
    """The number of known combinations that were not walked because of the limit; there may be more."""


def walk(behaviour: Behaviour, *, failures: int = 1, most: int = 2_000) -> WayWalk:
    """The ways with at most `failures` failed tasks; at most `most` combinations of choices are walked."""
    walker = Walker(behaviour)
    ways: dict[WayKey, tuple[Way, list[tuple[Choice, ...]]]] = {}
    count = left = 0
    for exploration in walker.explore(fewest_changes, failures=failures, most=most):
        count, left = exploration.count, exploration.left
        way = _way(walker, exploration.trace)
        first, also = ways.setdefault(way.key, (way, []))
        if first is not way:
            also.append(way.choices)
    return WayWalk(
        tuple(replace(way, also=tuple(also)) for way, also in ways.values()), failures, count, left
    )


def _way(walker: Walker, trace: Trace) -> Way:
    behaviour = walker.behaviour
    choices = tuple(
        Choice(behaviour.names.get(walker.order[point[0]].name), options[trace.changed.get(point, 0)])
        for point, options in sorted(trace.decisions.items())
        if point in trace.changed or len(options) > 2 or point[1] == 0
    )
    reasons = {behaviour.names[name]: reason for name, reason in trace.reasons.items()}
    states = behaviour.states_by_spec_name(trace.states)
    return Way(choices, states, graph_state(walker.shape, trace.states), (), reasons)
