from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from made_graphs import closure, clv, every, graph, sql, wide

from sfml.lower.lower import lower
from sfml.lower.sql import definition_sql

pytest.importorskip("snowflake.core")

from sfml.snowflake.low_level import to_schedule, to_task


def sent(made: Any, name: str) -> dict[str, Any]:
    """What the client would send for one task, without what is unset."""
    task = lower(made, closure, "0.1.0").task(name)
    body: dict[str, Any] = to_task(task, definition_sql(task))._to_rest_model().to_dict()
    return {key: value for key, value in body.items() if value is not None}


def test_a_root() -> None:
    body = sent(clv(), "CLV")
    assert body.pop("comment").startswith("Weekly customer lifetime value retraining\nsfml:{")
    assert body == {
        "name": "CLV",
        "definition": "select 'dag dummy root'",
        "warehouse": "ML_WH",
        "schedule": {"schedule_type": "CRON_TYPE", "cron_expr": "0 0 * * 0", "timezone": "UTC"},
        "config": {"model_name": "CLV_MODEL", "threshold": 0.4},
        "overlap_policy": "NO_OVERLAP",
        "task_auto_retry_attempts": 1,
        "suspend_task_after_num_failures": 3,
        "user_task_timeout_ms": 21_600_000,
        "error_integration": "ML_ERRORS",
        "session_parameters": {"QUERY_TAG": '{"sfml":{"pipeline":"clv"}}'},
    }


def test_a_task_of_a_branch() -> None:
    body = sent(clv(), "CLV$PROMOTE_MODEL")
    assert body.pop("definition").startswith("WITH SFML_STEP AS PROCEDURE")
    assert body == {
        "name": "CLV$PROMOTE_MODEL",
        "warehouse": "ML_WH",
        "predecessors": ["CLV$CHECK_MODEL_QUALITY"],
        "condition": "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$CHECK_MODEL_QUALITY') = 'PROMOTE_MODEL'",
        "session_parameters": {"QUERY_TAG": '{"sfml":{"pipeline":"clv","task":"promote_model"}}'},
    }


def test_a_finalizer_and_a_serverless_task() -> None:
    finalizer = sent(clv(), "CLV$CLEANUP")
    assert finalizer["finalize"] == "CLV"
    assert "predecessors" not in finalizer
    serverless = sent(wide(), "WIDE$CHECK")
    assert "warehouse" not in serverless
    assert serverless["target_completion_interval"] == {
        "schedule_type": "MINUTES_TYPE",
        "minutes": 10,
        "seconds": 0,
    }
    assert serverless["serverless_task_max_statement_size"] == "LARGE"


def test_schedules() -> None:
    assert to_schedule(every(90).settings.schedule) == timedelta(seconds=90)
    assert to_schedule(wide().settings.schedule) is None
    assert to_schedule(graph(sql("only")).settings.schedule) is None


def test_a_comment_can_be_replaced() -> None:
    task = lower(clv(), closure, "0.1.0").root
    assert to_task(task, "select 1", comment="other").comment == "other"
