"""The outline of a desired graph: what the status of its deployment depends on, without bodies, code and settings.

An outline has a JSON form, so that it can be kept between commands. A graph with the same outline and the same rows has
the same status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sfml.graph.model import Manual, Mode, Target
from sfml.lower.canonical import Json
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.values import schedule_value
from sfml.plan.artefact import schedule_from
from sfml.plan.bodies import mark_of

_DEFAULTS = DesiredTask("", None, SqlDefinition(""))
_FIELDS = (
    *("name", "task", "kind", "finalize", "condition", "own_condition", "is_branch", "fingerprint"),
    *("warehouse", "error_integration", "success_integration"),
    *(
        "overlap_policy",
        "task_auto_retry_attempts",
        "suspend_task_after_num_failures",
        "user_task_timeout_ms",
    ),
)
_LISTS = ("predecessors", "branch_of")
_TARGET = (
    *("name", "kind", "database", "schema", "warehouse", "stage", "connection", "account", "owner_role"),
    *("compute_pool", "keep_deployments"),
)


def outline_of(desired: DesiredGraph) -> DesiredGraph:
    """The graph with only the fields that its JSON holds."""
    return outline_from(outline_value(desired))


def outline_value(desired: DesiredGraph) -> dict[str, Json]:
    """The outline as JSON."""
    target = desired.target
    return {
        "pipeline": desired.pipeline,
        "spec_path": desired.spec_path,
        "target": {**{key: getattr(target, key) for key in _TARGET}, "mode": target.mode.value},
        "tasks": [_task_value(task) for task in (desired.root, *desired.tasks)],
        "finalizer": None if desired.finalizer is None else _task_value(desired.finalizer),
        "fingerprint": desired.fingerprint,
        "within": desired.within,
    }


def outline_from(value: Mapping[str, Any]) -> DesiredGraph:
    """The outline in the JSON of `outline_value`. Raises KeyError, TypeError or ValueError for any other value."""
    target = dict(value["target"])
    root, *tasks = (_task_from(task) for task in value["tasks"])
    return DesiredGraph(
        pipeline=value["pipeline"],
        spec_path=value["spec_path"],
        target=Target(**{**target, "mode": Mode(target["mode"])}),
        root=root,
        tasks=tuple(tasks),
        finalizer=None if value["finalizer"] is None else _task_from(value["finalizer"]),
        archives=(),
        fingerprint=value["fingerprint"],
        within=value["within"],
    )


def _task_value(task: DesiredTask) -> dict[str, Json]:
    value: dict[str, Json] = {
        key: setting for key in _FIELDS if (setting := getattr(task, key)) != getattr(_DEFAULTS, key)
    }
    value |= {key: list(names) for key in _LISTS if (names := getattr(task, key))}
    if (mark := mark_of(task)) is not None:
        value["body_mark"] = mark
    if task.config:
        value["config"] = dict(task.config)
    if task.outcomes is not None:
        value["outcomes"] = dict(task.outcomes)
    if task.schedule is not None:
        value["schedule"] = "manual" if isinstance(task.schedule, Manual) else schedule_value(task.schedule)
    return value


def _task_from(value: Mapping[str, Any]) -> DesiredTask:
    fields = dict(value)
    fields |= {key: tuple(value[key]) for key in _LISTS if key in value}
    if "schedule" in value:
        fields["schedule"] = schedule_from(value["schedule"])
    return replace(_DEFAULTS, **fields)
