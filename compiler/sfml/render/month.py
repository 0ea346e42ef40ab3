"""A simulated month as text and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sfml.month.grid import Cell, Day, days_of, hours_in_words, quiet_of
from sfml.month.model import ClockTrap, Course, Month, PipelineMonth, Sharing
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.units import duration, plural

T = TypeVar("T")

_SHADES = "·░▒▓█"
_ASCII_SHADES = ".-+*#"
LEGEND = ("nothing at work", "up to 15 min", "up to 45 min", "up to the hour", "several tasks at once")
"""What the levels of a cell mean."""
UNKNOWN = "a run of unknown duration may go on"
"""What a cell with `?` means."""
_MOST = 8
"""How many entries of a kind the text shows."""
_MOST_JSON = 1_000


def counts_text(least: int, most: int) -> str:
    """`3`, or `0 to 3` where the scenarios differ."""
    return f"{least:,}" if least == most else f"{min(least, most):,} to {max(least, most):,}"


def headline(month: Month) -> str:
    """`2 pipelines in target prod: 0 to 3 runs missed, no run delayed, no run cut off`."""
    found = (
        (len(month.least.missed), len(month.most.missed), "missed"),
        (month.least.delayed_runs(), month.most.delayed_runs(), "delayed"),
        (len(month.least.cut), len(month.most.cut), "cut off"),
    )
    words = [
        f"{counts_text(least, most)} run{'' if least == most == 1 else 's'} {word}"
        if least or most
        else f"no run {word}"
        for least, most, word in found
    ]
    unknown = ", as far as it is known" if month.unknowns else ""
    return f"{plural(len(month.most.pipelines), 'pipeline')} in target {month.target}: {', '.join(words)}{unknown}"


def span_text(month: Month) -> str:
    """`Tue 1 Dec 2026 to Fri 1 Jan 2027, UTC`."""
    zone = getattr(month.start.tzinfo, "key", None) or month.start.tzname() or "UTC"
    return f"{_day(month.start)} to {_day(month.end)}, {zone}"


def _day(at: datetime) -> str:
    time = f" {at:%H:%M}" if (at.hour, at.minute) != (0, 0) else ""
    return f"{at:%a} {at.day} {at:%b %Y}{time}"


def month_text(month: Month, symbols: Symbols, machine: str = "") -> str:
    """The answer, the runs of each pipeline, the heat map, and what shares, waits, misses, and is quiet."""
    most = month.most
    days = days_of(month, most, machine)
    lines = [headline(month), span_text(month)]
    if not month.is_whole:
        lines.append(f"{symbols['risk']} there are too many runs: the month ends where they are simulated")
    lines += ["", *_pipelines(month), "", *_heat_map(days, symbols, machine), ""]
    lines += [f"  {symbols['unknown']} {printable(text)}" for text in month.unknowns]
    lines += [*([""] if month.unknowns else []), *_sections(month, symbols)]
    quiet = quiet_of(month, days_of(month, most), most)
    lines += [f"quiet: {line}" for line in quiet_lines(month, quiet.hours, quiet.always, quiet.longest)]
    lines += ["", "assumed:", *(f"  - {printable(text)}" for text in month.assumptions)]
    return "\n".join(lines)


def quiet_lines(
    month: Month, hours: int, always: Sequence[int], longest: tuple[datetime, datetime] | None
) -> Iterator[str]:
    """Sentences on the hours with nothing at work, when tasks take the most that is expected."""
    most, known = ("at most ", "as far as it is known, ") if month.unknowns else ("", "")
    yield f"{most}{hours:,} of {month.hours:,} hours have nothing at work"
    if always and len(always) < 24:
        yield f"{known}every day {hours_in_words(always)} o'clock"
    if longest is not None:
        yield f"{known}longest from {_moment(longest[0])} to {_moment(longest[1])}"


def _pipelines(month: Month) -> Iterator[str]:
    rows = []
    for least, most in zip(month.least.pipelines, month.most.pipelines, strict=True):
        runs = counts_text(least.began, most.began) if most.is_counted else "?"
        rows.append((printable(most.name), f"{runs} runs", ", ".join(_troubles(month, most))))
    widths = [max(len(row[at]) for row in rows) for at in range(2)]
    for name, runs, troubles in rows:
        yield f"{name:<{widths[0]}}  {runs:<{widths[1]}}  {troubles}".rstrip()


def _troubles(month: Month, pipeline: PipelineMonth) -> Iterator[str]:
    for word, counts in (
        ("missed", (_of(course.missed, pipeline.name) for course in (month.least, month.most))),
        ("delayed", (course.delayed_runs(pipeline.name) for course in (month.least, month.most))),
        ("cut off", (_of(course.cut, pipeline.name) for course in (month.least, month.most))),
    ):
        least, most = counts
        if least or most:
            yield f"{counts_text(least, most)} {word}"
    if not pipeline.is_known:
        yield "? missed, delayed or cut off"


def _of(found: Iterable[Any], pipeline: str) -> int:
    return sum(one.pipeline == pipeline for one in found)


def _heat_map(days: Sequence[Day], symbols: Symbols, machine: str) -> Iterator[str]:
    shades = _SHADES if symbols.unicode else _ASCII_SHADES
    if machine:
        yield f"at work on {printable(machine)}:"
    yield f"{'':<11} " + "".join(f"{hour:<6}" for hour in range(0, 24, 3)).rstrip()
    for day in days:
        cells = " ".join(" " if cell is None else _shade(cell, shades) for cell in day.cells)
        yield f"{day.day:%a} {day.day.day:>2} {day.day:%b}  {cells}  {_remark(day)}".rstrip()
    legend = [f"{shade} {words}" for shade, words in zip(shades, LEGEND, strict=True)]
    if any(cell.is_unknown for day in days for cell in day.cells if cell is not None):
        legend.append(f"? {UNKNOWN}")
    yield f"{'':<11} " + "  ".join(legend)


def _shade(cell: Cell, shades: str) -> str:
    return "?" if cell.is_unknown and not cell.seconds else shades[cell.level]


def _remark(day: Day) -> str:
    cells = [cell for cell in day.cells if cell is not None]
    found = (
        ("missed", sum(cell.missed for cell in cells)),
        ("delayed", sum(cell.delayed for cell in cells)),
        ("cut off", sum(cell.cut for cell in cells)),
    )
    return ", ".join(f"{count} {word}" for word, count in found if count)


def _sections(month: Month, symbols: Symbols) -> Iterator[str]:
    for title, lines in sections(month):
        yield f"{title}:"
        yield from (f"  {printable(line)}" for line in lines)
        yield ""


def sections(month: Month) -> Iterator[tuple[str, list[str]]]:
    """Titles with lines: what shares a warehouse or pool, what waits, is missed, is cut off, and traps of clocks."""
    sharing = list(_shared(month))
    if sharing:
        yield "at work at the same time", _cut_short(sharing, str)
    most = month.most
    if most.waits:
        yield (
            "delayed",
            _cut_short(
                most.waits,
                lambda wait: (
                    f"{wait.pipeline}: {wait.task} waits {duration(wait.seconds * 1000)} for {wait.machine}, "
                    f"{_moment(wait.at)}"
                ),
            ),
        )
    if most.missed:
        yield (
            "missed",
            _cut_short(
                most.missed,
                lambda run: (
                    f"{run.pipeline}: due {_moment(run.due)}, the run of {_moment(run.since)} goes on"
                ),
            ),
        )
    if most.cut:
        yield (
            "cut off",
            _cut_short(
                most.cut,
                lambda run: f"{run.pipeline}: the run of {_moment(run.began)} is ended by its timeout",
            ),
        )
    if month.traps:
        yield "clocks", _cut_short(_trap_lines(month.traps), str)


def _shared(month: Month) -> Iterator[str]:
    sure = {(sharing.machine, sharing.pipelines): sharing for sharing in month.least.sharings}
    for sharing in month.most.sharings:
        least = sure.get((sharing.machine, sharing.pipelines))
        times = counts_text(least.times if least else 0, sharing.times)
        names = " and ".join(dict.fromkeys(sharing.pipelines))
        both = names if sharing.pipelines[0] != sharing.pipelines[1] else f"runs of {names}"
        yield (
            f"{sharing.machine}: {both}, {times} times, {duration(sharing.seconds * 1000)} at most, "
            f"first {_moment(sharing.first)}"
        )


def _trap_lines(traps: Sequence[ClockTrap]) -> list[str]:
    lines = []
    for trap in traps:
        effect = "is skipped" if trap.is_skipped else "comes twice"
        when = "" if trap.is_in_month else ", after this month"
        zone = getattr(trap.at.tzinfo, "key", "")
        lines.append(
            f"{trap.pipeline}: {trap.at:%a} {trap.at.day} {trap.at:%b %Y %H:%M} {zone} {effect}{when}"
        )
    return lines


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %H:%M}"


def _cut_short(found: Sequence[T], words: Callable[[T], str]) -> list[str]:
    lines = [words(one) for one in found[:_MOST]]
    if len(found) > _MOST:
        lines.append(f"and {len(found) - _MOST:,} more")
    return lines


def month_json(month: Month) -> dict[str, Any]:
    """The object of `schemas/output/month.schema.json`, without `format_version`."""
    return {
        "target": month.target,
        "start": month.start.isoformat(),
        "end": month.end.isoformat(),
        "is_whole": month.is_whole,
        "least": _course_json(month, month.least),
        "most": _course_json(month, month.most),
        "clock_traps": [
            {
                "pipeline": trap.pipeline,
                "at": trap.at.replace(tzinfo=None).isoformat(),
                "timezone": getattr(trap.at.tzinfo, "key", None),
                "effect": "skipped" if trap.is_skipped else "repeated",
                "in_month": trap.is_in_month,
            }
            for trap in month.traps
        ],
        "unknown": list(month.unknowns),
        "assumptions": list(month.assumptions),
    }


def _course_json(month: Month, course: Course) -> dict[str, Any]:
    days = days_of(month, course)
    quiet = quiet_of(month, days, course)
    longest = quiet.longest
    return {
        "pipelines": [_pipeline_json(pipeline, course) for pipeline in course.pipelines],
        "missed": [
            {"pipeline": run.pipeline, "due": run.due.isoformat(), "since": run.since.isoformat()}
            for run in course.missed[:_MOST_JSON]
        ],
        "delayed": [
            {
                "pipeline": wait.pipeline,
                "task": wait.task,
                "waits_for": wait.machine,
                "run": wait.began.isoformat(),
                "at": wait.at.isoformat(),
                "seconds": round(wait.seconds, 3),
            }
            for wait in course.waits[:_MOST_JSON]
        ],
        "cut_off": [
            {"pipeline": run.pipeline, "began": run.began.isoformat(), "at": run.at.isoformat()}
            for run in course.cut[:_MOST_JSON]
        ],
        "at_the_same_time": [_sharing_json(sharing) for sharing in course.sharings],
        "quiet": {
            "hours": quiet.hours,
            "is_known": not month.unknowns,
            "of": month.hours,
            "hours_of_every_day": list(quiet.always),
            "longest": None if longest is None else [at.isoformat() for at in longest],
        },
        "work": {
            name or "all": [round(seconds, 3) for seconds in hours] for name, hours in course.work.items()
        },
    }


def _pipeline_json(pipeline: PipelineMonth, course: Course) -> Mapping[str, Any]:
    counts = Counter(
        {
            "missed": _of(course.missed, pipeline.name),
            "delayed": course.delayed_runs(pipeline.name),
            "cut_off": _of(course.cut, pipeline.name),
        }
    )
    return {
        "pipeline": pipeline.name,
        "spec": pipeline.spec_path,
        "due": pipeline.due if pipeline.is_counted else None,
        "runs": pipeline.began if pipeline.is_counted else None,
        "is_known": pipeline.is_known,
        **counts,
    }


def _sharing_json(sharing: Sharing) -> dict[str, Any]:
    return {
        "machine": sharing.machine,
        "pipelines": list(sharing.pipelines),
        "times": sharing.times,
        "seconds": round(sharing.seconds, 3),
        "first": sharing.first.isoformat(),
    }
