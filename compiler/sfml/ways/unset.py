"""SF333: values that are not set on some way through the graph.

For most reads, bit sets show that the value is set on every way. For the others, ways are walked until one is found
that leaves the value unset, so that no finding rests on a guess. Decision 0045 has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, Label, Severity
from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog import StepCatalog
from sfml.graph.draft import GraphDraft
from sfml.graph.model import TaskGraph, TaskNode
from sfml.lower.named_graph import named_graph
from sfml.semantics.graph import TaskShape
from sfml.semantics.states import State
from sfml.ways.certain import Certainty, certainty_of
from sfml.ways.reads import ResultRead, reads_of
from sfml.ways.shape import Behaviour
from sfml.ways.walker import Point, Rank, Trace, Walker, fewest_changes, fewest_failures

MOST_STEPS = 60_000
"""The most tasks that are walked over for one graph, which takes a second or two."""
MOST_WALKS = 1_000
"""The most combinations that are walked for one reader."""
MOST_FAILURES = 6
"""The most tasks that fail on one way."""


def unset_values(draft: GraphDraft, graph: TaskGraph, catalog: StepCatalog) -> Iterator[Diagnostic]:
    """The findings for reads of results that are not set on some way, in the order of the graph."""
    certainty = certainty_of(graph)
    suspects = _suspects(draft, graph, catalog, certainty)
    if not suspects:
        return
    behaviour = Behaviour(graph)
    search = _Search(behaviour, certainty)
    searches = [
        (name, reads, search.of(name, tuple(dict.fromkeys(read.source for read in reads)), in_condition))
        for (name, in_condition), reads in suspects.items()
    ]
    # The near ways of all readers come first: a long search for one reader must not use up the steps for the others.
    for _, _, reader in searches:
        reader.look_near()
    for _, _, reader in searches:
        reader.look_far()
    drafts = draft.by_name
    for name, reads, reader in searches:
        for read in reads:
            if read.source in reader.best:
                place = drafts[read.source].place("").span
                yield _finding(name, read, reader.best[read.source], place)


def _suspects(
    draft: GraphDraft, graph: TaskGraph, catalog: StepCatalog, certainty: Certainty
) -> dict[tuple[str, bool], list[ResultRead]]:
    """(Reader, whether its condition reads) → its reads of ancestors that may not have succeeded when it reads."""
    names = {name: task for task, name in named_graph(graph).raw_names.items()}
    drafts = draft.by_name
    suspects: dict[tuple[str, bool], list[ResultRead]] = {}
    for node in graph.tasks:
        for read in reads_of(drafts[node.name], node, catalog, names):
            if certainty.is_above(read.source, node.name) and not certainty.has_succeeded(
                read.source, node.name
            ):
                suspects.setdefault((node.name, read.in_condition), []).append(read)
    return suspects


@record
class _UnsetWay:
    """A way on which the result of a source is not set: its `cause` in words, and the state of the source.

    `doubts` is 0 when no task fails and all conditions are known, 1 when a condition decides that cannot be evaluated
    beforehand, and 2 when a task fails.
    """

    cause: str
    state: State
    doubts: int


class _Search:
    """The search for unset values in one graph; all its readers share a limit of steps."""

    def __init__(self, behaviour: Behaviour, certainty: Certainty) -> None:
        self.behaviour = behaviour
        self.certainty = certainty
        self.walker = Walker(behaviour)
        self.plain = self.walker.walked({})
        order = [(task, self.behaviour.node(task.name)) for task in self.walker.order]
        self.tasks = tuple((task, node) for task, node in order if node is not None and not node.is_finalizer)
        """All tasks in the order of the graph, which is the order of their bits."""
        self.below = self._below()
        self.deciding = tuple(task for task in self.tasks if task[1].outcomes or task[1].when is not None)
        """The branches, and the tasks with a `when`."""
        self.steps_left = MOST_STEPS

    def _below(self) -> dict[str, int]:
        """Task → the bit set of itself and all tasks that run after it."""
        below = dict(self.certainty.bit)
        for _, node in reversed(self.tasks):
            for name in node.after:
                below[name] |= below[node.name]
        return below

    def among(self, mask: int) -> Iterator[tuple[TaskShape, TaskNode]]:
        """The tasks of a bit set, in the order of the graph."""
        while mask:
            lowest = mask & -mask
            yield self.tasks[lowest.bit_length() - 1]
            mask ^= lowest

    def of(self, reader: str, sources: tuple[str, ...], in_condition: bool) -> _ReaderSearch:
        """The search for one reader."""
        return _ReaderSearch(self, reader, sources, in_condition)


class _ReaderSearch:
    """The search for one reader; `best` maps a source to the way with the fewest doubts found so far."""

    def __init__(self, search: _Search, reader: str, sources: tuple[str, ...], in_condition: bool) -> None:
        self.search = search
        self.asked = (reader, sources, in_condition)
        self.sources = sources
        self.open_sources = tuple(source for source in sources if not search.certainty.fixed[source])
        """The sources whose end is not certain without a failure."""
        self.best: dict[str, _UnsetWay] = {}

    def look_near(self) -> None:
        """Walk the plain way, then ways with one other choice near the sources, then ways with failures near them."""
        walks = _ReaderWalks(self.search, *self.asked)
        self._take(walks, walks.as_it_is(), self.sources, 0)
        self._take(walks, walks.outcomes_near(), self.open_sources, 0)
        if not self._are_found(self.sources, 1):
            self._take(walks, walks.failures_near(), self.sources, 2)

    def look_far(self) -> None:
        """Walk all combinations of choices within the limits, unless no better way can be found."""
        if self._are_found(self.open_sources, 0) and self._are_found(self.sources, 2):
            return
        walks = _ReaderWalks(self.search, *self.asked)
        self._take(walks, walks.explored(fewest_failures, failures=0), self.open_sources, 0)
        self._take(walks, walks.explored(fewest_changes, failures=MOST_FAILURES), self.sources, 2)

    def _take(
        self,
        walks: _ReaderWalks,
        ways: Iterator[tuple[Walker, Trace]],
        wanted: tuple[str, ...],
        doubts: int,
    ) -> None:
        """Keep the best ways, until each of the wanted sources has one with at most `doubts`."""
        if self._are_found(wanted, doubts):
            return
        for walker, trace in ways:
            for source in self.sources:
                most = self.best[source].doubts if source in self.best else 3
                way = walks.unset_way(walker, trace, source, most)
                if way is not None:
                    self.best[source] = way
            if self._are_found(wanted, doubts):
                return

    def _are_found(self, sources: tuple[str, ...], doubts: int) -> bool:
        return all(source in self.best and self.best[source].doubts <= doubts for source in sources)


class _ReaderWalks:
    """Walks over one reader and its ancestors."""

    def __init__(self, search: _Search, reader: str, sources: tuple[str, ...], in_condition: bool) -> None:
        self.in_condition = in_condition
        self.search = search
        self.walker = search.walker
        self.behaviour = search.behaviour
        self.certainty = search.certainty
        self.reader = self.behaviour.raw_names[reader]
        self.sources = sources
        self.above = self.certainty.above[reader] | self.certainty.bit[reader]
        """The bit set of the reader and its ancestors."""
        self.deciding = [
            decision for decision in search.deciding if self.certainty.bit[decision[1].name] & self.above
        ]
        self.base_changes = dict(self._outcomes_towards(self.above))
        self.base = self._rewalked(search.plain, self.base_changes)

    def _outcomes_towards(self, above: int) -> Iterator[tuple[Point, int]]:
        """The decisions by which branches choose the outcome that starts most ancestors of the reader."""
        for task, node in self.deciding:
            counts = [
                sum(bool(self.certainty.bit[arm] & above) for arm in arms)
                for arms in (node.outcomes or {}).values()
            ]
            if counts and max(counts) > counts[0]:
                yield (self.walker.place[task.name], 1), counts.index(max(counts))

    def _rewalked(self, before: Trace, more: Mapping[Point, int]) -> Trace:
        """The walk with further changes; only the tasks below them are walked again."""
        mask = 0
        for place, _ in more:
            mask |= self.search.below[self.behaviour.names[self.walker.order[place].name]]
        tasks = [task for task, _ in self.search.among(mask & self.above)]
        self.search.steps_left -= len(tasks)
        return self.walker.rewalked(before, {**before.changed, **more}, tasks) if tasks else before

    def as_it_is(self) -> Iterator[tuple[Walker, Trace]]:
        """The way towards the reader without further changes."""
        yield self.walker, self.base

    def outcomes_near(self) -> Iterator[tuple[Walker, Trace]]:
        """The ways with one other choice of a branch or condition above the sources, the nearest first."""
        relevant = 0
        for source in self.sources:
            relevant |= self.certainty.above[source] | self.certainty.bit[source]
        for task, node in reversed(self.deciding):
            if self.certainty.bit[node.name] & relevant:
                for kind in (1, 0):
                    point = (self.walker.place[task.name], kind)
                    options = self.base.decisions.get(point, ())
                    for option in range(
                        len(options) - kind
                    ):  # the last option of a task's end is its failure
                        if option != self.base.changed.get(point, 0) and self.search.steps_left > 0:
                            yield self.walker, self._rewalked(self.base, {point: option})

    def failures_near(self) -> Iterator[tuple[Walker, Trace]]:
        """The ways on which the sources fail, or the predecessors of the sources or of the reader."""
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
        """The ways for all combinations of outcomes, conditions and failures, within the limits."""
        if self.search.steps_left <= 0:
            return
        root = self.walker.shape.task(self.behaviour.root)
        walker = Walker(self.behaviour, [root, *(task for task, _ in self.search.among(self.above))])
        for exploration in walker.explore(rank, failures=failures, most=MOST_WALKS):
            self.search.steps_left -= len(walker.order)
            if self.search.steps_left <= 0:
                return
            yield walker, exploration.trace

    def unset_way(self, walker: Walker, trace: Trace, source: str, below: int) -> _UnsetWay | None:
        """The way, if the reader reads on it, the source has not succeeded, and it has fewer doubts than `below`."""
        if (
            not self._reads(walker, trace)
            or trace.states[self.behaviour.raw_names[source]] is State.SUCCEEDED
        ):
            return None
        conditions = self._conditions(walker, trace)
        if _contradict_each_other(conditions):
            return None
        doubts = 2
        if not any(self._is_above(name) for name in trace.failed):
            doubts = int(
                any(
                    option or not (node.name == source or self.certainty.is_above(node.name, source))
                    for node, option in conditions
                )
            )
        return _UnsetWay(*_cause(self.behaviour, trace, source), doubts) if doubts < below else None

    def _is_above(self, name: str) -> bool:
        node = self.behaviour.node(name)
        return node is not None and name != self.reader and bool(self.certainty.bit[node.name] & self.above)

    def _reads(self, walker: Walker, trace: Trace) -> bool:
        """Whether the reader's body begins, or its condition is evaluated, on this way."""
        if not self.in_condition:
            return (walker.place[self.reader], 1) in trace.decisions or self.reader in trace.reasons
        return walker.asks(self.reader, trace)

    def _conditions(self, walker: Walker, trace: Trace) -> list[tuple[TaskNode, int]]:
        """The tasks whose conditions cannot be evaluated beforehand, each with 0 if it holds on this way, else 1."""
        return [
            (node, trace.changed.get((walker.place[task.name], 0), 0))
            for task, node in self.deciding
            if node.when is not None and (walker.place[task.name], 0) in trace.decisions
        ]


