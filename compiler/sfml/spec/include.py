"""`include`: tasks of another file, with parameters and a prefix, once or for each entry of a `for_each`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.source import Span
from sfml.spec.expand import MAX_TASKS, bindings, empty_repetition, texts_before, too_many_made
from sfml.spec.expressions import Names, evaluated
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, entries_of, is_null, map_of, plain
from sfml.spec.variables import variable_values

SCHEMA = "tasks.schema.json"

_REFERENCE = re.compile(r"(?<!\$)\$\{\s*([A-Za-z_][A-Za-z0-9_]*)")

ReadFile = Callable[[ScalarNode, str], "MapNode | None"]


@dataclass(slots=True)
class IncludedTasks:
    """The graph with its included tasks.

    `bound` maps a task to the names (`param`, `each`) that only its own expressions may use; `groups` maps a task of
    an included file to the copies that `for_each` makes of it.
    """

    graph: MapNode
    bound: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    passed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Tasks of an include whose `for_each` is empty → the tasks that they would have run after."""


def with_includes(graph: MapNode, names: Names, read: ReadFile, findings: list[Diagnostic]) -> IncludedTasks:
    """The graph with the tasks of the files that its `include` names; `read` returns the document of a file."""
    node = graph.get("include")
    result = IncludedTasks(graph.without("include"))
    if node is None:
        return result
    tasks = map_of(graph.get("tasks")) or MapNode({}, {}, graph.span, "tasks")
    entries, key_spans = dict(tasks.entries), dict(tasks.key_spans)
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, MapNode) and len(result.bound) <= MAX_TASKS:
            for name, at, task in _tasks_of(_without_nulls(item), names, read, findings, result):
                if name in entries:
                    findings.append(_name_clash(name, item, at, key_spans.get(name)))
                    continue
                entries[name] = task
                key_spans[name] = at
    whole = {**result.graph.entries, "tasks": replace(tasks, entries=entries, key_spans=key_spans)}
    result.graph = replace(result.graph, entries=whole)
    return result


def _without_nulls(item: MapNode) -> MapNode:
    """The include without settings that are null, which count as not given."""
    return item.without(*(key for key, _, value in entries_of(item) if is_null(value)))


def _name_clash(name: str, item: MapNode, at: Span, other: Span | None) -> Diagnostic:
    labels = [Label(at, "brought in from here")]
    if other is not None:
        labels.append(Label(other, "the other one"))
    message = f"the graph already has a task `{name}`"
    help = "give the include a `prefix`"
    return Diagnostic.error("SF212", message, at=item.span, path=item.path, labels=tuple(labels), help=help)


def _tasks_of(
    item: MapNode, names: Names, read: ReadFile, findings: list[Diagnostic], result: IncludedTasks
) -> list[tuple[str, Span, Node]]:
    """The name, span and settings of each task that one entry of `include` adds to the graph."""
    path = evaluated(item.entries["tasks"], names, findings)
    document = read(path, SCHEMA) if isinstance(path, ScalarNode) and path.value else None
    tasks = map_of(document.get("tasks")) if document is not None else None
    if document is None or tasks is None:
        return []
    prefix = str(plain(item.entries["prefix"])) if "prefix" in item.entries else ""
    each = item.get("for_each")
    copies: list[tuple[str, dict[str, Any]]] = [("", {})]
    if each is not None:
        copies = [(f"_{suffix}", bound) for suffix, bound in bindings(each, names, findings)]
        if not copies:
            findings.extend(empty_repetition(str(plain(item.entries["tasks"])), each, item))
            renamed = {name: f"{prefix}{name}" for name in tasks.entries}
            for name, _, task in entries_of(tasks):
                before = texts_before(task) if isinstance(task, MapNode) else ()
                result.passed[renamed[name]] = tuple(renamed.get(other, other) for other in before)
    included: list[tuple[str, Span, Node]] = []
    for suffix, bound in copies:
        inner = {**names, "each": MappingProxyType(bound)} if each is not None else names
        parameters = _parameters(item, document, inner, findings)
        extra = {"param": MappingProxyType(parameters)} | (
            {"each": inner["each"]} if each is not None else {}
        )
        renamed = {name: f"{prefix}{name}{suffix}" for name in tasks.entries}
        if len(result.bound) + len(included) > MAX_TASKS:
            findings.append(too_many_made(item))
            break
        for name, at, task in entries_of(tasks):
            result.bound[renamed[name]] = extra
            if each is not None:
                group = f"{prefix}{name}"
                result.groups[group] = (*result.groups.get(group, ()), renamed[name])
            included.append((renamed[name], at, _renamed(task, renamed)))
    return included


def _parameters(item: MapNode, document: MapNode, names: Names, findings: list[Diagnostic]) -> dict[str, Any]:
    """The values of the file's parameters; they are checked if the file declares its `parameters`."""
    arguments = map_of(item.get("with"))
    declared = map_of(document.get("parameters"))
    if declared is None:
        values = plain(evaluated(arguments, names, findings)) if arguments is not None else {}
        return values if isinstance(values, dict) else {}
    return variable_values((declared,), (arguments,), {}, names, findings, word="parameter")


def _renamed(task: Node, names: Mapping[str, str]) -> Node:
    """The task with the new names of the tasks of its file in `after`, `outcomes` and references."""
    if not isinstance(task, MapNode) or all(old == new for old, new in names.items()):
        return task
    entries = dict(task.entries)
    for key, value in task.entries.items():
        if key == "after":
            entries[key] = _renamed_names(value, names)
        elif key == "outcomes" and isinstance(value, ListNode):
            # In the list form one name is both outcome and task; only the task gets the new name.
            arms = {str(plain(arm)): _renamed_names(arm, names) for arm in value.items}
            spans = {str(plain(arm)): arm.span for arm in value.items}
            entries[key] = MapNode(arms, spans, value.span, value.path)
        elif key == "outcomes" and isinstance(value, MapNode):
            arms = {outcome: _renamed_names(arm, names) for outcome, arm in value.entries.items()}
            entries[key] = replace(value, entries=arms)
        elif key not in ("sql", "when"):
            entries[key] = _renamed_references(value, names)
    return replace(task, entries=entries)


def _renamed_names(node: Node, names: Mapping[str, str]) -> Node:
    match node:
        case ScalarNode(value=str() as name):
            return replace(node, value=names.get(name, name))
        case ListNode(items=items):
            return replace(node, items=tuple(_renamed_names(item, names) for item in items))
        case _:
            return node


def _renamed_references(node: Node, names: Mapping[str, str]) -> Node:
    match node:
        case ScalarNode(value=str() as text) if "${" in text:
            return replace(node, value=_REFERENCE.sub(lambda m: "${" + names.get(m[1], m[1]), text))
        case ListNode(items=items):
            return replace(node, items=tuple(_renamed_references(item, names) for item in items))
        case MapNode(entries=entries):
            changed = {key: _renamed_references(value, names) for key, value in entries.items()}
            return replace(node, entries=changed)
        case _:
            return node
