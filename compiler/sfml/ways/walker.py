"""Walking ways through a graph; a walk continues an earlier one from the first decision in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from heapq import heappop, heappush
from typing import TypeAlias

from sfml.base.record import record
from sfml.semantics.asking import RefusedQuestion
from sfml.semantics.decisions import Decision, decide
from sfml.semantics.evaluating import ConditionError, Functions, Undecided, condition_holds
from sfml.semantics.graph import TaskShape
from sfml.semantics.running import Returned, functions_of, settle
from sfml.semantics.states import State
from sfml.ways.shape import Behaviour, returned_text
from sfml.ways.values import missing_result

FAILS = "fails"
HOLDS, FALSE = "when holds", "when does not hold"

Point: TypeAlias = tuple[int, int]
"""A decision: the task's index in the order of the graph, and 0 for its condition or 1 for its end."""

Rank: TypeAlias = Callable[[int, int], tuple[int, int]]
"""Returns the rank of a walk from its numbers of changes and failures; walks of lower rank come first."""


@record
class Trace:
    """The record of a walk: states and return values of tasks, and the options of each decision that was made.

    `changed` maps the decisions that differ from the plain way to their options. `failed` are the failed tasks;
    `reasons` says why, for those that failed because of a missing result. Names are those in Snowflake.
    """

    states: dict[str, State]
    returned: dict[str, Returned]
    decisions: dict[Point, tuple[str, ...]] = field(default_factory=dict)
    changed: Mapping[Point, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)


@record
class Exploration:
    """The state of a search after a walk: its trace, the number of walks made, and the number known to be left."""

    trace: Trace
    count: int
    left: int


def fewest_changes(changes: int, failures: int) -> tuple[int, int]:
    """Ranks walks with few changes first, so that a limit leaves out combinations, and never single causes."""
    return (changes, failures)


def fewest_failures(changes: int, failures: int) -> tuple[int, int]:
    """Ranks walks without failures first."""
    return (failures, changes)


