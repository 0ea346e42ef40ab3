"""Roles, grants, and objects that graphs name but do not create. Nothing is enforced; every role may do everything.

They are stored so that queries show the same as an account: `SHOW GRANTS TO ROLE`, and SHOW and DESCRIBE of
integrations, secrets, image repositories and network rules. Values of secrets are not stored. A role that was never
created may be used and granted to. https://docs.snowflake.com/en/sql-reference/sql/show-grants
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, already_exists, does_not_exist, not_emulated
from sfml_local.core.likeness import selected
from sfml_local.core.names import ObjectName, resolve, resolve_schema
from sfml_local.core.places import Area, area_of, demand_schema
from sfml_local.core.result import DESCRIBE, SHOW, Column, Result, status, table
from sfml_local.grammar.access import (
    Alter,
    Create,
    Describe,
    Drop,
    Grant,
    GrantRole,
    Show,
    ShowFutureGrants,
    ShowGrants,
    ShowGrantsOn,
)
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import parse_name
from sfml_local.grammar.users import AlterUser, CreateUser, DescribeUser, DropUser
from sfml_local.services.access import many, ownership, properties, store, users
from sfml_local.services.databases import store as databases
from sfml_local.services.databases.sql import missing

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session
    from sfml_local.grammar.tokens import Name

IN_SCHEMAS = ("SECRET", "IMAGE REPOSITORY", "NETWORK RULE")
ACCOUNT_NAME = "LOCAL"
_CREATED = Column("created_on", "timestamp_ltz")


# -- objects


def create(account: Account, session: Session, statement: Create) -> Result:
    place = _place(session, statement.kind, statement.name)
    name = place[-1]
    category, type = statement.category.replace(" ", "_"), _type(statement)
    kept = properties.checked(statement.kind, category, type, statement.options)
    kept = _full_names(account, session, kept)
    _demand_plain(statement.kind, place)
    if store.exists(account, statement.kind, place):
        if statement.if_not_exists:
            return status(f"{name} already exists, statement succeeded.")
        if not statement.or_replace:
            raise already_exists(name)
        _forget(account, statement.kind, place)
    store.save(
        account,
        statement.kind,
        place,
        category=category,
        type=type,
        owner=session.role,
        comment=str(statement.options.get("COMMENT", "")),
    )
    store.keep_properties(account, statement.kind, place, kept)
    return status(f"{_titled(statement.kind)} {name} successfully created.")


def _titled(kind: str) -> str:
    return "Image Repository" if kind == "IMAGE REPOSITORY" else kind.capitalize()


def _demand_plain(kind: str, place: store.Place) -> None:
    """Refuse an image repository with a name that has to be quoted, as accounts do."""
    if kind == "IMAGE REPOSITORY" and any(quoted_if_needed(part) != part for part in place):
        raise SqlError(
            "db, schema and repo names for an image repo must be unquoted identifiers", 1008, "22023"
        )


_NAMED = {
    "ALLOWED_NETWORK_RULES": "NETWORK RULE",
    "ALLOWED_AUTHENTICATION_SECRETS": "SECRET",
    "WEBHOOK_SECRET": "SECRET",
}


def _full_names(account: Account, session: Session, kept: dict[str, Any]) -> dict[str, Any]:
    """The properties with full names of network rules and secrets, which have to be there."""
    for key in kept.keys() & _NAMED.keys():
        value = kept[key]
        if isinstance(value, list):
            kept[key] = [_full_name(account, session, _NAMED[key], one) for one in value]
        elif str(value).upper() not in ("ALL", "NONE", "*"):
            kept[key] = _full_name(account, session, _NAMED[key], str(value))
    return kept


def _full_name(account: Account, session: Session, kind: str, written: str) -> str:
    if written.upper() in ("ALL", "NONE"):
        return written
    name = resolve(parse_name(written), session)
    if not store.exists(account, kind, name.parts):
        raise does_not_exist(kind.capitalize(), name.fqn())
    return name.fqn()


def _type(statement: Create) -> str:
    kind = str(statement.options.get("TYPE", "")).upper()
    provider = statement.options.get("NOTIFICATION_PROVIDER")
    return f"{kind} - {str(provider).upper()}" if provider else kind or statement.category.replace(" ", "_")


def drop(account: Account, session: Session, statement: Drop) -> Result:
    place = _place(session, statement.kind, statement.name)
    name = place[-1]
    if statement.kind in IN_SCHEMAS:
        demand_schema(account, ObjectName(*place))
    if not store.exists(account, statement.kind, place):
        return missing(statement.kind.capitalize(), name, statement.if_exists)
    store.remove(account, statement.kind, place)
    _forget(account, statement.kind, place)
    return status(f"{name} successfully dropped.")


def _forget(account: Account, kind: str, place: store.Place) -> None:
    """Drop what is known about an object that goes, or is replaced."""
    if kind == "ROLE":
        store.forget_role(account, place[-1])
    account.object_dropped(kind, ".".join(quoted_if_needed(part) for part in place if part))


def alter(account: Account, session: Session, statement: Alter) -> Result:
    """SET and UNSET of properties; the comment of a role which every account has stays as it is."""
    kind, place = statement.kind, _place(session, statement.kind, statement.name)
    row = store.find(account, kind, place)
    if row is None:
        if statement.if_exists or (kind == "ROLE" and place[-1] in SYSTEM_ROLES):
            return status()
        raise does_not_exist(kind.capitalize(), ".".join(filter(None, place)))
    category, type = row["category"], row["type"]
    if statement.unset:
        properties.demand_unset(kind, category, type, statement.unset)
    given = {
        key: "" if key == "COMMENT" and value == "NULL" else value for key, value in statement.set.items()
    }
    kept = store.properties(account, kind, place)
    kept |= _full_names(account, session, properties.checked(kind, category, type, given))
    kept = {key: value for key, value in kept.items() if key not in statement.unset}
    store.keep_properties(account, kind, place, kept)
    if "COMMENT" in given or "COMMENT" in statement.unset:
        store.set_comment(account, kind, place, str(given.get("COMMENT", "")))
    return status()


def describe(account: Account, session: Session, statement: Describe) -> Result:
    """Of an integration its properties, a row each; of others one row, without what a secret holds."""
    kind, place = statement.kind, _place(session, statement.kind, statement.name)
    row = store.find(account, kind, place)
    if row is None:
        raise does_not_exist(kind.capitalize(), ".".join(filter(None, place)))
    if kind == "INTEGRATION":
        types = properties.of_integration(row["category"], row["type"])
        rows = properties.described(types, store.properties(account, kind, place), row["comment"])
        return table(("property", "property_type", "property_value", "property_default"), rows, DESCRIBE)
    columns: list[str | Column] = [_CREATED, *_DESCRIBED.get(kind, _COLUMNS[kind])]
    cells = [_cell(account, row, _name(one)) for one in columns]
    if kind == "SECRET":  # which SHOW tells as an empty text
        cells[columns.index("comment")] = row["comment"] or None
    return table(columns, [cells], DESCRIBE)


def _place(session: Session, kind: str, name: Name) -> store.Place:
    if kind not in IN_SCHEMAS:
        return "", "", name.last
    full = resolve(name, session)
    return full.database, full.schema, full.name


_COLUMNS: dict[str, tuple[str, ...]] = {
    "INTEGRATION": ("name", "type", "category", "enabled", "comment"),
    "SECRET": (
        *("name", "schema_name", "database_name", "owner", "comment", "secret_type", "oauth_scopes"),
        "owner_role_type",
    ),
    "IMAGE REPOSITORY": (
        *("name", "database_name", "schema_name", "repository_url", "owner", "owner_role_type", "comment"),
        *("encryption", "privatelink_repository_url"),
    ),
    "NETWORK RULE": (
        *("name", "database_name", "schema_name", "owner", "comment", "type", "mode"),
        *("entries_in_valuelist", "owner_role_type"),
    ),
    "ROLE": (
        *("name", "is_default", "is_current", "is_inherited", "assigned_to_users", "granted_to_roles"),
        *("granted_roles", "owner", "comment", "is_from_organization_user_group"),
    ),
}
_DESCRIBED: dict[str, tuple[str, ...]] = {
    "SECRET": (
        *(*_COLUMNS["SECRET"][:6], "username", "oauth_access_token_expiry_time"),
        *("oauth_refresh_token_expiry_time", "oauth_scopes", "integration_name"),
    ),
    "NETWORK RULE": (*_COLUMNS["NETWORK RULE"][:7], "value_list"),
}
_TERSE_ROLES = ("name", "is_default", "is_current", "is_inherited", "is_from_organization_user_group")
SYSTEM_ROLES = {
    "ACCOUNTADMIN": "Account administrator can manage all aspects of the account.",
    "PUBLIC": "Public role is automatically available to every user in the account.",
    "SECURITYADMIN": "Security administrator can manage security aspects of the account.",
    "SYSADMIN": "System administrator can create and manage databases and warehouses.",
    "USERADMIN": "User administrator can create and manage users and roles",
}
"""Roles of every account, with their comments."""


def show(account: Account, session: Session, statement: Show) -> Result:
    """SHOW INTEGRATIONS, SECRETS, IMAGE REPOSITORIES, NETWORK RULES, ROLES; without IN, of the current schema."""
    if statement.kind == "ROLE":
        return _show_roles(account, session, statement)
    listing = statement.listing
    area = area_of(account, session, listing) if statement.kind in IN_SCHEMAS else Area()
    rows = store.of_kind(account, statement.kind)
    wanted = statement.category.replace(" ", "_")
    here = [
        row for row in rows if area.has(row["database"], row["schema"]) and wanted in ("", row["category"])
    ]
    kept = selected(here, lambda row: str(row["name"]), listing)
    names = _COLUMNS[statement.kind]
    columns: list[str | Column] = [*names]
    columns.insert(len(names) if statement.kind == "INTEGRATION" else 0, _CREATED)
    return table(columns, [[_cell(account, row, _name(one)) for one in columns] for row in kept], SHOW)


def _show_roles(account: Account, session: Session, statement: Show) -> Result:
    """System roles and created roles. https://docs.snowflake.com/en/sql-reference/sql/show-roles"""
    created = {row["name"]: row for row in store.of_kind(account, "ROLE")}
    names = selected(sorted({*SYSTEM_ROLES, *created}), str, statement.listing)
    columns: tuple[str | Column, ...] = _TERSE_ROLES
    if not statement.listing.terse:
        columns = (_CREATED, *_COLUMNS["ROLE"])
    rows = [_role_values(account, session, name, created.get(name)) for name in names]
    return table(columns, [[row[_name(one)] for one in columns] for row in rows], SHOW)


