"""A project for programs: its targets, pipelines and steps, and where the schemas of its files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.base.record import record
from sfml.catalog.model import Parameter, StepFunction
from sfml.frontend.reading import Reading
from sfml.graph.model import (
    JobBody,
    Manual,
    NotifyBody,
    SqlBody,
    StepBody,
    TaskGraph,
    TaskNode,
)
from sfml.render.schedule import schedule_words
from sfml.render.units import plural


@record
class ProjectDescription:
    """What `sfml describe` tells: `readings` are pipelines, each for the target that was asked for."""

    root: str
    targets: tuple[str, ...]
    default_target: str | None
    readings: tuple[Reading, ...]
    steps: tuple[StepFunction, ...]
    schemas: Mapping[str, str]


def description_json(project: ProjectDescription) -> dict[str, Any]:
    """The object of `schemas/output/describe.schema.json`, without `format_version`."""
    return {
        "root": project.root,
        "targets": [{"name": name, "default": name == project.default_target} for name in project.targets],
        "pipelines": [_pipeline(reading) for reading in project.readings],
        "steps": [_step(step) for step in project.steps],
        "schemas": dict(project.schemas),
    }


def _pipeline(reading: Reading) -> dict[str, Any]:
    """A pipeline; `graph` is null where its spec has errors, which `errors` counts."""
    spec = reading.loaded.spec
    return {
        "name": spec.name if spec else None,
        "spec": reading.entry,
        "target": reading.target,
        "description": spec.description if spec else None,
        "errors": sum(diagnostic.is_error for diagnostic in reading.diagnostics),
        "graph": None if reading.graph is None else _graph(reading.graph),
    }


def _graph(graph: TaskGraph) -> dict[str, Any]:
    schedule = graph.settings.schedule
    words = schedule_words(schedule) if not isinstance(schedule, Manual) else "manual"
    return {
        "schedule": words,
        "tasks": [_task(node) for node in graph.all_tasks],
        "config": dict(graph.config),
        "overridable": list(graph.overridable),
        "tests": [test.name for test in graph.tests],
    }


def _task(node: TaskNode) -> dict[str, Any]:
    kind, what = _body(node)
    return {
        "name": node.name,
        "kind": kind,
        "runs": what,
        "after": list(node.after),
        "finalizer": node.is_finalizer,
        "outcomes": None if node.outcomes is None else {key: list(arm) for key, arm in node.outcomes.items()},
        "reads": list(node.reads),
        "writes": list(node.writes),
        "place": f"{node.spans[''].file}:{node.spans[''].start.line}" if "" in node.spans else None,
    }


def _body(node: TaskNode) -> tuple[str, str | None]:
    """The kind of the task, and the step, folder, procedure or integration that it runs."""
    match node.body:
        case StepBody(step=step):
            return "step", step
        case JobBody(folder=folder, entrypoint=entrypoint):
            return "job", f"{folder}/{entrypoint}"
        case SqlBody(file=file):
            return "sql", file
        case NotifyBody(integration=integration):
            return "notify", integration
        case body:
            return "call", getattr(body, "procedure", None)


def _step(step: StepFunction) -> dict[str, Any]:
    return {
        "name": step.name,
        "place": f"{step.span.file}:{step.span.start.line}",
        "signature": step.signature,
        "description": step.docstring,
        "parameters": [_parameter(parameter) for parameter in step.parameters],
        "takes_any": step.takes_any,
        "outcomes": None if step.outcomes is None else [outcome.name for outcome in step.outcomes],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.annotation,
        "required": parameter.is_required,
    }


def description_text(project: ProjectDescription) -> str:
    """The same in short, for people."""
    return "\n".join(_lines(project))


def _lines(project: ProjectDescription) -> Iterator[str]:
    counts = (plural(len(project.readings), "pipeline"), plural(len(project.steps), "step"))
    yield f"{project.root}: {', '.join(counts)}, targets {', '.join(project.targets) or 'local'}"
    rows = [
        (
            reading.loaded.spec.name if reading.loaded.spec else "?",
            reading.entry,
            "has errors" if reading.graph is None else plural(len(reading.graph.all_tasks), "task"),
        )
        for reading in project.readings
    ]
    yield from _table(rows)
    yield from _table(
        [(step.name, f"{step.span.file}:{step.span.start.line}", _first_line(step)) for step in project.steps]
    )


def _first_line(step: StepFunction) -> str:
    return (step.docstring or "").strip().partition("\n")[0]


def _table(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for name, place, text in rows:
        yield f"  {name:<{widths[0]}}  {place:<{widths[1]}}  {text}".rstrip()
