"""The newest runs of many graphs, read together; whether they are all that there is to know of one graph; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sfml.account.history import DeployedRoot, GraphRow, TaskRow
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.plan.diff import is_scheduled


@record
class RunWindow:
    """Rows and records of graph runs by the id of their root, newest first.

    `records` is None if there are more than could be read. `since` is the time from which on all rows are there; None
    if they are all that Snowflake keeps.
    """

    rows: Mapping[str, tuple[TaskRow, ...]]
    records: Mapping[str, tuple[GraphRow, ...]] | None
    since: datetime | None = None

    def holds(self, desired: DesiredGraph, root: DeployedRoot) -> bool:
        """Whether the rows are enough to judge this graph: its last run, and whether one is late.

        A run is complete if its root was scheduled within the window. Whether scheduled times were met needs the runs
        of all seven days.
        """
        if self.since is None:
            return True
        if desired.within is not None:
            return False
        begun: dict[str, list[TaskRow]] = {}
        for row in self.rows.get(root.id, ()):
            if row.state != "SCHEDULED" and row.run_group:
                begun.setdefault(row.run_group, []).append(row)
        for rows in begun.values():
            tops = [row for row in rows if row.name == root.name and row.state != "SKIPPED"]
            if any(row.scheduled_time is not None and row.scheduled_time > self.since for row in tops):
                return not is_scheduled(desired) or any(row.scheduled_from == "SCHEDULE" for row in tops)
        return False
