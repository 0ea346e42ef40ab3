"""Rules over several pipelines that are validated together, for one target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.quoting import folded, name_parts, raw
from sfml.base.source import Span
from sfml.graph.alert_events import WATCH, all_events
from sfml.graph.alerts import EVENTS, WATCHED
from sfml.graph.located import Place
from sfml.graph.model import Manual, StepBody, StreamSchedule, TaskGraph, Value

_PART = re.compile(r'"(?:[^"]|"")+"|[^.]+')


def findings_together(graphs: Sequence[TaskGraph]) -> tuple[Diagnostic, ...]:
    """The findings about pairs of pipelines of a project; files in spans are relative to its root."""
    return (*_one_root(graphs), *_one_task(graphs), *_one_stream(graphs))


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


def _one_task(graphs: Sequence[TaskGraph]) -> Iterator[Diagnostic]:
    """The findings for tasks that have the name of another pipeline's task or root, which `_one_root` does not find."""
    first: dict[tuple[str, str, str], tuple[TaskGraph, str | None, Span]] = {}
    for graph in graphs:
        for task, name, span in _names_in_snowflake(graph):
            place = (raw(graph.target.database), raw(graph.target.schema), name)
            other, other_task, other_span = first.setdefault(place, (graph, task, span))
            if other.spec_path == graph.spec_path or graph.pipeline.upper() == other.pipeline.upper():
                continue
            what = f"task `{task}` of `{graph.pipeline}`" if task else f"the root of `{graph.pipeline}`"
            of = f"a task of `{other.pipeline}`" if other_task else f"the root of `{other.pipeline}`"
            yield Diagnostic.error(
                "SF213",
                f"{what} has the name of {of}: `{'.'.join(place)}`",
                at=span,
                labels=(Label(other_span, "the other one"),),
                why="a schema has one task of a name: the second apply would be refused",
                help="rename one of them, or give the target a schema for each: `{{ pipeline }}`",
            )


def _names_in_snowflake(graph: TaskGraph) -> Iterator[tuple[str | None, str, Span]]:
    """The task (None for the root), its name in Snowflake without quotes, and the place of that name."""
    root = raw(graph.root_name or graph.pipeline.upper())
    yield None, root, _root_span(graph)
    for node in graph.all_tasks:
        own = graph.own_names.get(node.name)
        name = raw(own) if own else f"{root}${node.name.upper()}"
        yield node.name, name, node.spans.get("name" if own else "", _root_span(graph))


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


def unwatched(graph: TaskGraph, graphs: Sequence[TaskGraph]) -> tuple[Diagnostic, ...]:
    """The finding about a pipeline that asks for events of a watching pipeline, if no other one watches it.

    `graphs` are all pipelines of its project for its target.
    """
    asked = _asked_of_others(graph)
    if not asked:
        return ()
    others = [other for other in graphs if other.spec_path != graph.spec_path and _looks(other)]
    if any(_covers(other, schemas, graph) for other in others for schemas in _looks(other)):
        return ()
    at = _asked_at(graph)
    events = " or ".join(f"`{event}`" for event in EVENTS if event in asked)
    finding = Diagnostic.warning(
        "SF368",
        f"no pipeline of this project watches whether `{graph.pipeline}` is {events}",
        at=at.span,
        path=at.path,
        why="no run can tell, because there is none: a watching pipeline has to look",
        help=_how_to_watch(graph, others),
    )
    return (finding,)


def asks_to_be_watched(graph: TaskGraph) -> bool:
    """Whether the pipeline asks for events that only another pipeline, which watches it, can tell of."""
    return bool(_asked_of_others(graph))


def _asked_of_others(graph: TaskGraph) -> frozenset[str]:
    if isinstance(graph.settings.schedule, Manual):
        return frozenset()
    return frozenset(all_events(graph.settings, graph.tasks)) & WATCHED


def _looks(graph: TaskGraph) -> list[Value]:
    """The `schemas` of each task that watches; none in a pipeline without a schedule."""
    if isinstance(graph.settings.schedule, Manual):
        return []
    bodies = (task.body for task in graph.tasks)
    return [
        body.arguments.get("schemas") for body in bodies if isinstance(body, StepBody) and body.step == WATCH
    ]


def _covers(watching: TaskGraph, schemas: Value, graph: TaskGraph) -> bool:
    """Whether a watching task looks where the graph is; a place that is known only when it runs may be anywhere."""
    if schemas is None or schemas == ():
        return raw(watching.target.database) == raw(graph.target.database)
    if not isinstance(schemas, tuple) or not all(isinstance(place, str) for place in schemas):
        return True
    there = (raw(graph.target.database), raw(graph.target.schema))
    places = (tuple(map(raw, name_parts(str(place).strip()))) for place in schemas)
    return any(place == there[: len(place)] for place in places)


def _asked_at(graph: TaskGraph) -> Place:
    """The place at which the first such event is asked for."""
    alerts = graph.settings.alerts
    for channel in alerts.channels if alerts else ():
        if channel.place is not None and channel.events and WATCHED & set(channel.events):
            return channel.place
    spans = graph.settings.spans
    for setting in ("alerts.events", "alerts"):
        if setting in spans:
            return Place(spans[setting], f"schedule_config.{setting}")
    return Place(_root_span(graph), "pipeline")


def _how_to_watch(graph: TaskGraph, others: Sequence[TaskGraph]) -> str:
    if others:
        place = f"{folded(graph.target.database)}.{folded(graph.target.schema)}"
        return f"add `{place}` to `schemas` of `{others[0].pipeline}`"
    return f"add a pipeline with a schedule and a task `{{step: {WATCH}}}`"


def _qualified(graph: TaskGraph, name: str) -> tuple[str, ...]:
    """The parts of a stream's qualified name; a missing database or schema is that of the target."""
    parts = tuple(raw(part) for part in _PART.findall(name))
    return (raw(graph.target.database), raw(graph.target.schema))[: max(3 - len(parts), 0)] + parts


def _root_span(graph: TaskGraph) -> Span:
    return graph.settings.spans.get("", Span.whole(graph.spec_path))


def _stream_span(graph: TaskGraph) -> Span:
    spans = graph.settings.spans
    return spans.get("schedule.on_stream") or spans.get("schedule") or _root_span(graph)
