"""A run as text, as a whole or task by task, and as the JSON of `run --output json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sfml.account.history import Run, TaskRun
from sfml.account.part_runs import NOT_IN_PART
from sfml.graph.located import Scalar
from sfml.plan.part_record import PartRecord
from sfml.render.printable import printable
from sfml.render.reason import attempt_text, reason_json
from sfml.render.symbols import Symbols
from sfml.render.units import duration
from sfml.semantics.error_line import error_line
from sfml.spec.nodes import plain_word

SUMMARY = "summary"
"""The key of a task's result whose value is one line for people; it is shown beside the task."""


def attempts_json(run: Run) -> list[dict[str, Any]]:
    """The attempts of a run, in `schemas/output/run.schema.json` and `history.schema.json`."""
    return [
        {
            "number": attempt.number,
            "scheduled_from": attempt.scheduled_from or None,
            "state": attempt.state,
        }
        for attempt in run.attempts
    ]


def run_json(run: Run) -> Mapping[str, Any]:
    """The object of `schemas/output/run.schema.json`, without `format_version`."""
    return {
        "pipeline": run.pipeline,
        "target": run.target,
        "state": run.state,
        "run_id": run.run_id,
        "attempt": run.attempt,
        "outcome": run.outcome,
        "reason": reason_json(run.reason),
        "attempts": attempts_json(run),
        "tasks": [
            {
                "name": task.name,
                "state": task.state,
                "started_at": _iso(task.started_at),
                "duration_ms": task.duration_ms,
                "return_value": task.return_value,
                "error": task.error,
                "arm": task.arm,
                "because": task.because,
                "reused_from": task.reused_from,
            }
            for task in run.tasks
        ],
        "part": None if run.part is None else part_record_json(run.part),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def run_text(run: Run, symbols: Symbols, now: datetime | None = None) -> str:
    """The run in its current state; `now` is the end of the elapsed time of a run that has not ended."""
    elapsed = ""
    end = run.completed_at if run.is_over else now
    if run.started_at and end:
        elapsed = f"   {duration((end - run.started_at).total_seconds() * 1000)}"
    words = attempt_text(run)
    attempt = f"  {words}" if words else ""
    what = "run" if run.part is None else "part of a run:"
    lines = [f"{run.pipeline} on {run.target} {symbols['dot']} {what} {run.run_id}{attempt}{elapsed}"]
    width = max((len(task.name) for task in run.tasks), default=0)
    shown = [task for task in run.tasks if run.part is None or task.because != NOT_IN_PART]
    lines += [task_line(task, symbols, width, over=run.is_over) for task in shown]
    return "\n".join(lines)


def task_line(task: TaskRun, symbols: Symbols, width: int, *, over: bool = True) -> str:
    """`  ✓ prepare_data   4.2 s   23,570 customers`."""
    if task.reused_from is not None:
        return (
            f"  {symbols['unchanged']} {printable(task.name):<{width}}  {'':>10}  {printable(_reused(task))}"
        )
    waiting = task.state is None and not over
    symbol = symbols["SCHEDULED"] if waiting else symbols.state(task.state)
    took = duration(task.duration_ms) if task.duration_ms is not None else ""
    remark = printable(task_remark(task, symbols, over))
    return f"  {symbol} {printable(task.name):<{width}}  {took:>10}  {remark}".rstrip()


def _reused(task: TaskRun) -> str:
    return f"reused from {task.reused_from}"


def part_record_json(part: PartRecord) -> dict[str, Any]:
    """What a part is a part of, as the `part` of a run's JSON."""
    return {
        "selectors": list(part.selectors),
        "recovers": part.recovers,
        "run_of_steps": part.run.id if part.run else None,
        "deployment": part.deployment,
        "origin": part.commit,
        "runs": list(part.running),
        "reuses": {name: result.run_id for name, result in part.reused.items()},
    }


def value_json(run: Run) -> dict[str, Any] | None:
    """The value that a backfill ran, as the `backfill` of a run's JSON; null for any other run."""
    value = run.backfill
    return None if value is None else {"config": dict(value.config), "lane": value.lane}


def value_text(config: Mapping[str, Scalar]) -> str:
    """`day 2026-11-27, segment a`."""
    return ", ".join(setting_text(key, value) for key, value in config.items())


def setting_text(key: str, value: Scalar) -> str:
    """A key of the config with its value as it is written in a spec and after `--config`."""
    return f"{key} {plain_word(value)}"


def task_remark(task: TaskRun, symbols: Symbols, over: bool) -> str:
    if task.error:
        return error_line(task.error) or "failed"
    if task.state == "SKIPPED":
        because = task.because or "its condition was false"
        return because if because.startswith("not chosen") else f"skipped: {because}"
    if task.state is None:
        return f"never ran{f': {task.because}' if task.because else ''}" if over else ""
    if task.state == "CANCELLED":
        return "cancelled"
    value = task.return_value
    if isinstance(value, Mapping):
        summary = value.get(SUMMARY)
        return str(summary) if summary else ""
    if task.arm is not None:
        return f"{symbols['arrow']} {task.arm}"
    return "" if value is None else plain_word(value)


def changes(before: Run | None, now: Run) -> Iterator[TaskRun]:
    """The tasks whose state or attempt differs between two readings of a run, for output line by line."""
    was = (
        {task.name: (task.state, task.row.attempt if task.row else 0) for task in before.tasks}
        if before
        else {}
    )
    for task in now.tasks:
        if task.state is not None and was.get(task.name) != (task.state, task.row.attempt if task.row else 0):
            yield task
