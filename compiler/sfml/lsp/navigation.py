"""Definitions and references: task → step → file, value → where it is set, name → every place that it stands at."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from lsprotocol import types

from sfml.lsp.cursor import Cursor
from sfml.lsp.index import Index, Place, Symbol, occurrences
from sfml.lsp.names import Kind, Name, Role
from sfml.spec.nodes import MapNode, ScalarNode, map_of
from sfml.spec.origin import Origin, Setting, origins


def definitions(cursor: Cursor) -> list[types.Location]:
    """Where the name under the cursor is defined, or else where the value under it is set."""
    places: list[types.Location | None] = []
    if cursor.file.endswith(".py"):
        return []
    for index in cursor.indexes:
        name = index.at(cursor.file, cursor.offset)
        if name is not None:
            places += _of_name(cursor, index, name)
    if not any(places):
        places = [
            cursor.location_of(setting.span)
            for origin in values_at(cursor)
            for setting in settings_of(origin)
            if setting.span is not None
        ]
    return _distinct(places)


def _of_name(cursor: Cursor, index: Index, name: Name) -> Iterator[types.Location | None]:
    match name.kind:
        case Kind.STEP:
            yield from _step(cursor, index, name.name)
        case Kind.FILE:
            base = posixpath.dirname(name.file)
            path = cursor.project.root / posixpath.normpath(posixpath.join(base, name.name))
            yield cursor.location(Place(path, 0, 0))
        case Kind.ARGUMENT:
            step = index.step_of(name.owner)
            parameter = step.parameter(name.name) if step is not None else None
            if parameter is not None:
                yield cursor.location_of(parameter.span, index)
        case Kind.OUTCOME:
            yield from _outcome(cursor, index, name)
        case Kind.FIELD if name.owner == "target":
            yield from _of_target(cursor, name.name)
        case Kind.FIELD:
            step = index.step_of(name.owner)
            if step is not None:
                yield cursor.location_of(step.returns_span or step.span, index)
        case Kind.TASK if name.role is Role.DEFINES:
            yield from _task_runs(cursor, index, name)
        case _:
            symbol = index.symbol(name)
            if symbol is not None:
                yield cursor.location(symbol.place)


def _step(cursor: Cursor, index: Index, name: str) -> Iterator[types.Location | None]:
    step = index.step(name)
    if step is not None:
        yield cursor.location_of(step.span, index)


def _task_runs(cursor: Cursor, index: Index, name: Name) -> Iterator[types.Location | None]:
    """From a task's own key to what it runs: its step function or its file."""
    for other in index.names.get(name.file, ()):
        if other.kind in (Kind.STEP, Kind.FILE) and other.keys[: len(name.keys)] == name.keys:
            yield from _of_name(cursor, index, other)


def _outcome(cursor: Cursor, index: Index, name: Name) -> Iterator[types.Location | None]:
    step = index.step_of(name.owner)
    for outcome in (step.outcomes or ()) if step is not None else ():
        if outcome.name == name.name:
            yield cursor.location_of(outcome.span, index)


def _of_target(cursor: Cursor, key: str) -> Iterator[types.Location | None]:
    """Where each target sets a setting."""
    project = cursor.project.project
    targets = map_of(project.document.get("targets")) if project is not None else None
    for target in targets.entries.values() if targets is not None else ():
        if isinstance(target, MapNode) and key in target.key_spans:
            yield cursor.location_of(target.key_spans[key])


def values_at(cursor: Cursor) -> list[Origin]:
    """The values of the resolved pipelines that are written under the cursor, with where each came from."""
    place = node_path(cursor)
    if place is None:
        return []
    values: list[Origin] = []
    for index in cursor.indexes:
        if index.good.loaded.spec is not None and cursor.file in index.good.loaded.sources:
            values += origins(index.good.loaded, cursor.file, place, {})
    return values


