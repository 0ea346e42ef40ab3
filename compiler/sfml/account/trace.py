"""Where a model version comes from, and what a run made: found in the results of runs; pure.

A task says what it made by its result: `model` and `version` name a version of the registry, `table` the table that was
written with it. The general steps return these keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sfml.account.history import Run, TaskRun
from sfml.account.registered import ModelVersion, numbers_of
from sfml.account.run_history import RanOn
from sfml.base.quoting import name_parts, raw
from sfml.base.record import record
from sfml.graph.model import CallBody, JobBody, Reference, Source, StepBody, TaskGraph, TaskNode, Template

_COMMENT = re.compile(r"run (\S+) of pipeline (\S+)")
"""The comment that the general step gives to a version."""


@record
class Mention:
    """A task of a run whose result names a version of a model; `table` is what was written with it."""

    run_id: str
    task: str
    model: str
    version: str
    table: str | None = None
    at: datetime | None = None


@record
class TracedTask:
    """A task of the run, with its place in the spec as the files are now, and the values that it was given.

    `inputs` maps arguments to values; what was not kept is left out. `reads` are the tables that the spec declares.
    """

    name: str
    what: str
    file: str | None
    line: int | None
    state: str | None
    inputs: Mapping[str, Any]
    reads: tuple[str, ...] = ()


@record
class TracedVersion:
    """A version that the run made; `version` is None if the registry does not have it any more."""

    model: str
    name: str
    task: str | None
    version: ModelVersion | None = None
    metrics: Mapping[str, float] | None = None


@record
class Trace:
    """A run with all that leads to it and from it. `run` is None if it is not kept any more."""

    pipeline: str
    target: str
    subject: str
    run_id: str | None
    run: Run | None
    deployment: RanOn | None
    tasks: tuple[TracedTask, ...]
    versions: tuple[TracedVersion, ...]
    tables: tuple[Mention, ...]


def mentions_of(runs: Iterable[Run]) -> Iterator[Mention]:
    """The versions that the results of these runs name, run by run; results that a part reused are left out."""
    for run in runs:
        for task in run.tasks:
            mention = _mention(run, task)
            if mention is not None:
                yield mention


def _mention(run: Run, task: TaskRun) -> Mention | None:
    value = task.return_value
    if task.reused_from is not None or not isinstance(value, dict):
        return None
    model, version, table = value.get("model"), value.get("version"), value.get("table")
    if not (isinstance(model, str) and isinstance(version, str)):
        return None
    at = task.row.completed_at if task.row else task.started_at
    return Mention(run.run_id, task.name, model, version, table if isinstance(table, str) else None, at)


def is_same_model(left: str, right: str) -> bool:
    """Whether two names, of which one may be qualified, can be those of one model."""
    ours, theirs = ([raw(part) for part in reversed(name_parts(name))] for name in (left, right))
    return all(a == b for a, b in zip(ours, theirs, strict=False)) and bool(ours and theirs)


def maker_of(model: str, version: ModelVersion, runs: Sequence[Run]) -> tuple[str | None, str | None]:
    """The id of the run that logged a version, and its task; None for what is not known.

    It is the run that names the version and was executing when it was logged; one that wrote a table with it only if
    there is no other, because it may only have used it. Or else it is the one that the version's comment tells.
    """
    by_id = {run.run_id: run for run in runs}
    named = [
        mention
        for mention in mentions_of(reversed(runs))
        if is_same_model(mention.model, model) and raw(mention.version) == version.name
    ]
    for mention in sorted(named, key=lambda mention: mention.table is not None):
        if _was_executing(by_id[mention.run_id], version.created_at):
            return mention.run_id, mention.task
    run_id = _told_run(version)
    return run_id, next((mention.task for mention in named if mention.run_id == run_id), None)


def _told_run(version: ModelVersion) -> str | None:
    match = _COMMENT.fullmatch(version.comment or "")
    return match.group(1) if match else None


def _was_executing(run: Run, at: datetime) -> bool:
    began = run.started_at is not None and run.started_at <= at
    return began and (run.completed_at is None or at <= run.completed_at)


def traced_tasks(graph: TaskGraph, run: Run | None, last: str | None) -> tuple[TracedTask, ...]:
    """The tasks that led to the task `last`, and itself; without it, all tasks that ran."""
    runs = {task.name: task for task in run.tasks} if run else {}
    names = {node.name for node in graph.all_tasks}
    if last is not None and last in names:
        wanted = {*graph.ancestors(last), last}
    else:
        wanted = {name for name, task in runs.items() if task.state is not None} if run else names
    config = {**graph.config, **_config_of(run)}
    return tuple(
        _traced(node, runs.get(node.name), runs, config) for node in graph.all_tasks if node.name in wanted
    )


def _traced(
    node: TaskNode, task: TaskRun | None, runs: Mapping[str, TaskRun], config: Mapping[str, Any]
) -> TracedTask:
    span = node.spans.get("")
    arguments: Mapping[str, Any] = {}
    match node.body:
        case StepBody(step, given):
            what, arguments = step, given
        case JobBody(folder, entrypoint, values):
            what, arguments = f"{folder}/{entrypoint}", {str(at): one for at, one in enumerate(values)}
        case CallBody(procedure, values):
            what, arguments = procedure, {str(at): one for at, one in enumerate(values)}
        case _:
            what = type(node.body).__name__.removesuffix("Body").lower()
    resolved = {name: _resolved(value, runs, config) for name, value in arguments.items()}
    return TracedTask(
        node.name,
        what,
        span.file if span else None,
        span.start.line if span else None,
        task.state if task else None,
        {name: value for name, value in resolved.items() if value is not None},
        node.reads,
    )


def _resolved(value: Any, runs: Mapping[str, TaskRun], config: Mapping[str, Any]) -> Any:
    """The value of an argument in this run; None for what is not known."""
    match value:
        case Reference(Source.CONFIG, _, keys):
            return config.get(str(keys[0]))
        case Reference(Source.RESULT, task, keys):
            found: Any = runs[task].return_value if task is not None and task in runs else None
            for key in keys:
                try:
                    found = found[key]
                except (KeyError, IndexError, TypeError):
                    return None
            return found
        case Reference():
            return None
        case Template(parts):
            texts = [part if isinstance(part, str) else _resolved(part, runs, config) for part in parts]
            return None if any(text is None for text in texts) else "".join(map(str, texts))
        case Mapping():
            return {key: _resolved(one, runs, config) for key, one in value.items()}
        case list() | tuple():
            return [_resolved(one, runs, config) for one in value]
    return value


def _config_of(run: Run | None) -> Mapping[str, Any]:
    """The config of a run, as Snowflake keeps it with its tasks; keys of sfml's own are left out."""
    texts = [task.row.config for task in run.tasks if task.row and task.row.config] if run else []
    try:
        value = json.loads(texts[0]) if texts else {}
    except ValueError:
        return {}
    return (
        {key: one for key, one in value.items() if not key.startswith("_")} if isinstance(value, dict) else {}
    )


def metrics_of(version: TracedVersion) -> Mapping[str, float]:
    """The metrics of a version by the registry, or else those that the task returned."""
    return numbers_of(version.version) if version.version is not None else version.metrics or {}
