"""The schedule that an account has, whatever the files say by now."""

from __future__ import annotations

import pytest
from lowered_graph import lowered

from sfml.account.deployed_schedule import deployed_schedule
from sfml.account.history import DeployedRoot
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    Manual,
    Schedule,
    StreamSchedule,
)

DAILY = CronSchedule("0 12 * * MON", "UTC")
HAS_DATA = "SYSTEM$STREAM_HAS_DATA('DB.P.S')"


@pytest.mark.parametrize(
    ("ours", "text", "condition", "theirs"),
    [
        (DAILY, "USING CRON 0 12 * * mon UTC", None, DAILY),
        (DAILY, "USING CRON 0 6 * * * Europe/Berlin", None, CronSchedule("0 6 * * *", "Europe/Berlin")),
        (DAILY, "90 MINUTES", None, IntervalSchedule(5400)),
        (DAILY, None, None, Manual()),
        (DAILY, None, HAS_DATA, StreamSchedule(("DB.P.S",))),
        (DAILY, "something new", None, DAILY),
        (Manual(), "1 HOUR", None, IntervalSchedule(3600)),
        (Manual(), "", None, Manual()),
        (IntervalSchedule(60), "1 MINUTE", HAS_DATA, IntervalSchedule(60)),
        (StreamSchedule(("s",)), None, HAS_DATA, StreamSchedule(("s",))),
        (StreamSchedule(("s",)), "1 HOUR", HAS_DATA, IntervalSchedule(3600)),
    ],
)
def test_it_is_read_from_the_root(
    ours: Schedule, text: str | None, condition: str | None, theirs: Schedule
) -> None:
    root = DeployedRoot("P", "id", started=True, schedule=text, comment=None, condition=condition)
    assert deployed_schedule(lowered(GraphSettings(schedule=ours)), root) == theirs


def test_without_a_root_it_is_that_of_the_spec() -> None:
    assert deployed_schedule(lowered(GraphSettings(schedule=DAILY)), None) == DAILY
