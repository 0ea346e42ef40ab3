"""The status of deployed pipelines as text and as the JSON of `status --output json`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sfml.account.deployed_schedule import deployed_schedule
from sfml.account.health import GraphHealth, OffReason, UnfinishedApply
from sfml.base.errors import MissingSchema, SfmlError
from sfml.base.record import record
from sfml.graph.model import CronSchedule, IntervalSchedule, Schedule, StreamSchedule
from sfml.lower.desired import DesiredGraph
from sfml.plan.provenance import origin_text, uncommitted_text, uncommitted_value
from sfml.render.health import health_lines, off_json, problem_json, schedule_state_text
from sfml.render.printable import printable
from sfml.render.reason import outcome_text, run_symbol
from sfml.render.run import run_json
from sfml.render.schedule import schedule_text, schedule_words
from sfml.render.symbols import Symbols
from sfml.render.units import duration, interval, plural

UNKNOWN = "?"
"""The sign for a value that could not be read."""


@record
class PipelineStatus:
    """The status of one pipeline in one target.

    `health` is None when nothing could be read: `absent` then says why the pipeline is not deployed, or `unknown` which
    error occurred. `schedule` is the deployed schedule in words with its next run, `regular` without the next run.
    """

    pipeline: str
    target: str
    spec_path: str
    schedule: str | None
    regular: str | None = None
    health: GraphHealth | None = None
    absent: str | None = None
    unknown: str | None = None
    unknown_help: str | None = None

    @property
    def where(self) -> str:
        return f"{shlex.quote(self.spec_path)} -t {self.target}"

    @property
    def is_deployed(self) -> bool:
        return self.health is not None and self.health.graph.root is not None

    @property
    def needs_attention(self) -> bool:
        return self.unknown is not None or (self.health is not None and not self.health.is_well)

    def recorded(self, key: str) -> str | None:
        """A value of the record in the root's comment; None if there is none."""
        record = (self.health.record if self.health else None) or {}
        return str(record[key]) if record.get(key) else None


def current_schedule(desired: DesiredGraph, health: GraphHealth | None) -> Schedule | None:
    """The schedule that is deployed, or that of the spec; a root of others tells nothing of ours."""
    if health is None or health.record is None:
        return desired.root.schedule
    return deployed_schedule(desired, health.graph.root)


def status_of(desired: DesiredGraph, health: GraphHealth | SfmlError) -> PipelineStatus:
    """The status of a pipeline, from its health or from the error that kept it from being read."""
    schedule = current_schedule(desired, None if isinstance(health, SfmlError) else health)
    status = PipelineStatus(
        desired.pipeline,
        desired.target.name,
        desired.spec_path,
        schedule_text(schedule)
        if isinstance(schedule, CronSchedule | IntervalSchedule | StreamSchedule)
        else None,
        None if schedule is None else schedule_words(schedule),
    )
    match health:
        case MissingSchema():
            return replace(status, absent=health.message)
        case SfmlError():
            return replace(status, unknown=health.message, unknown_help=health.help)
        case _:
            return replace(status, health=health)


def unread_status(
    file: str, pipeline: str | None, target: str | None, error: SfmlError | None = None
) -> PipelineStatus:
    """The status of a pipeline whose spec does not compile, because of its findings or of an error: unknown."""
    return PipelineStatus(
        pipeline or Path(file).stem,
        target or UNKNOWN,
        file,
        None,
        unknown="its spec has errors" if error is None else f"its spec does not compile: {error.message}",
        unknown_help=f"sfml validate {shlex.quote(file)}" if error is None else error.help,
    )


def status_json(statuses: Sequence[PipelineStatus]) -> Mapping[str, Any]:
    """The object of `schemas/output/status.schema.json`, without `format_version`."""
    return {"pipelines": [_status_json(status) for status in statuses]}


def _status_json(status: PipelineStatus) -> dict[str, Any]:
    health = status.health
    root = health.graph.root if health else None
    unfinished = health.unfinished if health else None
    return {
        "pipeline": status.pipeline,
        "target": status.target,
        "deployed": None if status.unknown is not None else status.is_deployed,
        "fingerprint": status.recorded("fingerprint"),
        "commit": status.recorded("commit"),
        "uncommitted": uncommitted_value(health.record if health else None),
        "files_differ": health.differs if health else None,
        "schedule": status.schedule,
        "schedule_on": None if status.unknown is not None else bool(root and root.started),
        "schedule_off": off_json(health.off if health else None),
        "well": not status.needs_attention,
        "problems": [
            problem_json(one, status.pipeline, status.where) for one in (health.problems if health else ())
        ],
        "absent": status.absent,
        "unknown": status.unknown,
        "unfinished_apply": unfinished is not None,
        "unfinished": _unfinished_json(unfinished),
        "last_run": run_json(health.run) if health and health.run else None,
    }


