"""Whether a run of a task graph may begin while other runs of it go on: OVERLAP_POLICY."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

NO_OVERLAP, ALLOW_CHILD_OVERLAP, ALLOW_ALL_OVERLAP = POLICIES = (
    "NO_OVERLAP",
    "ALLOW_CHILD_OVERLAP",
    "ALLOW_ALL_OVERLAP",
)


class RunStage(Enum):
    """Which tasks of an unfinished run have not ended."""

    ROOT = "its root task has not ended"
    CHILDREN = "its root task has succeeded, others run or wait"


def may_begin(policy: str | None, going_on: Collection[RunStage]) -> bool:
    """Whether another run may begin while the runs `going_on` are unfinished; a policy of None is NO_OVERLAP.

    https://docs.snowflake.com/en/sql-reference/sql/create-task (OVERLAP_POLICY): under ALLOW_CHILD_OVERLAP a run may
    begin while child tasks of another run are executing, but not while its root task is.

    >>> may_begin("ALLOW_CHILD_OVERLAP", [RunStage.CHILDREN])
    True
    """
    if policy == ALLOW_ALL_OVERLAP:
        return True
    if policy == ALLOW_CHILD_OVERLAP:
        return RunStage.ROOT not in going_on
    return not going_on
