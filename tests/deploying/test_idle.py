"""Runs that execute while a graph is to be changed: waited for, or a reason to change nothing."""

from __future__ import annotations

import time

import pytest
from small import Small


@pytest.fixture
def running(small: Small) -> Small:
    """The small pipeline, deployed and executing for a while; its spec says something new."""
    small.edit("select 1", "call system$wait(4)")
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    small.edit("select 2", "select 22")
    small.local.sql(f"EXECUTE TASK {small.local.database}.SMALL.SMALL")
    deadline = time.monotonic() + 30
    while not executing(small):
        assert time.monotonic() < deadline, "the run does not begin"
        time.sleep(0.05)
    return small


def executing(small: Small) -> bool:
    rows = small.local.sql(
        f"SELECT STATE FROM TABLE({small.local.database}.INFORMATION_SCHEMA.CURRENT_TASK_GRAPHS())"
        " WHERE STATE = 'EXECUTING'"
    )
    return bool(rows)


def test_nothing_is_changed_under_a_run_when_that_is_asked_for_and_its_end_is_waited_for(
    running: Small,
) -> None:
    code, text = running.run("apply", "specs/small.yaml", "--auto-approve", "--fail-on-active-runs")
    assert code == 1 and "is executing; nothing was changed" in text, text
    code, text = running.run("apply", "specs/small.yaml", "--auto-approve", "--wait-for-idle=1s")
    assert code == 1 and "is still executing; nothing was changed" in text
    assert running.is_on() and running.bodies()["SMALL$SECOND"].endswith("select 2")
    code, text = running.run("apply", "specs/small.yaml", "--auto-approve", "--wait-for-idle=60s")
    assert code == 0 and "waiting for run " in text
    assert not executing(running) and running.bodies()["SMALL$SECOND"].endswith("22")


def test_both_at_once_make_no_sense(small: Small) -> None:
    code, text = small.run("apply", "specs/small.yaml", "--wait-for-idle", "--fail-on-active-runs")
    assert code == 2 and "exclude each other" in text
