"""Reads the logs of a run's tasks."""

from __future__ import annotations

from sfml.account.history import Run, TaskRun
from sfml.account.task_log import TaskLog, task_log
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec
from sfml.operations.target_account import TargetAccount


@record
class LogChoice:
    """Which lines are wanted: of one task or all; `every` line or only the user's; of one instance; the last `tail`."""

    task: str | None = None
    every: bool = False
    instance: int | None = None
    tail: int | None = None


def task_logs(
    desired: DesiredGraph, target: TargetAccount, run: Run, choice: LogChoice
) -> tuple[TaskLog, ...]:
    """The logs of the tasks that ran; of a job with several instances, only if it has the one that is wanted."""
    shown = (one for one in run.tasks if one.row is not None and choice.task in (None, one.name))
    return tuple(_log(desired, target, one, choice) for one in shown)


def _log(desired: DesiredGraph, target: TargetAccount, task: TaskRun, choice: LogChoice) -> TaskLog:
    lines = target.history.log_lines(task.row) if task.row is not None else ()
    return task_log(
        task,
        lines,
        is_job=is_job(desired, task.name),
        every=choice.every,
        instance=choice.instance,
        tail=choice.tail,
    )


def is_job(desired: DesiredGraph, name: str) -> bool:
    """Whether the task runs as an ML Job, whose launcher marks the lines of the script."""
    return any(
        task.task == name and isinstance(task.definition, MLJobDefinitionSpec) for task in desired.all_tasks
    )
