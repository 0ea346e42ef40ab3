"""Follows the logs of a run: the lines that its tasks have written since the reading before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from sfml.account.history import ENDED, Run, TaskRun
from sfml.account.task_log import LogLine, own_lines
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.operations.part_runs import runs_and_parts
from sfml.operations.runs import LOOKS_AT_MOST, interval_of
from sfml.operations.target_account import TargetAccount
from sfml.operations.task_logs import LogChoice, is_job


@record
class FollowedLine:
    """A new line of a task; `instance` is that of the job, None if only one has written."""

    task: str
    text: str
    instance: int | None = None


@record
class LogReading:
    """The run at a reading, and the new lines of its tasks."""

    run: Run
    lines: tuple[FollowedLine, ...]


class SeenLines:
    """The number of lines that were taken of the log of each instance of a query; a retried task is another query."""

    def __init__(self, tail: int | None = None) -> None:
        self._tail = tail
        self._taken: dict[tuple[str, int], int] = {}

    def new_lines(self, query: str, lines: Sequence[LogLine], *, is_complete: bool) -> list[LogLine]:
        """The lines that were not taken yet. The last one of each instance is left, as it may go on, unless the log is
        complete.

        Of the lines that are there at the first reading, the last `tail` of each instance are taken.
        """
        counts: dict[int, int] = {}
        for line in lines:
            counts[line.instance] = counts.get(line.instance, 0) + 1
        ends = {one: count if is_complete else count - 1 for one, count in counts.items()}
        begins = {one: self._begin(query, one, end) for one, end in ends.items()}
        places = dict.fromkeys(counts, 0)
        new: list[LogLine] = []
        for line in lines:
            at = places[line.instance]
            places[line.instance] += 1
            if begins[line.instance] <= at < ends[line.instance]:
                new.append(line)
        for one, end in ends.items():
            self._taken[query, one] = max(end, begins[one])
        return new

    def _begin(self, query: str, instance: int, end: int) -> int:
        taken = self._taken.get((query, instance))
        if taken is not None:
            return taken
        return 0 if self._tail is None else max(0, end - self._tail)


def followed_logs(
    desired: DesiredGraph,
    target: TargetAccount,
    run: Run,
    choice: LogChoice,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[LogReading]:
    """Yield the new lines at each reading until the run has ended.

    The log of a task that has ended is read once after its end, and all logs once more a while after the end of the
    run, unless it was over from the beginning: lines come late.
    """
    seen, done, several = SeenLines(choice.tail), set[str](), set[str]()
    is_last = run.is_over
    while True:
        looked = time.monotonic()
        new: list[FollowedLine] = []
        for one in _with_log(run, choice.task):
            query = str(one.row.query_id) if one.row else ""
            if query in done and not run.is_over:
                continue
            is_over = one.state in ENDED
            every = target.history.log_lines(one.row) if one.row else ()
            if len({line.instance for line in every}) > 1:
                several.add(query)
            lines = _wanted(every, choice, is_job=is_job(desired, one.name), is_over=is_over)
            for line in seen.new_lines(query, lines, is_complete=is_over):
                new.append(FollowedLine(one.name, line.text, line.instance if query in several else None))
            if is_over:
                done.add(query)
        yield LogReading(run, tuple(new))
        if is_last:
            return
        is_last = run.is_over
        sleep(max(interval_of(desired.target), (time.monotonic() - looked) * (1 / LOOKS_AT_MOST - 1)))
        if is_last:
            continue
        runs = runs_and_parts(desired, target, with_skipped=False, with_values=run.backfill is not None)
        run = next((one for one in runs if one.run_id == run.run_id), run)


def _wanted(lines: Sequence[LogLine], choice: LogChoice, *, is_job: bool, is_over: bool) -> Sequence[LogLine]:
    own = lines if choice.every else own_lines(lines, is_job=is_job, is_over=is_over)
    shown = [line for line in own if choice.instance in (None, line.instance)]
    while is_over and shown and not shown[-1].text.strip():
        shown.pop()
    return shown


def _with_log(run: Run, task: str | None) -> Iterator[TaskRun]:
    for one in run.tasks:
        if one.row is not None and one.row.query_id and (task is None or one.name == task):
            yield one
