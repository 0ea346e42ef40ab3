"""The reason why a run ended, as a line and as JSON; and its attempts, outcome and symbol as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from sfml.account.history import Run
from sfml.account.run_reason import (
    Cancellation,
    EverySkipped,
    GraphTimeout,
    NothingRan,
    Reason,
    Recorded,
    RootSkipped,
    TaskFailure,
    Unexplained,
)
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.units import duration, plural
from sfml.semantics.error_line import error_line

NAMES_SHOWN = 3


def names_text(names: Sequence[str], shown: int = NAMES_SHOWN) -> str:
    """`a`, `a and b`, `a, b, c and 4 more`."""
    if len(names) > shown:
        return f"{', '.join(names[:shown])} and {len(names) - shown} more"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def is_are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def reason_text(reason: Reason) -> str:
    """The reason in one line, with the message of the user's own exception if there is one."""
    return printable(_reason_text(reason))


def _reason_text(reason: Reason) -> str:
    match reason:
        case TaskFailure(task, error, timed_out):
            return (
                f"{task or 'the root'}: {'timed out: ' if timed_out else ''}{error_line(error) or 'failed'}"
            )
        case GraphTimeout(limit_ms, names):
            text = f"the graph's timeout of {duration(limit_ms)} was over"
            return f"{text} before {names_text(names)} ended" if names else text
        case Cancellation(names):
            return f"cancelled while {names_text(names)} ran" if names else "cancelled"
        case RootSkipped():
            return "skipped: the condition of its root was false, so nothing ran"
        case EverySkipped():
            return "skipped: the conditions of all its tasks were false"
        case NothingRan(names):
            why = f"{names_text(names)} {is_are(names)} suspended" if names else "no task of the graph began"
            return f"nothing ran: {why}"
        case Unexplained():
            return "failed; neither the graph's own record nor a task says why"
        case Recorded(line):
            return line
        case _:
            assert_never(reason)


def reason_json(reason: Reason | None) -> Mapping[str, Any] | None:
    """`{kind, task, tasks, timed_out, line}`; null for a run that succeeded or has not ended."""
    if reason is None:
        return None
    task: str | None = None
    tasks: tuple[str, ...] = ()
    match reason:
        case TaskFailure(task=task):
            kind = "task_failed" if task else "root_failed"
        case GraphTimeout(never_begun=tasks):
            kind = "graph_timeout"
        case Cancellation(tasks):
            kind = "cancelled"
        case RootSkipped():
            kind = "root_skipped"
        case EverySkipped():
            kind = "all_skipped"
        case NothingRan(tasks):
            kind = "nothing_ran"
        case Unexplained() | Recorded():
            kind = "unknown"
        case _:
            assert_never(reason)
    late = isinstance(reason, GraphTimeout) or (isinstance(reason, TaskFailure) and reason.timed_out)
    return {
        "kind": kind,
        "task": task,
        "tasks": list(tasks),
        "timed_out": late,
        "line": reason_text(reason),
    }


def outcome_text(run: Run) -> str:
    """`failed`, `timed out`, `nothing ran`."""
    return run.outcome.replace("_", " ")


def run_symbol(run: Run, symbols: Symbols) -> str:
    """The symbol of a run. A run without a single task run counts as failed, although Snowflake may report success."""
    match run.outcome:
        case "nothing_ran":
            return symbols["FAILED"]
        case "skipped":
            return symbols["SKIPPED"]
        case _:
            return symbols.state(run.state)


def attempt_text(run: Run) -> str:
    """`attempt 3 (2 automatic retries)`, `attempt 2 (retried by hand)`; empty for a first attempt."""
    if run.attempt < 2:
        return ""
    automatic = sum(attempt.is_automatic for attempt in run.attempts)
    by_hand = any(attempt.scheduled_from == "MANUAL RETRY" for attempt in run.attempts)
    parts = (
        (plural(automatic, "automatic retry").replace("retrys", "retries") if automatic else ""),
        "retried by hand" if by_hand else "",
    )
    how = ", ".join(part for part in parts if part)
    return f"attempt {run.attempt}" + (f" ({how})" if how else "")
