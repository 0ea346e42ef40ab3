"""Tasks and runs as the REST API's JSON, and settings from it.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/task
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml.semantics.config import config_text, parse_config
from sfml.semantics.cron import Cron
from sfml.semantics.interval import interval_seconds
from sfml.semantics.schedule import parse_schedule
from sfml_local.core.names import ObjectName
from sfml_local.core.rest_call import Json, bad_request
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.task_settings import Clauses, Value
from sfml_local.grammar.tokens import parse_name
from sfml_local.services.tasks import properties
from sfml_local.services.tasks.history import GraphRow
from sfml_local.services.tasks.model import Settings, Task
from sfml_local.services.tasks.sql import task_relations

if TYPE_CHECKING:
    from sfml_local.core.account import Account

_TEXTS = (
    "comment",
    "overlap_policy",
    "user_task_managed_initial_warehouse_size",
    "serverless_task_min_statement_size",
    "serverless_task_max_statement_size",
)
_NAMES = ("warehouse", "error_integration", "success_integration", "execute_as_user")
_WRITTEN = frozenset(
    {
        "name",
        "definition",
        "schedule",
        "finalize",
        "config",
        "session_parameters",
        "predecessors",
        "condition",
    }
)
_READ_ONLY = frozenset(
    {
        "task_relations",
        "created_on",
        "id",
        "owner",
        "owner_role_type",
        "state",
        "database_name",
        "schema_name",
    }
    | {"last_committed_on", "last_suspended_on"}
)
_INTEGERS = ("user_task_timeout_ms", "suspend_task_after_num_failures", "task_auto_retry_attempts")
_FIELDS = (
    _WRITTEN
    | _READ_ONLY
    | {*_TEXTS, *_NAMES, *_INTEGERS, "allow_overlapping_execution", "target_completion_interval"}
)


# -- reading


def settings_from_body(account: Account, name: ObjectName, body: Json) -> Settings:
    """The settings in a Task as JSON; missing fields are unset."""
    if not isinstance(body.get("definition"), str):
        raise bad_request("Missing required field: definition.")
    for key in body.keys() - _FIELDS:
        if body[key] is not None:
            raise bad_request(f"Not emulated by the local server: field {key} of a task.")
    given: list[tuple[str, Value]] = []
    for key in (*_TEXTS, *_INTEGERS):
        if body.get(key) is not None:
            given.append((key.upper(), body[key]))
    given.extend((key.upper(), parse_name(str(body[key]))) for key in _NAMES if body.get(key))
    if body.get("overlap_policy") is None and body.get("allow_overlapping_execution") is not None:
        given.append(("ALLOW_OVERLAPPING_EXECUTION", bool(body["allow_overlapping_execution"])))
    if body.get("finalize"):
        given.append(("FINALIZE", parse_name(str(body["finalize"]))))
    if body.get("schedule") is not None:
        given.append(("SCHEDULE", schedule_text(body["schedule"])))
    if body.get("target_completion_interval") is not None:
        interval = _interval_text(body["target_completion_interval"])
        given.append(("TARGET_COMPLETION_INTERVAL", interval))
    if body.get("config") is not None:
        given.append(("CONFIG", config_text(_mapping(body, "config"))))
    parameters = _mapping(body, "session_parameters")
    given.extend((str(key).upper(), value) for key, value in parameters.items())
    predecessors = body.get("predecessors") or []
    if not isinstance(predecessors, list):
        raise bad_request("Invalid field predecessors: an array is expected.")
    after = tuple(parse_name(str(p)) for p in predecessors)
    clauses = Clauses(tuple(given), after or None, body.get("condition") or None)
    given_values = properties.read_clauses(clauses)
    return properties.settings_from(account, name, clauses, given_values, body["definition"])


def _mapping(body: Json, key: str) -> Json:
    value = body.get(key) or {}
    if not isinstance(value, dict):
        raise bad_request(f"Invalid field {key}: an object is expected.")
    return value


def schedule_text(schedule: Any) -> str:
    if isinstance(schedule, dict):
        if "cron_expr" in schedule:
            return f"USING CRON {schedule['cron_expr']} {schedule.get('timezone', '')}".rstrip()
        if "minutes" in schedule:
            return _interval_text(schedule)
    raise bad_request("Invalid field schedule: cron_expr and timezone, or minutes, are expected.")


def _interval_text(interval: Any) -> str:
    if not isinstance(interval, dict) or not isinstance(interval.get("minutes"), int):
        raise bad_request("Invalid interval: minutes are expected.")
    minutes, seconds = interval["minutes"], interval.get("seconds") or 0
    return f"{minutes * 60 + seconds} SECOND" if seconds else f"{minutes} MINUTE"


# -- writing


def task_body(account: Account, task: Task) -> Json:
    """A Task as JSON, without unset settings."""
    settings = task.settings
    body: Json = {
        "name": quoted_if_needed(task.name.name),
        "definition": settings.definition,
        "warehouse": quoted_if_needed(settings.warehouse) if settings.warehouse else None,
        "schedule": schedule_body(settings.schedule),
        "comment": settings.comment,
        "finalize": task.name.sibling(settings.finalize).fqn() if settings.finalize else None,
        "config": parse_config(settings.config) if settings.config else None,
        "session_parameters": dict(settings.session_parameters) or None,
        "predecessors": [quoted_if_needed(predecessor) for predecessor in settings.predecessors],
        "task_relations": task_relations(account, task),
        "target_completion_interval": _interval_body(settings.target_completion_interval),
        "condition": settings.condition,
        "error_integration": settings.error_integration,
        "success_integration": settings.success_integration,
        "execute_as_user": settings.execute_as_user,
        **{key: getattr(settings, key) for key in (*_TEXTS[2:], *_INTEGERS)},
        **_overlap_body(settings),
        "created_on": time_text(task.created_on),
        "id": task.id,
        "owner": task.owner,
        "owner_role_type": "ROLE",
        "state": task.state,
        "last_committed_on": time_text(task.last_committed_on),
        "last_suspended_on": time_text(task.last_suspended_on),
        "database_name": quoted_if_needed(task.name.database),
        "schema_name": quoted_if_needed(task.name.schema),
    }
    return {key: value for key, value in body.items() if value is not None}


def _overlap_body(settings: Settings) -> Json:
    if not settings.is_root:
        return {}
    policy = settings.overlap_policy or "NO_OVERLAP"
    allow = {"NO_OVERLAP": False, "ALLOW_CHILD_OVERLAP": True}.get(policy)
    return {"overlap_policy": policy, "allow_overlapping_execution": allow}


def schedule_body(text: str | None) -> Json | None:
    if not text:
        return None
    schedule = parse_schedule(text)
    if isinstance(schedule, Cron):
        # The time zone as written, with which `text` ends.
        return {"schedule_type": "CRON_TYPE", "cron_expr": schedule.expression, "timezone": text.split()[-1]}
    return {"schedule_type": "MINUTES_TYPE", **_minutes(schedule.seconds)}


def _interval_body(text: str | None) -> Json | None:
    seconds = interval_seconds(text) if text else None
    return {"schedule_type": "MINUTES_TYPE", **_minutes(seconds)} if seconds else None


def _minutes(seconds: int) -> Json:
    minutes, rest = divmod(seconds, 60)
    return {"minutes": minutes, "seconds": rest}


def run_body(row: GraphRow) -> Json:
    """A TaskRun in JSON. The client refuses one without next_scheduled_time: a root without a schedule
    gives the time it was scheduled for."""
    run, error = row.run, row.first_error
    body: Json = {
        "root_task_name": quoted_if_needed(run.root.name),
        "database_name": quoted_if_needed(run.root.database),
        "schema_name": quoted_if_needed(run.root.schema),
        "state": str(run.state),
        "first_error_task_name": error.name if error else None,
        "first_error_code": error.error_code if error else None,
        "first_error_message": error.error_message if error else None,
        "scheduled_time": time_text(run.scheduled_time),
        "query_start_time": time_text(run.query_start_time),
        "next_scheduled_time": time_text(row.next_scheduled_time or run.scheduled_time),
        "completed_time": time_text(run.completed_time),
        "root_task_id": run.root_id,
        "graph_version": run.version,
        "run_id": run.run_id,
    }
    return {key: value for key, value in body.items() if value is not None}


def tag_body(tag: ObjectName, value: str, level: str = "TASK") -> Json:
    return {
        "tag_database": quoted_if_needed(tag.database),
        "tag_schema": quoted_if_needed(tag.schema),
        "tag_name": quoted_if_needed(tag.name),
        "tag_value": value,
        "level": level,
    }


def time_text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
