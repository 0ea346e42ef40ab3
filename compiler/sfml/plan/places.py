"""The place in the spec of a compared setting, and whether it comes from a `defaults:` block."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.base.source import Span
from sfml.lower.desired import DesiredTask

_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "after": ("after",),
    "when": ("when", "run_if", "after"),
    "warehouse": ("run_on.warehouse", "run_on"),
    "schedule": ("schedule.cron", "schedule.every", "schedule.on_stream", "schedule"),
    "overlap": ("overlap",),
    "retries": ("retries",),
    "suspend_after_failures": ("suspend_after_failures",),
    "timeout_ms": ("timeout",),
    "on_error": ("alerts.on_error", "alerts"),
    "on_success": ("alerts.on_success", "alerts"),
    "session_parameters": ("session_parameters",),
    "serverless.initial": ("run_on.serverless", "run_on"),
    "serverless.min": ("run_on.serverless", "run_on"),
    "serverless.max": ("run_on.serverless", "run_on"),
    "serverless.target_completion": ("run_on.serverless", "run_on"),
    "execute_as_user": ("execute_as_user",),
    "minimum_trigger_interval": ("schedule.every", "schedule"),
    "log_level": ("log_level",),
    "tags": ("tags",),
    "contacts": ("contacts",),
    "watch.within": ("expect.within", "expect", "alerts"),
    "watch": ("alerts", "expect"),
    "comment": ("comment",),
    "step": ("step",),
    "code": ("step", "job"),
    "pool": ("run_on.pool", "run_on"),
    "instances": ("run_on.instances", "run_on"),
    "min_instances": ("run_on.min_instances", "run_on.instances", "run_on"),
    "runtime": ("run_on.runtime", "run_on"),
    "metrics": ("run_on.metrics", "run_on"),
    "query_warehouse": ("run_on.warehouse", "run_on"),
    "command": ("job", "step"),
    "definition": ("sql", "call", "notify", "job", "step"),
}
"""Compared setting → the settings in the spec that it may come from, the most specific first."""


def spec_settings(path: str) -> tuple[str, ...]:
    """The settings in the spec for a path in a plan; for one not in the table, itself and what it is a part of.

    >>> spec_settings("alerts.channels.slack.ML_SLACK")[1:]
    ('alerts.channels.slack', 'alerts.channels', 'alerts')
    """
    if path in _SETTINGS:
        return _SETTINGS[path]
    parts = path.split(".")
    longer = tuple(".".join(parts[:count]) for count in range(len(parts), 1, -1))
    return (*longer, *_SETTINGS.get(parts[0], (parts[0],)))


def span_of(task: DesiredTask, path: str) -> Span | None:
    """The span of the setting in the spec; None for a default of sfml or Snowflake."""
    return next((task.spans[name] for name in spec_settings(path) if name in task.spans), None)


def place_of(task: DesiredTask, path: str) -> str | None:
    """The place of the setting in the spec, such as `specs/clv/job_config.yaml:19`."""
    span = span_of(task, path)
    return None if span is None else f"{span.file}:{span.start.line}"


def is_default(task: DesiredTask, path: str) -> bool:
    """Whether the value comes from a `defaults:` block."""
    setting = next((name for name in spec_settings(path) if name in task.spans), None)
    return setting is not None and setting in task.defaulted