def _role_values(account: Account, session: Session, name: str, row: Any) -> dict[str, Any]:
    members = [row["granted_to"] for row in store.granted_on(account, "ROLE", name)]
    roles = [row for row in store.granted_to(account, "ROLE", name) if row["granted_on"] == "ROLE"]
    return {
        "created_on": datetime.fromisoformat(row["created_on"] if row else "1970-01-01T00:00:00+00:00"),
        "name": name,
        "is_default": "N",
        "is_current": "Y" if name == session.role else "N",
        "is_inherited": "N",
        "assigned_to_users": members.count("USER"),
        "granted_to_roles": members.count("ROLE"),
        "granted_roles": len(roles),
        "owner": row["owner"] if row else "",
        "comment": row["comment"] if row else SYSTEM_ROLES[name],
        "is_from_organization_user_group": "N",
    }


def _name(column: str | Column) -> str:
    return column if isinstance(column, str) else column.name


def _cell(account: Account, row: Any, column: str) -> Any:
    match column:
        case "created_on":
            return datetime.fromisoformat(row["created_on"])
        case "database_name" | "schema_name":
            return row[column.removesuffix("_name")]
        case "secret_type":
            return row["type"]
        case "owner_role_type":
            return "ROLE"
        case "repository_url":
            return repository_url(row)
        case "privatelink_repository_url":
            return ""
        case _ if column in row.keys():  # noqa: SIM118 - a row of SQLite is no mapping
            return row[column]
        case _:
            kept = store.properties(account, row["kind"], (row["database"], row["schema"], row["name"]))
            return _kept_cell(kept, column)


