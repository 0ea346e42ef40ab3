"""Reads and writes tasks through `snowflake.core`'s REST client."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sfml.errors import NotSupportedYet
from sfml.graph.model import Target
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.plan.model import ObservedGraph, ObservedTask
from sfml.plan.settings import split_comment, unqualified, with_defaults
from sfml.snowflake.refusals import translated

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.core.task import Task, TaskCollection


class Tasks:
    """The tasks of one schema."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._opened: TaskCollection | None = None

    @property
    def _tasks(self) -> TaskCollection:
        if self._opened is None:
            # Importing snowflake.core takes seconds: only what reads or writes tasks pays for it.
            from snowflake.core import Root

            with translated():
                root = Root(self._connection)
                database = root.databases[_path_name(self._target.database)]
                self._opened = database.schemas[_path_name(self._target.schema)].tasks
        return self._opened

    def observed(self, root: str) -> ObservedGraph | None:
        """The graph below `root`, read with one call."""
        from snowflake.core.exceptions import NotFoundError

        with translated():
            try:
                found = self._tasks[_path_name(root)].fetch_task_dependents()
            except NotFoundError:
                return None
        tasks = [observed_task(task) for task in found]
        top = next((task for task in tasks if task.name == root), None)
        if top is None:
            return None
        record = next(split_comment(task.comment)[1] for task in found if unqualified(task.name) == root)
        return ObservedGraph(top, tuple(task for task in tasks if task.name != root), record)

    def put(self, task: DesiredTask, definition: str, comment: str | None) -> None:
        """Create or alter the task to be exactly this."""
        from sfml.snowflake.low_level import to_task

        refuse_unwritable(task)
        model = to_task(task, definition)
        model.comment = comment
        with translated():
            self._tasks[_path_name(task.name)].create_or_alter(model)

    def drop(self, name: str) -> None:
        with translated():
            self._tasks[_path_name(name)].drop(if_exists=True)

    def resume(self, name: str) -> None:
        with translated():
            self._tasks[_path_name(name)].resume()

    def suspend(self, name: str) -> None:
        with translated():
            self._tasks[_path_name(name)].suspend()


def refuse_unwritable_graph(desired: DesiredGraph) -> None:
    """Raise for the first task that cannot be written, so that it is known before anything is changed."""
    for task in desired.all_tasks:
        refuse_unwritable(task)


def refuse_unwritable(task: DesiredTask) -> None:
    """Raise for a setting that the REST model cannot carry and that is not written any other way yet."""
    unwritable = {
        "`log_level`": task.log_level,
        "`tags`": task.tags,
        "`contacts`": task.contacts,
        "the minimum interval between triggered runs": task.minimum_trigger_interval_seconds,
    }
    for setting, value in unwritable.items():
        if value:
            raise NotSupportedYet(
                f"task `{task.task or task.name}`: apply cannot write {setting} yet",
                help="run the statements of `sfml compile`'s tasks.sql for it, or take the setting out",
            )


def observed_task(task: Task) -> ObservedTask:
    """A fetched task in comparable form."""
    return ObservedTask(
        name=unqualified(task.name),
        id=str(task.id),
        started=task.state == "started",
        definition=str(task.definition),
        settings=with_defaults(_settings(task)),
        owner=task.owner,
    )


def _settings(task: Task) -> Mapping[str, Any]:
    overlap = task.overlap_policy
    return {
        "after": tuple(sorted(unqualified(name) for name in task.predecessors or ())),
        "finalize": unqualified(task.finalize) if task.finalize else None,
        "when": task.condition,
        "warehouse": _absent(task.warehouse),
        "schedule": _schedule(task.schedule),
        "config": task.config or None,
        "overlap": str(overlap.value) if overlap is not None else None,
        "retries": task.task_auto_retry_attempts,
        "suspend_after_failures": task.suspend_task_after_num_failures,
        "timeout_ms": task.user_task_timeout_ms,
        "on_error": _absent(task.error_integration),
        "on_success": _absent(task.success_integration),
        "session_parameters": task.session_parameters or None,
        "serverless.initial": task.user_task_managed_initial_warehouse_size,
        "serverless.min": task.serverless_task_min_statement_size,
        "serverless.max": task.serverless_task_max_statement_size,
        "serverless.target_completion": _seconds(task.target_completion_interval),
        "execute_as_user": _absent(task.execute_as_user),
        "comment": split_comment(task.comment)[0],
    }


def _absent(value: str | None) -> str | None:
    """Names come back as NULL or as the text `null` when they are unset."""
    return None if value is None or value.lower() in ("", "null") else value


def _schedule(schedule: Any) -> str | None:
    if schedule is None:
        return None
    if isinstance(schedule, timedelta):
        return f"every {_seconds(schedule)} s"
    return f"cron {' '.join(schedule.expr.upper().split())} {schedule.timezone.upper()}"


def _seconds(interval: timedelta | None) -> int | None:
    return None if interval is None else int(interval.total_seconds())


def _path_name(name: str) -> str:
    """A name as `snowflake.core` takes it in a path: quoted where it would be folded."""
    plain = name.replace("_", "a").replace("$", "a")
    if (
        plain.isalnum()
        and plain.isascii()
        and name == name.upper()
        and not name[0].isdigit()
        and name[0] != "$"
    ):
        return name
    return '"' + name.replace('"', '""') + '"'
