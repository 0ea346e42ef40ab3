"""The pages of runs: their history with plots, one run as a timeline, one task with its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from sfml.account.history import Run, TaskRun
from sfml.account.part_runs import NOT_IN_PART
from sfml.account.run_history import RunHistory, duration_ms
from sfml.account.task_log import TaskLog
from sfml.base.record import record
from sfml.graph.model import (
    CallBody,
    JobBody,
    NotifyBody,
    Reference,
    SqlBody,
    StepBody,
    TaskNode,
    Template,
    Value,
)
from sfml.operations.task_logs import project_files
from sfml.render.failure import failure_text
from sfml.render.history import deployment_text, part_text
from sfml.render.page.plots import Bar, durations_svg, outcomes_svg
from sfml.render.reason import attempt_text, reason_text
from sfml.render.run import task_remark
from sfml.render.units import duration, moment, plural
from sfml.ui.marks import SYMBOLS, Mark, run_mark, task_mark
from sfml.ui.places import run_place, task_place
from sfml.ui.specs import Spec
from sfml.ui.templating import pair

MOST_BARS = 40
_SHORT = 8
_LONGEST_REMARK = 160


@record
class RunRow:
    """One run in the list of runs."""

    place: str
    short: str
    began: str
    took: str
    mark: Mark
    deployment: str
    remark: str


def run_rows(name: str, history: RunHistory) -> tuple[RunRow, ...]:
    return tuple(_run_row(name, run, history) for run in history.runs)


def _run_row(name: str, run: Run, history: RunHistory) -> RunRow:
    took = duration_ms(run)
    arms = (f"{gate} {SYMBOLS['arrow']} {arm}" for gate, arm in run.arms.items())
    why = (reason_text(run.reason),) if run.reason is not None else ()
    part = (text,) if (text := part_text(run)) else ()
    attempt = (attempt_text(run),) if run.attempt > 1 else ()
    return RunRow(
        run_place(name, run.run_id),
        short_id(run),
        moment(run.started_at) if run.started_at else "?",
        duration(took) if took is not None else "",
        run_mark(run),
        deployment_text(history.ran_on.get(run.run_id)),
        "; ".join((*part, *attempt, *why, *arms)),
    )


def short_id(run: Run) -> str:
    return run.run_id[:_SHORT]


def history_words(history: RunHistory) -> str:
    """`12 runs, 10 succeeded, 2 failed; usually 4 min 10 s`."""
    counts = Counter(run_mark(run).words for run in history.runs)
    words = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    usual = "" if history.usual_ms is None else f"; usually {duration(history.usual_ms)}"
    return f"{len(history.runs)} run{'' if len(history.runs) == 1 else 's'}: {words}{usual}"


def bars_of(name: str, history: RunHistory, to: Any) -> tuple[Bar, ...]:
    """The newest runs as bars, the oldest first; `to` gives the address of a place."""
    return tuple(_bar(name, run, to) for run in reversed(history.runs[:MOST_BARS]))


def _bar(name: str, run: Run, to: Any) -> Bar:
    mark, took = run_mark(run), duration_ms(run)
    began = moment(run.started_at) if run.started_at else "?"
    words = f"run {short_id(run)}, {began}: {mark.words}{f', {duration(took)}' if took is not None else ''}"
    return Bar(
        took, mark.name, mark.sign, words, to(run_place(name, run.run_id)), f"{short_id(run)}, {began}"
    )


def durations_plot(bars: Sequence[Bar], history: RunHistory) -> Markup:
    about = f"Durations of the last {len(bars)} runs; the table below has them"
    return Markup(durations_svg(bars, history.usual_ms, about))


def gate_plots(bars: Sequence[Bar], history: RunHistory) -> tuple[tuple[str, Markup], ...]:
    """For each gate that chose something: its name, and which outcome it chose in which run."""
    runs = tuple(reversed(history.runs[:MOST_BARS]))
    gates = dict.fromkeys(gate for run in runs for gate in run.arms)
    plots = []
    for gate in gates:
        chosen: dict[str, list[int]] = {}
        for at, run in enumerate(runs):
            if gate in run.arms:
                chosen.setdefault(run.arms[gate], []).append(at)
        about = f"Outcomes of {gate} in the last {len(runs)} runs; the table below has them"
        plots.append((gate, Markup(outcomes_svg(sorted(chosen.items()), bars, about))))
    return tuple(plots)


# -- one run


@record
class TimelineBar:
    """When a task ran, in thousandths of the run."""

    x: float
    width: float
    words: str


@record
class TaskRow:
    """One task in the timeline of a run."""

    name: str
    place: str | None
    mark: Mark
    bar: TimelineBar | None
    took: str
    remark: str
    reused: bool


@record
class Timeline:
    """The tasks of a run, and the labels of the middle and the end of its time."""

    rows: tuple[TaskRow, ...]
    half: str
    whole: str


def timeline(name: str, run: Run, now: datetime, has_page: Callable[[TaskRun], bool]) -> Timeline:
    """The run's tasks in the order of the spec, with their times; those that have a page are links to it."""
    begin = run.started_at or now
    end = run.completed_at if run.is_over and run.completed_at else now
    ends = [_end(task, now) for task in run.tasks if task.started_at]
    span = max([(end - begin).total_seconds(), *((at - begin).total_seconds() for at in ends), 0.001])
    rows = tuple(
        _task_row(name if has_page(task) else None, run, task, begin, span, now) for task in _shown(run)
    )
    return Timeline(rows, duration(span * 500), duration(span * 1000))


