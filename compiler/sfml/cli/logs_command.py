"""`sfml logs SPEC [TASK] [--run RUN] [--tail N] [--follow]`"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from sfml.account.history import Run, TaskRun
from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.render.printable import printable
from sfml.semantics.tracebacks import Failure, last_failure

if TYPE_CHECKING:
    from sfml.operations.target_account import TargetAccount
    from sfml.render.failure import Files


@click.command()
@click.argument("spec")
@click.argument("task", required=False)
@click.option(
    "--run", "run_id", metavar="RUN", help="The run, by its id or the start of it.  [default: the last one]"
)
@click.option(
    "--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines that each task wrote."
)
@click.option("--follow", "-f", is_flag=True, help="Print lines as they are written, until the run ends.")
@shared_options()
def command(
    spec: str, task: str | None, run_id: str | None, tail: int | None, follow: bool, options: Options
) -> int:
    """Show the logs of the last run's tasks, and the errors of those that failed. With TASK, show only this task.

    With --follow, each line has the name of its task before it. An account's event table has lines a while after they
    are written.
    """
    from sfml.operations.part_runs import named_run, runs_and_parts
    from sfml.operations.runs import not_deployed
    from sfml.render.reason import outcome_text, reason_json, reason_text

    if follow and options.json:
        raise UsageError(
            "--follow prints lines as they come, not one JSON object", help="leave out one of them"
        )
    compiled_spec = compile_spec(spec, options)
    names = [node.task for node in compiled_spec.desired.all_tasks if node.task]
    if task is not None and task not in names:
        raise UsageError(
            f"pipeline `{compiled_spec.desired.pipeline}` has no task `{task}`",
            help=did_you_mean(task, names) or f"its tasks are: {', '.join(names)}",
        )
    with connected(compiled_spec, options) as target:
        root = target.history.root(compiled_spec.desired.root.name)
        if root is None:
            raise not_deployed(compiled_spec.desired)
        limit = 1 if run_id is None else None
        runs = runs_and_parts(compiled_spec.desired, target, limit=limit, with_skipped=False)
        run = next(iter(runs), None) if run_id is None else named_run(compiled_spec.desired, runs, run_id)
        if run is None:
            raise ConflictingState(
                f"pipeline `{compiled_spec.desired.pipeline}` has not run in the last seven days",
                help=f"sfml run {compiled_spec.desired.where}",
            )
        if follow:
            return _follow(compiled_spec, target, run, task, tail)
        shown = [one for one in run.tasks if one.row and (task is None or one.name == task)]
        logs = [
            _task_log(task_run, target.history.log(task_run.row) if task_run.row else "", tail)
            for task_run in shown
        ]
    why = reason_text(run.reason) if run.reason else None
    if options.json:
        output.say_json(
            {
                "pipeline": run.pipeline,
                "target": run.target,
                "run_id": run.run_id,
                "outcome": run.outcome,
                "reason": reason_json(run.reason),
                "tasks": [_log_json(log, project_files(compiled_spec, log.task.name)) for log in logs],
            }
        )
        return 0
    if why is not None and (task is None or not logs):
        output.say(f"run {run.run_id} {outcome_text(run)}: {why}")
    if not logs:
        because = next((one.because for one in run.tasks if one.name == task and one.because), None)
        what_failed = "no task ran" if task is None else f"{task} did not run"
        output.say(f"{what_failed} in run {run.run_id}{f': {because}' if because else ''}")
    for log in logs:
        _say_log(log, project_files(compiled_spec, log.task.name))
    return 0


@record
class TaskLog:
    """The log of a task, and its error: a Python exception (`failure`), or another error."""

    task: TaskRun
    text: str
    failure: Failure | None = None
    error: str | None = None


def _follow(
    compiled_spec: CompiledSpec, target: TargetAccount, run: Run, task: str | None, tail: int | None
) -> int:
    """Print the lines of a run's tasks as they come, and how it ended."""
    from sfml.operations.followed_logs import followed_logs
    from sfml.render.reason import outcome_text, reason_text

    width = len(task) if task else max((len(one.name) for one in run.tasks), default=0)
    line = "│" if output.takes_unicode() else "|"
    for reading in followed_logs(compiled_spec.desired, target, run, task, tail):
        run = reading.run
        for name, text in reading.lines:
            output.say(printable(f"{name:<{width}} {line} {text}").rstrip())
    why = f": {reason_text(run.reason)}" if run.reason else ""
    output.say(printable(f"run {run.run_id} {outcome_text(run)}{why}"))
    return 0


def _task_log(task: TaskRun, log: str, tail: int | None) -> TaskLog:
    """The log of a task without the traceback of the exception that ended it, which is parsed into `failure`.

    Only the last `tail` lines of the rest are kept.
    """
    whole = _whole_log(task, log)
    if tail is None:
        return whole
    lines = whole.text.rstrip("\n").splitlines()
    return replace(whole, text="\n".join(lines[len(lines) - min(tail, len(lines)) :]))


def _whole_log(task: TaskRun, log: str) -> TaskLog:
    in_error, in_log = last_failure(task.error or ""), last_failure(log)
    if task.error and in_log is not None and in_log[0].exception.splitlines()[0] in task.error:
        failure, text = in_log
        return TaskLog(task, text, failure)
    if in_error is not None:
        return TaskLog(task, log, in_error[0])
    return TaskLog(task, log, error=None if not task.error or task.error.strip() in log else task.error)


def project_files(compiled_spec: CompiledSpec, task: str) -> Files:
    """Maps paths in a task's tracebacks, inside step archives and job folders, to files of the project."""
    from sfml.graph.model import JobBody

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


def _log_json(log: TaskLog, files: Files) -> Mapping[str, Any]:
    from sfml.render.failure import failure_json

    return {
        "name": log.task.name,
        "state": log.task.state,
        "log": log.text,
        "error": log.task.error,
        "failure": failure_json(log.failure, files),
    }


def _say_log(log: TaskLog, files: Files) -> None:
    """Print the exception first, because the log may be long; then the log."""
    from sfml.render.failure import failure_text

    line = "──" if output.takes_unicode() else "--"
    output.say(printable(f"{line} {log.task.name}  {log.task.state}"))
    if log.failure is not None:
        output.say(failure_text(log.failure, files))
    if log.text.strip():
        if log.failure is not None:
            output.say(f"{line} {log.task.name} wrote:")
        output.say(log.text.strip("\n"))
    if log.error:
        output.say(log.error.rstrip())
    if not (log.text.strip() or log.failure or log.error):
        output.say("(wrote nothing)")
