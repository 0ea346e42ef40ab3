"""Tags as objects: CREATE, SHOW and DROP. Tagged objects store their tags, even tags that were never created.

https://docs.snowflake.com/en/sql-reference/sql/create-tag
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, already_exists, does_not_exist, name_is_taken, not_emulated
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.places import area_of, demand_schema
from sfml_local.core.result import Column, Result, status, table
from sfml_local.grammar import tags as grammar
from sfml_local.grammar.absent import Absent
from sfml_local.grammar.tagging import SetObjectTags, TaggedCreate, UnsetObjectTags
from sfml_local.services.databases.sql import missing
from sfml_local.services.tags import store, tagging

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

INSTEAD = {
    "MODEL MONITOR": "query its predictions instead",
    "DYNAMIC ICEBERG TABLE": "use a dynamic table",
    "ONLINE FEATURE TABLE": "use a table",
    "TASK GRAPH": "create its tasks one by one",
    "ALERT": "use a task with WHEN",
    "NOTEBOOK": "use a procedure or a job",
    "EXPERIMENT": "use metrics of the model registry",
}


def absent(account: Account, session: Session, statement: Absent) -> Result:
    """Refuse a statement on a kind of object that this server lacks, by name."""
    instead = INSTEAD.get(statement.kind) or INSTEAD.get(statement.kind.removesuffix("S"), "")
    raise not_emulated(f"{statement.verb} {statement.kind}", instead)


def create(account: Account, session: Session, statement: grammar.CreateTag) -> Result:
    name = resolve(statement.name, session)
    if not account.engine.has_schema(name.database, name.schema):
        raise does_not_exist("Schema", f"{name.database}.{name.schema}")
    if statement.on_conflict.upper() == "ALLOWED_VALUES_SEQUENCE" and not statement.allowed:
        words = "Invalid on_conflict strategy ALLOWED_VALUES_SEQUENCE: the tag has no allowed values."
        raise SqlError(f"SQL compilation error:\n{words}", 1008, "22023")
    with account.store.transaction():
        if store.find(account, name) is not None and not statement.or_replace:
            if statement.if_not_exists:
                return status(f"{name.name} already exists, statement succeeded.")
            raise already_exists(statement.name)
        store.save(account, name, statement.allowed, statement.comment, session.role)
        _set_propagation(account, name, statement.propagate, statement.on_conflict)
    return status(f"Tag {name.name} successfully created.")


def drop(account: Account, session: Session, statement: grammar.DropTag) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    if store.find(account, name) is None:
        return missing("Tag", name.fqn(), statement.if_exists)
    store.remove(account, name)
    return status(f"{name.name} successfully dropped.")


PROPAGATIONS = ("ON_DEPENDENCY_AND_DATA_MOVEMENT", "ON_DEPENDENCY", "ON_DATA_MOVEMENT")


def _set_propagation(account: Account, name: ObjectName, propagate: str, on_conflict: str) -> None:
    """Store how the tag propagates; nothing is propagated here."""
    if propagate and propagate not in PROPAGATIONS:
        raise SqlError(
            f"SQL compilation error:\ninvalid value '{propagate}' for property 'PROPAGATE'", 1008, "22023"
        )
    store.set_propagation(account, name, propagate, on_conflict)


def alter(account: Account, session: Session, statement: grammar.AlterTag) -> Result:
    name = resolve(statement.name, session)
    row = store.find(account, name)
    if row is None:
        if statement.if_exists:
            return status()
        raise does_not_exist("Tag", name.fqn())
    allowed: list[str] = json.loads(row["allowed"])
    values = statement.values
    match statement.change:
        case "RENAME":
            assert statement.new is not None
            _rename(account, name, resolve(statement.new, session))
        case "ADD ALLOWED_VALUES":
            store.set_allowed(account, name, [*allowed, *(v for v in values if v not in allowed)])
        case "DROP ALLOWED_VALUES":
            store.set_allowed(account, name, [v for v in allowed if v not in values])
        case "SET ALLOWED_VALUES" | "UNSET ALLOWED_VALUES":
            store.set_allowed(account, name, values)
        case "SET COMMENT" | "UNSET COMMENT":
            store.set_comment(account, name, "".join(values))
        case _:
            propagate, on_conflict = (*values, "", "")[:2]
            _set_propagation(account, name, propagate, on_conflict)
    return status()


def _rename(account: Account, name: ObjectName, new: ObjectName) -> None:
    if store.find(account, new) is not None:
        raise name_is_taken(new)
    store.rename(account, name, new)


def allowed_values(text: str) -> list[str]:
    """The values in a cell of SHOW TAGS."""
    return list(json.loads(text))


def show(account: Account, session: Session, statement: grammar.ShowTags) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-tags"""
    columns = (
        Column("created_on", "timestamp_ltz"),
        *("name", "database_name", "schema_name", "owner", "comment", "allowed_values", "owner_role_type"),
        *("propagate", "on_conflict", "multi_value"),
    )
    area = area_of(account, session, statement.listing)
    propagations = store.propagations(account)
    rows = []
    here = (row for row in store.every(account) if area.has(row["database"], row["schema"]))
    # STARTS WITH is accepted and ignored, as on an account.
    for row in selected(here, lambda row: str(row["name"]), replace(statement.listing, starts_with=None)):
        allowed = row["allowed"].replace(", ", ",") if row["allowed"] != "[]" else None
        found = propagations.get(ObjectName(row["database"], row["schema"], row["name"]).fqn())
        rows.append(
            (
                *(datetime.fromisoformat(row["created_on"]), row["name"], row["database"], row["schema"]),
                *(row["owner"], row["comment"], allowed, "ROLE"),
                *((found["propagate"], found["on_conflict"]) if found else ("NONE", None)),
                "false",
            )
        )
    return table(columns, rows)


HANDLERS: Handlers = {
    grammar.CreateTag: create,
    grammar.DropTag: drop,
    grammar.ShowTags: show,
    grammar.AlterTag: alter,
    Absent: absent,
    TaggedCreate: tagging.create_tagged,
    SetObjectTags: tagging.set_tags,
    UnsetObjectTags: tagging.unset_tags,
}
READ_ONLY = frozenset({grammar.ShowTags})
