"""`sfml logs SPEC [TASK]`"""

from __future__ import annotations

import click

from sfml.cli import output
from sfml.cli.opening import connected, opened
from sfml.cli.options import Options, shared_options
from sfml.diagnostic import did_you_mean
from sfml.errors import ConflictingState, UsageError
from sfml.history import TaskRun
from sfml.render.printable import printable


@click.command()
@click.argument("spec")
@click.argument("task", required=False)
@shared_options()
def command(spec: str, task: str | None, options: Options) -> int:
    """Show what the tasks of the last run wrote, with the error of those that failed; TASK shows one task only."""
    from sfml.render.reason import outcome_text, reason_json, reason_text
    from sfml.runs import last_run

    found = opened(spec, options)
    names = [node.task for node in found.desired.all_tasks if node.task]
    if task is not None and task not in names:
        raise UsageError(
            f"pipeline `{found.desired.pipeline}` has no task `{task}`",
            help=did_you_mean(task, names) or f"its tasks are: {', '.join(names)}",
        )
    with connected(found, options) as target:
        root = target.history.root(found.desired.root.name)
        run = last_run(found.desired, target.history, root) if root else None
        if run is None:
            raise ConflictingState(
                f"pipeline `{found.desired.pipeline}` has not run in the last seven days",
                help=f"sfml run {found.desired.spec_path} -t {found.desired.target.name}",
            )
        shown = [one for one in run.tasks if one.row and (task is None or one.name == task)]
        logs = [(one, target.history.log(one.row) if one.row else "") for one in shown]
    why = reason_text(run.reason) if run.reason else None
    if options.json:
        output.say_json(
            {
                "pipeline": run.pipeline,
                "target": run.target,
                "run_id": run.run_id,
                "outcome": run.outcome,
                "reason": reason_json(run.reason),
                "tasks": [
                    {"name": one.name, "state": one.state, "log": log, "error": one.error}
                    for one, log in logs
                ],
            }
        )
        return 0
    if why is not None and (task is None or not logs):
        output.say(f"run {run.run_id} {outcome_text(run)}: {why}")
    if not logs:
        because = next((one.because for one in run.tasks if one.name == task and one.because), None)
        output.say(f"{task or 'no task'} ran not in run {run.run_id}{f': {because}' if because else ''}")
    for one, log in logs:
        _say_log(one, log)
    return 0


def _say_log(task: TaskRun, log: str) -> None:
    line = "──" if output.takes_unicode() else "--"
    output.say(printable(f"{line} {task.name}  {task.state}"))
    if log.strip():
        output.say(log.rstrip())
    if task.error and task.error.strip() not in log:
        output.say(task.error.rstrip())
    if not log.strip() and not task.error:
        output.say("(wrote nothing)")
