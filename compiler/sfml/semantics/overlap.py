"""Whether another run of a task graph may begin while runs of it go on: OVERLAP_POLICY."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

NO_OVERLAP, ALLOW_CHILD_OVERLAP, ALLOW_ALL_OVERLAP = POLICIES = (
    "NO_OVERLAP",
    "ALLOW_CHILD_OVERLAP",
    "ALLOW_ALL_OVERLAP",
)


class RunStage(Enum):
    """How far a run that goes on has come."""

    ROOT = "its root task has not ended"
    CHILDREN = "its root task has ended well, others run or wait"


def may_begin(policy: str | None, going_on: Collection[RunStage]) -> bool:
    """Whether one more run may begin beside those that go on; unset is NO_OVERLAP.

    https://docs.snowflake.com/en/sql-reference/sql/create-task (OVERLAP_POLICY): under ALLOW_CHILD_OVERLAP a
    run begins while children of another run, but never its root.

    >>> may_begin("ALLOW_CHILD_OVERLAP", [Stage.CHILDREN])
    True
    """
    if policy == ALLOW_ALL_OVERLAP:
        return True
    if policy == ALLOW_CHILD_OVERLAP:
        return RunStage.ROOT not in going_on
    return not going_on