def repository_url(row: Any) -> str:
    """Where images of a repository would be pushed: nothing listens there."""
    return "/".join(("localhost", row["database"], row["schema"], row["name"])).lower()


def _kept_cell(kept: dict[str, Any], column: str) -> Any:
    """A column that a property of the object tells."""
    match column:
        case "enabled":
            return str(kept.get("ENABLED", True)).lower()
        case "encryption":
            return kept.get("ENCRYPTION", "SNOWFLAKE_FULL")
        case "entries_in_valuelist":
            return len(kept.get("VALUE_LIST", []))
        case "value_list":
            return ",".join(kept.get("VALUE_LIST", []))
        case "mode":
            return kept.get("MODE", "INGRESS")
        case "oauth_scopes":
            scopes = kept.get("OAUTH_SCOPES")
            return None if scopes is None else properties.shown("OAUTH_SCOPES", scopes)
        case "integration_name":
            return kept.get("API_AUTHENTICATION")
        case _:
            return kept.get(column.upper())


# -- grants


def grant(account: Account, session: Session, statement: Grant) -> Result:
    if statement.many:
        return _grant_many(account, session, statement)
    if statement.revoke and "OWNERSHIP" in statement.privileges:
        raise _only_transferred()
    on = statement.on.replace(" ", "_")
    name = ACCOUNT_NAME if statement.name is None else _granted_name(session, statement.on, statement.name)
    if statement.name is not None:
        ownership.demand(account, session, statement.on, statement.name, name)
    if statement.privileges == ("OWNERSHIP",) and statement.name is not None:
        _settle_outstanding(account, statement, on, name)
        ownership.give(account, session, statement.on, statement.name, statement.role)
        if ownership.is_owned(account, statement.on):
            return status()
    for privilege in statement.privileges:
        _change(account, session, (privilege, on, name, "ROLE", statement.role), statement.revoke, statement)
    return status()


