"""Rules over several pipelines that are validated together, for one target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.quoting import folded, raw
from sfml.base.source import Span
from sfml.graph.model import StreamSchedule, TaskGraph

_PART = re.compile(r'"(?:[^"]|"")+"|[^.]+')


def findings_together(graphs: Sequence[TaskGraph]) -> tuple[Diagnostic, ...]:
    """The findings about pairs of pipelines of a project; files in spans are relative to its root."""
    return (*_one_root(graphs), *_one_stream(graphs))


def _one_root(graphs: Sequence[TaskGraph]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str, str], TaskGraph] = {}
    for graph in graphs:
        place = (folded(graph.target.database), folded(graph.target.schema), graph.pipeline.upper())
        other = first.setdefault(place, graph)
        if other.spec_path != graph.spec_path:
            yield Diagnostic.error(
                "SF213",
                f"pipeline `{graph.pipeline}` has the root task of another, `{'.'.join(place)}`",
                at=_root_span(graph),
                path="pipeline",
                labels=(Label(_root_span(other), "the other one"),),
                why="each apply would replace the other pipeline's graph",
                help="rename one of them, or give the target a schema for each: `{{ pipeline }}`",
            )


def _one_stream(graphs: Sequence[TaskGraph]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, ...], TaskGraph] = {}
    for graph in graphs:
        schedule = graph.settings.schedule
        for name in schedule.streams if isinstance(schedule, StreamSchedule) else ():
            other = first.setdefault(_qualified(graph, name), graph)
            if other.spec_path != graph.spec_path:
                yield Diagnostic.warning(
                    "SF509",
                    f"stream `{name}` starts both `{other.pipeline}` and `{graph.pipeline}`",
                    at=_stream_span(graph),
                    path="schedule.on_stream",
                    labels=(Label(_stream_span(other), f"starts `{other.pipeline}`"),),
                    why="a stream has one consumer: whichever reads it first takes the rows from the other",
                    help="create a stream of its own for each on the same table",
                )


def _qualified(graph: TaskGraph, name: str) -> tuple[str, ...]:
    """The parts of a stream's qualified name; a missing database or schema is that of the target."""
    parts = tuple(raw(part) for part in _PART.findall(name))
    return (raw(graph.target.database), raw(graph.target.schema))[: max(3 - len(parts), 0)] + parts


def _root_span(graph: TaskGraph) -> Span:
    return graph.settings.spans.get("", Span.whole(graph.spec_path))


def _stream_span(graph: TaskGraph) -> Span:
    spans = graph.settings.spans
    return spans.get("schedule.on_stream") or spans.get("schedule") or _root_span(graph)
