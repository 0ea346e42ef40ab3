"""An alert, and one run of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sfml.semantics.schedule import Schedule, next_fire, parse_schedule
from sfml_local.core.names import ObjectName


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert on a schedule; without a warehouse it is serverless. Texts are stored as written.

    `scheduled_since` is the moment of RESUME or SET SCHEDULE, an interval's base; `next_time` is its next time, None
    while it is suspended.
    """

    id: str
    name: ObjectName
    owner: str
    created_on: datetime
    condition: str
    action: str
    schedule: str
    warehouse: str | None = None
    comment: str | None = None
    started: bool = False
    scheduled_since: datetime | None = None
    next_time: datetime | None = None

    @property
    def state(self) -> str:
        return "started" if self.started else "suspended"

    @property
    def parsed_schedule(self) -> Schedule:
        return parse_schedule(self.schedule)

    def time_after(self, moment: datetime) -> datetime | None:
        """The first time of its schedule after that moment; None while it is suspended."""
        if not self.started:
            return None
        return next_fire(self.parsed_schedule, moment, self.scheduled_since or moment)


class State(StrEnum):
    """The states of a run. https://docs.snowflake.com/en/sql-reference/functions/alert_history"""

    SCHEDULED = "SCHEDULED"
    EXECUTING = "EXECUTING"
    TRIGGERED = "TRIGGERED"
    CONDITION_FALSE = "CONDITION_FALSE"
    CONDITION_FAILED = "CONDITION_FAILED"
    ACTION_FAILED = "ACTION_FAILED"
    FAILED = "FAILED"


SUCCESSFUL = (State.TRIGGERED, State.CONDITION_FALSE)
"""https://docs.snowflake.com/en/sql-reference/functions/last_successful_scheduled_time"""


@dataclass(frozen=True, slots=True)
class AlertRun:
    """One run of an alert, with the texts that it has run."""

    id: str
    alert_id: str
    name: ObjectName
    condition: str
    action: str
    scheduled_time: datetime
    state: State = State.SCHEDULED
    condition_query_id: str | None = None
    action_query_id: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    completed_time: datetime | None = None
