"""Every way through a graph: each outcome of each branch, each failure, walked from the plain way outwards.

A way is told by its choices: what differs from the way on which every branch returns its first outcome and nothing
fails. Ways with few choices come first, so that what a bound leaves out are combinations, never single causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from heapq import heappop, heappush
from typing import TypeAlias

from sfml.behaviour.shape import Behaviour, returned_text
from sfml.record import record
from sfml.semantics.asking import Refused
from sfml.semantics.decisions import graph_state
from sfml.semantics.evaluating import ConditionError, Functions, Undecided, condition_holds
from sfml.semantics.graph import TaskShape
from sfml.semantics.running import Returned, functions_of, settle
from sfml.semantics.states import State

FAILS = "fails"
HOLDS, FALSE = "when holds", "when does not hold"


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


@record
class Walked:
    """The ways in the order found, and how far the walk went."""

    ways: tuple[Way, ...]
    failures: int
    """How many tasks fail on one way at most."""
    count: int
    """Combinations of choices that were walked."""
    left: int
    """Combinations known not to have been walked, for there were too many; there may be more beyond them."""


_Point: TypeAlias = tuple[int, int]
"""A decision: the task's place in the graph's order, and 0 for its condition or 1 for its end."""


@record
class _Start:
    """A walk to be made: the decisions that differ from the plain way, and the walk that it leaves at the last."""

    changed: Mapping[_Point, int]
    before: _Trace | None


@record
class _Trace:
    """A walk that was made: states and return values by task, and the options of each decision that came up."""

    states: dict[str, State]
    returned: dict[str, Returned]
    decisions: dict[_Point, tuple[str, ...]] = field(default_factory=dict)
    changed: Mapping[_Point, int] = field(default_factory=dict)


def walk(behaviour: Behaviour, *, failures: int = 1, most: int = 2_000) -> Walked:
    """The ways through the graph with at most so many failures, of at most so many combinations of choices."""
    walker = _Walker(behaviour)
    queue: list[tuple[int, int, tuple[tuple[_Point, int], ...], _Start]] = []
    heappush(queue, (0, 0, (), _Start({}, None)))
    found: dict[tuple[State, ...], tuple[Way, list[tuple[Choice, ...]]]] = {}
    count = 0
    while queue and count < most:
        _, failed, _, start = heappop(queue)
        count += 1
        trace = walker.walked(start)
        way = walker.way(trace)
        _, also = found.setdefault(tuple(way.states.values()), (way, []))
        if found[tuple(way.states.values())][0] is not way:
            also.append(way.choices)
        for point, option, is_failure in walker.alternatives(trace):
            if failed + is_failure <= failures:
                changed = {**trace.changed, point: option}
                key = tuple(sorted(changed.items()))
                entry = (len(changed), failed + is_failure, key, _Start(changed, trace))
                heappush(queue, entry)
    ways = tuple(Way(way.choices, way.states, way.state, tuple(also)) for way, also in found.values())
    return Walked(ways, failures, count, len(queue))


class _Walker:
    """Walks one graph again and again, each time from where a walk leaves an earlier one."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.shape = behaviour.shape
        self.order: tuple[TaskShape, ...] = tuple(self.shape)
        self.place = {task.name: place for place, task in enumerate(self.order)}
        self.ends = tuple(self._ends(task) for task in self.order)

    def _ends(self, task: TaskShape) -> tuple[str, ...]:
        node = self.behaviour.node(task.name)
        if node is None:
            return ()
        outcomes = tuple(self.behaviour.outcomes[node.name]) if node.is_branch else ("succeeds",)
        return (*outcomes, FAILS)

    def walked(self, start: _Start) -> _Trace:
        """The walk; up to its last change it is the one that it leaves."""
        first = max(start.changed)[0] if start.changed else 0
        before = start.before
        trace = _Trace({}, {}, {}, start.changed)
        if before is not None:
            for task in self.order[:first]:
                trace.states[task.name] = before.states[task.name]
                if task.name in before.returned:
                    trace.returned[task.name] = before.returned[task.name]
            trace.decisions.update(
                {point: options for point, options in before.decisions.items() if point[0] < first}
            )
        settle(self.shape, trace.states, self.order[first:], lambda name: self._consider(name, trace))
        return trace

    def _consider(self, name: str, trace: _Trace) -> State:
        task, place = self.shape.task(name), self.place[name]
        if task.condition is not None:
            asked = functions_of(self.shape, name, trace.states, trace.returned, self.behaviour.started_by)
            try:
                if not self._holds(task, asked, trace):
                    return State.SKIPPED
            except (ConditionError, Refused):
                return State.FAILED
        node = self.behaviour.node(name)
        if node is None:
            return State.SUCCEEDED
        options = self.ends[place]
        end = self._choose(trace, (place, 1), options)
        # The failure is the last option; an outcome may be called `fails` too.
        if end == len(options) - 1:
            return State.FAILED
        outcomes = self.behaviour.outcomes
        raw = outcomes[node.name][options[end]] if node.is_branch else returned_text(node, None)
        trace.returned[name] = raw
        return State.SUCCEEDED

    def _holds(self, task: TaskShape, asked: Functions, trace: _Trace) -> bool:
        assert task.condition is not None
        try:
            return condition_holds(task.condition, asked)
        except Undecided:
            holds = self._choose(trace, (self.place[task.name], 0), (HOLDS, FALSE)) == 0
        node = self.behaviour.node(task.name)
        condition = self.behaviour.condition_with(node, holds=holds) if node is not None else None
        try:
            # A branch, or `run_if`, may still decide otherwise than the task's own condition.
            return holds if condition is None else condition_holds(condition, asked)
        except Undecided:
            return holds

    def _choose(self, trace: _Trace, point: _Point, options: tuple[str, ...]) -> int:
        """Which of the options it is; the first on the plain way."""
        trace.decisions[point] = options
        return trace.changed.get(point, 0)

    def alternatives(self, trace: _Trace) -> Iterator[tuple[_Point, int, bool]]:
        """What could be chosen otherwise after the last change: decision, option, and whether it is a failure."""
        last = max(trace.changed, default=(-1, -1))
        for point, options in trace.decisions.items():
            if point <= last:
                continue
            for option in range(1, len(options)):
                yield point, option, point[1] == 1 and option == len(options) - 1

    def way(self, trace: _Trace) -> Way:
        choices = tuple(
            Choice(self.behaviour.names.get(self.order[point[0]].name), options[trace.changed.get(point, 0)])
            for point, options in sorted(trace.decisions.items())
            if point in trace.changed or len(options) > 2 or point[1] == 0
        )
        states = self.behaviour.told(trace.states)
        return Way(choices, states, graph_state(self.shape, trace.states))
