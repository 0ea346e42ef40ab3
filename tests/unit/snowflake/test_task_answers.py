"""What is read of a task's answer: every property of the specification, as Snowflake's client takes or refuses it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from snowflake.core.task._generated.models import Task
from yaml_files import read_yaml

from sfml.base.errors import AccountError
from sfml.snowflake.task_answers import task_values

SPECIFICATION = Path(__file__).parents[2] / "data" / "openapi" / "task.yaml"

LEFT_OUT = {
    *("created_on", "last_committed_on", "last_suspended_on"),
    *("database_name", "schema_name", "owner_role_type", "task_relations"),
}
"""What no plan looks at: when it was made, where it is, and what its finalizer says as well."""

CRON = {"schedule_type": "CRON_TYPE", "cron_expr": "0 0 * * SUN", "timezone": "UTC"}
MINUTES = {"schedule_type": "MINUTES_TYPE", "minutes": 1, "seconds": 30}
BARE = {"name": "T", "definition": "select 1"}
VALUES: dict[str, Any] = {
    "schedule": CRON,
    "target_completion_interval": MINUTES,
    "config": {"deep": {"list": [1, None]}},
    "session_parameters": {"TIMEZONE": "UTC", "LOCK_TIMEOUT": 5},
    "predecessors": ["DB.S.A"],
    "allow_overlapping_execution": True,
    "overlap_policy": "ALLOW_ALL_OVERLAP",
    "state": "started",
    "task_auto_retry_attempts": 2,
    "suspend_task_after_num_failures": 0,
    "user_task_timeout_ms": 60000,
}
WRONG: tuple[Any, ...] = (True, 5, "text", [5], {"a": 1}, 0.5)


@cache
def properties() -> dict[str, Any]:
    document = read_yaml(SPECIFICATION)
    found: dict[str, Any] = document["components"]["schemas"]["Task"]["properties"]
    return found


@pytest.mark.parametrize("name", sorted(set(properties()) - LEFT_OUT))
def test_every_property_is_read(name: str) -> None:
    answer = {**BARE, name: VALUES.get(name, "other")}
    assert task_values(answer) != task_values({**BARE, **({name: "first"} if name in BARE else {})})


def test_what_is_left_out_is_in_the_specification_and_changes_nothing() -> None:
    assert set(properties()) >= LEFT_OUT
    assert task_values({**BARE, **dict.fromkeys(LEFT_OUT, "2026-11-29T00:00:00Z")}) == task_values(BARE)


@pytest.mark.parametrize("name", sorted(set(properties()) - LEFT_OUT))
@pytest.mark.parametrize("value", WRONG)
def test_a_value_is_refused_where_the_client_refuses_it(name: str, value: Any) -> None:
    """But for what it knows as a choice or a pattern, which a plan shows as it is."""
    answer = {**BARE, name: value}
    try:
        Task.from_dict(answer)
    except (ValueError, KeyError, TypeError):
        if isinstance(value, str) and name not in ("schedule", "target_completion_interval", *VALUES):
            return
        if name in ("state", "overlap_policy") and isinstance(value, str):
            return
        with pytest.raises(AccountError, match="not what its API describes"):
            task_values(answer)
    else:
        task_values(answer)


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"name": "T"}, {"definition": "select 1"}])
def test_what_is_no_task_is_refused(answer: Any) -> None:
    with pytest.raises(AccountError):
        task_values(answer)


@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"schedule_type": "DAILY_TYPE"},
        {"schedule_type": "CRON_TYPE", "cron_expr": "* * * * *"},
        {"schedule_type": "MINUTES_TYPE"},
        {"schedule_type": "MINUTES_TYPE", "minutes": "5"},
    ],
)
def test_a_schedule_that_is_none_is_refused(schedule: Any) -> None:
    """And not taken for a task without one."""
    with pytest.raises(AccountError):
        task_values({**BARE, "schedule": schedule})


def test_intervals_are_seconds() -> None:
    assert task_values({**BARE, "schedule": MINUTES})["schedule"] == {"seconds": 90}
    assert task_values({**BARE, "schedule": {"schedule_type": "MINUTES_TYPE", "minutes": 10}})[
        "schedule"
    ] == {"seconds": 600}
    assert task_values({**BARE, "target_completion_interval": MINUTES})["target_completion_interval"] == 90


def test_the_policy_stands_above_the_older_boolean() -> None:
    both = {**BARE, "overlap_policy": "NO_OVERLAP", "allow_overlapping_execution": True}
    assert task_values(both)["overlap_policy"] == "NO_OVERLAP"
    assert task_values({**BARE, "allow_overlapping_execution": False})["overlap_policy"] == "NO_OVERLAP"