def settings_of(origin: Origin) -> Iterator[Setting]:
    """The settings that gave a value, the effective one first, and those of the variables that it reads."""
    yield from origin.settings
    for one in (*origin.variables, *origin.entries):
        yield from settings_of(one)


def node_path(cursor: Cursor) -> str | None:
    """The logical path of the value, or of the key, under the cursor; None in a text that cannot be read."""
    for index in cursor.indexes:
        schema = index.schema(cursor.file)
        if schema is not None:
            node, _ = cursor.project.documents.checked(cursor.text, cursor.file, schema)
            return path_at(node, cursor) if isinstance(node, MapNode) else None
    return None


def path_at(node: MapNode, cursor: Cursor) -> str | None:
    """The path of the innermost entry whose key or value is at the cursor's offset."""
    place = cursor.places.place
    at = place(cursor.offset)
    best: str | None = None
    todo: list[object] = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, MapNode):
            for key, value in one.entries.items():
                span = cursor.project.documents.place(one.key_spans.get(key, value.span))
                if span.start <= at <= span.end:
                    return value.path
                todo.append(value)
        elif isinstance(one, ScalarNode):
            span = cursor.project.documents.place(one.span)
            if span.file == cursor.file and span.start <= at <= span.end:
                best = one.path
        else:
            todo += getattr(one, "items", ())
    return best


def references(cursor: Cursor, *, with_definition: bool) -> list[types.Location]:
    """Every place of the name under the cursor in the project."""
    if cursor.file.endswith(".py"):
        return _distinct(cursor.location(place) for place in uses_of_code(cursor))
    locations: list[types.Location | None] = []
    for index in cursor.indexes:
        name = index.at(cursor.file, cursor.offset)
        if name is None:
            continue
        symbol = index.symbol(name)
        if symbol is None:
            locations += [cursor.location(index.place(one)) for one in _alike(index, name)]
            continue
        for occurrence in occurrences(cursor.project, symbol):
            if with_definition or index.place(occurrence) != symbol.place:
                locations.append(cursor.location(index.place(occurrence)))
    return _distinct(locations)


def _alike(index: Index, name: Name) -> Iterator[Name]:
    """The other places of a name that is defined in code: of a step everywhere, of an argument with the same step."""
    project = index.project
    for pipeline in project.pipelines.values():
        other = index if pipeline is index.pipeline else Index(project, pipeline)
        for names in other.names.values():
            for one in names:
                if one.kind is name.kind and one.name == name.name and one.owner == name.owner:
                    yield one


def uses_of_code(cursor: Cursor) -> Iterator[Place]:
    """The places in specs that name the step function under the cursor."""
    at = cursor.places.place(cursor.offset)
    for pipeline in cursor.project.pipelines.values():
        index = Index(cursor.project, pipeline)
        for names in index.names.values():
            for name in names:
                step = index.step(name.name) if name.kind is Kind.STEP else None
                if step is None or step.span.file != cursor.file:
                    continue
                if step.span.start.line == at.line or step.span.start <= at <= step.span.end:
                    yield index.place(name)


def highlights(cursor: Cursor) -> list[types.DocumentHighlight]:
    """The places of the name under the cursor in the same document."""
    uri = cursor.session.uri_of(cursor.path)
    return [
        types.DocumentHighlight(reference.range)
        for reference in references(cursor, with_definition=True)
        if reference.uri == uri
    ]


def symbol_at(cursor: Cursor) -> tuple[Index, Name, Symbol] | None:
    """The name under the cursor with its definition."""
    for index in cursor.indexes:
        name = index.at(cursor.file, cursor.offset)
        symbol = index.symbol(name) if name is not None else None
        if name is not None and symbol is not None:
            return index, name, symbol
    return None


def _distinct(places: Iterable[types.Location | None]) -> list[types.Location]:
    unique = {
        (place.uri, place.range.start.line, place.range.start.character): place
        for place in places
        if place is not None
    }
    return list(unique.values())
