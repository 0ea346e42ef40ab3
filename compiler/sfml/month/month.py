"""The month of the pipelines of one target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sfml.cost.assumptions import unknown_durations, unknown_nodes, unknown_runs
from sfml.cost.estimate import sizes_of
from sfml.graph.expectations import ExpectedRuns, Size
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Mode, TaskGraph
from sfml.month.model import (
    ClockTrap,
    Course,
    CutRun,
    MissedRun,
    Month,
    PipelineMonth,
    Scenario,
    Sharing,
    Wait,
)
from sfml.month.simulation import Log, Simulation, overlaps
from sfml.month.work import CONCURRENT_STATEMENTS, RunWork, run_work
from sfml.semantics.clock_changes import clock_changes
from sfml.semantics.cron import fire_seconds, parse_cron
from sfml.semantics.interval import MIN_SECONDS

HOUR = 3600
AHEAD = timedelta(days=400)
"""How far ahead traps of clocks are looked for; within that time every zone with summer time changes twice."""
_YEAR = 365 * 86_400

Moment = Callable[[float], datetime]


def month_of(graphs: Sequence[TaskGraph], start: datetime, end: datetime) -> Month:
    """The month from `start` to `end`, both aware and in the zone that the result is shown in."""
    span = (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds()
    sizes = sizes_of(graphs)
    least, until = _course(graphs, sizes, "least", start, span)
    most, until_most = _course(graphs, sizes, "most", start, span)
    reached = min(until, until_most)
    if reached < span:  # both are of the time that both reach: hours that nobody simulated are not quiet
        least, _ = _course(graphs, sizes, "least", start, reached)
        most, _ = _course(graphs, sizes, "most", start, reached)
    return Month(
        target=graphs[0].target.name,
        start=start,
        end=_at(start, reached),
        is_whole=reached >= span,
        least=least,
        most=most,
        traps=tuple(_traps(graphs, start, end)),
        machines=tuple(sorted(name for name in most.work if name)),
        unknowns=tuple(one for graph in graphs for one in _unknowns(graph, sizes)),
        assumptions=tuple(_assumptions(graphs)),
    )


def _at(start: datetime, seconds: float) -> datetime:
    return (start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(start.tzinfo)


def _course(
    graphs: Sequence[TaskGraph], sizes: Mapping[str, Size], scenario: Scenario, start: datetime, span: float
) -> tuple[Course, float]:
    due = {graph.pipeline: tuple(_due(graph, scenario, start, span)) for graph in graphs}
    works = {graph.pipeline: run_work(graph, sizes, scenario) for graph in graphs}
    log = Simulation(works, span).run(due)

    def moment(seconds: float) -> datetime:
        return _at(start, seconds)

    pipelines = tuple(
        PipelineMonth(
            graph.pipeline,
            graph.spec_path,
            log.due[graph.pipeline],
            log.began[graph.pipeline],
            is_counted=not _is_unknown(graph),
            is_known=not any(_unknowns(graph, sizes)),
        )
        for graph in graphs
    )
    course = Course(
        pipelines,
        tuple(MissedRun(one.pipeline, moment(one.due), moment(one.since)) for one in log.missed),
        tuple(
            Wait(one.pipeline, moment(one.began), one.task, one.machine, moment(one.at), one.seconds)
            for one in sorted(log.waits, key=lambda wait: wait.at)
        ),
        tuple(CutRun(cut.pipeline, moment(cut.began), moment(cut.at)) for cut in log.cuts),
        tuple(_sharings(log, moment)),
        _work_by_hour(log, span, works.values()),
        frozenset(
            hour
            for graph in graphs
            if any(unknown_durations(graph))
            for hour in _touched(due[graph.pipeline], works[graph.pipeline].timeout, span)
        ),
    )
    return course, log.until


def _due(graph: TaskGraph, scenario: Scenario, start: datetime, span: float) -> Iterator[float]:
    """The seconds after `start` at which runs are due."""
    match graph.settings.schedule:
        case CronSchedule(cron, timezone):
            # Times strictly after a moment are asked for, so the second before is that moment.
            earlier = start.astimezone(UTC) - timedelta(seconds=1)
            days = int(span // 86_400) + 1
            yield from (
                float(at - 1)
                for at in fire_seconds(parse_cron(cron, timezone), earlier, days)
                if at - 1 < span
            )
        case IntervalSchedule(seconds):
            yield from (float(at) for at in range(0, int(span), seconds))
        case _:
            expected = graph.settings.expected_runs
            if expected is not None:
                yield from _evenly(expected, scenario, span)


def _evenly(expected: ExpectedRuns, scenario: Scenario, span: float) -> Iterator[float]:
    runs = expected.per_year.low if scenario == "least" else expected.per_year.high
    count = min(round(runs * span / _YEAR), int(span // MIN_SECONDS))
    yield from (at * span / count for at in range(count))


def _is_unknown(graph: TaskGraph) -> bool:
    """Whether nothing says when it runs: by schedule, or how often streams or people start it."""
    settings = graph.settings
    return settings.expected_runs is None and not isinstance(
        settings.schedule, CronSchedule | IntervalSchedule
    )


def _sharings(log: Log, moment: Moment) -> Iterator[Sharing]:
    sharings: dict[tuple[str, tuple[str, str]], list[tuple[float, float]]] = defaultdict(list)
    for machine, pair, start, end in overlaps(log.busy):
        sharings[machine, pair].append((start, end))
    for (machine, pair), stretches in sorted(sharings.items()):
        merged = _merged(stretches)
        seconds = sum(end - start for start, end in merged)
        yield Sharing(machine, pair, len(merged), seconds, moment(merged[0][0]))


def _merged(stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _hours(start: float, end: float, span: float) -> range:
    """The hours of the month that the time from `start` to `end` touches."""
    return range(int(start // HOUR), int(-(-min(end, span) // HOUR)))


def _touched(starts: Iterable[float], length: float, span: float) -> Iterator[int]:
    """The hours that stretches of that length touch, each once."""
    following = 0
    for at in starts:
        hours = _hours(at, at + length, span)
        yield from range(max(hours.start, following), hours.stop)
        following = max(hours.stop, following)


def _work_by_hour(log: Log, span: float, works: Iterable[RunWork]) -> Mapping[str, tuple[float, ...]]:
    """The seconds at work by hour, for everything and each machine that a task runs on, if only for no time."""
    hours = max(int(-(-span // HOUR)), 1)
    names = {"", *(task.machine for work in works for task in work.tasks if task.machine is not None)}
    work = {name: [0.0] * hours for name in sorted(names)}
    for one in log.busy:
        places = ("",) if one.machine is None else ("", one.machine)
        for hour in _hours(one.start, one.end, span):
            seconds = min(one.end, (hour + 1) * HOUR) - max(one.start, hour * HOUR)
            for name in places:
                work[name][hour] += seconds
    return {name: tuple(seconds) for name, seconds in work.items()}


def _traps(graphs: Sequence[TaskGraph], start: datetime, end: datetime) -> Iterator[ClockTrap]:
    """The times of crons that changes of clocks skip or repeat, in the month and after it."""
    for graph in graphs:
        schedule = graph.settings.schedule
        if not isinstance(schedule, CronSchedule):
            continue
        cron = parse_cron(schedule.cron, schedule.timezone)
        zone = ZoneInfo(cron.timezone)
        for change in clock_changes(zone, start, AHEAD):
            for wall in change.times(cron):
                at = wall.replace(tzinfo=zone)
                yield ClockTrap(graph.pipeline, at, change.is_skipped, start <= change.at < end)


def _unknowns(graph: TaskGraph, sizes: Mapping[str, Size]) -> Iterator[str]:
    yield from unknown_runs(graph)
    yield from unknown_durations(graph)
    yield from unknown_nodes(graph, sizes)


def _assumptions(graphs: Sequence[TaskGraph]) -> Iterator[str]:
    if graphs[0].target.mode is Mode.DEVELOPMENT and not graphs[0].target.is_local:
        yield "schedules are on, although this target deploys them suspended"
    for graph in graphs:
        if isinstance(graph.settings.schedule, IntervalSchedule):
            yield f"the interval of `{graph.pipeline}` begins with the month; it begins when it is resumed"
        if isinstance(graph.settings.schedule, Manual) and graph.settings.expected_runs is None:
            yield f"`{graph.pipeline}` is never run by hand; `expect: {{runs: …}}` of the schedule says how often"
    yield "at most, every task runs, both arms of a branch too; at least, those that certainly run"
    yield f"a warehouse executes {CONCURRENT_STATEMENTS} statements at once, Snowflake's default; others wait"
    yield "pools have the nodes that `sizes` says; without it, nothing waits for them"
    yield "starting nodes and warehouses takes no time, and what shares a warehouse takes as long as alone"