def _unfinished_json(unfinished: UnfinishedApply | None) -> Mapping[str, Any] | None:
    if unfinished is None:
        return None
    return {
        "work": unfinished.work,
        "deployment": unfinished.number,
        "owner": unfinished.owner,
        "began_at": unfinished.began_at,
        "lease_held": unfinished.is_held,
    }


def status_text(statuses: Sequence[PipelineStatus], symbols: Symbols, now: datetime) -> str:
    return "\n".join(_lines(statuses, symbols, now))


def _lines(statuses: Sequence[PipelineStatus], symbols: Symbols, now: datetime) -> Iterator[str]:
    yield from table_lines(statuses, symbols, now)
    yield verdict(statuses)


def table_lines(statuses: Sequence[PipelineStatus], symbols: Symbols, now: datetime) -> Iterator[str]:
    """A line for each pipeline, with its problems and what solves them below it."""
    rows = [("pipeline", "target", "deployed", "last run", "schedule")]
    rows += [
        (s.pipeline, s.target, _deployed(s, symbols), _last(s, symbols, now), _schedule(s, symbols))
        for s in statuses
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for index, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "   ".join([*cells, row[-1]]).rstrip()
        if index:
            yield from (f"    {line}" for line in _details(statuses[index - 1], symbols))


def verdict(statuses: Sequence[PipelineStatus]) -> str:
    """`4 pipelines, 1 needs attention`."""
    return f"{plural(len(statuses), 'pipeline')}, {_verdict(statuses)}"


def _verdict(statuses: Sequence[PipelineStatus]) -> str:
    attention = sum(status.needs_attention for status in statuses)
    if attention:
        return f"{attention} {'needs' if attention == 1 else 'need'} attention"
    absent = sum(not status.is_deployed for status in statuses)
    off = sum(bool(status.health and status.health.off) for status in statuses)
    beside = [
        f"{count} {words}" for count, words in ((absent, "not deployed"), (off, "off as intended")) if count
    ]
    if absent == len(statuses):
        return f"{absent} not deployed"
    return ", ".join(["all well" if not absent else "the others well", *beside])


def _deployed(status: PipelineStatus, symbols: Symbols) -> str:
    if status.unknown is not None:
        return UNKNOWN
    if not status.is_deployed:
        return "no"
    return printable(status.recorded("commit") or (status.recorded("fingerprint") or "yes")[:12])


def _schedule(status: PipelineStatus, symbols: Symbols) -> str:
    health = status.health
    if status.unknown is not None:
        return UNKNOWN
    if status.schedule is None:
        return "manual"
    if health is None or health.graph.root is None:
        return symbols["never"]
    off = health.off
    if off is None:
        return f"{symbols['SUCCEEDED']} {status.schedule}"
    if off.reason is OffReason.UNFINISHED:
        return f"{symbols['FAILED']} off: half applied"
    if off.is_intended:
        return f"{symbols['never']} {schedule_state_text(off)} ({status.regular or status.schedule})"
    return f"{symbols['FAILED']} off ({status.regular or status.schedule})"


def _last(status: PipelineStatus, symbols: Symbols, now: datetime) -> str:
    if status.unknown is not None:
        return UNKNOWN
    run = status.health.run if status.health else None
    if run is None:
        return symbols["never"]
    parts = [
        f"{run_symbol(run, symbols)} {interval(now - run.started_at)} ago" if run.started_at else UNKNOWN
    ]
    if run.part is not None:
        parts.append("a part")
    if not run.is_over:
        parts.append("running")
    elif run.started_at and run.completed_at:
        parts.append(f"took {duration((run.completed_at - run.started_at).total_seconds() * 1000)}")
    if run.is_over and run.outcome not in ("succeeded", "failed"):
        parts.append(outcome_text(run))
    return ", ".join(parts)


def _details(status: PipelineStatus, symbols: Symbols) -> Iterator[str]:
    """Why the pipeline needs attention, the commands that solve it, and remarks on its deployment."""
    if status.unknown is not None:
        first, *rest = status.unknown.splitlines() or [""]
        yield printable(f"{UNKNOWN} {first}")
        yield from (printable(f"  {line}") for line in rest)
        if status.unknown_help:
            yield f"{symbols['arrow']} {status.unknown_help}"
    if status.absent is not None:
        yield f"not deployed: {status.absent}"
    if status.health is None:
        return
    if uncommitted_text(status.health.record):
        yield printable(f"deployed from {origin_text(status.health.record)}")
    yield from health_lines(status.health, status.pipeline, status.where, symbols["arrow"])
    if status.health.differs and status.health.unfinished is None:
        yield f"what is deployed differs from the files:  sfml plan {status.where}"
