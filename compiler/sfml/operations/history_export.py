"""Exporting runs with the durations of their tasks, for longer than Snowflake keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfml.account.history import Run
from sfml.base.atomic import write_whole
from sfml.base.errors import UsageError
from sfml.base.exported_runs import FORMAT_VERSION, exported_content, exported_document
from sfml.lower.desired import DesiredGraph


def export_runs(desired: DesiredGraph, runs: Sequence[Run], file: Path) -> int:
    """Add the runs that are over to the file, and write it anew; returns how many runs it holds then.

    A run that the file has already is replaced. Raises `UsageError` for a file of another pipeline or kind.
    """
    place = {"pipeline": desired.pipeline, "target": desired.target.name}
    kept = _runs_in(file, place)
    kept |= {run.run_id: _run(run) for run in runs if run.is_over}
    ordered = sorted(kept.values(), key=_order)
    content = exported_content({"format_version": FORMAT_VERSION, **place, "runs": ordered}, file)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, content, mode=0o644)
    return len(ordered)


def _runs_in(file: Path, place: Mapping[str, str]) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        document = exported_document(file)
        runs = {run["run_id"]: run for run in document["runs"]}
        sorted(map(_order, runs.values()))  # raises an error for runs that no export wrote
    except UsageError as cause:
        raise cause.advised("name another file") from cause
    except (KeyError, TypeError) as cause:
        raise UsageError(f"`{file}` holds no exported runs", help="name another file") from cause
    of = {key: document[key] for key in place}
    if of != place:
        name = f"`{of['pipeline']}` in target `{of['target']}`"
        raise UsageError(f"`{file}` holds runs of {name}", help="name another file")
    return runs


def _order(run: Mapping[str, Any]) -> tuple[str, str]:
    return run["started_at"] or "", run["run_id"]


def _run(run: Run) -> dict[str, Any]:
    took = run.completed_at - run.started_at if run.completed_at and run.started_at else None
    return {
        "run_id": run.run_id,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "duration_ms": None if took is None else round(took.total_seconds() * 1000),
        "outcome": run.outcome,
        "tasks": [
            {"name": task.name, "state": task.state, "duration_ms": task.duration_ms} for task in run.tasks
        ],
    }
