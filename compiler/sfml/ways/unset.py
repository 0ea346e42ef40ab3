"""SF333: values that some way through a graph leaves unset, each with the way.

Bit sets tell for most reads that the value is there on every way. Each of the others is looked for by walking: only a
way that was walked is told, so that no finding rests on a guess. Decision 0045 has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from sfml.base.diagnostic import Diagnostic, Label, Severity
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog import StepCatalog
from sfml.graph.draft import GraphDraft
from sfml.graph.model import TaskGraph, TaskNode
from sfml.lower.names import task_name
from sfml.semantics.states import State
from sfml.ways.certain import Certainty, certainty_of
from sfml.ways.reads import ResultRead, reads_of
from sfml.ways.shape import Behaviour
from sfml.ways.walker import Point, Rank, Trace, Walker, fewest_changes, fewest_failures

MOST_STEPS = 60_000
"""Tasks that are walked over for one graph at most: a second or two."""
MOST_WALKS = 1_000
"""Walks through all combinations for one reader at most."""
MOST_FAILURES = 6
"""Tasks that fail on one way at most."""


def unset_values(draft: GraphDraft, graph: TaskGraph, catalog: StepCatalog) -> Iterator[Diagnostic]:
    """The reads of results that are not there on some way, in the order of the graph."""
    certainty = certainty_of(graph)
    suspects = _suspects(draft, graph, catalog, certainty)
    if not suspects:
        return
    behaviour = Behaviour(graph)
    search = _Search(behaviour, certainty)
    drafts = draft.by_name
    for name, reads in suspects.items():
        ways = search.ways(name, tuple(dict.fromkeys(read.source for read in reads)))
        for read in reads:
            if read.source in ways:
                place = drafts[read.source].place("").span
                yield _finding(behaviour, name, read, ways[read.source], place)


def _suspects(
    draft: GraphDraft, graph: TaskGraph, catalog: StepCatalog, certainty: Certainty
) -> dict[str, list[ResultRead]]:
    """Reader → its reads of tasks above it that may not have succeeded when it runs."""
    names = {raw(task_name(graph, node.name)): node.name for node in graph.tasks}
    drafts = draft.by_name
    suspects: dict[str, list[ResultRead]] = {}
    for node in graph.tasks:
        for read in reads_of(drafts[node.name], node, catalog, names):
            if certainty.is_above(read.source, node.name) and not certainty.has_succeeded(
                read.source, node.name
            ):
                suspects.setdefault(node.name, []).append(read)
    return suspects


@record
class _UnsetWay:
    """A way that leaves a source unset. `doubts`: 0 when nothing fails on it, 1 when a condition decides that nobody
    can tell beforehand, 2 when a task fails."""

    trace: Trace
    doubts: int


class _Search:
    """Looks for ways on which a reader runs and what it reads is not there, within a bound for the graph."""

    def __init__(self, behaviour: Behaviour, certainty: Certainty) -> None:
        self.behaviour = behaviour
        self.certainty = certainty
        self.walker = Walker(behaviour)
        self.plain = self.walker.walked({})
        self.steps_left = MOST_STEPS

    def ways(self, reader: str, sources: tuple[str, ...]) -> dict[str, _UnsetWay]:
        """Source → a way that leaves it unset for the reader: the surest there is."""
        walks = _ReaderWalks(self, reader, sources)
        best: dict[str, _UnsetWay] = {}
        is_fixed = all(self.certainty.fixed[source] for source in sources)
        stages: list[Iterator[tuple[Walker, Trace]]] = [
            walks.as_it_is()
            if is_fixed
            else chain(walks.as_it_is(), walks.outcomes_near(), walks.explored(fewest_failures, failures=0)),
            chain(walks.failures_near(), walks.explored(fewest_changes, failures=MOST_FAILURES)),
        ]
        for stage in stages:
            for walker, trace in stage:
                for source in sources:
                    way = walks.unset_way(walker, trace, source)
                    if way is not None and (source not in best or way.doubts < best[source].doubts):
                        best[source] = way
                if all(source in best and not best[source].doubts for source in sources):
                    return best
                if len(best) == len(sources) and stage is stages[-1]:
                    return best
            if len(best) == len(sources):
                return best
        return best


class _ReaderWalks:
    """Walks over the tasks above one reader."""

    def __init__(self, search: _Search, reader: str, sources: tuple[str, ...]) -> None:
        self.search = search
        self.walker = search.walker
        self.behaviour = search.behaviour
        self.certainty = search.certainty
        self.reader = self.behaviour.raw_names[reader]
        self.sources = sources
        above = self.certainty.above[reader] | self.certainty.bit[reader]
        self.tasks = [
            (task, node)
            for task in self.walker.order
            if (node := self.behaviour.node(task.name)) is not None
            and self.certainty.bit.get(node.name, 0) & above
        ]
        """The reader and what stands above it, in the order of the graph."""
        self.names = {task.name for task, _ in self.tasks}
        self.base_changes = dict(self._outcomes_towards(above))
        self.base = self._rewalked(search.plain, self.base_changes)

    def _outcomes_towards(self, above: int) -> Iterator[tuple[Point, int]]:
        """Of each branch, the outcome by which most of the tasks above the reader run."""
        for task, node in self.tasks:
            counts = [
                sum(bool(self.certainty.bit[arm] & above) for arm in arms)
                for arms in (node.outcomes or {}).values()
            ]
            if counts and max(counts) > counts[0]:
                yield (self.walker.place[task.name], 1), counts.index(max(counts))

    def _rewalked(self, before: Trace, more: Mapping[Point, int]) -> Trace:
        """The walk with more changes; only what stands below them is walked again."""
        changed = {self.walker.order[place].name for place, _ in more}
        bits = sum(self.certainty.bit[self.behaviour.names[name]] for name in changed)
        tasks = [
            task
            for task, node in self.tasks
            if task.name in changed or self.certainty.above[node.name] & bits
        ]
        self.search.steps_left -= len(tasks)
        return self.walker.rewalked(before, {**before.changed, **more}, tasks) if tasks else before

    def as_it_is(self) -> Iterator[tuple[Walker, Trace]]:
        """The way that leads to the reader without another change."""
        yield self.walker, self.base

    def outcomes_near(self) -> Iterator[tuple[Walker, Trace]]:
        """What the branches and conditions above the sources may choose otherwise, the nearest first."""
        relevant = 0
        for source in self.sources:
            relevant |= self.certainty.above[source] | self.certainty.bit[source]
        for task, node in reversed(self.tasks):
            if self.certainty.bit[node.name] & relevant:
                for kind in (1, 0):
                    point = (self.walker.place[task.name], kind)
                    options = self.base.decisions.get(point, ())
                    for option in range(len(options) - kind):  # the last of an end is the failure
                        if option != self.base.changed.get(point, 0) and self.search.steps_left > 0:
                            yield self.walker, self._rewalked(self.base, {point: option})

    def failures_near(self) -> Iterator[tuple[Walker, Trace]]:
        """What fails at the sources, right above them and right above the reader."""
        names = self.behaviour.raw_names
        failing = [self._failure(names[source]) for source in self.sources]
        nodes = [self.behaviour.graph.task(source) for source in self.sources]
        higher = [self._failure(names[name]) for node in nodes for name in node.after]
        above = self.walker.shape.task(self.reader).predecessors
        every = {point: option for name in above for point, option in self._failure(name).items()}
        changes = [*failing, *higher, every, *({**every, **failure} for failure in failing)]
        for more in changes:
            if self.search.steps_left > 0:
                yield self.walker, self._rewalked(self.base, more)

    def _failure(self, name: str) -> dict[Point, int]:
        place = self.walker.place[name]
        return {(place, 1): len(self.walker.ends[place]) - 1}

    def explored(self, rank: Rank, *, failures: int) -> Iterator[tuple[Walker, Trace]]:
        """Every combination of outcomes, conditions and failures, as far as the bound goes."""
        root = self.walker.shape.task(self.behaviour.root)
        walker = Walker(self.behaviour, [root, *(task for task, _ in self.tasks)])
        for exploration in walker.explore(rank, failures=failures, most=MOST_WALKS):
            self.search.steps_left -= len(walker.order)
            if self.search.steps_left <= 0:
                return
            yield walker, exploration.trace

    def unset_way(self, walker: Walker, trace: Trace, source: str) -> _UnsetWay | None:
        """The way, if the reader's body begins on it and what the source returns is not there."""
        begins = (walker.place[self.reader], 1) in trace.decisions or self.reader in trace.reasons
        if not begins or trace.states[self.behaviour.raw_names[source]] is State.SUCCEEDED:
            return None
        conditions = self._conditions(walker, trace)
        if _contradict_each_other(conditions):
            return None
        if any(trace.states[name].is_failure for name in self.names if name != self.reader):
            return _UnsetWay(trace, 2)
        doubtful = any(
            option or not (node.name == source or self.certainty.is_above(node.name, source))
            for node, option in conditions
        )
        return _UnsetWay(trace, int(doubtful))

    def _conditions(self, walker: Walker, trace: Trace) -> list[tuple[TaskNode, int]]:
        """The tasks whose conditions nobody can tell beforehand, each with 0 if it holds on this way."""
        return [
            (node, trace.changed.get((walker.place[task.name], 0), 0))
            for task, node in self.tasks
            if node.when is not None and (walker.place[task.name], 0) in trace.decisions
        ]


