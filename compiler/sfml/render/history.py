"""Runs and deployments as lists, in text and as the JSON of `history --output json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sfml.account.history import Run
from sfml.account.run_history import RanOn, RunHistory, duration_ms
from sfml.account.run_reason import TaskFailure
from sfml.base.errors import RecordUnreadable
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.plan.artefact import Artefact
from sfml.plan.journal import Header
from sfml.plan.provenance import origin_text, uncommitted_text, uncommitted_value
from sfml.render.printable import printable
from sfml.render.reason import attempt_text, outcome_text, reason_json, reason_text, run_symbol
from sfml.render.run import attempts_json, part_record_json, value_json, value_text
from sfml.render.symbols import Symbols
from sfml.render.units import duration, moment, plural


@record
class KeptDeployment:
    """A deployment whose record is kept on the stage.

    It can be rolled back to while `has_code` is true: its step code is still on the stage. `tasks` is the number of
    tasks without the root.
    """

    header: Header
    record: Mapping[str, Any]
    tasks: int
    is_current: bool
    has_code: bool


def runs_text(desired: DesiredGraph, history: RunHistory, symbols: Symbols) -> str:
    return "\n".join(_run_lines(desired, history, symbols))


def _run_lines(desired: DesiredGraph, history: RunHistory, symbols: Symbols) -> Iterator[str]:
    runs = history.runs
    where = f"{desired.pipeline} on {desired.target.name}"
    if not runs:
        yield f"{where}: no run in the last seven days"
        return
    count = sum(run.backfill is None for run in runs)
    last = f"the last {plural(count, 'run')}" if count > 1 else "the last run" if count else "backfills"
    usual = "" if history.usual_ms is None else f", usually {duration(history.usual_ms)}"
    yield f"{where}: {last}{usual}"
    width = max(len(run.run_id) for run in runs)
    for group in _groups(runs):
        if len(group) > VALUES_SHOWN:
            yield f"  {_values_line(desired, group, symbols)}"
        else:
            yield from _each_line(group, history, symbols, width)


VALUES_SHOWN = 3
"""The number of values of backfills in a row up to which each has a line of its own."""


def _groups(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """The runs one by one; values of backfills that follow one another together."""
    for is_value, group in groupby(runs, key=lambda run: run.backfill is not None):
        together = list(group)
        yield from [together] if is_value else [[run] for run in together]


def _values_line(desired: DesiredGraph, runs: Sequence[Run], symbols: Symbols) -> str:
    """`✗ backfill of 90 values, Mon 30 Nov 01:00 to Mon 30 Nov 02:10 UTC: 88 succeeded, 2 failed`."""
    outcomes = Counter(outcome_text(run) for run in runs)
    counts = ", ".join(
        f"{outcomes[word]} {word}" for word in sorted(outcomes, key=lambda word: -outcomes[word])
    )
    states = [run.outcome for run in runs]
    last = "EXECUTING" if "running" in states else "SUCCEEDED" if set(states) == {"succeeded"} else "FAILED"
    begins = sorted(run.started_at for run in runs if run.started_at)
    when = f", from {moment(begins[0])} to {moment(begins[-1])}" if begins else ""
    return (
        f"{symbols[last]} backfill, {len(runs)} values{when}: {counts};"
        f"  sfml backfill {desired.where} --status"
    )


def _each_line(runs: Sequence[Run], history: RunHistory, symbols: Symbols, width: int) -> Iterator[str]:
    for run in runs:
        began = moment(run.started_at) if run.started_at else ""
        took = duration(duration_ms(run) or 0) if duration_ms(run) is not None else ""
        parts = (
            run.run_id.ljust(width),
            began.ljust(20),
            took.rjust(10),
            _against_usual(run, history.usual_ms),
            attempt_text(run),
            deployment_text(history.ran_on.get(run.run_id)),
            part_text(run),
            _remark(run, symbols),
        )
        yield (f"  {run_symbol(run, symbols)} " + "   ".join(part for part in parts if part)).rstrip()


def part_text(run: Run) -> str:
    """What a part is a part of: `part of 01J8… (train+)`; or the value that a backfill ran."""
    if run.backfill is not None:
        return printable(f"backfill {value_text(run.backfill.config)}")
    part = run.part
    if part is None:
        return ""
    chosen = f" ({', '.join(part.selectors)})" if part.selectors else ""
    return printable(f"part of {part.recovers}{chosen}" if part.recovers else f"part{chosen}")


_NOTABLE = 1.5
"""How many times the usual duration is notable; as much less is, too."""
_NOTABLE_MS = 5000
"""The least difference that is notable."""


def _against_usual(run: Run, usual_ms: float | None) -> str:
    """`2.1× the usual`, for a whole run that took notably more or less."""
    took = duration_ms(run)
    if took is None or not usual_ms or run.part is not None or run.backfill is not None:
        return ""
    times = took / usual_ms
    is_near = 1 / _NOTABLE < times < _NOTABLE or abs(took - usual_ms) < _NOTABLE_MS
    return "" if is_near else f"{times:.2g}× the usual"


def deployment_text(on: RanOn | None) -> str:
    """`#14 9f3e1c2`: the deployment that a run ran on, and its commit."""
    if on is None:
        return ""
    return printable(
        " ".join((*([f"#{on.number}"] if on.number else []), *([on.commit[:7]] if on.commit else [])))
    )


def _remark(run: Run, symbols: Symbols) -> str:
    """Why the run ended as it did, and which arm each gate took."""
    arms = ", ".join(f"{gate} {symbols['arrow']} {arm}" for gate, arm in run.arms.items())
    why = (
        reason_text(run.reason)
        if run.reason is not None
        else ""
        if run.outcome == "succeeded"
        else outcome_text(run)
    )
    return printable("; ".join(part for part in (why, arms) if part))


def runs_json(desired: DesiredGraph, history: RunHistory) -> dict[str, Any]:
    """The object of `schemas/output/history.schema.json` for runs, without `format_version`."""
    return {
        "pipeline": desired.pipeline,
        "target": desired.target.name,
        "usual_ms": None if history.usual_ms is None else round(history.usual_ms),
        "runs": [_run_json(run, history.ran_on.get(run.run_id)) for run in history.runs],
    }


def _run_json(run: Run, on: RanOn | None) -> dict[str, Any]:
    took = duration_ms(run)
    error = run.reason if isinstance(run.reason, TaskFailure) else None
    return {
        "run_id": run.run_id,
        "state": run.state,
        "attempt": run.attempt,
        "started_at": _iso(run.started_at),
        "duration_ms": None if took is None else round(took),
        "outcome": run.outcome,
        "reason": reason_json(run.reason),
        "attempts": attempts_json(run),
        "arms": dict(run.arms),
        "failed_task": error.task if error else None,
        "error": error.error if error else None,
        "part": None if run.part is None else part_record_json(run.part),
        "backfill": value_json(run),
        "deployment": None if on is None else on.number,
        "commit": None if on is None else on.commit,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def deployments_text(
    desired: DesiredGraph,
    kept: Sequence[KeptDeployment],
    symbols: Symbols,
    unreadable: Sequence[RecordUnreadable] = (),
) -> str:
    return "\n".join((*_deployment_lines(desired, kept, symbols), *_unreadable_lines(unreadable, symbols)))


def _unreadable_lines(unreadable: Sequence[RecordUnreadable], symbols: Symbols) -> Iterator[str]:
    for error in unreadable:
        yield f"  {symbols['FAILED']} {error.message}"


def _deployment_lines(
    desired: DesiredGraph, kept: Sequence[KeptDeployment], symbols: Symbols
) -> Iterator[str]:
    where = f"{desired.pipeline} on {desired.target.name}"
    if not kept:
        yield f"{where}: no deployment is kept"
        return
    yield f"{where}: {plural(len(kept), 'deployment')}"
    rows = [_deployment_row(deployment) for deployment in kept]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for one, row in zip(kept, rows, strict=True):
        cells = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {symbols['SUCCEEDED'] if one.is_current else ' '} {cells}".rstrip()
    others = [
        deployment.header.number for deployment in kept if not deployment.is_current and deployment.has_code
    ]
    if others:
        command = f"sfml rollback {desired.where} --to {others[0]}"
        yield f"Go back with:  {command}"


def _deployment_row(one: KeptDeployment) -> tuple[str, ...]:
    header = one.header
    notes = (
        "deployed now" if one.is_current else "",
        "" if one.has_code else "its code is gone",
        uncommitted_text(one.record) or "",
        f'"{header.reason}"' if header.reason else "",
    )
    row = (
        str(header.number).rjust(3),
        moment(datetime.fromisoformat(header.began_at)),
        header.owner,
        header.work,
        str(one.record.get("commit", "")),
        str(one.record.get("fingerprint", ""))[:12],
        plural(one.tasks, "task"),
        "; ".join(note for note in notes if note),
    )
    return tuple(map(printable, row))


def deployments_json(
    desired: DesiredGraph, kept: Sequence[KeptDeployment], unreadable: Sequence[RecordUnreadable] = ()
) -> dict[str, Any]:
    """The object of `schemas/output/history.schema.json` for deployments, without `format_version`."""
    return {
        "pipeline": desired.pipeline,
        "target": desired.target.name,
        "deployments": [
            {
                "number": deployment.header.number,
                "began_at": deployment.header.began_at,
                "owner": deployment.header.owner,
                "work": deployment.header.work,
                "reason": deployment.header.reason,
                "commit": deployment.record.get("commit"),
                "uncommitted": uncommitted_value(deployment.record),
                "fingerprint": deployment.record.get("fingerprint"),
                "tasks": deployment.tasks,
                "current": deployment.is_current,
                "code_kept": deployment.has_code,
            }
            for deployment in kept
        ],
        "unreadable": [{"path": error.path, "problem": error.problem} for error in unreadable],
    }


def rollback_text(pipeline: str, number: int, artefact: Artefact) -> str:
    """The line that introduces a rollback's plan: the deployment to go back to, and the commit that it came from."""
    commit_text = origin_text(artefact.record)
    suffix = f", of {printable(commit_text)}" if commit_text else ""
    return f"Back to deployment {number} of {pipeline}{suffix}:\n"
