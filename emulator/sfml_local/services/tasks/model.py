"""A task and its settings as stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sfml.semantics.graph import TaskShape
from sfml.semantics.schedule import Schedule, next_fire, parse_schedule
from sfml_local.core.names import ObjectName


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of CREATE TASK; None is unset. Texts are stored as written.

    `predecessors` and `finalize` are unqualified, folded names: all tasks of a graph live in one schema.
    """

    definition: str
    warehouse: str | None = None
    schedule: str | None = None
    config: str | None = None
    overlap_policy: str | None = None
    user_task_timeout_ms: int | None = None
    suspend_task_after_num_failures: int | None = None
    task_auto_retry_attempts: int | None = None
    user_task_minimum_trigger_interval_in_seconds: int | None = None
    user_task_managed_initial_warehouse_size: str | None = None
    serverless_task_min_statement_size: str | None = None
    serverless_task_max_statement_size: str | None = None
    target_completion_interval: str | None = None
    error_integration: str | None = None
    success_integration: str | None = None
    log_level: str | None = None
    comment: str | None = None
    execute_as_user: str | None = None
    condition: str | None = None
    predecessors: tuple[str, ...] = ()
    finalize: str | None = None
    session_parameters: Mapping[str, Any] = field(default_factory=dict)
    created_by: str | None = None
    """The user who created the task, which nothing sets."""

    @property
    def is_root(self) -> bool:
        """Whether the task is standalone or a root."""
        return not self.predecessors and self.finalize is None

    @property
    def parsed_schedule(self) -> Schedule | None:
        return parse_schedule(self.schedule) if self.schedule else None

    def to_json(self) -> str:
        values = ((key, getattr(self, key)) for key in _KEYS)
        return json.dumps({key: value for key, value in values if value not in (None, (), {})})

    @classmethod
    def from_json(cls, text: str) -> Settings:
        values = json.loads(text)
        values["predecessors"] = tuple(values.get("predecessors", ()))
        return cls(**values)


_KEYS = tuple(setting.name for setting in fields(Settings))


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its identity. `graph_version` counts on roots.

    `scheduled_since` is the moment of RESUME or SET SCHEDULE: an interval's base.
    """

    id: str
    name: ObjectName
    settings: Settings
    owner: str
    created_on: datetime
    started: bool = False
    graph_version: int = 0
    last_committed_on: datetime | None = None
    last_suspended_on: datetime | None = None
    last_suspended_reason: str | None = None
    scheduled_since: datetime | None = None

    @property
    def state(self) -> str:
        return "started" if self.started else "suspended"

    def shape(self) -> TaskShape:
        """Its WHEN condition."""
        return TaskShape(
            self.name.name,
            self.settings.predecessors,
            self.settings.condition,
            suspended=not self.started,
            finalizes=self.settings.finalize,
        )

    def with_settings(self, **changes: Any) -> Task:
        return replace(self, settings=replace(self.settings, **changes))


def next_scheduled(task: Task, after: datetime) -> datetime | None:
    """The first time of a started root's schedule after that moment."""
    schedule = task.settings.parsed_schedule
    if schedule is None or not task.started:
        return None
    return next_fire(schedule, after, task.scheduled_since or after)


def by_name(tasks: Iterable[Task]) -> dict[str, Task]:
    """The tasks of one schema by their unqualified names."""
    return {task.name.name: task for task in tasks}
