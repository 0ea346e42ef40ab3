"""ALERT_HISTORY, and the functions of SNOWFLAKE.ALERT that are called within an alert."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfml.semantics.redaction import redacted
from sfml_local.core.account import SystemFunction, TableFunction
from sfml_local.core.arguments import Args, time_of
from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.argument_counts import wrong_count
from sfml_local.core.result import Result, columns, table
from sfml_local.services.alerts import alerts, store
from sfml_local.services.alerts.model import AlertRun
from sfml_local.services.alerts.running import AlertContext
from sfml_local.services.tasks.execution import scheduler_of
from sfml_local.services.tasks.history import KEPT, demand_recent, result_limit
from sfml_local.services.tasks.scheduler import HORIZON

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

HISTORY_COLUMNS = columns(
    "NAME DATABASE_NAME SCHEMA_NAME CONDITION CONDITION_QUERY_ID ACTION ACTION_QUERY_ID STATE SQL_ERROR_CODE:fixed"
    " SQL_ERROR_MESSAGE SCHEDULED_TIME:timestamp_ltz COMPLETED_TIME:timestamp_ltz"
)


def alert_history(account: Account, session: Session, arguments: Args) -> Result:
    """https://docs.snowflake.com/en/sql-reference/functions/alert_history"""
    names = "SCHEDULED_TIME_RANGE_START SCHEDULED_TIME_RANGE_END RESULT_LIMIT ALERT_NAME"
    given = arguments.by_name("ALERT_HISTORY", names)
    now = account.clock()
    start = time_of(given.get("SCHEDULED_TIME_RANGE_START")) or now - KEPT
    end = time_of(given.get("SCHEDULED_TIME_RANGE_END"))
    demand_recent("ALERT_HISTORY", now, start, end)
    name = given.get("ALERT_NAME")
    found = [
        run
        for run in _runs(account)
        if start <= run.scheduled_time
        and (end is None or run.scheduled_time <= end)
        and (name is None or run.name.name.upper() == str(name).upper())
    ]
    return table(HISTORY_COLUMNS, map(_values, found[: result_limit(given.get("RESULT_LIMIT"), 100)]))


def _runs(account: Account) -> list[AlertRun]:
    """The scheduled runs and those that were, the latest first."""
    scheduled = alerts.upcoming(account, HORIZON) if scheduler_of(account).is_on else []
    every = (*scheduled, *store.runs(account.store))
    return sorted(every, key=lambda run: run.scheduled_time, reverse=True)


def _values(run: AlertRun) -> tuple[Any, ...]:
    return (
        *(run.name.name, run.name.database, run.name.schema, redacted(run.condition), run.condition_query_id),
        *(redacted(run.action), run.action_query_id, str(run.state), run.error_code, run.error_message),
        *(run.scheduled_time, run.completed_time),
    )


# -- within an alert


def _within(name: str, value: Callable[[Account, AlertRun], Any]) -> SystemFunction:
    """The function for sessions of an alert's run; a refusal for others."""

    def call(account: Account, session: Session, arguments: tuple[Any, ...]) -> Any:
        if arguments:
            raise wrong_count(f"{name}()", 0, len(arguments))
        run = session.part(AlertContext).run
        if run is None:
            raise SqlError(f"Function {name} must be called from within an alert.", 91450, "42601")
        return value(account, run)

    return call


EPOCH = datetime.fromtimestamp(0, UTC)
"""https://docs.snowflake.com/en/sql-reference/functions/last_successful_scheduled_time"""


def _last_successful(account: Account, run: AlertRun) -> datetime:
    return store.last_successful(account.store, run.alert_id) or EPOCH


_FUNCTIONS: Mapping[str, Callable[[Account, AlertRun], Any]] = {
    "SCHEDULED_TIME": lambda account, run: run.scheduled_time,
    "LAST_SUCCESSFUL_SCHEDULED_TIME": _last_successful,
    "GET_CONDITION_QUERY_UUID": lambda account, run: run.condition_query_id,
}
SYSTEM_FUNCTIONS: Mapping[str, SystemFunction] = {
    f"SNOWFLAKE.ALERT.{name}": _within(name, value) for name, value in _FUNCTIONS.items()
}
TABLE_FUNCTIONS: Mapping[str, TableFunction] = {"ALERT_HISTORY": alert_history}
