"""Follows the logs of a run: the lines that its tasks have written since the reading before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sfml.account.history import ENDED, Run, TaskRun
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.operations.part_runs import runs_and_parts
from sfml.operations.runs import LOOKS_AT_MOST, interval_of
from sfml.operations.target_account import TargetAccount


@record
class LogReading:
    """The run at a reading, and the new lines of its tasks: pairs of a task's name and a line."""

    run: Run
    lines: tuple[tuple[str, str], ...]


class SeenLines:
    """The number of lines that were taken of each query's log; a retried task is another query."""

    def __init__(self, tail: int | None = None) -> None:
        self._tail = tail
        self._taken: dict[str, int] = {}

    def new_lines(self, query: str, log: str, *, is_complete: bool) -> list[str]:
        """The lines of a log that were not taken yet. The last one is left, as it may go on, unless it is complete.

        Of the lines that are there at the first reading, the last `tail` are taken.
        """
        lines = log.split("\n")[:-1]
        if is_complete:
            lines = log.rstrip("\n").split("\n") if log.strip("\n") else []
        taken = self._taken.get(query)
        if taken is None:
            taken = 0 if self._tail is None else max(0, len(lines) - self._tail)
        self._taken[query] = max(taken, len(lines))
        return lines[taken:]


def followed_logs(
    desired: DesiredGraph,
    target: TargetAccount,
    run: Run,
    task: str | None = None,
    tail: int | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[LogReading]:
    """Yield the new lines at each reading until the run has ended; of one task, or of all.

    The log of a task that has ended is read once after its end, and once more at the end of the run: the event table
    of an account gets lines late.
    """
    seen, done = SeenLines(tail), set[str]()
    while True:
        looked = time.monotonic()
        lines: list[tuple[str, str]] = []
        for one in _with_log(run, task):
            query = str(one.row.query_id) if one.row else ""
            if query in done and not run.is_over:
                continue
            has_ended = one.state in ENDED
            log = target.history.log(one.row) if one.row else ""
            lines += [(one.name, line) for line in seen.new_lines(query, log, is_complete=has_ended)]
            if has_ended:
                done.add(query)
        yield LogReading(run, tuple(lines))
        if run.is_over:
            return
        sleep(max(interval_of(desired.target), (time.monotonic() - looked) * (1 / LOOKS_AT_MOST - 1)))
        runs = runs_and_parts(desired, target, with_skipped=False)
        run = next((one for one in runs if one.run_id == run.run_id), run)


def _with_log(run: Run, task: str | None) -> Iterator[TaskRun]:
    for one in run.tasks:
        if one.row is not None and one.row.query_id and (task is None or one.name == task):
            yield one