class Walker:
    """Walks the tasks of `order`, by default the whole graph."""

    def __init__(self, behaviour: Behaviour, order: Sequence[TaskShape] | None = None) -> None:
        self.behaviour = behaviour
        self.shape = behaviour.shape
        self.order: tuple[TaskShape, ...] = tuple(self.shape if order is None else order)
        self.place = {task.name: place for place, task in enumerate(self.order)}
        self.ends = tuple(self._ends(task) for task in self.order)

    def _ends(self, task: TaskShape) -> tuple[str, ...]:
        node = self.behaviour.node(task.name)
        if node is None:
            return ()
        outcomes = tuple(self.behaviour.outcomes[node.name]) if node.is_branch else ("succeeds",)
        return (*outcomes, FAILS)

    def explore(self, rank: Rank, *, failures: int, most: int) -> Iterator[Exploration]:
        """The walks with at most `failures` failed tasks, in the order of their rank; `most` walks at most."""
        queue: list[tuple[tuple[int, int], tuple[tuple[Point, int], ...], int, Trace | None]] = []
        heappush(queue, ((0, 0), (), 0, None))
        count = 0
        while queue and count < most:
            _, changes, failed, before = heappop(queue)
            count += 1
            trace = self.walked(dict(changes), before)
            for point, option, is_failure in self.alternatives(trace):
                if failed + is_failure <= failures:
                    key = tuple(sorted({**trace.changed, point: option}.items()))
                    entry = (rank(len(key), failed + is_failure), key, failed + is_failure, trace)
                    heappush(queue, entry)
            yield Exploration(trace, count, len(queue))

    def walked(self, changed: Mapping[Point, int], before: Trace | None = None) -> Trace:
        """The walk with these changes. With `before`, the states up to the last change are copied from it."""
        first = max(changed)[0] if changed and before is not None else 0
        trace = Trace({}, {}, {}, changed)
        if before is not None:
            for task in self.order[:first]:
                trace.states[task.name] = before.states[task.name]
                if task.name in before.returned:
                    trace.returned[task.name] = before.returned[task.name]
                if task.name in before.reasons:
                    trace.reasons[task.name] = before.reasons[task.name]
                if task.name in before.failed:
                    trace.failed.add(task.name)
            trace.decisions.update(
                {point: options for point, options in before.decisions.items() if point[0] < first}
            )
        settle(self.shape, trace.states, self.order[first:], lambda name: self._consider(name, trace))
        return trace

    def rewalked(self, before: Trace, changed: Mapping[Point, int], tasks: Sequence[TaskShape]) -> Trace:
        """The walk `before` with these changes; only `tasks` are walked again, all others keep their states."""
        trace = Trace(
            dict(before.states),
            dict(before.returned),
            dict(before.decisions),
            changed,
            dict(before.reasons),
            set(before.failed),
        )
        for task in tasks:
            place = self.place[task.name]
            trace.states.pop(task.name, None)
            trace.returned.pop(task.name, None)
            trace.decisions.pop((place, 0), None)
            trace.decisions.pop((place, 1), None)
            trace.reasons.pop(task.name, None)
            trace.failed.discard(task.name)
        settle(self.shape, trace.states, tasks, lambda name: self._consider(name, trace))
        return trace

    def _consider(self, name: str, trace: Trace) -> State:
        state = self._end(name, trace)
        if state.is_failure:
            trace.failed.add(name)
        return state

    def _end(self, name: str, trace: Trace) -> State:
        task, place = self.shape.task(name), self.place[name]
        if task.condition is not None:
            functions = functions_of(
                self.shape, name, trace.states, trace.returned, self.behaviour.started_by
            )
            try:
                if not self._holds(task, functions, trace):
                    return State.SKIPPED
            except (ConditionError, RefusedQuestion):
                return State.FAILED
        node = self.behaviour.node(name)
        if node is None:
            return State.SUCCEEDED
        missing = missing_result(self.behaviour, node, trace.states)
        if missing is not None:
            trace.reasons[name] = missing
            return State.FAILED
        options = self.ends[place]
        end = self._choose(trace, (place, 1), options)
        # The last option is the failure; its index is compared, because an outcome may be named `fails` too.
        if end == len(options) - 1:
            return State.FAILED
        outcomes = self.behaviour.outcomes
        raw = outcomes[node.name][options[end]] if node.is_branch else returned_text(node, None)
        trace.returned[name] = raw
        return State.SUCCEEDED

    def _holds(self, task: TaskShape, functions: Functions, trace: Trace) -> bool:
        assert task.condition is not None
        try:
            return condition_holds(task.condition, functions)
        except Undecided:
            holds = self._choose(trace, (self.place[task.name], 0), (HOLDS, FALSE)) == 0
        node = self.behaviour.node(task.name)
        condition = self.behaviour.condition_with(node, holds=holds) if node is not None else None
        try:
            # The comparison with a branch's outcome, or `run_if`, may keep the task from running although `when` holds.
            return holds if condition is None else condition_holds(condition, functions)
        except Undecided:
            return holds

    def asks(self, name: str, trace: Trace) -> bool:
        """Whether the `when` of a task is evaluated on this way: its predecessors, branches and `run_if` let it run."""
        above = {other: state for other, state in trace.states.items() if other != name}
        if decide(self.shape, name, above) is not Decision.CONSIDER:
            return False
        node = self.behaviour.node(name)
        condition = self.behaviour.condition_with(node, holds=True) if node is not None else None
        functions = functions_of(self.shape, name, trace.states, trace.returned, self.behaviour.started_by)
        try:
            return condition is None or condition_holds(condition, functions)
        except (ConditionError, RefusedQuestion, Undecided):
            return False

    def _choose(self, trace: Trace, point: Point, options: tuple[str, ...]) -> int:
        """The index of the option that the walk takes, which is 0 on the plain way; the decision is recorded."""
        trace.decisions[point] = options
        return trace.changed.get(point, 0)

    def alternatives(self, trace: Trace) -> Iterator[tuple[Point, int, bool]]:
        """The other options of decisions after the last change: decision, option, and whether it is a failure."""
        last = max(trace.changed, default=(-1, -1))
        for point, options in trace.decisions.items():
            if point <= last:
                continue
            for option in range(1, len(options)):
                yield point, option, point[1] == 1 and option == len(options) - 1
