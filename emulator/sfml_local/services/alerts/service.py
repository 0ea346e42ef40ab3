"""Alerts on schedules, which the scheduler of tasks fires."""

from __future__ import annotations

from sfml_local.core.account import Account
from sfml_local.core.kinds import described, of_schemas
from sfml_local.core.service import Service
from sfml_local.services.alerts import functions, rest, sql, store
from sfml_local.services.alerts.alerts import Alerts
from sfml_local.services.tasks.execution import scheduler_of


class AlertService(Service):
    """Alerts, their runs and their history."""

    def __init__(self, account: Account) -> None:
        super().__init__(
            account,
            kinds={"ALERT": described(of_schemas("alerts"), "Alert", sql.ddl, store.names)},
            schema=store.SCHEMA,
            handlers=sql.HANDLERS,
            read_only=sql.READ_ONLY,
            system_functions=functions.SYSTEM_FUNCTIONS,
            table_functions=functions.TABLE_FUNCTIONS,
            operations=rest.OPERATIONS,
            schema_dropped=(store.schema_dropped,),
            start=(_start,),
            stop=(_stop,),
        )


def _start(account: Account) -> None:
    account.part(Alerts).recover()
    scheduler_of(account).others.append(account.part(Alerts))
    account.attention.set()


def _stop(account: Account) -> None:
    account.part(Alerts).stop()
