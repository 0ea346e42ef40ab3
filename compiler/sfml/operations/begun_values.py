"""Values of a backfill that were begun, while no command works on them: how their runs are really doing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sfml.account.history import Run
from sfml.account.part_graphs import PartGraph, lane_graphs
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import folded_name
from sfml.operations.part_runs import shape_of
from sfml.operations.runs import AwaitedRun, read_run
from sfml.operations.target_account import TargetAccount
from sfml.plan.backfill_state import FilledValue
from sfml.render.reason import reason_text


def looked_up(
    desired: DesiredGraph, target: TargetAccount, values: Sequence[FilledValue]
) -> tuple[FilledValue, ...]:
    """The values, each that is written as running with the state that the history tells; nothing is written.

    A value that no run has is pending: the command was cut off before it began the run, or its lane is gone.
    """
    if not any(value.state == "running" for value in values):
        return tuple(values)
    lanes = {
        lane.root: lane for lane in lane_graphs(target.history.deployed(desired.root.name), desired.root.name)
    }
    return tuple(
        _looked_up(desired, target, value, lanes.get(value.lane or "")) if value.state == "running" else value
        for value in values
    )


def _looked_up(
    desired: DesiredGraph, target: TargetAccount, value: FilledValue, lane: PartGraph | None
) -> FilledValue:
    root = target.history.root(folded_name(lane.root)) if lane is not None and lane.has_root else None
    if lane is None or root is None:
        return replace(value, state="pending")
    since = since_of(value)
    rows = target.history.rows(root, since)
    group = next((row.run_group for row in rows if (value.nonce or "-") in (row.config or "")), None)
    if not group:
        return replace(value, state="pending")
    shape = shape_of(desired, lane)
    retries = shape.root.task_auto_retry_attempts or 0
    run, is_over = read_run(shape, target.history, AwaitedRun(root, group, since, retries))
    if run is None or not is_over:
        return replace(value, run_id=group)
    return ended_value(value, run)


def since_of(value: FilledValue) -> datetime:
    """The time from which the history is read for the run of a value."""
    assert value.started_at is not None, "it was begun"
    return datetime.fromisoformat(value.started_at) - timedelta(minutes=1)


def ended_value(value: FilledValue, run: Run) -> FilledValue:
    """The value with how its run ended."""
    states = {"SUCCEEDED": "succeeded", "CANCELLED": "cancelled"}
    outcome = states.get(run.state, "failed") if run.outcome != "nothing_ran" else "failed"
    return replace(
        value,
        state=outcome,  # type: ignore[arg-type]  # one of the words above
        run_id=run.run_id,
        started_at=value.started_at if run.started_at is None else run.started_at.isoformat(),
        completed_at=None if run.completed_at is None else run.completed_at.isoformat(),
        error=None if run.reason is None else reason_text(run.reason),
    )
