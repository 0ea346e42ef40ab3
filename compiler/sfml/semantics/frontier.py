"""The tasks of a run that may begin now, updated as single tasks begin and end."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from heapq import heappop, heappush

from sfml.semantics.decisions import Decision, decide
from sfml.semantics.graph import GraphShape
from sfml.semantics.states import State


class Frontier:
    """The same answers as `decisions.next_step`, without visiting the whole graph after every task.

    A task's decision depends on its predecessors and the root only, so the end of a task can only change the decisions
    of its children. `states` belongs to the caller; this class adds the tasks that never run to it.
    """

    def __init__(self, graph: GraphShape, states: dict[str, State]) -> None:
        self.graph = graph
        self.states = states
        self._names = tuple(task.name for task in graph)
        self._place = {name: place for place, name in enumerate(self._names)}
        self._children: dict[str, list[str]] = {name: [] for name in self._names}
        for task in graph.tasks:
            for predecessor in task.predecessors:
                self._children[predecessor].append(task.name)
        self._unfinished = sum(not self._is_final(task.name) for task in graph.tasks)
        self._ready: list[int] = []
        self._look_at(self._names)

    @property
    def ready(self) -> tuple[str, ...]:
        """The tasks to consider now, in the order of the graph."""
        return tuple(self._names[place] for place in self._ready)

    def note(self, name: str, state: State) -> None:
        """Record that a task has begun or ended with this state, and update the decisions that depend on it."""
        self._settle(name, state)
        if state.is_final:
            self._look_at(self._names if name == self.graph.root else self._below(name))

    def _settle(self, name: str, state: State) -> None:
        was_final = self._is_final(name)
        self.states[name] = state
        place = self._place[name]
        if place in self._ready:
            self._ready.remove(place)
        if state.is_final and not was_final and not self.finalizes(name):
            self._unfinished -= 1

    def _below(self, name: str) -> Iterable[str]:
        """The tasks whose decision depends on this one: its children, and the finalizer once all others have ended."""
        if self.graph.finalizer is not None and not self._unfinished:
            return (*self._children[name], self.graph.finalizer.name)
        return self._children[name]

    def _look_at(self, names: Iterable[str]) -> None:
        """Decide these tasks, and the tasks below each of them that turns out never to run."""
        waiting = sorted(self._place[name] for name in names)
        seen = set(waiting)
        while waiting:
            place = heappop(waiting)
            name = self._names[place]
            decision = decide(self.graph, name, self.states)
            if decision is Decision.CONSIDER and place not in self._ready:
                insort(self._ready, place)
            elif decision is Decision.NEVER:
                self._settle(name, State.NOT_EXECUTED)
                for below in self._below(name):
                    if self._place[below] not in seen:
                        seen.add(self._place[below])
                        heappush(waiting, self._place[below])

    def _is_final(self, name: str) -> bool:
        return name in self.states and self.states[name].is_final

    def finalizes(self, name: str) -> bool:
        return self.graph.finalizer is not None and name == self.graph.finalizer.name
