"""Reads the logs of a run's tasks."""

from __future__ import annotations

from pathlib import PurePosixPath

from sfml.account.history import Run, TaskRun
from sfml.account.task_log import TaskLog, task_log
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.model import JobBody
from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec
from sfml.operations.target_account import TargetAccount
from sfml.render.failure import Files


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


def project_files(compiled_spec: CompiledSpec, task: str) -> Files:
    """Maps paths in a task's tracebacks, inside step archives and job folders, to files of the project."""
    graph = compiled_spec.reading.graph
    bodies = [node.body for node in graph.tasks if node.name == task] if graph else []
    folder = next((body.folder for body in bodies if isinstance(body, JobBody)), None)

    def file(path: str) -> str | None:
        _, is_archived, inside = path.rpartition("/steps.zip/")
        if is_archived:
            return compiled_spec.reading.catalog.file(inside)
        _, is_job, inside = path.rpartition("/job_stage/app/")
        if is_job and folder is not None and ".." not in inside.split("/"):
            here = PurePosixPath(folder) / inside
            return str(here) if (compiled_spec.root / here).is_file() else None
        return None

    return file
