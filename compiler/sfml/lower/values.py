"""A desired task as JSON, for its fingerprint and the manifest."""

from __future__ import annotations

from typing import assert_never

from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.canonical import Json, plain
from sfml.lower.desired import Definition, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.ml_jobs import job_value


def task_value(task: DesiredTask) -> dict[str, Json]:
    """The task as JSON, without its fingerprint and its places in the spec."""
    return {
        "name": task.name,
        "task": task.task,
        "kind": task.kind,
        "run_on": run_on_value(task),
        "definition": definition_value(task.definition),
        "predecessors": list(task.predecessors),
        "finalize": task.finalize,
        "condition": task.condition,
        "branch": branch_value(task),
        "settings": settings_value(task),
        "code_sha256": task.code_sha256,
        "packages": list(task.packages),
    }


def run_on_value(task: DesiredTask) -> dict[str, Json]:
    """The compute of the task, with the keys of `run_on` in a spec."""
    if isinstance(task.definition, MLJobDefinitionSpec):
        return {"pool": task.definition.pool, "instances": task.definition.instances}
    if task.warehouse is not None:
        return {"warehouse": task.warehouse}
    sizes: dict[str, Json] = {
        "initial": task.user_task_managed_initial_warehouse_size,
        "min": task.serverless_task_min_statement_size,
        "max": task.serverless_task_max_statement_size,
        "target_completion": task.target_completion_seconds,
    }
    return {"serverless": {name: size for name, size in sizes.items() if size is not None}}


def definition_value(definition: Definition) -> dict[str, Json]:
    """The body of a task as JSON."""
    match definition:
        case SqlDefinition(sql):
            return {"sql": sql}
        case MLJobDefinitionSpec():
            return {"ml_job": job_value(definition)}
        case _:
            assert_never(definition)


def branch_value(task: DesiredTask) -> dict[str, Json] | None:
    """The task's outcomes, and the `DAGTaskBranch`es that start it; None without both."""
    if task.outcomes is None and not task.branch_of:
        return None
    outcomes: dict[str, Json] | None = None if task.outcomes is None else dict(task.outcomes)
    return {
        "is_dag_branch": task.is_branch,
        "outcomes": outcomes,
        "started_by": list(task.branch_of),
        "own_condition": task.own_condition,
    }


def settings_value(task: DesiredTask) -> dict[str, Json]:
    """The other settings by Snowflake's names in lower case; settings with Snowflake's default are left out."""
    settings: dict[str, Json] = {
        "warehouse": task.warehouse,
        "schedule": schedule_value(task.schedule),
        "config": None if task.config is None else plain(task.config),
        "overlap_policy": task.overlap_policy,
        "task_auto_retry_attempts": task.task_auto_retry_attempts,
        "suspend_task_after_num_failures": task.suspend_task_after_num_failures,
        "user_task_timeout_ms": task.user_task_timeout_ms,
        "error_integration": task.error_integration,
        "success_integration": task.success_integration,
        "session_parameters": plain(task.session_parameters) or None,
        "user_task_managed_initial_warehouse_size": task.user_task_managed_initial_warehouse_size,
        "serverless_task_min_statement_size": task.serverless_task_min_statement_size,
        "serverless_task_max_statement_size": task.serverless_task_max_statement_size,
        "target_completion_seconds": task.target_completion_seconds,
        "user_task_minimum_trigger_interval_in_seconds": task.minimum_trigger_interval_seconds,
        "execute_as_user": task.execute_as_user,
        "log_level": task.log_level,
        "tags": plain(task.tags) or None,
        "contacts": plain(task.contacts) or None,
        "watch": plain(task.watch) or None,
        "comment": task.comment,
    }
    return {name: value for name, value in settings.items() if value is not None}


def schedule_value(schedule: Schedule | None) -> Json:
    """A schedule as JSON; None for a manual one."""
    match schedule:
        case None | Manual():
            return None
        case CronSchedule(cron, timezone):
            return {"cron": cron, "timezone": timezone}
        case IntervalSchedule(seconds):
            return {"every_seconds": seconds}
        case StreamSchedule(streams, every):
            return {"on_stream": list(streams), "every_seconds": every}
        case _:
            assert_never(schedule)
