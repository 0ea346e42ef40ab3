"""What is kept of old deployments: the last few, and whatever a run could still be retried with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfml.plan.collecting import outdated
from sfml.plan.journal import deployment_name
from sfml.plan.staged import Staged, state_path

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def staged(*days: float) -> Staged:
    """A stage whose deployments were written so many days ago, the first first."""
    written = {
        state_path("x", deployment_name(number)): NOW - timedelta(days=ago)
        for number, ago in enumerate(days, start=1)
    }
    return Staged("x", frozenset(written), written)


@pytest.mark.parametrize(
    ("days", "keep", "gone"),
    [
        ((), 10, ()),
        ((400,), 1, ()),
        ((400, 300), 1, (1,)),
        ((400, 300, 200), 3, (1,)),
        ((400, 300, 200), 2, (1, 2)),
        ((400, 14.9, 1), 1, ()),
        ((400, 15.1, 1), 1, (1,)),
        ((400, 399, 16, 14), 1, (1, 2)),
    ],
)
def test_only_what_was_replaced_long_ago_goes(
    days: tuple[float, ...], keep: int, gone: tuple[int, ...]
) -> None:
    assert outdated(staged(*days), keep, NOW) == gone
