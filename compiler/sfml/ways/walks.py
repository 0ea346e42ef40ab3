"""Every way through a graph: each outcome of each branch, each failure, walked from the plain way outwards.

A way is told by its choices: what differs from the way on which every branch returns its first outcome and nothing
fails. Ways with few choices come first, so that what a bound leaves out are combinations, never single causes.
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
"""The states in the order of the graph, and why tasks failed for what they read."""


@record
class Choice:
    """What a task does: an outcome, `fails`, or whether its condition holds; None for the pipeline's own."""

    task: str | None
    what: str


@record
class Way:
    """One way through. `states` are by the spec's names; `also` are other choices that come to the same."""

    choices: tuple[Choice, ...]
    """Those that a branch on the way made, and all that differ from the plain way."""
    states: Mapping[str, State]
    state: State
    also: tuple[tuple[Choice, ...], ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Of the tasks that fail for a result that is not there: which, and why it is not."""

    @property
    def key(self) -> WayKey:
        """What makes it this way: two walks with one key are one way."""
        return tuple(self.states.values()), tuple(sorted(self.reasons.items()))


@record
class WayWalk:
    """The ways in the order found, and how far the walk went."""

    ways: tuple[Way, ...]
    failures: int
    """How many tasks fail on one way at most, those left out that fail for a result that is not there."""
    count: int
    """Combinations of choices that were walked."""
    left: int
    """Combinations known not to have been walked, for there were too many; there may be more beyond them."""


def walk(behaviour: Behaviour, *, failures: int = 1, most: int = 2_000) -> WayWalk:
    """The ways through the graph with at most so many failures, of at most so many combinations of choices."""
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
    states = behaviour.told(trace.states)
    return Way(choices, states, graph_state(walker.shape, trace.states), (), reasons)
