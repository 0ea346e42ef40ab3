"""Reads the runs of the values of backfills, also of lanes that do not exist any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sfml.account.freshness import REMEMBERED
from sfml.account.history import Run
from sfml.account.value_runs import begun, span_of, value_run
from sfml.base.quoting import raw
from sfml.lower.desired import DesiredGraph
from sfml.operations.target_account import TargetAccount
from sfml.plan.backfill_state import backfill_path, has_backfill, state_from
from sfml.plan.lane import LANE_MARK
from sfml.plan.stage_content import StageContent

KEPT = timedelta(days=30)
"""How long the values of backfills are shown as runs."""

_WITHIN = REMEMBERED - timedelta(minutes=5)
"""How far back the rows of tasks are read; the account's clock may differ from this machine's."""


def value_runs(desired: DesiredGraph, target: TargetAccount, staged: StageContent | None) -> tuple[Run, ...]:
    """The runs of values that backfills began in the last thirty days; the tasks of those of the last seven.

    Costs no call if there has been no backfill, and one or two otherwise.
    """
    if not has_backfill(staged):
        return ()
    now = datetime.now(UTC)
    state = state_from(target.stage.content(backfill_path(desired.pipeline)))
    values = begun(state.values.values(), now - KEPT)
    span = span_of(begun(values, now - _WITHIN))
    rows = (
        target.history.rows_starting(
            f"{raw(desired.root.name)}{LANE_MARK}", max(span.begin, now - _WITHIN), span.end
        )
        if span is not None
        else ()
    )
    runs = (value_run(desired, value, rows) for value in values)
    return tuple(run for run in runs if run is not None)