def _contradict_each_other(conditions: list[tuple[TaskNode, int]]) -> bool:
    """Whether two tasks have the same condition, and it holds for one and not for the other."""
    options: dict[str | None, int] = {}
    return any(options.setdefault(node.when, option) != option for node, option in conditions)


def _finding(reader: str, read: ResultRead, way: _UnsetWay, place: Span) -> Diagnostic:
    """The finding; an error if the reader fails without the value and the way has no doubts, else a warning."""
    cause, state = way.cause, way.state
    outcome = "fails" if state is State.FAILED else "is skipped" if state is State.SKIPPED else "never runs"
    own = cause == f"`{read.source}` fails"
    when = f"the condition of `{reader}` is asked" if read.in_condition else f"`{reader}` runs"
    label = f"where {cause}" + ("" if own else f", `{read.source}` {outcome}")
    return Diagnostic(
        "SF333",
        Severity.ERROR if read.fails and not way.doubts else Severity.WARNING,
        f"`{read.text}` is not always there when {when}",
        read.place.span,
        read.place.path,
        label,
        (Label(place, f"{outcome} there"),),
        read.effect,
        read.help,
    )


def _cause(behaviour: Behaviour, trace: Trace, source: str) -> tuple[str, State]:
    """Why the source did not succeed on the way, as a clause, and the source's state."""
    states = {name: trace.states[raw] for name, raw in behaviour.raw_names.items() if raw in trace.states}
    name = source
    while True:
        node = behaviour.graph.task(name)
        chosen = _outcome_against(behaviour, trace, node)
        above = next(
            (predecessor for predecessor in node.after if states[predecessor] is not State.SUCCEEDED), None
        )
        if states[name].is_failure:
            return f"`{name}` fails", states[source]
        if chosen is not None:
            return chosen, states[source]
        if above is None or (states[name] is State.SKIPPED and node.when is not None):
            return f"the condition of `{name}` does not hold", states[source]
        name = above


def _outcome_against(behaviour: Behaviour, trace: Trace, node: TaskNode) -> str | None:
    """The outcome of a branch that does not start the task, as a clause; None if no branch left the task out."""
    for above in node.after:
        branch = behaviour.graph.task(above)
        returned = trace.returned.get(behaviour.raw_names[above])
        for outcome, arms in (branch.outcomes or {}).items():
            is_arm = any(node.name in tasks for tasks in (branch.outcomes or {}).values())
            if is_arm and behaviour.outcomes[above][outcome] == returned and node.name not in arms:
                return f"`{above}` returns `{outcome}`"
    return None
