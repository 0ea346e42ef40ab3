"""When the newest rows of an account are enough to judge one graph."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from test_run_history import GRAPH, NOON, row

from sfml.account.history import DeployedRoot, TaskRow
from sfml.account.run_window import RunWindow
from sfml.graph.model import CronSchedule
from sfml.lower.desired import DesiredGraph

ROOT = DeployedRoot("P", "id", started=True, schedule=None, comment=None)
DAILY = replace(GRAPH, root=replace(GRAPH.root, schedule=CronSchedule("0 0 * * *", "UTC")))
BY_HAND = row("P", "SUCCEEDED")
SCHEDULED = replace(BY_HAND, scheduled_from="SCHEDULE")
COMING = replace(SCHEDULED, state="SCHEDULED", run_group="next")
BEFORE, AFTER = NOON - timedelta(hours=1), NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("desired", "rows", "since", "is_enough"),
    [
        (DAILY, (), None, True),
        (DAILY, (), BEFORE, False),
        (DAILY, (COMING,), BEFORE, False),
        (DAILY, (SCHEDULED,), BEFORE, True),
        (DAILY, (COMING, SCHEDULED), BEFORE, True),
        (DAILY, (SCHEDULED,), AFTER, False),
        (DAILY, (row("P$ONE", "SUCCEEDED"),), BEFORE, False),
        (DAILY, (replace(SCHEDULED, state="SKIPPED"),), BEFORE, False),
        (DAILY, (BY_HAND,), BEFORE, False),
        (GRAPH, (BY_HAND,), BEFORE, True),
        (replace(DAILY, within=3600), (SCHEDULED,), BEFORE, False),
        (replace(DAILY, within=3600), (SCHEDULED,), None, True),
    ],
)
def test_a_run_that_was_begun_within_the_window_is_enough(
    desired: DesiredGraph, rows: tuple[TaskRow, ...], since: object, is_enough: bool
) -> None:
    window = RunWindow({"id": rows, "other": (SCHEDULED,)}, {}, since)  # type: ignore[arg-type]
    assert window.holds(desired, ROOT) is is_enough
