"""File formats: named options for reading and writing staged files.

https://docs.snowflake.com/en/sql-reference/sql/create-file-format
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import already_exists, does_not_exist
from sfml_local.core.likeness import like
from sfml_local.core.names import resolve
from sfml_local.core.places import area_of, cannot_be_performed, demand_schema
from sfml_local.core.result import DESCRIBE, Column, Result, status, table
from sfml_local.grammar.copying import CreateFileFormat, DescribeFileFormat, DropFileFormat, ShowFileFormats
from sfml_local.services.databases.sql import missing
from sfml_local.services.stages import store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.place import Place
    from sfml_local.core.session import Session

_NOTES = ("_created_on", "_owner", "COMMENT")
"""Stored values besides the options."""


def create_format(account: Account, session: Session, statement: CreateFileFormat) -> Result:
    name = resolve(statement.name, session)
    if store.find_format(account, name) is not None and not statement.or_replace:
        if statement.if_not_exists:
            return status(f"{name.name} already exists, statement succeeded.")
        raise already_exists(name)
    kept = {**statement.options, "_created_on": account.clock().isoformat(), "_owner": session.role}
    store.save_format(account, name, kept, session.id if statement.temporary else None)
    return status(f"File format {name.name} successfully created.")


def drop_format(account: Account, session: Session, statement: DropFileFormat) -> Result:
    name = resolve(statement.name, session)
    demand_schema(account, name)
    if store.find_format(account, name) is None:
        return missing("File format", name.fqn(), statement.if_exists)
    store.remove_format(account, name)
    return status(f"{name.name} successfully dropped.")


def format_options(
    account: Account, session: Session, given: Any, place: Place | None = None
) -> dict[str, Any]:
    """The options of a FILE_FORMAT (a name, a list with FORMAT_NAME, or a list), else those of the stage."""
    if given is None and place is not None:
        given = store.format_of_stage(account, place.root.name)
    name = given if isinstance(given, str) else (given or {}).get("FORMAT_NAME")
    if name is None:
        return {"TYPE": "CSV", **(given or {})}
    full = resolve(str(name), session)
    found = store.find_format(account, full)
    if found is None:
        raise does_not_exist("File format", full.fqn())
    own = (
        {option: value for option, value in (given or {}).items() if option != "FORMAT_NAME"}
        if isinstance(given, dict)
        else {}
    )
    return {"TYPE": "CSV", **{name: found[name] for name in found if name not in _NOTES}, **own}


def set_of_stage(account: Account, session: Session, folder: str, given: Any) -> None:
    """Set a stage's FILE_FORMAT, which must exist; None removes it."""
    format_options(account, session, given)
    if given is None:
        store.set_format_of_stage(account, folder, None)
        return
    named = {"FORMAT_NAME": given} if isinstance(given, str) else dict(given)
    if "FORMAT_NAME" in named:
        named["FORMAT_NAME"] = resolve(str(named["FORMAT_NAME"]), session).fqn()
    store.set_format_of_stage(account, folder, named)


def show(account: Account, session: Session, statement: ShowFileFormats) -> Result:
    """STARTS WITH and LIMIT have no effect, as on an account."""
    columns = (
        Column("created_on", "timestamp_ltz"),
        *map(Column, ("name", "database_name", "schema_name", "type", "owner", "comment", "format_options")),
        Column("owner_role_type"),
    )
    area = area_of(account, session, statement.listing, missing=cannot_be_performed)
    rows = []
    for name, found in store.every_format(account):
        if area.has(name.database, name.schema) and like(statement.listing.like, name.name):
            created = found.get("_created_on", "1970-01-01T00:00:00+00:00")
            shown = {option: value for option, value in found.items() if option not in _NOTES}
            rows.append(
                (
                    *(datetime.datetime.fromisoformat(created), name.name, name.database, name.schema),
                    *(
                        str(found.get("TYPE", "CSV")).upper(),
                        found.get("_owner", ""),
                        found.get("COMMENT", ""),
                    ),
                    *(json.dumps(shown, separators=(",", ":")), "ROLE"),
                )
            )
    return table(columns, rows)


def describe(account: Account, session: Session, statement: DescribeFileFormat) -> Result:
    name = resolve(statement.name, session)
    found = store.find_format(account, name)
    if found is None:
        raise does_not_exist("File format", name.fqn())
    shown = {"TYPE": "CSV", **{option: value for option, value in found.items() if option not in _NOTES}}
    rows = [(option, _kind(value), _text(value), None) for option, value in shown.items()]
    return table(("property", "property_type", "property_value", "property_default"), rows, DESCRIBE)


def described(given: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """The rows of DESCRIBE STAGE for its format: (property, type, value, default)."""
    told = given if "FORMAT_NAME" in given else {"TYPE": "CSV", **given}
    return [
        (option, _kind(value), _text(value), "CSV" if option == "TYPE" else "")
        for option, value in told.items()
    ]


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = ((bool, "Boolean"), (int, "Integer"), (list, "List"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "String")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