def _shown(run: Run) -> Iterator[TaskRun]:
    for task in run.tasks:
        if run.part is None or task.because != NOT_IN_PART:
            yield task


def _end(task: TaskRun, now: datetime) -> datetime:
    completed = task.row.completed_at if task.row is not None else None
    return completed or now


def _task_row(
    name: str | None, run: Run, task: TaskRun, begin: datetime, span: float, now: datetime
) -> TaskRow:
    mark = task_mark(task, run)
    bar, took = None, ""
    if task.started_at is not None and task.reused_from is None:
        start = (task.started_at - begin).total_seconds()
        lasted = (_end(task, now) - task.started_at).total_seconds()
        took = duration(task.duration_ms if task.duration_ms is not None else lasted * 1000)
        words = f"from {duration(max(start, 0) * 1000)} on, {took}"
        bar = TimelineBar(
            round(max(start, 0) / span * 1000, 1), round(max(lasted / span * 1000, 3), 1), words
        )
    return TaskRow(
        task.name,
        None if name is None else task_place(name, run.run_id, task.name),
        mark,
        bar,
        took,
        f"from run {task.reused_from[:_SHORT]}"
        if task.reused_from
        else cut(task_remark(task, SYMBOLS, run.is_over)),
        task.reused_from is not None,
    )


def cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REMARK else f"{text[:_LONGEST_REMARK]}…"


def counts_words(run: Run) -> str:
    """`4 succeeded, 1 running, 2 waiting`."""
    counts = Counter(task_mark(task, run).words for task in _shown(run))
    return ", ".join(f"{count} {words}" for words, count in counts.most_common()) or "none"


def run_facts(run: Run, history: RunHistory) -> Iterator[tuple[str, str]]:
    """Further facts about a run: its attempts, the deployment that it ran on, what it is a part of."""
    if run.attempt > 1:
        yield "attempts", attempt_text(run) or str(run.attempt)
    by = run.attempts[0].scheduled_from if run.attempts else ""
    if by:
        yield "started by", by.lower()
    on = history.ran_on.get(run.run_id)
    if on is not None:
        yield (
            "ran on",
            " ".join(
                part
                for part in (f"deployment {on.number}" if on.number else "the code of files", on.origin)
                if part
            ),
        )
    if run.part is not None or run.backfill is not None:
        yield "part" if run.part is not None else "value", part_text(run)


def took_words(run: Run, now: datetime, usual_ms: float | None) -> str:
    """How long a run took or has taken, beside the usual time."""
    usual = "" if usual_ms is None else f" (usually {duration(usual_ms)})"
    took = duration_ms(run)
    if took is not None:
        return duration(took) + usual
    if run.started_at is None:
        return "?"
    return f"{duration(max((now - run.started_at).total_seconds(), 0) * 1000)} until now{usual}"


# -- one task


def task_facts(task: TaskRun, run: Run, now: datetime) -> Iterator[tuple[str, str]]:
    if task.started_at is not None:
        yield "began", f"{task.started_at:%Y-%m-%d %H:%M:%S} UTC"
        took = task.duration_ms
        if took is None:
            took = round((_end(task, now) - task.started_at).total_seconds() * 1000)
        yield "took", duration(took)
    if task.arm is not None:
        yield "chose", task.arm
    if task.reused_from is not None:
        yield "reused from", f"run {task.reused_from}"
    if task.row is not None and task.row.attempt > 1:
        yield "attempt", str(task.row.attempt)
    if task.row is not None and task.row.query_id:
        yield "query", task.row.query_id


def error_text(spec: Spec, task: TaskRun, log: TaskLog | None) -> str | None:
    """The exception that ended a task, the user's files first; or the error that Snowflake keeps."""
    compiled = spec.compiled
    if log is None or log.failure is None or compiled is None:
        return task.error
    return failure_text(log.failure, project_files(compiled, task.name))


def no_log_words(task: TaskRun, log: TaskLog | None) -> str:
    """Why a log is empty, or what is left out of it."""
    if task.row is None:
        return "It never ran, so it wrote nothing."
    if log is None:
        return ""
    if log.left_out:
        return f"Without {plural(log.left_out, 'line')} of libraries and launchers, which `sfml logs --all` shows."
    return "" if log.lines else "It has written nothing."


def inputs_of(node: TaskNode | None) -> tuple[tuple[str, str], ...]:
    """The inputs of a task as its spec has them: arguments, with the references that are read when it runs."""
    if node is None:
        return ()
    match node.body:
        case StepBody(arguments=arguments):
            return tuple((name, pair(name, written(value))) for name, value in arguments.items())
        case JobBody(arguments=arguments) | CallBody(arguments=arguments):
            return tuple((str(at), str(written(value))) for at, value in enumerate(arguments, start=1))
        case NotifyBody(message=message, integration=integration):
            return (("integration", integration), ("message", str(written(message))))
        case SqlBody(text=text):
            return (("statement", text),)


def written(value: Value) -> Any:
    """A value as the spec has it, with `${…}` for what is read when the task runs."""
    match value:
        case Reference():
            return _reference(value)
        case Template(parts):
            return "".join(part if isinstance(part, str) else _reference(part) for part in parts)
        case tuple():
            return [written(item) for item in value]
        case Mapping():
            return {key: written(item) for key, item in value.items()}
        case _:
            return value


def _reference(reference: Reference) -> str:
    first = (reference.task,) if reference.task is not None else (reference.source.value,)
    return "${" + ".".join(map(str, (*first, *reference.keys))) + "}"
