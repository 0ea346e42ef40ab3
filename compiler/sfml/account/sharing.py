"""Finds pipelines that use the same objects, and so must not be applied or run in parallel; pure.

Considered are the tables, views and streams that `reads`, `writes`, `seeds`, the schedule and SQL texts name, and the
models that steps get as `model_name`. Names inside the Python code of a step are not considered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sfml.account.registered import models_of
from sfml.base.record import record
from sfml.graph.model import (
    CallBody,
    JobBody,
    Reference,
    Source,
    SqlBody,
    StepBody,
    StreamSchedule,
    TaskGraph,
)
from sfml.graph.needs import resolved

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)){0,2}'
_PLAIN = re.compile(rf"{_NAME}\Z")
_NAMED = re.compile(
    rf"\b(?:FROM|JOIN|USING|INTO|UPDATE|TABLE|VIEW|STREAM)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?({_NAME}(?:\s*,\s*{_NAME})*)",
    re.IGNORECASE,
)

_NO_NAMES = frozenset({"VALUES", "SELECT", "LATERAL", "TABLE", "IDENTIFIER", "DUAL"})


@record
class Footprint:
    """The qualified names of the objects and models of a pipeline; `words` are texts in arguments that may be names."""

    objects: frozenset[str]
    models: frozenset[str]
    words: frozenset[str]


def footprint(graph: TaskGraph) -> Footprint:
    """The footprint of a pipeline; each name is qualified with the database and schema of its target."""
    target = graph.target
    return Footprint(
        frozenset(resolved(target, name) for name in _objects(graph)),
        frozenset(resolved(target, name) for name in models_of(graph)),
        frozenset(resolved(target, word) for word in _words(graph) if _PLAIN.match(word)),
    )


def share(one: Footprint, other: Footprint) -> bool:
    """Whether two pipelines name a common object or model, even if both only read it."""
    return bool(
        one.models & other.models
        or one.objects & other.objects
        or one.objects & other.words
        or one.words & other.objects
    )


def earlier_sharers(graphs: Sequence[TaskGraph]) -> list[frozenset[int]]:
    """For each graph, the indices of the earlier graphs that share an object with it, and so must be done before it."""
    prints = [footprint(graph) for graph in graphs]
    return [
        frozenset(place for place in range(at) if share(prints[place], one)) for at, one in enumerate(prints)
    ]


def _objects(graph: TaskGraph) -> Iterator[str]:
    yield from (seed.table for seed in graph.seeds)
    if isinstance(graph.settings.schedule, StreamSchedule):
        yield from graph.settings.schedule.streams
    texts = [graph.root_body.text] if graph.root_body else []
    for node in graph.all_tasks:
        yield from (*node.reads, *node.writes)
        if isinstance(node.body, SqlBody):
            texts.append(node.body.text)
    for text in texts:
        for names in _NAMED.findall(text):
            yield from (name for part in names.split(",") if (name := part.strip()).upper() not in _NO_NAMES)


def _words(graph: TaskGraph) -> Iterator[str]:
    for node in graph.all_tasks:
        match node.body:
            case StepBody(arguments=arguments):
                values = list(arguments.values())
            case JobBody(arguments=arguments) | CallBody(arguments=arguments):
                values = list(arguments)
            case _:
                continue
        for value in values:
            yield from _texts(value, graph.config)


def _texts(value: object, config: Mapping[str, object]) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Reference(source=Source.CONFIG, keys=keys):
            yield from _texts(config.get(str(keys[0])), config)
        case Mapping():
            for inner in value.values():
                yield from _texts(inner, config)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner, config)
