"""A trace as text, and as the JSON of `trace --output json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sfml.account.trace import Mention, Trace, TracedTask, TracedVersion, metrics_of
from sfml.render.models import change_text, version_json
from sfml.render.printable import printable
from sfml.render.reason import outcome_text, run_symbol
from sfml.render.run import value_json, value_text
from sfml.render.symbols import Symbols
from sfml.render.units import duration, moment

_LONGEST = 60
"""The most characters of an argument's value."""


def trace_text(trace: Trace, symbols: Symbols) -> str:
    return "\n".join(printable(line).rstrip() for line in _lines(trace, symbols))


def _lines(trace: Trace, symbols: Symbols) -> Iterator[str]:
    yield f"{trace.subject} on {trace.target}"
    for version in trace.versions:
        yield from _version_lines(version, symbols)
    yield from _run_lines(trace, symbols)
    for task in trace.tasks:
        yield f"  task        {task.name}   {task.what}   {_place(task)}"
        for name, value in task.inputs.items():
            yield f"                {name}: {_short(value)}"
        if task.reads:
            yield f"                reads {', '.join(task.reads)}"
    for table in trace.tables:
        at = f"   {moment(table.at)}" if table.at else ""
        yield f"  scored      {table.table}   {table.version}, by {table.task} of run {table.run_id}{at}"
    if trace.run is not None and not (trace.versions or trace.tables):
        yield "  no task of this run names a model version in its result"


def _version_lines(version: TracedVersion, symbols: Symbols) -> Iterator[str]:
    there = version.version
    notes = there.aliases if there else ("not in the registry any more",)
    yield f"  version     {version.model} {version.name}   {'   '.join(notes)}"
    if there is not None:
        yield f"                logged {moment(there.created_at)}"
    for name, value in sorted(metrics_of(version).items()):
        yield f"                {name} {value:.6g}"
    for change in reversed(there.changes if there else ()):
        yield f"                {symbols['dot']} {change_text(change)}"


def _run_lines(trace: Trace, symbols: Symbols) -> Iterator[str]:
    run = trace.run
    if run is None:
        known = f"{trace.run_id}, which is not kept any more" if trace.run_id else "not known"
        yield f"  run         {known}"
        return
    began = f"   {moment(run.started_at)}" if run.started_at else ""
    took = ""
    if run.started_at and run.completed_at:
        took = f"   {duration((run.completed_at - run.started_at).total_seconds() * 1000)}"
    yield f"  run         {run_symbol(run, symbols)} {run.run_id}{began}{took}   {outcome_text(run)}"
    if run.part is not None and run.part.recovers:
        yield f"                part of {run.part.recovers}"
    if run.backfill is not None:
        yield f"                backfill {value_text(run.backfill.config)}"
    deployment = trace.deployment
    if deployment is None:
        yield "  deployment  not kept any more"
    else:
        number = "the code of files" if deployment.number is None else str(deployment.number)
        yield f"  deployment  {number}   {deployment.origin or 'of no commit'}"


def _place(task: TracedTask) -> str:
    return "" if task.file is None else f"{task.file}:{task.line}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def trace_json(trace: Trace) -> dict[str, Any]:
    """The object of `schemas/output/trace.schema.json`, without `format_version`."""
    run, deployment = trace.run, trace.deployment
    return {
        "pipeline": trace.pipeline,
        "target": trace.target,
        "subject": trace.subject,
        "run_id": trace.run_id,
        "run": None
        if run is None
        else {
            "run_id": run.run_id,
            "state": run.state,
            "outcome": run.outcome,
            "attempt": run.attempt,
            "started_at": _iso(run.started_at),
            "completed_at": _iso(run.completed_at),
            "recovers": run.part.recovers if run.part else None,
            "backfill": value_json(run),
        },
        "deployment": None
        if deployment is None
        else {"number": deployment.number, "commit": deployment.commit, "origin": deployment.origin},
        "tasks": [
            {
                "name": task.name,
                "what": task.what,
                "file": task.file,
                "line": task.line,
                "state": task.state,
                "inputs": dict(task.inputs),
                "reads": list(task.reads),
            }
            for task in trace.tasks
        ],
        "versions": [_version_value(version) for version in trace.versions],
        "tables": [_table_value(table) for table in trace.tables],
    }


def _version_value(version: TracedVersion) -> Mapping[str, Any]:
    return {
        "model": version.model,
        "version": version.name,
        "task": version.task,
        "metrics": dict(metrics_of(version)),
        "registered": None if version.version is None else version_json(version.version),
    }


def _table_value(table: Mention) -> Mapping[str, Any]:
    return {
        "table": table.table,
        "model": table.model,
        "version": table.version,
        "task": table.task,
        "run_id": table.run_id,
        "at": _iso(table.at),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
