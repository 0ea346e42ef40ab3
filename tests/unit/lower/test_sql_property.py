"""tasks.sql read back: what its statements set is what the desired tasks hold, whatever the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from generated_graphs import graphs, lowered
from hypothesis import given
from made_graphs import clv, wide
from property_settings import examples
from sql_statements import statements

from sfml.base.quoting import raw
from sfml.graph.model import CronSchedule, IntervalSchedule, Mode, TaskGraph
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.lower.sql import definition_sql, tasks_sql
from sfml.semantics.interval import parse_interval
from sfml.semantics.schedule import Interval, parse_schedule
from sfml_local.grammar.task_settings import Word
from sfml_local.grammar.tasks import (
    AlterTask,
    CreateMode,
    CreateTask,
    Resume,
    SetContacts,
    SetSettings,
    SetTags,
    Suspend,
)
from sfml_local.grammar.tokens import Name


def name_of(graph: DesiredGraph, task: str) -> Name:
    return Name((raw(graph.target.database), raw(graph.target.schema), task))


def objects(value: str) -> Name:
    """A name as it is written with its dots, in its parts; the generated ones have no dots inside quotes but one."""
    return Name(("a.b", "C")) if value == '"a.b".c' else Name(tuple(raw(part) for part in value.split(".")))


def expected(task: DesiredTask) -> dict[str, Any]:
    """The settings that CREATE and ALTER must say between them, without the schedule."""
    found: dict[str, Any] = {
        "WAREHOUSE": task.warehouse and raw(task.warehouse),
        "CONFIG": None if task.config is None else dict(task.config),
        "OVERLAP_POLICY": task.overlap_policy,
        "USER_TASK_TIMEOUT_MS": task.user_task_timeout_ms,
        "SUSPEND_TASK_AFTER_NUM_FAILURES": task.suspend_task_after_num_failures,
        "ERROR_INTEGRATION": task.error_integration and raw(task.error_integration),
        "SUCCESS_INTEGRATION": task.success_integration and raw(task.success_integration),
        "COMMENT": task.comment,
        "FINALIZE": task.finalize,
        "TASK_AUTO_RETRY_ATTEMPTS": task.task_auto_retry_attempts,
        "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": task.user_task_managed_initial_warehouse_size,
        "SERVERLESS_TASK_MIN_STATEMENT_SIZE": task.serverless_task_min_statement_size,
        "SERVERLESS_TASK_MAX_STATEMENT_SIZE": task.serverless_task_max_statement_size,
        "TARGET_COMPLETION_INTERVAL": task.target_completion_seconds,
        "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": task.minimum_trigger_interval_seconds,
        "LOG_LEVEL": task.log_level,
        **task.session_parameters,
    }
    return {name: value for name, value in found.items() if value is not None}


def said(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the statements set, in the terms of `expected`."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name == "CONFIG":
            value = json.loads(value)
        elif name == "TARGET_COMPLETION_INTERVAL":
            value = parse_interval(value)
        elif isinstance(value, Name):
            value = value.last
        elif isinstance(value, Word):
            value = value.folded
        found[name] = value
    return found


def schedule_of(task: DesiredTask) -> Any:
    match task.schedule:
        case CronSchedule(cron, timezone):
            return parse_schedule(f"USING CRON {cron} {timezone}")
        case IntervalSchedule(seconds):
            return Interval(seconds)
        case _:
            return None


def assert_read_back(made: TaskGraph) -> None:
    graph = lowered(made)
    read = statements(tasks_sql(graph))
    root = name_of(graph, graph.root.name)
    assert read[0] == AlterTask(root, Suspend(), if_exists=True)
    created = [one for one in read if isinstance(one, CreateTask)]
    assert [one.name for one in created] == [name_of(graph, task.name) for task in graph.all_tasks]
    resumed = [one.name for one in read if isinstance(one, AlterTask) and one.action == Resume()]
    children = [name_of(graph, task.name) for task in graph.all_tasks[1:]]
    starts = graph.root.schedule is not None and graph.target.mode is Mode.PRODUCTION
    assert resumed == [*children, *((root,) if starts else ())]
    for task, create in zip(graph.all_tasks, created, strict=True):
        altered = [one.action for one in read if isinstance(one, AlterTask) and one.name == create.name]
        beyond = [pair for one in altered if isinstance(one, SetSettings) for pair in one.clauses.settings]
        assert create.mode is CreateMode.OR_ALTER
        settings = dict([*create.clauses.settings, *beyond])
        schedule = settings.pop("SCHEDULE", None)
        assert (None if schedule is None else parse_schedule(str(schedule))) == schedule_of(task)
        assert len(settings) == len([*create.clauses.settings, *beyond]) - (schedule is not None)
        assert said(settings) == expected(task)
        assert create.clauses.after == (tuple(name_of(graph, one) for one in task.predecessors) or None)
        assert create.clauses.when == task.condition
        assert create.clauses.execute_as == (task.execute_as_user and raw(task.execute_as_user))
        assert (create.definition or "").rstrip() == definition_sql(task).rstrip()
        tags = [pair for one in altered if isinstance(one, SetTags) for pair in one.tags]
        assert dict(tags) == {objects(name): value for name, value in task.tags.items()}
        contacts = [pair for one in altered if isinstance(one, SetContacts) for pair in one.contacts]
        assert dict(contacts) == {raw(key): objects(value) for key, value in task.contacts.items()}


@examples(25)
@given(graphs())
def test_every_statement_reads_back_as_the_desired_task(made: TaskGraph) -> None:
    assert_read_back(made)


def test_the_hand_made_graphs_read_back() -> None:
    for made in (clv(), wide()):
        assert_read_back(made)