def _only_transferred() -> SqlError:
    return SqlError("SQL execution error: OWNERSHIP can only be transferred.", 3937, "23001")


def _settle_outstanding(account: Account, statement: Grant, on: str, name: str) -> None:
    """What becomes of the grants on an object that gets another owner; refused where neither word is said.

    The sentence is recorded: github.com/snowflakedb/terraform-provider-snowflake/issues/152.
    """
    rows = store.granted_on(account, on, name)
    if statement.outstanding == "REVOKE":
        store.forget_grants_on(account, (on,), name)
    elif rows and not statement.outstanding:
        first = rows[0]
        raise SqlError(
            f"SQL execution error: Dependent grant of privilege '{first['privilege']}' on securable '{name}' to role"
            f" '{first['grantee']}' exists.  It must be revoked first.  More than one dependent grant may exist: use"
            " 'SHOW GRANTS' command to view them.  To revoke all dependent grants while transferring object"
            " ownership, use convenience command 'GRANT OWNERSHIP ON <target_objects> TO <target_role> REVOKE"
            " CURRENT GRANTS'.",
            3036,
            "23001",
        )


def _grant_many(account: Account, session: Session, statement: Grant) -> Result:
    """ON ALL: of each object that is there; ON FUTURE: kept, and shown by SHOW FUTURE GRANTS."""
    on = statement.on.replace(" ", "_")
    if statement.many == "FUTURE":
        names, on = [many.future_name(session, statement)], f"{store.FUTURE}{on}"
    else:
        names = many.names_within(account, session, statement)
        if statement.privileges == ("OWNERSHIP",):
            return _give_all(account, session, statement, names)
    for name in names:
        for privilege in statement.privileges:
            _change(
                account, session, (privilege, on, name, "ROLE", statement.role), statement.revoke, statement
            )
    return status()


def _give_all(account: Account, session: Session, statement: Grant, names: Sequence[str]) -> Result:
    """GRANT OWNERSHIP ON ALL: refused before anything changes."""
    if statement.revoke:
        raise _only_transferred()
    if not ownership.is_owned(account, statement.on):
        raise not_emulated(f"GRANT OWNERSHIP ON ALL {statement.on}S")
    for name in names:
        _settle_outstanding(account, statement, statement.on.replace(" ", "_"), name)
    ownership.give_all(account, session, statement.on, [parse_name(name) for name in names], statement.role)
    return status()


def grant_role(account: Account, session: Session, statement: GrantRole) -> Result:
    row = ("USAGE", "ROLE", statement.role, statement.to, statement.name)
    _change(account, session, row, statement.revoke, None)
    return status()


def _change(
    account: Account, session: Session, granted: store.Granted, revoke: bool, statement: Grant | None
) -> None:
    if revoke and statement is not None and statement.with_grant_option:
        store.revoke_option(account, granted)
        return
    if revoke:
        store.revoke(account, granted)
        return
    option = statement is not None and statement.with_grant_option
    store.grant(account, granted, with_option=option, granted_by=session.role)


def _granted_name(session: Session, on: str, name: Name) -> str:
    """The name in SHOW GRANTS: qualified, and quoted where necessary."""
    if on == "SCHEMA":
        parts: tuple[str, ...] = resolve_schema(name, session)
    elif on in ("DATABASE", "WAREHOUSE", "COMPUTE POOL", "INTEGRATION", "USER"):
        parts = (name.last,)
    else:
        full = resolve(name, session)
        parts = full.parts
    return ".".join(quoted_if_needed(part) for part in parts)


