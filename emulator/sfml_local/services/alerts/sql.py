"""The statements about alerts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfml_local.core.kinds import ddl_name
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of, demand_schema
from sfml_local.core.result import DESCRIBE, SHOW, Column, Result, columns, status, table
from sfml_local.grammar import alerts as grammar
from sfml_local.grammar.quoting import ddl_literal, literal, quoted_if_needed
from sfml_local.grammar.task_settings import Clauses
from sfml_local.services.alerts import commands, store
from sfml_local.services.alerts.alerts import Alerts
from sfml_local.services.alerts.model import Alert
from sfml_local.services.databases.sql import missing
from sfml_local.services.tags.tagging import one_value_each
from sfml_local.services.tasks import parameters
from sfml_local.services.tasks.execution import scheduler_of
from sfml_local.services.tasks.properties import repeated
from sfml_local.services.tasks.sql import NOT_KEPT

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session


# -- CREATE, ALTER, DROP, EXECUTE


def create(account: Account, session: Session, statement: grammar.CreateAlert) -> Result:
    name = resolve(statement.name, session)
    properties = _properties(statement.clauses)
    if (told := _already_there(account, name, statement)) is not None:
        return told
    alert = commands.new_alert(account, session, name, properties, statement.condition, statement.action)
    tags = one_value_each((resolve(tag, session), value) for tag, value in statement.clauses.tags)
    commands.keep(account, alert, tags, replace_it=statement.or_replace)
    return _created(name)


def clone(account: Account, session: Session, statement: grammar.CloneAlert) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/create-clone"""
    name = resolve(statement.name, session)
    if (told := _already_there(account, name, statement)) is not None:
        return told
    alert = commands.clone(account, session, resolve(statement.source, session), name)
    commands.keep(account, alert, replace_it=statement.or_replace)
    return _created(name)


def _created(name: ObjectName) -> Result:
    return status(f"Alert {name.name} successfully created.")


def _already_there(
    account: Account, name: ObjectName, statement: grammar.CreateAlert | grammar.CloneAlert
) -> Result | None:
    """The answer of IF NOT EXISTS where the alert is there."""
    demand_schema(account, name)
    if not statement.if_not_exists or store.find(account.store, name) is None:
        return None
    return status(f"{name.name} already exists, statement succeeded.")


def _properties(clauses: Clauses) -> dict[str, Any]:
    if clauses.repeated is not None:
        raise repeated(clauses.repeated)
    commands.demand_properties(tuple(key for key, _ in clauses.settings))
    return {key: parameters.as_text(key, value) for key, value in clauses.settings}


def alter(account: Account, session: Session, statement: grammar.AlterAlert) -> Result:
    name = resolve(statement.name, session)
    changed = _changed(account, statement.change)
    if statement.if_exists and store.find(account.store, name) is None:
        return status()
    commands.change(account, name, changed)
    is_kept = scheduler_of(account).is_on or not isinstance(statement.change, grammar.Resume)
    return status() if is_kept else status(f"Statement executed successfully. ({NOT_KEPT})")


def _changed(account: Account, change: grammar.Change) -> Callable[[Alert], Alert]:
    match change:
        case grammar.Resume():
            return lambda old: commands.resume(account, old)
        case grammar.Suspend():
            return commands.suspend
        case grammar.SetProperties(clauses):
            properties = _properties(clauses)
            return lambda old: commands.set_properties(account, old, properties)
        case grammar.UnsetProperties(names):
            commands.demand_properties(names)
            return lambda old: commands.unset_properties(old, names)
        case grammar.ModifyCondition(condition):
            return lambda old: replace(old, condition=condition)
        case grammar.ModifyAction(action):
            return lambda old: replace(old, action=action)


def drop(account: Account, session: Session, statement: grammar.DropAlert) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    if store.find(account.store, name) is None:
        return missing("Alert", name.fqn(), statement.if_exists)
    commands.drop(account, name)
    return status(f"{name.name} successfully dropped.")


def execute(account: Account, session: Session, statement: grammar.ExecuteAlert) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/execute-alert"""
    name = resolve(statement.name, session)
    account.part(Alerts).execute(commands.fetch(account, name))
    return status(f"Alert {name.name} is scheduled to run immediately.")


# -- SHOW, DESCRIBE, GET_DDL

COLUMNS = columns(
    "created_on:timestamp_ltz name database_name schema_name owner comment warehouse schedule state condition action"
    " owner_role_type"
)
_TERSE = columns("created_on:timestamp_ltz name kind database_name schema_name schedule state")


def _values(alert: Alert) -> dict[str, Any]:
    return {
        "created_on": alert.created_on,
        "name": alert.name.name,
        "kind": "ALERT",
        "database_name": alert.name.database,
        "schema_name": alert.name.schema,
        "owner": alert.owner,
        "comment": alert.comment or "",
        "warehouse": alert.warehouse,
        "schedule": alert.schedule,
        "state": alert.state,
        "condition": alert.condition,
        "action": alert.action,
        "owner_role_type": "ROLE",
    }


def _table(shown: tuple[Column, ...], alerts: list[Alert], kind: int) -> Result:
    rows = map(_values, alerts)
    return table(shown, [[row[column.name] for column in shown] for row in rows], kind)


def show(account: Account, session: Session, statement: grammar.ShowAlerts) -> Result:
    listing = statement.listing
    area = area_of(account, session, listing, unsaid="DATABASE", command="SHOW ALERTS")
    here = (one for one in store.every(account.store) if area.has(one.name.database, one.name.schema))
    found = selected(here, lambda alert: alert.name.name, listing)
    return _table(_TERSE if listing.terse else COLUMNS, found, SHOW)


def describe(account: Account, session: Session, statement: grammar.DescribeAlert) -> Result:
    return _table(COLUMNS, [commands.fetch(account, resolve(statement.name, session))], DESCRIBE)


def ddl(account: Account, name: ObjectName, qualified: bool) -> str | None:
    """CREATE ALERT; how an account writes it is not known."""
    alert = store.find(account.store, name)
    if alert is None:
        return None
    clauses = [f"create or replace alert {ddl_name(name, qualified)}"]
    if alert.warehouse:
        clauses.append(f"warehouse={quoted_if_needed(alert.warehouse)}")
    clauses.append(f"schedule={literal(alert.schedule)}")
    if alert.comment:
        clauses.append(f"COMMENT={ddl_literal(alert.comment)}")
    clauses += [f"if (exists(\n{alert.condition}\n))", f"then {alert.action}"]
    return "\n\t".join(clauses) + ";"


HANDLERS: Handlers = {
    grammar.CreateAlert: create,
    grammar.CloneAlert: clone,
    grammar.AlterAlert: alter,
    grammar.DropAlert: drop,
    grammar.ExecuteAlert: execute,
    grammar.ShowAlerts: show,
    grammar.DescribeAlert: describe,
}
READ_ONLY = frozenset({grammar.ShowAlerts, grammar.DescribeAlert})