def _contradict_each_other(conditions: list[tuple[TaskNode, int]]) -> bool:
    """Whether one condition, written at two tasks, holds at one and not at the other."""
    options: dict[str | None, int] = {}
    return any(options.setdefault(node.when, option) != option for node, option in conditions)


def _finding(behaviour: Behaviour, reader: str, read: ResultRead, way: _UnsetWay, place: Span) -> Diagnostic:
    """The finding: an error where nothing has to fail for it, and the reader cannot do without the value."""
    cause, state = _cause(behaviour, way.trace, read.source)
    outcome = "fails" if state is State.FAILED else "is skipped" if state is State.SKIPPED else "never runs"
    own = cause == f"`{read.source}` fails"
    label = f"where {cause}" + ("" if own else f", `{read.source}` {outcome}")
    return Diagnostic(
        "SF333",
        Severity.ERROR if read.fails and not way.doubts else Severity.WARNING,
        f"`{read.text}` is not always there when `{reader}` runs",
        read.place.span,
        read.place.path,
        label,
        (Label(place, f"{outcome} there"),),
        read.effect,
        read.help,
    )


def _cause(behaviour: Behaviour, trace: Trace, source: str) -> tuple[str, State]:
    """What decided on the way that the source did not succeed, and the source's own state."""
    states = {name: trace.states[raw] for name, raw in behaviour.raw_names.items() if raw in trace.states}
    name = source
    while True:
        node = behaviour.graph.task(name)
        chosen = _outcome_against(behaviour, trace, node)
        above = next((one for one in node.after if states[one] is not State.SUCCEEDED), None)
        if states[name].is_failure:
            return f"`{name}` fails", states[source]
        if chosen is not None:
            return chosen, states[source]
        if above is None or (states[name] is State.SKIPPED and node.when is not None):
            return f"the condition of `{name}` does not hold", states[source]
        name = above


def _outcome_against(behaviour: Behaviour, trace: Trace, node: TaskNode) -> str | None:
    """The outcome by which a branch left the task out."""
    for above in node.after:
        branch = behaviour.graph.task(above)
        returned = trace.returned.get(behaviour.raw_names[above])
        for outcome, arms in (branch.outcomes or {}).items():
            is_arm = any(node.name in tasks for tasks in (branch.outcomes or {}).values())
            if is_arm and behaviour.outcomes[above][outcome] == returned and node.name not in arms:
                return f"`{above}` returns `{outcome}`"
    return None
