"""Order, cycles and reachability over names; also for graphs with cycles."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

Edges = Mapping[str, tuple[str, ...]]
"""Task → its predecessors; every name is a key."""


def topological_order(predecessors: Edges) -> tuple[str, ...]:
    """The names with predecessors first, ties in the order given; names on a cycle, or below one, are left out."""
    names = list(predecessors)
    position = {name: index for index, name in enumerate(names)}
    waiting = {name: len(set(above)) for name, above in predecessors.items()}
    below = children(predecessors)
    ready = [position[name] for name in names if not waiting[name]]
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for child in below[name]:
            waiting[child] -= 1
            if not waiting[child]:
                heapq.heappush(ready, position[child])
    return tuple(order)


def children(predecessors: Edges) -> dict[str, tuple[str, ...]]:
    """Task → the tasks directly below it, in the order given."""
    below: dict[str, dict[str, None]] = {name: {} for name in predecessors}
    for name, above in predecessors.items():
        for parent in above:
            below[parent][name] = None
    return {name: tuple(names) for name, names in below.items()}


def ancestors(predecessors: Edges, name: str) -> frozenset[str]:
    """Every task that runs before this one; a task on a cycle is above itself."""
    seen: set[str] = set()
    todo = list(predecessors.get(name, ()))
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo.extend(predecessors.get(current, ()))
    return frozenset(seen)


def cycles(predecessors: Edges) -> tuple[tuple[str, ...], ...]:
    """One cycle for each strongly connected component: `a → b → a` is `("a", "b", "a")`.

    Each is a shortest cycle that begins with the component's first task in the order written.
    """
    position = {name: index for index, name in enumerate(predecessors)}
    below = children(predecessors)
    paths: list[tuple[str, ...]] = []
    for component in _components(below):
        start = min(component, key=position.__getitem__)
        path = _shortest_way_back(start, below, component)
        if path:
            paths.append(path)
    return tuple(sorted(paths, key=lambda path: position[path[0]]))


def _components(below: Mapping[str, tuple[str, ...]]) -> list[set[str]]:
    """The strongly connected components, by Tarjan's algorithm with its own stack, because chains can be long."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_names: list[str] = []
    is_open: set[str] = set()
    components: list[set[str]] = []
    for root in below:
        if root in index:
            continue
        todo = [(root, iter(below[root]))]
        index[root] = low[root] = len(index)
        open_names.append(root)
        is_open.add(root)
        while todo:
            name, rest = todo[-1]
            child = next(rest, None)
            if child is None:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[name])
                if low[name] == index[name]:
                    component: set[str] = set()
                    while name not in component:
                        component.add(open_names.pop())
                    is_open -= component
                    components.append(component)
            elif child not in index:
                index[child] = low[child] = len(index)
                open_names.append(child)
                is_open.add(child)
                todo.append((child, iter(below[child])))
            elif child in is_open:
                low[name] = min(low[name], index[child])
    return components


def _shortest_way_back(start: str, below: Mapping[str, tuple[str, ...]], within: set[str]) -> tuple[str, ...]:
    came_from: dict[str, str] = {}
    layer = [start]
    while layer:
        following: list[str] = []
        for name in layer:
            for child in below[name]:
                if child == start:
                    path = [name]
                    while path[-1] != start:
                        path.append(came_from[path[-1]])
                    return (*reversed(path), start)
                if child in within and child not in came_from:
                    came_from[child] = name
                    following.append(child)
        layer = following
    return ()


class Reach:
    """Reachability: which tasks run before which, from one bit set for each task."""

    def __init__(self, predecessors: Edges) -> None:
        self._names = list(predecessors)
        self._bit = {name: 1 << index for index, name in enumerate(self._names)}
        self._above: dict[str, int] = {}
        for component in reversed(_components(children(predecessors))):  # parents before their children
            parents = {parent for name in component for parent in predecessors[name]}
            mask = 0
            for parent in parents - component:
                mask |= self._bit[parent] | self._above[parent]
            if parents & component:  # on a cycle every task runs before every other, and before itself
                mask |= sum(self._bit[name] for name in component)
            self._above.update(dict.fromkeys(component, mask))

    def is_above(self, ancestor: str, name: str) -> bool:
        """Whether `ancestor` runs before `name`."""
        return bool(self._bit.get(ancestor, 0) & self._above.get(name, 0))

    def above(self, name: str) -> tuple[str, ...]:
        """The tasks that run before `name`, in the order given."""
        mask = self._above.get(name, 0)
        return tuple(other for other in self._names if self._bit[other] & mask)
