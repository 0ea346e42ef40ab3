"""The compiled graph as `DAG`, `DAGTask` and `DAGTaskBranch` objects, for use in Python.

`apply` does not deploy them, because `DAGOperation.deploy` drops a graph and creates it again. They must have the
same settings as the tasks that `apply` writes; `differences` checks that task by task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sfml.base.record import record
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.lower.sql import definition_sql
from sfml.snowflake.low_level import to_schedule, to_task

if TYPE_CHECKING:
    from snowflake.core.task import Task
    from snowflake.core.task.dagv1 import DAG, DAGTask

INEXPRESSIBLE: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("root", "success_integration"): "`DAG` takes none; `DAGTask` does, where Snowflake ignores it",
        ("root", "execute_as_user"): "`DAG` takes none",
        ("root", "log_level"): "not in the API's model of a task",
        ("root", "tags"): "not in the API's model of a task",
        ("root", "contacts"): "not in the API's model of a task",
        ("root", "user_task_managed_initial_warehouse_size"): "`DAG` takes it and drops it",
        ("root", "serverless_task_min_statement_size"): "`DAG` takes none",
        ("root", "serverless_task_max_statement_size"): "`DAG` takes none",
        ("root", "target_completion_interval"): "`DAG` takes none",
        ("root", "minimum_trigger_interval_seconds"): "not in the API's model of a task",
        ("task", "log_level"): "not in the API's model of a task",
        ("task", "tags"): "not in the API's model of a task",
        ("task", "contacts"): "not in the API's model of a task",
    }
)
"""Settings that dagv1 of snowflake-core 1.13 cannot express, by (`root` or `task`, setting), with the reason.

dagv1 also keeps predecessors in a set, so their order varies; they are compared in sorted order.
"""

_BEYOND_API = ("log_level", "tags", "contacts", "minimum_trigger_interval_seconds")


@record
class Difference:
    """A setting that differs in the DAG; `known` is its entry in `INEXPRESSIBLE`, or None for a bug."""

    task: str
    setting: str
    desired: object
    in_dag: object
    known: str | None


def dag(desired: DesiredGraph, definitions: Mapping[str, str] = MappingProxyType({})) -> DAG:
    """The graph as a `DAG`; `definitions` maps task names to bodies, such as those of registered ML Jobs."""
    from snowflake.core.task import OverlapPolicy
    from snowflake.core.task.dagv1 import DAG

    root = desired.root
    graph = DAG(
        root.name,
        schedule=to_schedule(root.schedule),
        warehouse=root.warehouse,
        error_integration=root.error_integration,
        comment=root.comment,
        task_auto_retry_attempts=root.task_auto_retry_attempts,
        overlap_policy=None if root.overlap_policy is None else OverlapPolicy(root.overlap_policy),
        user_task_timeout_ms=root.user_task_timeout_ms,
        suspend_task_after_num_failures=root.suspend_task_after_num_failures,
        config=None if root.config is None else dict(root.config),
        session_parameters=dict(root.session_parameters) or None,
        condition=root.condition,
    )
    dag_tasks: dict[str, DAGTask] = {}
    for task in desired.all_tasks[1:]:
        dag_tasks[task.name] = _dag_task(graph, task, definitions.get(task.name) or definition_sql(task))
        _connect(dag_tasks, task, root.name)
    return graph


def differences(desired: DesiredGraph) -> tuple[Difference, ...]:
    """All settings that differ between the DAG and the desired tasks; only those in `INEXPRESSIBLE` are expected."""
    return tuple(_differences(desired))


def _dag_task(graph: DAG, task: DesiredTask, definition: str) -> DAGTask:
    from snowflake.core.task.dagv1 import DAGTask, DAGTaskBranch

    seconds = task.target_completion_seconds
    return (DAGTaskBranch if task.is_branch else DAGTask)(
        task.name.removeprefix(f"{graph.name}$"),
        definition,
        # The arms of a `DAGTaskBranch` get the rest of their conditions from their edges.
        condition=task.own_condition if task.branch_of else task.condition,
        warehouse=task.warehouse,
        session_parameters=dict(task.session_parameters) or None,
        user_task_managed_initial_warehouse_size=task.user_task_managed_initial_warehouse_size,
        target_completion_interval=None if seconds is None else timedelta(seconds=seconds),
        serverless_task_min_statement_size=task.serverless_task_min_statement_size,
        serverless_task_max_statement_size=task.serverless_task_max_statement_size,
        user_task_timeout_ms=task.user_task_timeout_ms,
        execute_as_user=task.execute_as_user,
        comment=task.comment,
        is_finalizer=task.finalize is not None,
        # Without this, a task without a warehouse gets the root's.
        is_serverless=task.warehouse is None,
        dag=graph,
    )


def _connect(dag_tasks: Mapping[str, DAGTask], task: DesiredTask, root: str) -> None:
    """Add the edges; those from gates in reverse order, because each adds its condition before the others."""
    plain = [name for name in task.predecessors if name not in task.branch_of]
    for name in (*plain, *reversed(task.branch_of)):
        if name != root:
            dag_tasks[task.name].add_predecessors(dag_tasks[name])


def _differences(desired: DesiredGraph) -> Iterator[Difference]:
    graph = dag(desired)
    in_dag = {task.full_name: task._to_low_level_task() for task in graph.tasks}
    in_dag[graph.name] = graph._to_low_level_task()
    for task in desired.all_tasks:
        place = "root" if task.task is None else "task"
        ours = {**_settings(to_task(task, definition_sql(task))), **_beyond_api(task)}
        theirs = _settings(in_dag[task.name])
        for name in sorted({*ours, *theirs}):
            if ours.get(name) != theirs.get(name):
                known = INEXPRESSIBLE.get((place, name))
                yield Difference(task.name, name, ours.get(name), theirs.get(name), known)


def _settings(task: Task) -> dict[str, Any]:
    """The settings that the client would send, without unset ones."""
    sent = task._to_rest_model().to_dict()
    sent["predecessors"] = sorted(sent.get("predecessors") or ()) or None
    return {name: value for name, value in sent.items() if value is not None}


def _beyond_api(task: DesiredTask) -> dict[str, object]:
    return {name: value for name in _BEYOND_API if (value := getattr(task, name))}
