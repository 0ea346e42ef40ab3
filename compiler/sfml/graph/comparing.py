"""Comparing the privileges that a role has with those that it needs: the missing ones, and the ones beyond."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sfml.base.record import record
from sfml.graph.privileges import Privilege

IMPLIED = {"MONITOR": ("OPERATE",), "READ": ("WRITE",)}
"""Privilege → the privileges that include it: OPERATE on a task includes MONITOR, WRITE on a stage includes READ."""


@record
class GrantRow:
    """One row of SHOW GRANTS: `on` as written there (COMPUTE_POOL), `through` the role that has the privilege."""

    privilege: str
    on: str
    name: str
    through: str


@record
class Comparison:
    """The privileges that a role needs and does not have, and those that it has beyond.

    `excess` holds privileges on the needed objects and on the account only.
    """

    role: str
    missing: tuple[Privilege, ...]
    excess: tuple[GrantRow, ...]
    elsewhere: int
    """The number of grants on other objects, which may serve other pipelines."""
    unread: tuple[str, ...] = ()
    """The roles whose grants could not be read."""


def compared(
    role: str, needed: Iterable[Privilege], granted: Iterable[GrantRow], unread: tuple[str, ...] = ()
) -> Comparison:
    """The comparison of the needed privileges with the granted ones.

    OWNERSHIP and ALL include every privilege on an object; OWNERSHIP of a schema includes creating objects in it.
    https://docs.snowflake.com/en/user-guide/security-access-control-privileges
    """
    wanted = list(needed)
    granted_keys = {
        (grant.privilege, grant.on, "" if grant.on == "ACCOUNT" else grant.name): grant for grant in granted
    }
    whole = {(on, name) for privilege, on, name in granted_keys if privilege in ("OWNERSHIP", "ALL")}
    missing = [privilege for privilege in wanted if not _is_held(privilege, granted_keys.keys(), whole)]
    concerned = {privilege.key[1:] for privilege in wanted} | {("ACCOUNT", "")}
    needed_keys = {privilege.key for privilege in wanted}
    used = {
        (other, *privilege.key[1:]) for privilege in wanted for other in IMPLIED.get(privilege.privilege, ())
    }
    rest = [(key, one) for key, one in granted_keys.items() if key not in needed_keys and key not in used]
    excess = [one for key, one in rest if key[1:] in concerned and key[0] != "OWNERSHIP"]
    elsewhere = sum(key[1:] not in concerned for key, _ in rest)
    return Comparison(role, tuple(missing), tuple(excess), elsewhere, unread)


def _is_held(
    one: Privilege, granted_keys: Iterable[tuple[str, str, str]], whole: set[tuple[str, str]]
) -> bool:
    privilege, on, name = one.key
    if (on, name) in whole:
        return True
    keys = set(granted_keys)
    if any((other, on, name) in keys for other in (privilege, *IMPLIED.get(privilege, ()))):
        return True
    if on in ("DATABASE", "SCHEMA") and privilege == "USAGE":
        # Any privilege on a database or schema is enough to resolve names in it.
        return any(key[1:] == (on, name) for key in keys)
    if on == "PROCEDURE":
        # SHOW GRANTS names a procedure with its types: DB.SCHEMA."REFRESH(VARCHAR):VARCHAR".
        return any(key[:2] == (privilege, on) and _bare(key[2]) == _bare(name) for key in keys)
    if on in ("TASK", "TASKS") and ("MONITOR EXECUTION", "ACCOUNT", "") in keys:
        return True
    # Which tasks a place has is not known here; a role that sees some was given what it is to see.
    return on == "TASKS" and any(
        other in ("MONITOR", "OPERATE", "OWNERSHIP") and kind == "TASK" and task.startswith(f"{name}.")
        for other, kind, task in keys
    )


def _bare(name: str) -> str:
    """A procedure's name without quotes and types."""
    return re.sub(r"\(.*", "", name.replace('"', ""))
