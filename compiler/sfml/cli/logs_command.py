"""`sfml logs SPEC [TASK] [--run RUN] [--tail N] [--follow] [--all] [--instance N]`"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sfml.account.history import Run
from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import ConflictingState, UsageError
from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.render.printable import printable, without_colors
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from sfml.account.task_log import TaskLog
    from sfml.lower.desired import DesiredGraph
    from sfml.operations.target_account import TargetAccount
    from sfml.operations.task_logs import LogChoice
    from sfml.render.failure import Files

ALL = "all"


class _Instance(click.ParamType[int | None]):
    """The number of an instance, or `all`."""

    name = "instance"

    def convert(
        self, value: str, parameter: click.Parameter | None, context: click.Context | None
    ) -> int | None:
        if value == ALL:
            return None
        if not value.isdecimal():
            self.fail(f"`{value}` is neither the number of an instance nor `{ALL}`", parameter, context)
        return int(value)


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
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Also lines of what runs your code: the launcher of ML Jobs, Snowflake's clients, Ray, the local server.",
)
@click.option(
    "--instance",
    type=_Instance(),
    default=ALL,
    metavar="N",
    show_default=True,
    help="Of a job with several instances, only this one; 0 runs the script.",
)
@shared_options()
def command(
    spec: str,
    task: str | None,
    run_id: str | None,
    tail: int | None,
    follow: bool,
    every: bool,
    instance: int | None,
    options: Options,
) -> int:
    """Show the logs of the last run's tasks, and the errors of those that failed. With TASK, show only this task.

    RUN may also be a part of a run, or the run of a value of a backfill. With --follow, each line has the name of its
    task before it. An account's event table has lines a while after they are written.
    """
    from sfml.operations.task_logs import LogChoice, project_files, task_logs
    from sfml.render.logs import logs_json, logs_text

    if follow and options.json:
        raise UsageError(
            "--follow prints lines as they come, not one JSON object", help="leave out one of them"
        )
    compiled_spec = compile_spec(spec, options)
    desired = compiled_spec.desired
    names = [node.task for node in desired.all_tasks if node.task]
    if task is not None and task not in names:
        raise UsageError(
            f"pipeline `{desired.pipeline}` has no task `{task}`",
            help=did_you_mean(task, names) or f"its tasks are: {', '.join(names)}",
        )
    choice = LogChoice(task, every, instance, tail)
    with connected(compiled_spec, options) as target:
        run = _run(desired, target, run_id)
        if follow:
            _demand_instances(desired, choice, ())
            return _follow(compiled_spec, target, run, choice)
        logs = task_logs(desired, target, run, choice)
    _demand_instances(desired, choice, logs)

    def files(name: str) -> Files:
        return project_files(compiled_spec, name)

    if options.json:
        output.say_json(logs_json(run, logs, files))
    else:
        output.say(logs_text(run, logs, task, files, Symbols(output.takes_unicode())))
    return 0


def _demand_instances(desired: DesiredGraph, choice: LogChoice, logs: Sequence[TaskLog]) -> None:
    """Raise UsageError where an instance is asked for of what has none; a task may have been a job when it ran."""
    from sfml.operations.task_logs import is_job

    jobs = [node.task for node in desired.all_tasks if node.task and is_job(desired, node.task)]
    has_instances = choice.task in jobs if choice.task else bool(jobs)
    if choice.instance is None or has_instances or any(max(log.known, default=0) > 0 for log in logs):
        return
    raise UsageError(
        f"`{choice.task}` is no job: it has no instances" if choice.task else "no task of this run is a job",
        help=f"jobs are: {', '.join(jobs)}" if jobs else "leave out --instance",
    )


def _run(desired: DesiredGraph, target: TargetAccount, run_id: str | None) -> Run:
    """The run of this id, or the last one. Raises `ConflictingState` if there is none."""
    from sfml.operations.part_runs import latest_run, named_run, runs_and_parts
    from sfml.operations.runs import not_deployed

    if target.history.root(desired.root.name) is None:
        raise not_deployed(desired)
    if run_id is not None:
        runs = runs_and_parts(desired, target, with_skipped=False, with_values=True)
        return named_run(desired, runs, run_id)
    runs = runs_and_parts(desired, target, with_skipped=False)
    if runs:
        return latest_run(runs)
    raise ConflictingState(
        f"pipeline `{desired.pipeline}` has not run in the last seven days", help=f"sfml run {desired.where}"
    )


def _follow(compiled_spec: CompiledSpec, target: TargetAccount, run: Run, choice: LogChoice) -> int:
    """Print the lines of a run's tasks as they come, and how it ended."""
    from sfml.operations.followed_logs import followed_logs
    from sfml.render.reason import outcome_text, reason_text

    width = len(choice.task) if choice.task else max((len(one.name) for one in run.tasks), default=0)
    rule = "│" if output.takes_unicode() else "|"
    for reading in followed_logs(compiled_spec.desired, target, run, choice):
        run = reading.run
        for line in reading.lines:
            of = "" if line.instance is None else f"{line.instance} {rule} "
            output.say(printable(f"{line.task:<{width}} {rule} {of}{without_colors(line.text)}").rstrip())
    why = f": {reason_text(run.reason)}" if run.reason else ""
    output.say(printable(f"run {run.run_id} {outcome_text(run)}{why}"))
    return 0
