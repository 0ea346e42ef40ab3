"""What is told of the word under the cursor: a step's docstring, a key's meaning, a value and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lsprotocol import types

from sfml.catalog import StepFunction
from sfml.catalog.shapes import Record, words
from sfml.check.explanations import explanations
from sfml.frontend.reading import Reading
from sfml.lsp.completion import schema_of
from sfml.lsp.cursor import Cursor
from sfml.lsp.index import Index
from sfml.lsp.names import Kind, Name
from sfml.lsp.navigation import node_path
from sfml.lsp.outline_text import gap_at
from sfml.lsp.schemas import description_at
from sfml.render.explain import explanation_text, origin_text
from sfml.spec.nodes import plain
from sfml.spec.origin import Origin, origins, placed_origin

MOST_VALUES = 3
"""How many values of one place are told: a default may be the value of many tasks."""


def hover(cursor: Cursor) -> types.Hover | None:
    """What is told of the word under the cursor; None where there is nothing to tell."""
    parts = [*_of_code(cursor)] if cursor.path.suffix == ".py" else [*_of_spec(cursor)]
    if not parts:
        return None
    named = cursor.named
    at = cursor.places.range_of(named[1].start, named[1].end) if named is not None else None
    text = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(dict.fromkeys(parts)))
    return types.Hover(text, at)


def _of_code(cursor: Cursor) -> Iterator[str]:
    """Of a step function in its own file: the tasks that run it."""
    at = cursor.places.place(cursor.offset)
    users: dict[str, None] = {}
    for index in cursor.indexes:
        for names in index.names.values():
            for name in names:
                step = index.step(name.name) if name.kind is Kind.STEP else None
                if step is not None and step.span.file == cursor.file and step.span.start.line == at.line:
                    users[f"- `{name.keys[-2]}` of {name.file}"] = None
    if users:
        yield "Run by\n\n" + "\n".join(users)


def _of_spec(cursor: Cursor) -> Iterator[str]:
    named = cursor.named
    if named is not None:
        yield from _of_name(*named, cursor)
    gap = gap_at(cursor.text, cursor.offset)
    path = node_path(cursor)
    if named is None or named[1].kind not in (Kind.STEP, Kind.TASK, Kind.FIELD):
        yield from _values(cursor, path)
    keys = (*gap.keys, _word(cursor)) if gap.wanted.value == "key" else gap.keys
    part = description_at(schema_of(cursor), keys) if keys and named is None else None
    if part is not None:
        yield part.description
    yield from _silenced(cursor)


def _word(cursor: Cursor) -> str:
    """The whole word under the cursor."""
    start = end = cursor.offset
    text = cursor.text
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[start:end]


def _silenced(cursor: Cursor) -> Iterator[str]:
    """What a code in a silencing comment means."""
    explanation = explanations().get(_word(cursor))
    if explanation is not None:
        yield f"```text\n{explanation_text(explanation)}\n```"


def _of_name(index: Index, name: Name, cursor: Cursor) -> Iterator[str]:
    match name.kind:
        case Kind.STEP:
            yield from _step(index.step(name.name))
        case Kind.TASK:
            yield from _task(index, name)
        case Kind.ARGUMENT:
            step = index.step_of(name.owner)
            parameter = step.parameter(name.name) if step is not None else None
            if parameter is not None:
                optional = "" if parameter.is_required else ", optional"
                yield f"`{name.name}`: {parameter.annotation or words(parameter.shape)}{optional}"
        case Kind.OUTCOME:
            yield f"an outcome of `{name.owner}`"
        case Kind.FIELD if name.owner == "target":
            yield from _by_target(index, lambda one: _setting(one, name.name), f"target.{name.name}")
        case Kind.FIELD:
            step = index.step_of(name.owner)
            shape = step.returns if step is not None else None
            if isinstance(shape, Record) and name.name in shape.fields:
                yield f"`{name.name}` of `{name.owner}`: {words(shape.fields[name.name])}"
        case Kind.CONFIG:
            yield from _by_target(index, lambda one: _config(one, name.name), f"config.{name.name}")
        case Kind.VARIABLE:
            yield from _by_target(index, lambda one: _variable(one, name.name), f"var.{name.name}")


def _step(step: StepFunction | None) -> Iterator[str]:
    if step is not None:
        yield f"```python\n{signature(step)}\n```"
        if step.docstring:
            yield step.docstring.strip()
        if step.returns is not None:
            yield f"Returns {words(step.returns)}."


def signature(step: StepFunction) -> str:
    """The function with its parameters and their types, the context first."""
    name = step.name.rpartition(".")[2]
    parameters = [
        f"{parameter.name}{f': {parameter.annotation}' if parameter.annotation else ''}"
        f"{'' if parameter.is_required else ' = …'}"
        for parameter in step.parameters
    ]
    context = [step.context or "ctx"] if step.takes_context else []
    return f"def {name}({', '.join((*context, *parameters, *(('**',) if step.takes_any else ())))})"


def _task(index: Index, name: Name) -> Iterator[str]:
    spec = index.good.loaded.spec
    for task in (*spec.tasks, *spec.finalizers) if spec is not None else ():
        if task.name == name.name:
            step = index.step_of(name.name)
            yield from _step(step)
            if step is None:
                kind = next((one for one in ("sql", "job", "call", "notify") if task.settings.get(one)), "")
                yield f"task `{name.name}`" + (f": {kind}" if kind else "")
            return


def _setting(reading: Reading, key: str) -> object:
    spec = reading.loaded.spec
    assert spec is not None
    node = spec.target.get(key)
    return spec.target_name if key == "name" else None if node is None else plain(node)


def _config(reading: Reading, key: str) -> object:
    node = reading.loaded.spec.config.get(key) if reading.loaded.spec is not None else None
    return None if node is None else plain(node)


def _variable(reading: Reading, key: str) -> object:
    return reading.loaded.spec.variables.get(key) if reading.loaded.spec is not None else None


def _by_target(index: Index, value: Callable[[Reading], object], title: str) -> Iterator[str]:
    """A value in every target, on one line where all have the same."""
    values: dict[str, object] = {}
    for reading in _readings(index):
        values[reading.target or ""] = value(reading)
    shown_values = {repr(one) for one in values.values()}
    if len(shown_values) == 1:
        [one] = list(values.values())[:1]
        if one is not None:
            yield f"`{title}` = `{one}`"
    elif values:
        yield "\n".join((f"`{title}`\n", *(f"- {target}: `{one}`" for target, one in values.items())))


def _readings(index: Index) -> list[Reading]:
    """The last reading of each target whose spec could be resolved, in the order of the targets."""
    good: Mapping[str | None, Reading] = index.pipeline.good
    return [good[target] for target in index.pipeline.targets if target in good]


def _values(cursor: Cursor, path: str | None) -> Iterator[str]:
    """The resolved value that is written under the cursor, with every place that had a say, for each target."""
    if path is None:
        return
    values_by_target: dict[str, list[str]] = {}
    for index in cursor.indexes:
        for reading in _readings(index):
            if cursor.file not in reading.loaded.sources:
                continue
            for origin in origins(reading.loaded, cursor.file, path, {})[:MOST_VALUES]:
                if origin.settings or origin.entries:
                    text = _told(placed_origin(origin, reading.place))
                    values_by_target.setdefault(text, []).append(reading.target or "")
    targets = max((len(one.pipeline.targets) for one in cursor.indexes), default=1)
    for text, names in list(values_by_target.items())[:MOST_VALUES]:
        where = "" if len(names) >= targets else f" in {', '.join(names)}"
        yield f"```text\n{text}\n```{where}"


def _told(origin: Origin) -> str:
    return "\n".join(line.rstrip() for line in origin_text(origin, "").splitlines())
