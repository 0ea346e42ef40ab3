"""Runs a deployed pipeline and shows its progress: live on a terminal, otherwise line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sfml.account.part_runs import NOT_IN_PART
from sfml.account.run_record import SUSPENDED
from sfml.cli import output
from sfml.cli.interrupts import pause, restore_signals
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.runs import follow, follow_retry, interval_of, retry, start
from sfml.operations.target_account import TargetAccount
from sfml.semantics.redaction import redacted_value
from sfml.spec.nodes import plain_word

if TYPE_CHECKING:
    from sfml.account.history import Run
    from sfml.render.symbols import Symbols


def run_and_follow(
    compiled_spec: CompiledSpec, target: TargetAccount, options: Options, config: Mapping[str, str]
) -> int:
    """Run the pipeline once, and follow the run; returns the exit code, 0 if it succeeded."""
    return answer(followed_run(compiled_spec, target, options, config), options)


def followed_run(
    compiled_spec: CompiledSpec, target: TargetAccount, options: Options, config: Mapping[str, str]
) -> Run:
    """Run the pipeline once, showing progress and result unless the output is JSON; returns the ended run."""
    restore_signals()
    suspended = suspended_before(compiled_spec, target, options)
    started = start(compiled_spec.desired, target.history, config)
    states = follow(
        *(compiled_spec.desired, target.history, started),
        interval=interval_of(compiled_spec.desired.target),
        sleep=pause,
        suspended=suspended,
    )
    return shown_run(compiled_spec, states, options, config)


def suspended_before(compiled_spec: CompiledSpec, target: TargetAccount, options: Options) -> frozenset[str]:
    """The suspended tasks, which a run skips. Prints notes about them and other differences from the files."""
    from sfml.cli.part_tidying import tidy_unlocked
    from sfml.operations.graph_health import run_notes, suspended_names

    graph = target.history.deployed(compiled_spec.desired.root.name)
    tidy_unlocked(compiled_spec.desired, target, graph, options)
    if graph.root is not None and options.speaks:
        for text in run_notes(compiled_spec, target, graph):
            output.note(f"note: {text}")
    return suspended_names(graph)


def retry_and_follow(compiled_spec: CompiledSpec, target: TargetAccount, options: Options) -> int:
    """Retry the last run, and follow it; returns the exit code, 0 if it succeeded."""
    root, failed = retry(compiled_spec.desired, target.history)
    states = follow_retry(
        compiled_spec.desired,
        target.history,
        root,
        failed,
        interval=interval_of(compiled_spec.desired.target),
    )
    return answer(shown_run(compiled_spec, states, options, {}), options)


def answer(run: Run, options: Options) -> int:
    """Print the run if the output is JSON; returns the exit code."""
    from sfml.render.run import run_json

    if options.json:
        output.say_json(run_json(run))
    return 0 if run.outcome == "succeeded" else 1


def shown_run(
    compiled_spec: CompiledSpec, states: Iterator[Run], options: Options, config: Mapping[str, str]
) -> Run:
    from sfml.render.symbols import Symbols

    symbols = Symbols(output.takes_unicode())
    if not options.speaks:
        run = _last(states)
    elif output.is_terminal() and not options.no_color:
        run = _live(states, symbols)
    else:
        run = _lines(states, symbols)
    if not options.json and (run.outcome != "succeeded" or not options.quiet):
        _say_end(compiled_spec, run, symbols, config)
    return run


def _last(states: Iterator[Run]) -> Run:
    *_, run = states
    return run


def _live(states: Iterator[Run], symbols: Symbols) -> Run:
    from rich.live import Live
    from rich.text import Text

    from sfml.render.printable import printable_lines
    from sfml.render.run import run_text

    run = None
    with Live(Text(""), auto_refresh=False, transient=False) as live:
        for run in states:
            live.update(Text(printable_lines(run_text(run, symbols, datetime.now(UTC)))), refresh=True)
    assert run is not None, "following ends with a run"
    return run


def _lines(states: Iterator[Run], symbols: Symbols) -> Run:
    """Follow the run, and print a line for each change of a task's state."""
    from sfml.render.run import changes, run_text, task_line

    before = None
    run = None
    for run in states:
        if before is None:
            output.say()
            output.say(run_text(run, symbols).splitlines()[0])
        width = max((len(task.name) for task in run.tasks), default=0)
        for task in changes(before, run):
            if task.state != "SCHEDULED":
                output.say(task_line(task, symbols, width, over=False))
        before = run
    assert run is not None, "following ends with a run"
    for task in run.tasks:
        if task.state is None and task.because != NOT_IN_PART:
            output.say(task_line(task, symbols, width, over=True))
    return run


def _say_end(compiled_spec: CompiledSpec, run: Run, symbols: Symbols, config: Mapping[str, str]) -> None:
    """Print the run's config, its outcome, and the next commands."""
    from sfml.account.run_reason import TaskFailure
    from sfml.render.reason import names_text, outcome_text, reason_text
    from sfml.render.units import duration

    took = ""
    if run.started_at and run.completed_at:
        took = f" in {duration((run.completed_at - run.started_at).total_seconds() * 1000)}"
    # What is deployed runs, and its config may differ from that of the files.
    settings = (
        run.config if run.config is not None else {**(compiled_spec.desired.root.config or {}), **config}
    )
    if run.part is not None:
        settings = dict(run.part.config or {})
    if settings:
        output.say()
        shown = (f"{key} {redacted_value(key, plain_word(value))}" for key, value in settings.items())
        output.say("config  " + ", ".join(shown))
    where = compiled_spec.desired.where
    passed_over = [
        task.name
        for task in run.tasks
        if task.state is None and task.because != NOT_IN_PART and (not run.arms or task.because == SUSPENDED)
    ]
    if run.outcome == "succeeded":
        but = f", but {names_text(passed_over)} never ran" if passed_over else ""
        output.say(
            f"{run.pipeline} succeeded{took}{but}. Look closer with:  sfml logs {where}   sfml status {where}"
        )
        return
    why = reason_text(run.reason) if run.reason else outcome_text(run)
    if run.outcome == "skipped":
        output.say(f"{run.pipeline} was {why}")
        return
    if run.outcome == "nothing_ran":
        output.say(f"{run.pipeline}: {why}. Look closer with:  sfml status {where}")
        return
    failed = run.reason.task if isinstance(run.reason, TaskFailure) else None
    at = f" at {failed}" if failed else ""
    output.say(f"{run.pipeline} {outcome_text(run)}{at}{took}: {why}")
    output.say(f"The log:  sfml logs {where}" + (f" {failed}" if failed else ""))
