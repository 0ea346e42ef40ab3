"""The judge itself: it lets a true answer pass and finds what is wrong with others."""

from __future__ import annotations

from typing import Any

import pytest
from specification import Answer, Judge

TASK = {
    "name": "T",
    "definition": "select 1",
    "state": "suspended",
    "created_on": "2026-01-01T00:00:00+00:00",
}
TASKS = "/api/v2/databases/d/schemas/s/tasks"
HEADERS = {"x-snowflake-request-id": "x"}


@pytest.mark.parametrize(
    ("path", "status", "body", "complaint"),
    [
        ("/T", 200, TASK, None),
        ("", 200, [TASK, TASK], None),
        ("/T", 200, {**TASK, "schedule": {"schedule_type": "MINUTES_TYPE", "minutes": 5}}, None),
        ("/T", 200, {**TASK, "schedule": {"minutes": "5"}}, "schedule"),
        ("/T", 200, {**TASK, "surplus": 1}, "surplus"),
        ("/T", 200, {**TASK, "state": "STARTED"}, "STARTED"),
        ("/T", 200, {**TASK, "created_on": "yesterday"}, "yesterday"),
        ("/T", 200, {"name": "T"}, "definition"),
        ("/T", 200, {**TASK, "name": "a b"}, "a b"),
        ("/T", 418, {"message": "x"}, "418"),
        ("/T/dependents", 200, TASK, "array"),
        ("/T:get-tags", 200, [{"tag_name": "X", "tag_value": "y", "level": "TASK"}], None),
        ("/T:get-tags", 200, [{"tag_name": "X"}], "tag_value"),
        ("/T/current-graphs", 200, [{"root_task_name": "T"}], "next_scheduled_time"),
    ],
)
def test_judgement(path: str, status: int, body: Any, complaint: str | None) -> None:
    judge = Judge()
    judge.hear(Answer("GET", TASKS + path, status, HEADERS, body))
    if complaint is None:
        judge.judge()
        assert judge.judged == 1
        return
    with pytest.raises(AssertionError, match=complaint):
        judge.judge()
