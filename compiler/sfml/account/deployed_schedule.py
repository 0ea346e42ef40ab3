"""The schedule that a deployed root has, which differs from that of the files until they are applied; pure."""

from __future__ import annotations

from sfml.account.history import DeployedRoot
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Schedule, StreamSchedule
from sfml.lower.desired import DesiredGraph
from sfml.semantics.condition_words import streams_in
from sfml.semantics.cron import parse_cron
from sfml.semantics.schedule import Interval, ScheduleError, parse_schedule


def deployed_schedule(desired: DesiredGraph, root: DeployedRoot | None) -> Schedule | None:
    """The schedule of the root in the account, in the words of the spec where it is the same.

    That of the spec where nothing is deployed, and where the account's text cannot be read.
    """
    ours = desired.root.schedule
    if root is None:
        return ours
    if not root.schedule:
        return _unscheduled(ours, root)
    try:
        theirs = parse_schedule(root.schedule)
        if isinstance(theirs, Interval):
            return IntervalSchedule(theirs.seconds)
        if isinstance(ours, CronSchedule):
            written = parse_cron(ours.cron, ours.timezone)
            if (theirs.expanded, theirs.timezone) == (written.expanded, written.timezone):
                return ours
    except ScheduleError:
        return ours
    return CronSchedule(theirs.expression, theirs.timezone)


def _unscheduled(ours: Schedule | None, root: DeployedRoot) -> Schedule | None:
    """The schedule of a root without a text of one: streams start it, or a person."""
    streams = streams_in(root.condition)
    if streams:
        return ours if isinstance(ours, StreamSchedule) else StreamSchedule(streams)
    return Manual()
