"""Freshness: whether a run has succeeded soon enough after each scheduled time, by `expect: {within: …}`; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sfml.account.deployed_schedule import deployed_schedule
from sfml.account.history import DeployedRoot, TaskRow
from sfml.account.run_record import run_of
from sfml.base.record import record
from sfml.graph.model import CronSchedule, IntervalSchedule
from sfml.lower.desired import DesiredGraph
from sfml.semantics.cron import fires_between, parse_cron

REMEMBERED = timedelta(days=7)
"""The retention of TASK_HISTORY: https://docs.snowflake.com/en/sql-reference/functions/task_history"""

_SLACK = timedelta(minutes=1)
_MET = ("succeeded", "skipped")
"""The outcomes of runs with which a scheduled time is met; a run is skipped when its condition says so."""


@record
class Overdue:
    """A scheduled time for which a run should have succeeded by now; `within` is the time that it had, in seconds."""

    due: datetime
    within: int


def overdue(
    desired: DesiredGraph,
    root: DeployedRoot,
    rows: Iterable[TaskRow],
    now: datetime,
    mended: frozenset[str] = frozenset(),
) -> Overdue | None:
    """The last scheduled time that no run has met in time; None if it was met, or if that is not known.

    It is met by any run from that time on that succeeded, also one by hand, or that a part has recovered (`mended`). A
    scheduled time during which another run was executing does not count, because Snowflake skips it. The local
    Snowflake fires only while it runs, so there only the times count at which it began a run.
    """
    within = desired.within
    if within is None or not root.started:
        return None
    groups: dict[str, list[TaskRow]] = {}
    for row in rows:
        if row.state != "SCHEDULED" and row.run_group:
            groups.setdefault(row.run_group, []).append(row)
    runs = {name: _begin(group) for name, group in groups.items()}
    end = now - timedelta(seconds=within)
    times = (at for at in (*_begun(groups), *_expected(desired, root, groups, end)) if at <= end)
    due = max(times, default=None)
    if due is None:
        return None
    later = [name for name, began in runs.items() if began is not None and began >= due - _SLACK]
    if mended.intersection(later):
        return None
    every = [row for name in later for row in groups[name]]
    met = any((run := run_of(desired, every, name)) is not None and run.outcome in _MET for name in later)
    return None if met else Overdue(due, within)


def _begin(group: list[TaskRow]) -> datetime | None:
    return min((at for row in group if (at := row.scheduled_time or row.started_at)), default=None)


def _begun(groups: dict[str, list[TaskRow]]) -> Iterator[datetime]:
    """The scheduled times at which the schedule began a run."""
    for group in groups.values():
        at = _begin(group)
        if at is not None and any(row.scheduled_from == "SCHEDULE" for row in group):
            yield at


def _expected(
    desired: DesiredGraph, root: DeployedRoot, groups: dict[str, list[TaskRow]], end: datetime
) -> Iterator[datetime]:
    """The last scheduled time up to `end` by the schedule itself, since the root was resumed."""
    resumed = _resumed(root, groups)
    if desired.target.is_local or resumed is None:
        return
    since = max(resumed, end - REMEMBERED)
    match deployed_schedule(desired, root):
        case CronSchedule(expression, timezone):
            cron = parse_cron(expression, timezone)
            # Short spans first: a cron that fires every minute has 10,080 times in a week.
            for span in (timedelta(hours=1), timedelta(days=1), REMEMBERED):
                fires = fires_between(cron, max(since, end - span), end)
                if at := next((at for at in reversed(fires) if not _is_passed_over(at, groups)), None):
                    yield at
                    return
        case IntervalSchedule(seconds):
            at = max([*_begun(groups), since]) + timedelta(seconds=seconds)
            if not _is_passed_over(at, groups):
                yield at


def _resumed(root: DeployedRoot, groups: dict[str, list[TaskRow]]) -> datetime | None:
    """When the root was resumed, as far as Snowflake says: its version is fixed then, and by each run by hand.

    After a run by hand, it was at the last suspension or soon after it, or when the root was created.
    """
    committed = root.committed_on
    if committed is None:
        return None
    by_hand = (_begin(group) for group in groups.values() if group[0].scheduled_from != "SCHEDULE")
    if any(at is not None and abs(at - committed) <= _SLACK for at in by_hand):
        return max((at for at in (root.suspended_on, root.created_on) if at), default=committed)
    return committed


def _is_passed_over(at: datetime, groups: dict[str, list[TaskRow]]) -> bool:
    """Whether an earlier run was executing at this time."""
    for group in groups.values():
        began = _begin(group)
        ends = [row.completed_at for row in group]
        is_executing = any(end is None or end >= at for end in ends)
        if began is not None and began < at - _SLACK and is_executing:
            return True
    return False
