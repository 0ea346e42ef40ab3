"""The state of deployed pipelines as text and as the JSON of `status --output json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sfml.history import Run, reason
from sfml.plan.journal import Journal
from sfml.plan.lease import Lease
from sfml.render.printable import printable
from sfml.render.run import run_json
from sfml.render.symbols import Symbols
from sfml.render.units import duration, interval, plural


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An apply whose journal is still there; `is_held` is whether its lease is too: it may be under way."""

    work: str
    number: int
    owner: str
    began_at: str
    is_held: bool


def unfinished_of(journal: Journal, holder: Lease | None) -> Unfinished:
    header = journal.header
    return Unfinished(header.work, header.number, header.owner, header.began_at, holder is not None)


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """What is known of one pipeline in one target."""

    pipeline: str
    target: str
    spec_path: str
    is_deployed: bool
    fingerprint: str | None
    commit: str | None
    is_started: bool
    schedule: str | None
    unfinished: Unfinished | None
    run: Run | None

    @property
    def needs_attention(self) -> bool:
        return self.unfinished is not None or bool(
            self.run and self.run.is_over and self.run.state != "SUCCEEDED"
        )


def status_json(found: Sequence[PipelineStatus]) -> Mapping[str, Any]:
    """The object, without `format_version`."""
    return {
        "pipelines": [
            {
                "pipeline": status.pipeline,
                "target": status.target,
                "deployed": status.is_deployed,
                "fingerprint": status.fingerprint,
                "commit": status.commit,
                "schedule": status.schedule,
                "schedule_on": status.is_started,
                "unfinished_apply": status.unfinished is not None,
                "unfinished": _unfinished_json(status.unfinished),
                "last_run": run_json(status.run) if status.run else None,
            }
            for status in found
        ]
    }


def _unfinished_json(unfinished: Unfinished | None) -> Mapping[str, Any] | None:
    if unfinished is None:
        return None
    return {
        "work": unfinished.work,
        "deployment": unfinished.number,
        "owner": unfinished.owner,
        "began_at": unfinished.began_at,
        "lease_held": unfinished.is_held,
    }


def status_text(found: Sequence[PipelineStatus], symbols: Symbols, now: datetime) -> str:
    return "\n".join(_lines(found, symbols, now))


def _lines(found: Sequence[PipelineStatus], symbols: Symbols, now: datetime) -> Iterator[str]:
    rows = [("pipeline", "target", "deployed", "last run", "schedule")]
    rows += [
        (s.pipeline, s.target, _deployed(s), _last(s, symbols, now), _schedule(s, symbols)) for s in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for index, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "   ".join([*cells, row[-1]]).rstrip()
        if index:
            yield from _attention(found[index - 1], symbols)
    attention = sum(status.needs_attention for status in found)
    ends = "needs attention" if attention == 1 else "need attention"
    yield f"{plural(len(found), 'pipeline')}, " + (f"{attention} {ends}" if attention else "all well")


def _deployed(status: PipelineStatus) -> str:
    if not status.is_deployed:
        return "no"
    return printable(status.commit or (status.fingerprint or "yes")[:12])


def _schedule(status: PipelineStatus, symbols: Symbols) -> str:
    if status.unfinished is not None:
        state = "on" if status.is_started else "off"
        return (
            f"{symbols['FAILED']} schedule is {state}: {_cut_off(status, status.unfinished)} did not finish"
        )
    if status.schedule is None:
        return "manual"
    if not status.is_deployed:
        return symbols["never"]
    return f"{symbols['SUCCEEDED'] if status.is_started else symbols['never']} " + (
        status.schedule if status.is_started else f"off ({status.schedule})"
    )


def _cut_off(status: PipelineStatus, unfinished: Unfinished) -> str:
    return work_text(unfinished.work, status.pipeline, unfinished.owner, unfinished.began_at)


def work_text(work: str, pipeline: str, owner: str, began_at: str) -> str:
    """`an apply of clv by ada, begun 2026-01-02 03:04:05 UTC,`"""
    article = "an" if work[0] in "aeiou" else "a"
    return printable(f"{article} {work} of {pipeline} by {owner}, begun {time_text(began_at)},")


def time_text(iso: str) -> str:
    """`2026-01-02 03:04:05 UTC`, from an ISO time in UTC as journals have it."""
    return f"{iso.replace('T', ' ').removesuffix('+00:00')} UTC"


def _last(status: PipelineStatus, symbols: Symbols, now: datetime) -> str:
    run = status.run
    if run is None:
        return symbols["never"]
    when = f"{interval(now - run.started_at)} ago" if run.started_at else ""
    took = ""
    if run.is_over and run.started_at and run.completed_at:
        took = f", took {duration((run.completed_at - run.started_at).total_seconds() * 1000)}"
    return f"{symbols.state(run.state)} {when}{took}"


def _attention(status: PipelineStatus, symbols: Symbols) -> Iterator[str]:
    """Why it needs attention, and the command that goes on."""
    where = f"{status.spec_path} -t {status.target}"
    arrow = symbols["arrow"]
    if status.unfinished is not None:
        finishing = f"sfml {status.unfinished.work} {where}   finishes it;"
        if status.unfinished.work == "apply":
            yield f"    {arrow} {finishing}  --restore puts back what was there before"
        else:
            yield f"    {arrow} {finishing}   sfml apply {where} --restore   puts back what was there before"
        if status.unfinished.is_held:
            yield "      its lease is held: it may be running still. Once it surely is not, add --force-unlock"
    failed = status.run.first_error if status.run else None
    if status.needs_attention and failed:
        yield printable(f"    {failed.name}: {reason(failed.error)}")
        yield f"    {arrow} sfml logs {where} {failed.name}"
