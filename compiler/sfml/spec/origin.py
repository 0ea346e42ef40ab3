"""Where a value of a resolved pipeline came from: the place that set it, and the values that it overrode, in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sfml.base.record import record
from sfml.base.source import Span
from sfml.spec.compose import compose
from sfml.spec.model import LoadedSpec, PipelineSpec, Project
from sfml.spec.nodes import (
    ListNode,
    MapNode,
    Node,
    Plain,
    ScalarNode,
    entries_of,
    key_path,
    map_of,
    plain,
)
from sfml.spec.project import PROJECT_FILE

_VARIABLE = re.compile(r"\bvar\.([A-Za-z_]\w*)")
_GIVEN = "--var"


@record
class Setting:
    """A place that sets a value; `written` is the value in the text there, `span` is None for the command line."""

    layer: str
    written: Plain
    span: Span | None
    path: str | None


@record
class Origin:
    """A value and the settings that gave it, the effective one first; none for a value that nobody wrote.

    `path` is the value's path in the resolved pipeline. `around` holds settings of mappings around the value that were
    replaced as a whole. `variables` are the origins of the variables that its expression reads; `entries` those of the
    entries of a mapping.
    """

    path: str
    value: Any
    settings: tuple[Setting, ...]
    around: tuple[tuple[str, Setting], ...] = ()
    variables: tuple[Origin, ...] = ()
    entries: tuple[Origin, ...] = ()


def origins(loaded: LoadedSpec, file: str, path: str, overrides: Mapping[str, str]) -> tuple[Origin, ...]:
    """The origins of the value at `path` in `file` (relative to the project); several if `for_each` repeats it."""
    spec, project = loaded.spec, loaded.project
    assert spec is not None and project is not None, "the caller has handled findings before"
    entry = map_of(compose(loaded.sources[spec.path], spec.path)[0])
    view = _View(spec, project, entry, overrides)
    places = list(_walk(view.tree(), "", ()))
    names = view.logical_paths(file, path)
    matching = [place for place in places if place[0] in names or _is_set_at(place[1], file, path)]
    matching = matching or [place for place in places if _held_before(place[1], file, path)]
    return tuple(view.origin(*place) for place in matching)


def known_paths(loaded: LoadedSpec) -> tuple[str, ...]:
    """The paths of all values of the resolved pipeline."""
    assert loaded.spec is not None and loaded.project is not None
    view = _View(loaded.spec, loaded.project, None, {})
    return tuple(path for path, _, _ in _walk(view.tree(), "", ()) if path)


def variable_spans(loaded: LoadedSpec, overrides: Mapping[str, str]) -> Mapping[str, Span]:
    """Variable → span of the value that it got; variables set on the command line are left out."""
    spec, project = loaded.spec, loaded.project
    assert spec is not None and project is not None
    entry = map_of(compose(loaded.sources[spec.path], spec.path)[0])
    nodes = _View(spec, project, entry, overrides).variables().entries
    return {name: node.span for name, node in nodes.items() if node.span.file != _GIVEN}


def removed_by(loaded: LoadedSpec, path: str) -> Setting | None:
    """The `null` of the target that removes the value at `path`; None when there is none."""
    spec, project = loaded.spec, loaded.project
    assert spec is not None and project is not None
    entry = map_of(compose(loaded.sources[spec.path], spec.path)[0])
    view = _View(spec, project, entry, {})
    bare = path.removeprefix("graph.")
    for document in (entry, project.document):
        for top, node, _ in _walk(document, "", ()) if document is not None else ():
            for form in (bare, f"graph.{bare}", f"schedule.{bare}"):
                is_null = isinstance(node, ScalarNode) and node.value is None
                if is_null and top == f"targets.{spec.target_name}.{form}":
                    return view.setting(node)
    return None


def placed_origin(origin: Origin, place: Callable[[Span], Span]) -> Origin:
    """The origin with each of its spans replaced by `place` of it."""

    def moved(setting: Setting) -> Setting:
        return setting if setting.span is None else replace(setting, span=place(setting.span))

    return replace(
        origin,
        settings=tuple(map(moved, origin.settings)),
        around=tuple((path, moved(setting)) for path, setting in origin.around),
        variables=tuple(placed_origin(one, place) for one in origin.variables),
        entries=tuple(placed_origin(one, place) for one in origin.entries),
    )


Place = tuple[str, Node, tuple[tuple[str, Node], ...]]


def _walk(node: Node, path: str, above: tuple[tuple[str, Node], ...]) -> Iterator[Place]:
    """The node and every node below it, each with its path and the mappings and lists around it."""
    yield path, node, above
    inner = (*above, (path, node))
    match node:
        case MapNode():
            for key, value in node.entries.items():
                yield from _walk(value, key_path(path, key), inner)
        case ListNode():
            for index, item in enumerate(node.items):
                yield from _walk(item, f"{path}[{index}]", inner)


def _chain(node: Node) -> Iterator[Node]:
    """The node and the nodes that it overrode, newest first; of an evaluated expression, the expression only."""
    current: Node | None = node
    while current is not None:
        below = current.overrode
        if below is not None and below.span == current.span and below.path == current.path:
            current = below
            continue
        yield current
        current = below


def _is_set_at(node: Node, file: str, path: str) -> bool:
    return any(one.span.file == file and one.path == path for one in _chain(node))


def _held_before(node: Node, file: str, path: str) -> bool:
    """Whether a mapping or list that the node replaced as a whole held the value at `path`."""
    older = list(_chain(node))[1:]
    return any(
        inner.span.file == file and inner.path == path for one in older for _, inner, _ in _walk(one, "", ())
    )


@record
class _View:
    """A resolved pipeline as one tree, with the layers of its files; `overrides` are the values of `--var`."""

    spec: PipelineSpec
    project: Project
    entry: MapNode | None
    overrides: Mapping[str, str]

    def tree(self) -> MapNode:
        spec = self.spec
        tasks = MapNode({task.name: task.settings for task in spec.tasks}, {}, spec.graph.span, "tasks")
        last = MapNode(
            {task.name: task.settings for task in spec.finalizers}, {}, spec.graph.span, "finalizer"
        )
        parts: dict[str, Node] = {"config": spec.config, "tasks": tasks, "finalizer": last}
        if (overridable := spec.graph.get("overridable")) is not None:
            parts["overridable"] = overridable
        parts |= {"schedule": spec.schedule, "target": spec.target, "variables": self.variables()}
        return MapNode(parts, {}, Span.whole(spec.path), "")

    def logical_paths(self, file: str, path: str) -> frozenset[str]:
        """The paths in the tree that a path of a file can have; it depends on what the file is for the pipeline."""
        spec = self.spec
        bare = path.removeprefix("graph.")
        paths = {bare} if file in (spec.path, spec.graph.span.file) else set()
        if file == spec.path and path.startswith("schedule."):
            paths |= {path, f"schedule.{path}"}
        if file == spec.schedule.span.file and file != spec.path:
            paths.add(f"schedule.{path}")
        return frozenset(paths)

    def origin(self, path: str, node: Node, above: tuple[tuple[str, Node], ...], depth: int = 0) -> Origin:
        if isinstance(node, MapNode) and node.entries:
            inner = (*above, (path, node))
            entries = tuple(
                self.origin(one, value, (*inner, *between)) for one, value, between in _leaves(path, node)
            )
            return Origin(path, plain(node), (), self.replaced(((path, node),)), (), entries)
        settings = tuple(self.setting(one) for one in _chain(node))
        text = settings[0].written
        names = _VARIABLE.findall(text) if isinstance(text, str) and "{{" in text and depth < 5 else []
        held = self.variables().entries
        variables = tuple(
            self.origin(f"variables.{name}", held[name], (), depth + 1)
            for name in dict.fromkeys(names)
            if name in held
        )
        return Origin(path, plain(node), settings, self.replaced(above), variables)

    def replaced(self, above: tuple[tuple[str, Node], ...]) -> tuple[tuple[str, Setting], ...]:
        """The settings of mappings around a value that were replaced as a whole, with their paths."""
        return tuple((path, self.setting(one)) for path, node in above for one in list(_chain(node))[1:])

    def setting(self, node: Node) -> Setting:
        if node.span.file == _GIVEN:
            return Setting(_GIVEN, plain(node), None, None)
        return Setting(self.layer(node), plain(node), node.span, node.path)

    def layer(self, node: Node) -> str:
        """The layer that a node was written in, in words."""
        file, path = node.span.file, node.path
        if isinstance(node, ScalarNode) and re.fullmatch(r"targets(\.[^.]+)?", path):
            return "built in"
        owner = {PROJECT_FILE: "the project", self.spec.path: "the pipeline"}.get(file)
        if owner is None:
            if file == self.spec.schedule.span.file:
                return "the schedule config"
            return "the job config" if file == self.spec.graph.span.file else "an included file"
        keys = path.split(".")
        if keys[0] == "targets" and len(keys) > 1:
            words = f"target {keys[1]} of {owner}"
            return f"defaults in {words}" if keys[2:3] == ["defaults"] else words
        return f"{keys[0]} of {owner}" if keys[0] in ("defaults", "variables") else owner

    def variables(self) -> MapNode:
        """The variables with their values, as nodes that hold what they overrode."""
        layers: list[MapNode | None] = [
            map_of(document.get("variables")) if document is not None else None
            for document in (self.project.document, self.entry)
        ]
        for document in (self.project.document, self.entry):
            targets = map_of(document.get("targets")) if document is not None else None
            own = map_of(targets.get(self.spec.target_name)) if targets is not None else None
            layers.append(map_of(own.get("variables")) if own is not None else None)
        known: dict[str, Node] = {}
        for index, layer in enumerate(layers):
            for name, _, node in entries_of(layer):
                default = node.get("default") if index < 2 and isinstance(node, MapNode) else node
                if default is not None and not (isinstance(default, ScalarNode) and default.value is None):
                    known[name] = replace(default, overrode=known.get(name))
        for name, text in self.overrides.items():
            known[name] = ScalarNode(text, Span.whole(_GIVEN), f"variables.{name}", known.get(name))
        values = {name: self._valued(name, node) for name, node in known.items()}
        return MapNode(values, {}, Span.whole(self.spec.path), "variables")

    def _valued(self, name: str, node: Node) -> Node:
        value = self.spec.variables.get(name)
        if (
            isinstance(node, ScalarNode)
            and isinstance(value, bool | int | float | str)
            and value != node.value
        ):
            return ScalarNode(value, node.span, node.path, node)
        return node


def _leaves(path: str, node: MapNode) -> Iterator[Place]:
    """The values below a mapping that are not mappings with entries, each with the mappings between."""
    for key, value in node.entries.items():
        inner = key_path(path, key)
        if isinstance(value, MapNode) and value.entries:
            for leaf, one, between in _leaves(inner, value):
                yield leaf, one, ((inner, value), *between)
        else:
            yield inner, value, ()
