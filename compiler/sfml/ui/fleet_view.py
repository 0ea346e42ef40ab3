"""The page of all pipelines, and that of their next runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sfml.account.history import Run
from sfml.account.run_history import duration_ms
from sfml.base.record import record
from sfml.graph.model import CronSchedule
from sfml.lower.desired import DesiredGraph
from sfml.render.health import health_lines, schedule_state_text
from sfml.render.status import PipelineStatus, current_schedule
from sfml.render.units import duration, interval, moment, plural
from sfml.semantics.cron import next_fire, parse_cron
from sfml.ui.marks import SYMBOLS, UNKNOWN, Mark, run_mark
from sfml.ui.places import pipeline_place
from sfml.ui.specs import Spec
from sfml.ui.watching import Seen

AHEAD = timedelta(days=7)
"""How far the page of the next runs looks."""

_MOST_FIRES = 40


@record
class FleetRow:
    """One pipeline, as the table of all pipelines shows it."""

    name: str
    place: str
    target: str
    last: Mark
    when: str
    problems: tuple[str, ...]
    schedule: str
    next: str
    deployed: str


def fleet_rows(seen: Iterable[tuple[Spec, Seen[PipelineStatus]]], now: datetime) -> tuple[FleetRow, ...]:
    return tuple(_row(spec, status, now) for spec, status in seen)


def verdict(rows: Sequence[FleetRow], seen: Sequence[tuple[Spec, Seen[PipelineStatus]]]) -> str:
    """`4 pipelines, 1 needs attention`."""
    reading = sum(status.is_first for _, status in seen)
    attention = sum(bool(row.problems) for row in rows)
    words = [plural(len(rows), "pipeline")]
    if attention:
        words.append(f"{attention} {'needs' if attention == 1 else 'need'} attention")
    if reading:
        words.append(f"{reading} being read …")
    elif rows and not attention:
        words.append("none needs attention")
    return ", ".join(words)


def _row(spec: Spec, seen: Seen[PipelineStatus], now: datetime) -> FleetRow:
    desired = spec.placed.desired if spec.placed is not None else None
    status = seen.value
    run = status.health.run if status is not None and status.health is not None else None
    unread = status is None or status.unknown is not None
    last = Mark("unknown", "…", "being read") if seen.is_first else UNKNOWN if unread else run_mark(run)
    return FleetRow(
        spec.name,
        pipeline_place(spec.name),
        desired.target.name if desired is not None else "?",
        last,
        when_text(run, now),
        tuple(_problems(spec, seen)),
        schedule_words(status, desired),
        next_words(status, desired, now),
        deployed_words(status),
    )


def _problems(spec: Spec, seen: Seen[PipelineStatus]) -> Iterable[str]:
    if spec.error is not None:
        yield f"does not compile: {spec.error.message}"
        yield f"{SYMBOLS['arrow']} sfml validate {shlex.quote(spec.file)}"
    if seen.error is not None and spec.placed is not None:
        yield f"cannot be read: {seen.error.message}"
        if seen.error.help:
            yield f"{SYMBOLS['arrow']} {seen.error.help}"
    elif seen.value is not None and seen.value.unknown is not None:
        yield f"cannot be read: {seen.value.unknown}"
        if seen.value.unknown_help:
            yield f"{SYMBOLS['arrow']} {seen.value.unknown_help}"
    elif seen.unanswered:
        yield f"no answer for {duration(seen.unanswered * 1000)}"
    yield from problem_lines(seen.value)


def problem_lines(status: PipelineStatus | None) -> tuple[str, ...]:
    """The problems of a pipeline, each with the commands that solve it."""
    if status is None or status.health is None:
        return ()
    return tuple(health_lines(status.health, status.pipeline, status.where, SYMBOLS["arrow"]))


def when_text(run: Run | None, now: datetime) -> str:
    """`2 h ago, took 41 s`."""
    if run is None or run.started_at is None:
        return ""
    words = [f"{interval(max(now - run.started_at, timedelta(0)))} ago"]
    if (took := duration_ms(run)) is not None:
        words.append(f"took {duration(took)}")
    if run.part is not None:
        words.append("a part")
    return ", ".join(words)


def deployed_words(status: PipelineStatus | None) -> str:
    if status is None or status.unknown is not None:
        return "?"
    if not status.is_deployed:
        return f"no: {status.absent}" if status.absent else "no"
    return status.recorded("commit") or (status.recorded("fingerprint") or "yes")[:12]


def schedule_words(status: PipelineStatus | None, desired: DesiredGraph | None) -> str:
    """The schedule, and why it is off."""
    if desired is None:
        return "?"
    regular = (status.regular if status else None) or "manual"
    if status is None or status.health is None or status.health.graph.root is None:
        return regular
    off = status.health.off
    return regular if off is None else f"{regular}, {schedule_state_text(off)}"


def next_words(status: PipelineStatus | None, desired: DesiredGraph | None, now: datetime) -> str:
    """The next run, if the schedule is on."""
    if status is None or desired is None or status.unknown is not None:
        return "?"
    if not is_on(status):
        return SYMBOLS["never"]
    fires = next_fires(status, desired, now, 1)
    if fires:
        return f"{moment(fires[0])}, in {interval(fires[0] - now)}"
    return SYMBOLS["never"] if status.regular in (None, "manual") else "?"


def is_on(status: PipelineStatus) -> bool:
    """Whether the deployed schedule is on."""
    root = status.health.graph.root if status.health is not None else None
    return root is not None and root.started


def next_fires(
    status: PipelineStatus, desired: DesiredGraph, now: datetime, most: int = _MOST_FIRES
) -> tuple[datetime, ...]:
    """The next times of a deployed cron schedule: the first one, and those within `AHEAD`.

    Empty for schedules whose times only the account knows.
    """
    schedule = current_schedule(desired, status.health)
    if not isinstance(schedule, CronSchedule):
        return ()
    cron = parse_cron(schedule.cron, schedule.timezone)
    fires: list[datetime] = []
    at = next_fire(cron, now)
    while at is not None and len(fires) < most and (not fires or at - now < AHEAD):
        fires.append(at)
        at = next_fire(cron, at)
    return tuple(fires)


@record
class NextRun:
    """A time at which a schedule fires; `until` is how long it is until then."""

    at: datetime
    when: str
    until: str
    name: str
    place: str


@record
class OtherSchedule:
    """A pipeline for which no times are known: it has no cron, or its schedule is off."""

    name: str
    place: str
    why: str


def next_runs(
    seen: Iterable[tuple[Spec, Seen[PipelineStatus]]], now: datetime
) -> tuple[tuple[NextRun, ...], tuple[OtherSchedule, ...]]:
    """The next runs of all pipelines in their order, and why the others have none."""
    runs: list[NextRun] = []
    others: list[OtherSchedule] = []
    for spec, status in seen:
        desired = spec.placed.desired if spec.placed is not None else None
        place = pipeline_place(spec.name)
        why = _why_none(spec, status, desired)
        if why is not None or desired is None or status.value is None:
            others.append(OtherSchedule(spec.name, place, why or "?"))
            continue
        fires = next_fires(status.value, desired, now)
        runs += [NextRun(at, moment(at), interval(at - now), spec.name, place) for at in fires]
        if not fires:
            others.append(
                OtherSchedule(
                    spec.name, place, f"{schedule_words(status.value, desired)}: only the account knows when"
                )
            )
    return tuple(sorted(runs, key=lambda run: run.at.astimezone(UTC))), tuple(others)


def _why_none(spec: Spec, seen: Seen[PipelineStatus], desired: DesiredGraph | None) -> str | None:
    status = seen.value
    if desired is None:
        return "its spec cannot be read"
    if status is not None and status.unknown is not None:
        return f"cannot be read: {status.unknown}"
    if status is None:
        return (
            "being read …"
            if seen.is_first
            else f"cannot be read: {seen.error.message if seen.error else '?'}"
        )
    if status.health is None or status.health.graph.root is None:
        return "not deployed"
    if status.schedule is None:
        return "manual"
    if status.health.off is not None:
        return schedule_state_text(status.health.off)
    return None
