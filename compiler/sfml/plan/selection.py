"""Selectors of tasks, as `sfml run --only` takes them: `train`, `+score`, `train+`, `train_*`, `kind:job`, `tag:cost`.

`+` before a selector adds everything that its tasks run after, `+` behind it everything that runs after them, the
finalizer included. Several selectors, separated by commas or blanks, or given one by one, select what any of them does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from fnmatch import fnmatchcase

from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import UsageError
from sfml.base.quoting import name_parts, raw
from sfml.base.record import record
from sfml.graph.topology import Reach, children
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition

KINDS = ("step", "job", "call", "sql", "notify", "gate", "pool", "finalizer")
"""What `kind:` takes: what a task is made of, and what it may be besides."""

_ON_POOL = "SYSTEM$EXECUTE_ML_JOB("


@record
class SelectableTask:
    """A task as selectors see it, by its names in the spec."""

    name: str
    after: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    is_finalizer: bool = False


@record
class Selection:
    """The tasks that selectors select, in the order of the graph; `named` are those that no `+` added."""

    tasks: tuple[str, ...]
    named: frozenset[str]


def selectable_tasks(graph: DesiredGraph) -> tuple[SelectableTask, ...]:
    """The tasks of a graph as selectors see them, in its order; the generated root is left out."""
    names = {task.name: task.task for task in graph.all_tasks if task.task is not None}
    return tuple(
        SelectableTask(
            name=task.task,
            after=tuple(names[predecessor] for predecessor in task.predecessors if predecessor in names),
            kinds=frozenset(_kinds(task)),
            tags=task.tags,
            is_finalizer=task.finalize is not None,
        )
        for task in graph.all_tasks
        if task.task is not None
    )


def _kinds(task: DesiredTask) -> Iterator[str]:
    yield task.kind
    if task.outcomes is not None:
        yield "gate"
    if task.finalize is not None:
        yield "finalizer"
    match task.definition:
        case MLJobDefinitionSpec():
            yield "pool"
        case SqlDefinition(sql) if _ON_POOL in sql:
            yield "pool"


def words_of(selectors: str) -> tuple[str, ...]:
    """The single selectors of a text, in which commas and blanks stand between them."""
    return tuple(word for word in re.split(r"[,\s]+", selectors) if word)


def selection(tasks: Iterable[SelectableTask], selectors: Iterable[str]) -> Selection:
    """The tasks that the selectors select. Raises `UsageError` for one that selects nothing."""
    known = {task.name: task for task in tasks}
    edges = {
        name: tuple(predecessor for predecessor in task.after if predecessor in known)
        for name, task in known.items()
    }
    above, below = Reach(edges), _Below(edges, [task.name for task in known.values() if task.is_finalizer])
    selected: set[str] = set()
    named: set[str] = set()
    words = [word for text in selectors for word in words_of(text)]
    if not words:
        raise UsageError("a selector names no task", help="write the name of a task: train, +score, train+")
    for word in words:
        before, rest = word.startswith("+"), word.removeprefix("+")
        behind, rest = rest.endswith("+"), rest.removesuffix("+")
        own = _matches(known, rest, word)
        named |= own
        selected |= own
        for name in own if before else ():
            selected.update(known if known[name].is_finalizer else above.above(name))
        for name in own if behind else ():
            selected |= below.of(name)
    return Selection(tuple(name for name in known if name in selected), frozenset(named))


class _Below:
    """The tasks that run after a task; the finalizers run after every other."""

    def __init__(self, edges: Mapping[str, tuple[str, ...]], finalizers: Iterable[str]) -> None:
        self._reach = Reach(children(edges))
        self._finalizers = frozenset(finalizers)

    def of(self, name: str) -> set[str]:
        return {*self._reach.above(name), *self._finalizers}


def _matches(known: Mapping[str, SelectableTask], text: str, word: str) -> set[str]:
    """The tasks that a selector without its `+` names."""
    prefix, colon, value = text.partition(":")
    if not text or "+" in text or (colon and not value):
        raise UsageError(
            f"`{word}` is not a selector",
            help="write a task's name, perhaps with `+` before or behind it: train, +score, train+",
        )
    if not colon:
        return _by_name(known, text)
    match prefix:
        case "kind":
            return _by_kind(known, value)
        case "tag":
            return _by_tag(known, value)
        case _:
            raise UsageError(
                f"`{word}` is not a selector", help="`kind:` and `tag:` are what tasks are selected by"
            )


def _by_name(known: Mapping[str, SelectableTask], text: str) -> set[str]:
    if text in known:
        return {text}
    if any(mark in text for mark in "*?["):
        found = {name for name in known if fnmatchcase(name, text)}
    else:
        found = {name for name in known if name.lower() == text.lower()}
    if not found:
        listed = ", ".join(known) if len(known) <= 20 else f"{', '.join([*known][:20])} …"
        raise UsageError(
            f"no task is called `{text}`", help=did_you_mean(text, known) or f"the tasks are: {listed}"
        )
    return found


def _by_kind(known: Mapping[str, SelectableTask], value: str) -> set[str]:
    if value not in KINDS:
        raise UsageError(
            f"`{value}` is not a kind of task",
            help=did_you_mean(value, KINDS) or f"the kinds are: {', '.join(KINDS)}",
        )
    found = {name for name, task in known.items() if value in task.kinds}
    if not found:
        raise UsageError(f"no task is of kind `{value}`")
    return found


def _by_tag(known: Mapping[str, SelectableTask], value: str) -> set[str]:
    """The tasks with a tag, by its whole name or the last part of it, and with this value where one is given."""
    tag, has_value, wanted = value.partition("=")
    found = {
        name
        for name, task in known.items()
        if any(_is_tag(own, tag) and (not has_value or task.tags[own] == wanted) for own in task.tags)
    }
    if not found:
        tags = sorted({own for task in known.values() for own in task.tags})
        raise UsageError(
            f"no task has the tag `{value}`",
            help=f"the tags are: {', '.join(tags)}" if tags else "no task of this pipeline has a tag",
        )
    return found


def _is_tag(own: str, wanted: str) -> bool:
    parts = [raw(part) for part in name_parts(own)]
    asked = [raw(part) for part in name_parts(wanted)]
    return bool(asked) and parts[-len(asked) :] == asked
