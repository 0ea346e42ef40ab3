"""Operations on alerts, called by statements and by the REST API."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml.semantics.interval import ScheduleError
from sfml.semantics.schedule import parse_schedule
from sfml_local.core.errors import SqlError, already_exists, does_not_exist, not_emulated
from sfml_local.core.names import ObjectName
from sfml_local.services.alerts import store
from sfml_local.services.alerts.model import Alert
from sfml_local.services.compute.store import demand_warehouse
from sfml_local.services.tags.store import Values
from sfml_local.services.tags.tagging import assign
from sfml_local.services.tasks.rules import refused

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def fetch(account: Account, name: ObjectName) -> Alert:
    """The alert; raises 002003."""
    alert = store.find(account.store, name)
    if alert is None:
        raise does_not_exist("Alert", name.fqn())
    return alert


def new_alert(
    account: Account,
    session: Session,
    name: ObjectName,
    properties: Mapping[str, Any],
    condition: str,
    action: str,
) -> Alert:
    """A suspended alert with these properties, not stored yet; refuses wrong ones."""
    if properties.get("SCHEDULE") is None:
        raise not_emulated("CREATE ALERT without SCHEDULE", "alerts on new data")
    _check(account, properties)
    return Alert(
        id=str(uuid.uuid4()),
        name=name,
        owner=session.role,
        created_on=account.clock(),
        condition=condition,
        action=action,
        schedule=properties["SCHEDULE"],
        warehouse=properties.get("WAREHOUSE"),
        comment=properties.get("COMMENT"),
    )


def _check(account: Account, properties: Mapping[str, Any]) -> None:
    demand_warehouse(account, properties.get("WAREHOUSE"))
    try:
        if (schedule := properties.get("SCHEDULE")) is not None:
            parse_schedule(schedule)
    except ScheduleError as cause:
        raise refused(str(cause)) from cause


def keep(account: Account, alert: Alert, tags: Values | None = None, *, replace_it: bool = False) -> None:
    """Store a new alert with its tags. Raises 002002 if there is one with its name that must not be replaced."""
    with account.store.transaction():
        old = store.find(account.store, alert.name)
        if old is not None and not replace_it:
            raise already_exists(alert.name.fqn())
        if old is not None:
            _remove(account, old)
        store.save(account.store, alert)
        assign(account, "ALERT", alert.name.fqn(), tags or {})


def clone(account: Account, session: Session, source: ObjectName, name: ObjectName) -> Alert:
    """A suspended alert with the properties of another one, not stored yet."""
    copied = replace(fetch(account, source), id=str(uuid.uuid4()), name=name, owner=session.role)
    return replace(copied, created_on=account.clock(), started=False, scheduled_since=None, next_time=None)


def change(account: Account, name: ObjectName, new: Callable[[Alert], Alert]) -> None:
    """Change an alert; a new schedule counts from now."""
    with account.store.transaction():
        alert = fetch(account, name)
        changed = new(alert)
        if changed.schedule != alert.schedule:
            changed = _rescheduled(account, changed)
        store.save(account.store, changed)
        account.store.after_commit(account.attention.set)


def set_properties(account: Account, alert: Alert, properties: Mapping[str, Any]) -> Alert:
    _check(account, properties)
    return replace(alert, **{key.lower(): value for key, value in properties.items()})


def unset_properties(alert: Alert, names: tuple[str, ...]) -> Alert:
    """An alert on a schedule cannot become one on new data. https://docs.snowflake.com/en/user-guide/alerts"""
    if "SCHEDULE" in names:
        raise refused("Cannot unset the schedule of an alert on a schedule.")
    unset: dict[str, Any] = dict.fromkeys((name.lower() for name in names), None)
    return replace(alert, **unset)


def resume(account: Account, alert: Alert) -> Alert:
    return alert if alert.started else _rescheduled(account, replace(alert, started=True))


def suspend(alert: Alert) -> Alert:
    """A run that executes goes on."""
    return replace(alert, started=False, next_time=None)


def _rescheduled(account: Account, alert: Alert) -> Alert:
    now = account.clock()
    since = replace(alert, scheduled_since=now)
    return replace(since, next_time=since.time_after(now))


def drop(account: Account, name: ObjectName) -> None:
    """DROP ALERT; a run that executes goes on."""
    with account.store.transaction():
        _remove(account, fetch(account, name))


def _remove(account: Account, alert: Alert) -> None:
    store.delete(account.store, alert)
    account.object_dropped("ALERT", alert.name.fqn())


_PROPERTIES = ("WAREHOUSE", "SCHEDULE", "COMMENT")


def demand_properties(names: tuple[str, ...]) -> None:
    """Refuse names that are no properties of an alert."""
    for name in names:
        if name not in _PROPERTIES:
            raise SqlError(f"SQL compilation error:\ninvalid property '{name}' for 'ALERT'", 1420, "42601")
