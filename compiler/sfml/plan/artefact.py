"""Artefacts: whole graphs as they are deployed, in the journal and in kept deployments.

An artefact holds the final body and all settings of every task, so the graph can be written again without its spec. The
same graph has the same JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from sfml.base.errors import ConflictingState
from sfml.base.record import record
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule, Target
from sfml.graph.topology import topological_order
from sfml.lower.canonical import Json, canonical_json
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.values import schedule_value
from sfml.plan.model import ObservedGraph
from sfml.plan.settings import split_comment
from sfml.plan.written_settings import written_task

ARTEFACT_VERSION = 1

_STAGED = re.compile(r"[\w.-]+/(?:code|jobs)/[0-9a-f]{64}")
_DEFAULTS = DesiredTask("", None, SqlDefinition(""))
_TEXTS = (
    *("name", "task", "kind", "warehouse", "finalize", "condition", "overlap_policy"),
    *("task_auto_retry_attempts", "suspend_task_after_num_failures", "user_task_timeout_ms"),
    *("error_integration", "success_integration", "user_task_managed_initial_warehouse_size"),
    *("serverless_task_min_statement_size", "serverless_task_max_statement_size"),
    *("target_completion_seconds", "minimum_trigger_interval_seconds", "execute_as_user", "log_level"),
    *("comment", "code_sha256", "fingerprint"),
)
_MAPPINGS = ("config", "session_parameters", "tags", "contacts", "outcomes", "watch")
_LISTS = ("predecessors", "packages")


@record
class Artefact:
    """One graph: its tasks with their final bodies and comments, the root first, parents before children.

    `suspended` names the child tasks that somebody suspended by hand. `root_started` says whether the schedule was on,
    or is to be on. `archives` are the folders on the stage whose code the bodies run.
    """

    pipeline: str
    target: str
    location: str
    tasks: tuple[DesiredTask, ...]
    root_started: bool
    suspended: tuple[str, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    """The record in the root's comment: fingerprint, spec, version and provenance."""

    @property
    def root(self) -> DesiredTask:
        return self.tasks[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(task.name for task in self.tasks)

    @property
    def fingerprint(self) -> str:
        return str(self.record.get("fingerprint", ""))

    @property
    def archives(self) -> tuple[str, ...]:
        """The folders of code and payloads below the stage: `clv/code/<sha256>`, `clv/jobs/<sha256>`."""
        return tuple(sorted({path for task in self.tasks for path in archives_in(body_of(task))}))

    def graph(self, target: Target) -> DesiredGraph:
        """The artefact as a desired graph, which can be planned and written; it has no archives to upload."""
        children = [task for task in self.tasks[1:] if task.finalize is None]
        return DesiredGraph(
            pipeline=self.pipeline,
            spec_path=str(self.record.get("spec", "")),
            target=target,
            root=self.root,
            tasks=tuple(children),
            finalizer=next((task for task in self.tasks[1:] if task.finalize is not None), None),
            archives=(),
            fingerprint=self.fingerprint,
        )


def archives_in(body: str) -> tuple[str, ...]:
    """The folders of code and payloads on the stage that a statement names."""
    return tuple(_STAGED.findall(body))


def archives_on(stage: str, body: str) -> tuple[str, ...]:
    """The folders of code and payloads on this stage, `@DB.SCHEMA.STAGE`, that a statement names in texts."""
    name, text = _unescaped(stage), _unescaped(body)
    return tuple(path for path in archives_in(body) if f"{name}/{path}" in text)


def _unescaped(text: str) -> str:
    """The text without escapes of quotes, of which a job's JSON within a statement's text has two kinds."""
    return text.replace("\\", "").replace("''", "'")


def body_of(task: DesiredTask) -> str:
    """The final body of an artefact's task."""
    assert isinstance(task.definition, SqlDefinition), "an artefact holds final bodies"
    return task.definition.sql


def intended_artefact(
    desired: DesiredGraph,
    definitions: Mapping[str, str],
    comments: Mapping[str, str | None],
    *,
    started: bool,
) -> Artefact:
    """The desired graph as an apply will write it; `definitions` and `comments` are the final ones, by task name.

    `started` says whether the schedule is to be on.
    """
    tasks = tuple(
        replace(task, definition=SqlDefinition(definitions[task.name]), comment=comments[task.name])
        for task in desired.all_tasks
    )
    return Artefact(
        desired.pipeline,
        desired.target.name,
        f"{desired.target.database}.{desired.target.schema}",
        tuple(_plain(task) for task in tasks),
        started,
        record=split_comment(tasks[0].comment)[1] or {},
    )


def observed_artefact(pipeline: str, target: Target, observed: ObservedGraph | None) -> Artefact | None:
    """The deployed graph as an artefact, from which it can be written again, with its suspended tasks; None without."""
    if observed is None:
        return None
    root = observed.root.name
    tasks = {task.name: written_task(task, root) for task in (observed.root, *observed.tasks)}
    depths = depths_of(tasks)
    order = sorted(tasks.values(), key=lambda task: (task.finalize is not None, depths[task.name], task.name))
    return Artefact(
        pipeline,
        target.name,
        f"{target.database}.{target.schema}",
        tuple(order),
        observed.root.started,
        tuple(sorted(task.name for task in observed.tasks if not task.started)),
        dict(observed.record or {}),
    )


def depths_of(tasks: Mapping[str, DesiredTask]) -> Mapping[str, int]:
    """Task → its depth: the length of the longest path from the root; a finalizer is below all other tasks.

    Tasks on a cycle, or below one, get the greatest depth; no account takes a cycle.
    """
    above = {
        name: tuple(predecessor for predecessor in tasks[name].predecessors if predecessor in tasks)
        for name in sorted(tasks)
    }
    depths: dict[str, int] = {}
    for name in topological_order(above):
        depths[name] = 1 + max((depths[predecessor] for predecessor in above[name]), default=-1)
    lowest = max(depths.values(), default=0)
    return {name: lowest + 1 if tasks[name].finalize else depths.get(name, lowest + 1) for name in above}


def artefact_value(artefact: Artefact) -> dict[str, Json]:
    """The artefact as JSON."""
    return {
        "format_version": ARTEFACT_VERSION,
        "pipeline": artefact.pipeline,
        "target": artefact.target,
        "location": artefact.location,
        "root_started": artefact.root_started,
        "suspended": list(artefact.suspended),
        "record": json.loads(canonical_json(artefact.record)),
        "archives": list(artefact.archives),
        "tasks": [_task_value(task) for task in artefact.tasks],
    }


def artefact_from(value: Mapping[str, Any]) -> Artefact:
    """The artefact in the JSON of `artefact_value`. Raises `ConflictingState` for another version of the format."""
    if value.get("format_version") != ARTEFACT_VERSION:
        raise ConflictingState(
            f"a record of deployed tasks has the unknown version {value.get('format_version')}",
            help="it was written by another version of sfml; use that one",
        )
    if not value["tasks"]:
        raise ValueError("a graph has a root")
    return Artefact(
        str(value["pipeline"]),
        str(value["target"]),
        str(value["location"]),
        tuple(_task_from(task) for task in value["tasks"]),
        bool(value["root_started"]),
        tuple(value["suspended"]),
        dict(value["record"]),
    )


def _plain(task: DesiredTask) -> DesiredTask:
    """The task with only the fields that its JSON holds."""
    return _task_from(_task_value(task))


def _task_value(task: DesiredTask) -> dict[str, Json]:
    value: dict[str, Json] = {"sql": body_of(task), "schedule": schedule_value(task.schedule)}
    if isinstance(task.schedule, Manual):
        value["schedule"] = "manual"
    for key in (*_TEXTS, *_MAPPINGS, *_LISTS):
        setting = getattr(task, key)
        if setting != getattr(_DEFAULTS, key) or key == "name":
            value[key] = list(setting) if key in _LISTS else dict(setting) if key in _MAPPINGS else setting
    return {key: setting for key, setting in value.items() if setting is not None}


def _task_from(value: Mapping[str, Any]) -> DesiredTask:
    """The task in the JSON of `_task_value`; unknown keys, which a later version may have written, are ignored."""
    settings: dict[str, Any] = {key: value[key] for key in (*_TEXTS, *_MAPPINGS) if key in value}
    settings |= {key: tuple(value[key]) for key in _LISTS if key in value}
    settings["definition"] = SqlDefinition(str(value["sql"]))
    settings["schedule"] = schedule_from(value.get("schedule"))
    return replace(_DEFAULTS, **settings)


def schedule_from(value: Any) -> Schedule | None:
    """The schedule in the JSON of a task."""
    match value:
        case None:
            return None
        case "manual":
            return Manual()
        case {"cron": cron, "timezone": timezone}:
            return CronSchedule(cron, timezone)
        case {"on_stream": streams, "every_seconds": every}:
            return StreamSchedule(tuple(streams), every)
        case {"every_seconds": seconds}:
            return IntervalSchedule(seconds)
        case _:
            raise ConflictingState(f"a record of deployed tasks has an unknown schedule: {value!r}")
