"""Work at the ends of tasks and graphs: records states, counts failures, sends notifications."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml.semantics.graph import GraphShape
from sfml.semantics.retry import failure_counts, guilty_tasks
from sfml.semantics.states import State
from sfml_local.services.notifications import store as notifications
from sfml_local.services.tasks import parameters, run_store, store
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.run_store import GraphRun, TaskRun

if TYPE_CHECKING:
    from sfml_local.core.account import Account


def settle(
    account: Account,
    run: GraphRun,
    graph: GraphShape,
    tasks: Mapping[str, Task],
    states: Mapping[str, State],
    state: State,
    *,
    exhausted: bool,
) -> None:
    """Record the end of an attempt; suspend the root if a task failed too often in a row."""
    run_store.set_graph_state(account.store, run, state, completed_time=account.clock())
    counts = failure_counts(store.failures(account.store, run.root_id), states, exhausted=exhausted)
    store.set_failures(account.store, run.root_id, {name: n for name, n in counts.items() if n})
    root = store.find_by_id(account.store, run.root_id)
    if root is not None and root.started:
        guilty = guilty_tasks(counts, parameters.in_effect(account, root).suspend_task_after_num_failures)
        if guilty:
            _suspend(account, root, run, guilty)
    if state is State.SUCCEEDED and len(graph.tasks) > 1:
        _notify_success(account, run, tasks[graph.root])


def _suspend(account: Account, root: Task, run: GraphRun, guilty: Collection[str]) -> None:
    for row in run_store.task_runs(account.store, run.group_id, run.attempt):
        if row.name in guilty and row.state is State.FAILED:
            run_store.finish_task_run(account.store, replace(row, state=State.FAILED_AND_AUTO_SUSPENDED))
    store.save(
        account.store,
        replace(
            root,
            started=False,
            last_suspended_on=account.clock(),
            last_suspended_reason="SUSPENDED_DUE_TO_ERRORS",
        ),
    )
    store.set_failures(account.store, root.id, {})


def notify_failure(account: Account, run: GraphRun, tasks: Mapping[str, Task], ended: TaskRun) -> None:
    """Send what ERROR_INTEGRATION asks for: set on the root, it holds for all tasks of the graph.

    https://docs.snowflake.com/en/user-guide/tasks-errors-integrate
    """
    root = tasks[run.root.name]
    integration = root.settings.error_integration
    if integration is None:
        return
    task = tasks[ended.name]
    message = _message(account, "USER_TASK_FAILED", task, root)
    message["messages"] = [
        {
            "runId": str(run.run_id),
            "scheduledTime": run.scheduled_time.isoformat(),
            "queryStartTime": ended.query_start_time.isoformat() if ended.query_start_time else None,
            "completedTime": ended.completed_time.isoformat() if ended.completed_time else None,
            "queryId": ended.query_id,
            "errorCode": f"{ended.error_code or 0:06d}",
            "errorMessage": ended.error_message,
        }
    ]
    notifications.post(account, "ERROR_INTEGRATION", integration, "application/json", json.dumps(message))


def _notify_success(account: Account, run: GraphRun, root: Task) -> None:
    """SUCCESS_INTEGRATION: one message a successful graph, none for standalone tasks.

    https://docs.snowflake.com/en/user-guide/tasks-success-integrate
    """
    integration = root.settings.success_integration
    if integration is None:
        return
    message = _message(account, "GRAPH_SUCCEEDED", root, root)
    message["messages"] = [{"runId": str(run.run_id), "scheduledTime": run.scheduled_time.isoformat()}]
    notifications.post(account, "SUCCESS_INTEGRATION", integration, "application/json", json.dumps(message))


def _message(account: Account, kind: str, task: Task, root: Task) -> dict[str, Any]:
    return {
        "version": "1.0",
        "messageId": str(uuid.uuid4()),
        "messageType": kind,
        "timestamp": account.clock().isoformat(),
        "accountName": account.name,
        "taskName": task.name.fqn(),
        "taskId": task.id,
        "rootTaskName": root.name.fqn(),
        "rootTaskId": root.id,
    }
