"""Users: objects with properties. None of them logs in: the server knows clients by its token, and takes any name.

https://docs.snowflake.com/en/sql-reference/sql/create-user · /desc-user
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import (
    SqlError,
    already_exists,
    does_not_exist,
    invalid_value,
    name_is_taken,
    not_emulated,
)
from sfml_local.core.result import DESCRIBE, Result, status, table
from sfml_local.core.session_parameters import OF_SESSION
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.users import AlterUser, CreateUser, DescribeUser, DropUser
from sfml_local.services.access import store
from sfml_local.services.databases.properties import labels_not_emulated
from sfml_local.services.databases.sql import missing, single

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session
    from sfml_local.grammar.tokens import Name

KIND = "USER"
_TEXTS = (
    "LOGIN_NAME",
    "DISPLAY_NAME",
    "FIRST_NAME",
    "MIDDLE_NAME",
    "LAST_NAME",
    "EMAIL",
    "COMMENT",
    "PASSWORD",
)
_NAMES = ("DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE", "DEFAULT_ROLE")
_SWITCHES = ("MUST_CHANGE_PASSWORD", "DISABLED")
_TIMES = ("DAYS_TO_EXPIRY", "MINS_TO_UNLOCK", "MINS_TO_BYPASS_MFA")
_KNOWN = frozenset(
    (
        *_TEXTS,
        *_NAMES,
        *_SWITCHES,
        *_TIMES,
        "DEFAULT_SECONDARY_ROLES",
        "TYPE",
        "RSA_PUBLIC_KEY",
        "RSA_PUBLIC_KEY_2",
    )
)
_OF_PEOPLE = frozenset({"FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "MINS_TO_BYPASS_MFA"})
_REFUSED: Mapping[str, frozenset[str]] = {
    "SERVICE": _OF_PEOPLE | {"PASSWORD", "MUST_CHANGE_PASSWORD"},
    "LEGACY_SERVICE": _OF_PEOPLE,
}
"""What users of a type cannot have."""
_TYPES = ("PERSON", "SERVICE", "LEGACY_SERVICE", "NULL")
_PARAMETERS = frozenset(OF_SESSION) | {
    *("ENABLE_UNREDACTED_QUERY_SYNTAX_ERROR", "NETWORK_POLICY", "PREVENT_UNLOAD_TO_INTERNAL_STAGES"),
    *("JDBC_TREAT_DECIMAL_AS_INT", "LOG_LEVEL", "SIMULATED_DATA_SHARING_CONSUMER", "WORKLOAD_IDENTITY"),
}


def create(account: Account, session: Session, statement: CreateUser) -> Result:
    name = single(statement.name)
    kept = _checked("CREATE", statement.options, str(statement.options.get("TYPE", "PERSON")).upper())
    if find(account, name) is not None:
        if statement.if_not_exists:
            return status(f"{name} already exists, statement succeeded.")
        if not statement.or_replace:
            raise already_exists(name)
        _forget(account, name)
    with account.store.transaction():
        store.save(account, KIND, _place(name), category="", type="", owner=session.role, comment="")
        store.keep_properties(account, KIND, _place(name), kept)
    return status(f"User {name} successfully created.")


def alter(account: Account, session: Session, statement: AlterUser) -> Result:
    name = single(statement.name)
    _demand_known("ALTER", (*statement.set, *statement.unset))
    before = find(account, name)
    if before is None:
        if statement.if_exists:
            return status()
        if name == session.user:
            raise not_emulated(f"ALTER USER {name}", "clients with the server's token are this user")
        raise does_not_exist("User", quoted_if_needed(name))
    if statement.new_name is not None:
        return _rename(account, name, statement.new_name)
    type = str(statement.set.get("TYPE", before.get("TYPE", "PERSON"))).upper()
    kept = {**before, **_checked("ALTER", statement.set, type)}
    for key in statement.unset:
        kept.pop(key, None)
    if "DISPLAY_NAME" in statement.unset:
        kept["DISPLAY_NAME"] = ""
    store.keep_properties(account, KIND, _place(name), kept)
    return status()


def _rename(account: Account, name: str, written: Name) -> Result:
    new = single(written)
    if find(account, new) is not None:
        raise name_is_taken(quoted_if_needed(new))
    with account.store.transaction():
        store.rename(account, KIND, name, new)
        account.object_renamed(KIND, quoted_if_needed(name), quoted_if_needed(new))
    return status()


def drop(account: Account, session: Session, statement: DropUser) -> Result:
    name = single(statement.name)
    if find(account, name) is None:
        return missing("User", quoted_if_needed(name), statement.if_exists)
    store.remove(account, KIND, _place(name))
    _forget(account, name)
    return status(f"{name} successfully dropped.")


def _forget(account: Account, name: str) -> None:
    """Drop the tags of a user that goes, or is replaced, and the grants on it."""
    account.object_dropped(KIND, quoted_if_needed(name))


def _place(name: str) -> store.Place:
    return "", "", name


def find(account: Account, name: str) -> dict[str, Any] | None:
    """The properties of a user that was created; None for others."""
    is_there = store.exists(account, KIND, _place(name))
    return store.properties(account, KIND, _place(name)) if is_there else None


# -- properties


def _demand_known(verb: str, names: Any) -> None:
    for key in names:
        if key in ("TAG", "CONTACT"):
            raise labels_not_emulated(KIND, key)
        if key in _PARAMETERS:
            raise not_emulated(
                f"{verb} USER … {key}", "sessions have the parameters that they set themselves"
            )
        if key not in _KNOWN:
            raise SqlError(f"SQL compilation error:\ninvalid property '{key}' for 'USER'", 1420, "42601")


def _checked(verb: str, given: Mapping[str, Any], type: str) -> dict[str, Any]:
    """The properties that are kept; a password only as one that is there."""
    _demand_known(verb, given)
    for key in given:
        if key in _REFUSED.get(type, ()):
            raise SqlError(f"Cannot set {key} on users with TYPE={type}.", 1008, "22023")
    kept = {key: _value(verb, key, value) for key, value in given.items()}
    if "PASSWORD" in kept:
        kept["PASSWORD"] = True
    return kept


def _value(verb: str, key: str, value: Any) -> Any:
    if key in _SWITCHES and not isinstance(value, bool):
        raise invalid_value(value, key)
    if key in _TIMES:
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_value(value, key)
        raise not_emulated(f"{verb} USER … {key}", "no user logs in here")
    if key == "TYPE" and str(value).upper() not in _TYPES:
        raise invalid_value(value, key)
    if key in _TEXTS and not isinstance(value, str):
        raise invalid_value(value, key)
    if key in ("LOGIN_NAME", "TYPE"):
        return str(value).upper()
    return [str(one) for one in value] if isinstance(value, list) else value


# -- what is shown


def shown(account: Account, name: str) -> dict[str, Any]:
    """What SHOW USERS tells of a user that was created, by column."""
    row, kept = store.find(account, KIND, _place(name)), find(account, name) or {}
    assert row is not None
    told = {
        key.lower(): kept.get(key, "") for key in ("FIRST_NAME", "LAST_NAME", "EMAIL", "COMMENT", *_NAMES)
    }
    return {
        **told,
        **{key.lower(): str(kept.get(key, False)).lower() for key in _SWITCHES},
        "created_on": datetime.fromisoformat(row["created_on"]),
        "owner": row["owner"],
        "login_name": kept.get("LOGIN_NAME", name.upper()),
        "display_name": kept.get("DISPLAY_NAME", name),
        "default_secondary_roles": _secondary_roles(kept),
        "type": _type(kept),
        "has_password": str("PASSWORD" in kept).lower(),
        "has_rsa_public_key": str(bool(kept.keys() & {"RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"})).lower(),
    }


def _type(kept: Mapping[str, Any]) -> str:
    return "PERSON" if kept.get("TYPE") in (None, "NULL") else str(kept["TYPE"])


def _secondary_roles(kept: Mapping[str, Any]) -> str:
    return json.dumps(kept.get("DEFAULT_SECONDARY_ROLES", ["ALL"]), separators=(",", ":"))


_DESCRIBED = (
    *(
        "NAME",
        "COMMENT",
        "DISPLAY_NAME",
        "TYPE",
        "LOGIN_NAME",
        "FIRST_NAME",
        "MIDDLE_NAME",
        "LAST_NAME",
        "EMAIL",
    ),
    *(
        "PASSWORD",
        "MUST_CHANGE_PASSWORD",
        "DISABLED",
        "SNOWFLAKE_LOCK",
        "SNOWFLAKE_SUPPORT",
        "DAYS_TO_EXPIRY",
    ),
    *("MINS_TO_UNLOCK", *_NAMES, "DEFAULT_SECONDARY_ROLES", "EXT_AUTHN_DUO", "EXT_AUTHN_UID"),
    *("MINS_TO_BYPASS_MFA", "RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"),
)


def describe(account: Account, session: Session, statement: DescribeUser) -> Result:
    """A row for each property; `null` is a text, as on an account."""
    name = single(statement.name)
    kept = find(account, name)
    if kept is None and name != session.user:
        raise does_not_exist("User", quoted_if_needed(name))
    kept = kept or {}
    values = {
        **dict.fromkeys(("MUST_CHANGE_PASSWORD", "DISABLED", "SNOWFLAKE_LOCK", "SNOWFLAKE_SUPPORT"), "false"),
        "EXT_AUTHN_DUO": "false",
        **{key: value if isinstance(value, str) else str(value).lower() for key, value in kept.items()},
        "NAME": name,
        "LOGIN_NAME": kept.get("LOGIN_NAME", name.upper()),
        "DISPLAY_NAME": kept.get("DISPLAY_NAME", name),
        "DEFAULT_SECONDARY_ROLES": _secondary_roles(kept),
        "TYPE": _type(kept),
    }
    if "PASSWORD" in kept:
        values["PASSWORD"] = "********"
    switches = ("MUST_CHANGE_PASSWORD", "DISABLED", "SNOWFLAKE_LOCK", "SNOWFLAKE_SUPPORT", "EXT_AUTHN_DUO")
    rows = [(key, values.get(key, "null"), "false" if key in switches else "null", "") for key in _DESCRIBED]
    return table(("property", "value", "default", "description"), rows, DESCRIBE)
