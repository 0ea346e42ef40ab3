"""Where a compared setting is written in the spec, and whether it comes from a `defaults:` block."""

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
"""Compared setting → the spec's settings that may have written it, the most telling first."""


def spec_settings(path: str) -> tuple[str, ...]:
    """The spec's settings behind a path of a plan: `with.at_least` and `config.threshold` are their own."""
    return _SETTINGS.get(path, (path, path.partition(".")[0]))


def span_of(task: DesiredTask, path: str) -> Span | None:
    """Where the spec has it; None for what it leaves to a default of ours or of Snowflake's."""
    return next((task.spans[name] for name in spec_settings(path) if name in task.spans), None)


def place_of(task: DesiredTask, path: str) -> str | None:
    """`specs/clv/job_config.yaml:19`."""
    span = span_of(task, path)
    return None if span is None else f"{span.file}:{span.start.line}"


def is_default(task: DesiredTask, path: str) -> bool:
    """Whether a `defaults:` block gave the value."""
    found = next((name for name in spec_settings(path) if name in task.spans), None)
    return found is not None and found in task.defaulted
