"""The shape of a task graph: its tasks with their predecessors, which are suspended, and the finalizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sfml.base.record import record


@record
class TaskShape:
    """What decides whether a task runs. Names are unqualified, because a graph lies in one schema.

    `condition` is the text of WHEN, `finalizes` the root whose finalizer this task is.
    """

    name: str
    predecessors: tuple[str, ...] = ()
    condition: str | None = None
    suspended: bool = False
    finalizes: str | None = None


class GraphError(ValueError):
    """Tasks that do not form a graph; the message is Snowflake's when the root is resumed."""


@dataclass(frozen=True, slots=True)
class GraphShape:
    """A root, the tasks below it in topological order (the root first), and the finalizer."""

    root: str
    tasks: tuple[TaskShape, ...]
    finalizer: TaskShape | None = None
    _by_name: dict[str, TaskShape] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({task.name: task for task in self.tasks})
        if self.finalizer:
            self._by_name[self.finalizer.name] = self.finalizer

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[TaskShape]:
        """The tasks in an order in which they may run, the finalizer last."""
        yield from self.tasks
        if self.finalizer:
            yield self.finalizer

    def task(self, name: str) -> TaskShape:
        """The task of that name; raises KeyError."""
        return self._by_name[name]

    def enabled_predecessors(self, name: str) -> tuple[str, ...]:
        """The predecessors that are not suspended. The root is never counted as suspended: the run started with it."""
        task = self._by_name[name]
        return tuple(p for p in task.predecessors if p == self.root or not self._by_name[p].suspended)

    def ancestors(self, name: str) -> frozenset[str]:
        """Every task that the named task runs after, directly or over others."""
        seen: set[str] = set()
        todo = list(self._by_name[name].predecessors)
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo.extend(self._by_name[current].predecessors)
        return frozenset(seen)


def build_graph(root: str, tasks: Iterable[TaskShape]) -> GraphShape:
    """The graph below `root`; tasks that are not connected with it are left out.

    Raises `GraphError` for a cycle, and for a predecessor that is neither the root nor below it. Snowflake accepts
    both in CREATE TASK and refuses them when the root is resumed.
    """
    shapes = {task.name: task for task in tasks}
    members = _connected(root, shapes)
    order = topological_order({name: shapes[name].predecessors for name in members})
    strays = [name for name in order if name != root and not shapes[name].predecessors]
    if strays:
        raise GraphError("The graph has more than one root task (one without predecessors)")
    finalizer = next((task for task in shapes.values() if task.finalizes == root), None)
    return GraphShape(root, tuple(shapes[name] for name in order), finalizer)


def _connected(root: str, shapes: dict[str, TaskShape]) -> tuple[str, ...]:
    """The root, then the tasks below it and all predecessors of those, sorted by name."""
    members = {root}
    grew = True
    while grew:
        grew = False
        for task in shapes.values():
            if task.name in members or members.isdisjoint(task.predecessors):
                continue
            members.add(task.name)
            grew = True
    for name in tuple(members):
        members.update(p for p in _upwards(name, shapes) if p in shapes)
    return (root, *sorted(members - {root}))


def _upwards(name: str, shapes: dict[str, TaskShape]) -> set[str]:
    seen: set[str] = set()
    todo = list(shapes[name].predecessors)
    while todo:
        current = todo.pop()
        if current in shapes and current not in seen:
            seen.add(current)
            todo.extend(shapes[current].predecessors)
    return seen


def topological_order(predecessors: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names in an order that puts each after its predecessors, ties as given; raises `GraphError` for a cycle."""
    order: list[str] = []
    placed: set[str] = set()
    waiting = list(predecessors)
    while waiting:
        ready = [name for name in waiting if placed.issuperset(predecessors[name])]
        if not ready:
            task = _task_on_cycle(waiting, predecessors)
            raise GraphError(f"Graph has at least one cycle containing task {task}")
        order.extend(ready)
        placed.update(ready)
        waiting = [name for name in waiting if name not in placed]
    return tuple(order)


def _task_on_cycle(waiting: list[str], predecessors: dict[str, tuple[str, ...]]) -> str:
    """A task that is on a cycle, not merely below one: the first that repeats on the way up through predecessors."""
    current, seen = waiting[0], set[str]()
    while current not in seen:
        seen.add(current)
        current = next(p for p in predecessors[current] if p in waiting)
    return current
