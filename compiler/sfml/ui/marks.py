"""States as marks of a page: a class for the colour, a sign, and words."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.account.history import Run, TaskRun
from sfml.account.part_runs import NOT_IN_PART
from sfml.base.record import record
from sfml.render.reason import outcome_text, run_symbol
from sfml.render.symbols import Symbols

SYMBOLS = Symbols(True)


@record
class Mark:
    """`name` is the class of its colours: a state of Snowflake, `never` or `unknown`."""

    name: str
    sign: str
    words: str


NEVER_RAN = Mark("never", SYMBOLS["never"], "never ran")
UNKNOWN = Mark("unknown", SYMBOLS["unknown"], "not known")

_CLASSES: Mapping[str, str] = {
    "succeeded": "SUCCEEDED",
    "running": "EXECUTING",
    "skipped": "SKIPPED",
    "cancelled": "CANCELLED",
}
_WORDS: Mapping[str, str] = {
    "EXECUTING": "running",
    "SCHEDULED": "waiting",
    "FAILED_AND_AUTO_SUSPENDED": "failed",
}


def run_mark(run: Run | None) -> Mark:
    """How a run ended, or that it goes on."""
    if run is None:
        return NEVER_RAN
    return Mark(_CLASSES.get(run.outcome, "FAILED"), run_symbol(run, SYMBOLS), outcome_text(run))


def task_mark(task: TaskRun, run: Run) -> Mark:
    """The state of a task in a run; a task that has not begun waits as long as the run goes on."""
    if task.reused_from is not None:
        return Mark("SUCCEEDED", SYMBOLS["unchanged"], "reused")
    if task.state is None:
        if run.is_over:
            return Mark(
                "never", SYMBOLS["never"], "not in this part" if task.because == NOT_IN_PART else "never ran"
            )
        return Mark("SCHEDULED", SYMBOLS["SCHEDULED"], "waiting")
    name = "FAILED" if task.state.startswith("FAILED") else task.state
    return Mark(name, SYMBOLS.state(task.state), _WORDS.get(task.state, task.state.lower()))
