"""Grants on all objects of a kind that a schema or database holds, and on those that are yet to come.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import not_emulated
from sfml_local.core.names import resolve_schema
from sfml_local.core.places import demand_scope
from sfml_local.core.result import SHOW, Column, Result, table
from sfml_local.grammar.access import Grant, ShowFutureGrants
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.access import store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session
    from sfml_local.grammar.tokens import Name

_SHOWN = frozenset(
    {
        *("TABLE", "VIEW", "DYNAMIC TABLE", "TASK", "STAGE", "STREAM", "DATASET", "MODEL", "SEQUENCE"),
        *("FILE FORMAT", "TAG", "SECRET", "IMAGE REPOSITORY", "ALERT"),
    }
)
"""Kinds whose SHOW tells where each object lies."""


def names_within(account: Account, session: Session, statement: Grant) -> list[str]:
    """The full names of the objects of a kind in a place."""
    if statement.on not in _SHOWN:
        raise not_emulated(f"GRANT … ON ALL {statement.on}S")
    place = _place(session, statement.within, statement.name)
    kind = "IMAGE REPOSITORIE" if statement.on == "IMAGE REPOSITORY" else statement.on
    rows = account.execute(session, f"SHOW {kind}S IN {statement.within} {place}").dicts()
    is_table = statement.on == "TABLE"
    return [
        ".".join(quoted_if_needed(str(row[key])) for key in ("database_name", "schema_name", "name"))
        for row in rows
        if not (is_table and row.get("is_dynamic") == "Y")
    ]


def future_name(session: Session, statement: Grant) -> str:
    """The name as SHOW FUTURE GRANTS has it: `DB.SCHEMA.<TABLE>`."""
    place = _place(session, statement.within, statement.name)
    return f"{place}.<{statement.on.replace(' ', '_')}>"


def _place(session: Session, within: str, name: Name | None) -> str:
    assert name is not None
    parts = resolve_schema(name, session) if within == "SCHEMA" else (name.last,)
    return ".".join(quoted_if_needed(part) for part in parts)


_COLUMNS = (
    Column("created_on", "timestamp_ltz"),
    *("privilege", "grant_on", "name", "grant_to", "grantee_name", "grant_option"),
)


def show_future_grants(account: Account, session: Session, statement: ShowFutureGrants) -> Result:
    """https://docs.snowflake.com/en/sql-reference/sql/show-grants"""
    rows = store.granted_in_future(account)
    if statement.within == "ROLE":
        found = [row for row in rows if row["grantee"] == statement.name.last]
    else:
        demand_scope(account, session, statement.within, statement.name)
        place = _place(session, statement.within, statement.name)
        found = [row for row in rows if row["name"].rpartition(".<")[0] == place]
    return table(_COLUMNS, map(_values, found), SHOW)


def _values(row: Any) -> tuple[Any, ...]:
    return (
        *(
            datetime.fromisoformat(row["created_on"]),
            row["privilege"],
            row["granted_on"].removeprefix(store.FUTURE),
        ),
        *(row["name"], row["granted_to"], row["grantee"], str(bool(row["with_option"])).lower()),
    )