_GRANT_COLUMNS = (
    _CREATED,
    *("privilege", "granted_on", "name", "granted_to", "grantee_name", "grant_option", "granted_by"),
)


def show_grants(account: Account, session: Session, statement: ShowGrants) -> Result:
    """SHOW GRANTS TO ROLE or USER: what was granted, and what the role owns of databases and schemas.

    On an account, a user's rows have fewer columns; here they have those of a role.
    """
    if statement.to == "":
        return _own_grants(account, session)
    if statement.to != "USER" and not _is_role(account, statement.name):
        raise does_not_exist("Role", statement.name)
    if statement.to == "OF":
        return _grants_of(account, statement.name)
    given = store.granted_to(account, statement.to, statement.name)
    return table(_GRANT_COLUMNS, [*_owned(account, statement), *map(_grant_values, given)], SHOW)


def _grant_values(row: Any) -> tuple[Any, ...]:
    return (
        *(datetime.fromisoformat(row["created_on"]), row["privilege"], row["granted_on"], row["name"]),
        *(row["granted_to"], row["grantee"], str(bool(row["with_option"])).lower(), row["granted_by"]),
    )


def _grants_of(account: Account, role: str) -> Result:
    """SHOW GRANTS OF ROLE: the users and roles that have it."""
    rows = store.granted_on(account, "ROLE", role)
    columns = (_CREATED, "role", "granted_to", "grantee_name", "granted_by")
    found = [
        (
            datetime.fromisoformat(row["created_on"]),
            role,
            row["granted_to"],
            row["grantee"],
            row["granted_by"],
        )
        for row in rows
    ]
    return table(columns, found, SHOW)


def _own_grants(account: Account, session: Session) -> Result:
    """SHOW GRANTS: the roles of the current user."""
    rows = store.granted_to(account, "USER", session.user)
    columns = (*_GRANT_COLUMNS[:4], "role", *_GRANT_COLUMNS[4:])
    found = [(*_grant_values(row)[:4], row["name"], *_grant_values(row)[4:]) for row in rows]
    return table(columns, found, SHOW)


def show_grants_on(account: Account, session: Session, statement: ShowGrantsOn) -> Result:
    """SHOW GRANTS ON an object: its owner, and what was granted."""
    on = statement.on.replace(" ", "_")
    name = ACCOUNT_NAME if statement.name is None else _granted_name(session, statement.on, statement.name)
    rows = store.granted_on(account, on, name)
    columns = (*_GRANT_COLUMNS, "granted_by_role_type")
    found = [(*_grant_values(row), "ROLE") for row in rows]
    owner = None
    if statement.name is not None:
        ownership.demand(account, session, statement.on, statement.name, name)
        owner = ownership.owner_of(account, session, statement.on, statement.name)
    if owner is not None:
        created, role = owner
        found.insert(0, (created, "OWNERSHIP", on, name, "ROLE", role, "true", role, "ROLE"))
    return table(columns, found, SHOW)


def _owned(account: Account, statement: ShowGrants) -> list[tuple[Any, ...]]:
    if statement.to != "ROLE":
        return []
    rows = databases.owned_by(account, statement.name)
    return [
        (
            *(
                datetime.fromisoformat(row["created_on"]),
                "OWNERSHIP",
                "SCHEMA" if row["schema"] else "DATABASE",
            ),
            ".".join(quoted_if_needed(part) for part in (row["database"], row["schema"]) if part),
            *("ROLE", statement.name, "true", statement.name),
        )
        for row in rows
    ]


def _is_role(account: Account, name: str) -> bool:
    """Whether the role was created, has grants, or is a system role."""
    if name in SYSTEM_ROLES:
        return True
    if databases.owned_by(account, name) or store.exists(account, "ROLE", ("", "", name)):
        return True
    return store.is_granted(account, name)


HANDLERS: Handlers = {
    Create: create,
    Drop: drop,
    Alter: alter,
    Describe: describe,
    Show: show,
    Grant: grant,
    GrantRole: grant_role,
    ShowGrants: show_grants,
    ShowGrantsOn: show_grants_on,
    ShowFutureGrants: many.show_future_grants,
    CreateUser: users.create,
    AlterUser: users.alter,
    DropUser: users.drop,
    DescribeUser: users.describe,
}
READ_ONLY = frozenset({Show, Describe, ShowGrants, ShowGrantsOn, ShowFutureGrants, DescribeUser})
