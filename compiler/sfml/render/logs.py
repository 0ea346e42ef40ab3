"""The logs of a run's tasks as text and as the JSON of `logs --output json`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sfml.account.history import Run
from sfml.account.task_log import TaskLog, text_of
from sfml.render.failure import Files, failure_json, failure_text
from sfml.render.printable import printable, without_colors
from sfml.render.reason import outcome_text, reason_json, reason_text
from sfml.render.run import part_record_json, value_json
from sfml.render.symbols import Symbols
from sfml.render.units import plural

FilesOf: TypeAlias = Callable[[str], Files]
"""The project's files of a task."""


def logs_json(run: Run, logs: Sequence[TaskLog], files: FilesOf) -> Mapping[str, Any]:
    """The object of `schemas/output/logs.schema.json`, without `format_version`."""
    return {
        "pipeline": run.pipeline,
        "target": run.target,
        "run_id": run.run_id,
        "part": None if run.part is None else part_record_json(run.part),
        "backfill": value_json(run),
        "outcome": run.outcome,
        "reason": reason_json(run.reason),
        "tasks": [_log_json(log, files(log.task.name)) for log in logs],
    }


def _log_json(log: TaskLog, files: Files) -> Mapping[str, Any]:
    return {
        "name": log.task.name,
        "state": log.task.state,
        "log": log.text,
        "instances": [
            {"instance": one, "log": text_of(line for line in log.lines if line.instance == one)}
            for one in log.instances
        ],
        "left_out": log.left_out,
        "error": log.task.error,
        "failure": failure_json(log.failure, files),
    }


def logs_text(run: Run, logs: Sequence[TaskLog], task: str | None, files: FilesOf, symbols: Symbols) -> str:
    """The logs, one task after another; `task` is the one that was asked for."""
    return "\n".join(_lines(run, logs, task, files, symbols))


def _lines(
    run: Run, logs: Sequence[TaskLog], task: str | None, files: FilesOf, symbols: Symbols
) -> Iterator[str]:
    if run.reason is not None and (task is None or not logs):
        yield printable(f"run {run.run_id} {outcome_text(run)}: {reason_text(run.reason)}")
    if not logs:
        because = next((one.because for one in run.tasks if one.name == task and one.because), None)
        what = "no task ran" if task is None else f"{task} did not run"
        yield printable(f"{what} in run {run.run_id}{f': {because}' if because else ''}")
    for log in logs:
        yield from _log_lines(log, files(log.task.name), symbols)


def _log_lines(log: TaskLog, files: Files, symbols: Symbols) -> Iterator[str]:
    """The exception first, because the log may be long; then the log; of several instances, each line says which."""
    rule = "──" if symbols.unicode else "--"
    has_several = len(log.instances) > 1
    numbers = " and ".join(map(str, log.failed_on))
    on = f"  on instance {numbers}" if has_several and log.failed_on else ""
    because = f"  {log.task.because}" if log.task.state == "SKIPPED" and log.task.because else ""
    yield printable(f"{rule} {log.task.name}  {log.task.state}{on}{because}")
    if log.failure is not None:
        yield failure_text(log.failure, files)
    if log.lines:
        if log.failure is not None:
            yield printable(f"{rule} {log.task.name} wrote:")
        bar = "│" if symbols.unicode else "|"
        for line in log.lines:
            text = without_colors(line.text)
            yield f"{line.instance} {bar} {text}".rstrip() if has_several else text
    if log.error:
        yield log.error.rstrip()
    if log.left_out:
        yield f"({plural(log.left_out, 'line')} of what runs your code left out: --all)"
    if log.cut and not log.lines:
        yield f"({plural(log.cut, 'line')} left out: --tail)"
    elif not (log.left_out or log.lines or log.failure or log.error):
        is_elsewhere = log.known and not log.instances
        others = f"; there are lines of instance {' and '.join(map(str, log.known))}" if is_elsewhere else ""
        yield f"(wrote nothing{others})"
