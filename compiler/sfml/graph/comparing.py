"""What a role may do beside what it needs: what is missing, and what is more than that."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sfml.base.record import record
from sfml.graph.privileges import Privilege

IMPLIED = {"MONITOR": ("OPERATE",), "READ": ("WRITE",)}
"""Privileges that include another: who may operate a task sees it; WRITE on a stage comes with READ."""


@record
class GrantRow:
    """One row of SHOW GRANTS: `on` as there (COMPUTE_POOL), `through` the role that holds it."""

    privilege: str
    on: str
    name: str
    through: str


@record
class Comparison:
    """What a role lacks of what it needs, and what it may do beyond that to the same objects and the account."""

    role: str
    missing: tuple[Privilege, ...]
    excess: tuple[GrantRow, ...]
    elsewhere: int
    """Grants on other objects; they are other pipelines' business."""
    unread: tuple[str, ...] = ()
    """Roles whose grants could not be read."""


def compared(
    role: str, needed: Iterable[Privilege], granted: Iterable[GrantRow], unread: tuple[str, ...] = ()
) -> Comparison:
    """The difference. OWNERSHIP, and ALL, hold every privilege of an object; a schema's owner also creates in it."""
    wanted = list(needed)
    held = {(one.privilege, one.on, "" if one.on == "ACCOUNT" else one.name): one for one in granted}
    whole = {(on, name) for privilege, on, name in held if privilege in ("OWNERSHIP", "ALL")}
    missing = [one for one in wanted if not _is_held(one, held.keys(), whole)]
    concerned = {one.key[1:] for one in wanted} | {("ACCOUNT", "")}
    needed_keys = {one.key for one in wanted}
    used = {(other, *one.key[1:]) for one in wanted for other in IMPLIED.get(one.privilege, ())}
    rest = [(key, one) for key, one in held.items() if key not in needed_keys and key not in used]
    excess = [one for key, one in rest if key[1:] in concerned and key[0] != "OWNERSHIP"]
    elsewhere = sum(key[1:] not in concerned for key, _ in rest)
    return Comparison(role, tuple(missing), tuple(excess), elsewhere, unread)


def _is_held(one: Privilege, held: Iterable[tuple[str, str, str]], whole: set[tuple[str, str]]) -> bool:
    privilege, on, name = one.key
    if (on, name) in whole:
        return True
    keys = set(held)
    if any((other, on, name) in keys for other in (privilege, *IMPLIED.get(privilege, ()))):
        return True
    if on in ("DATABASE", "SCHEMA") and privilege == "USAGE":
        # Any privilege on a container lets its holder pass through it, as far as names are resolved.
        return any(key[1:] == (on, name) for key in keys)
    if on == "PROCEDURE":
        # Its name comes with its types: DB.SCHEMA."REFRESH(VARCHAR):VARCHAR".
        return any(key[:2] == (privilege, on) and _bare(key[2]) == _bare(name) for key in keys)
    return on == "TASK" and ("MONITOR EXECUTION", "ACCOUNT", "") in keys


def _bare(name: str) -> str:
    """A procedure's name without quotes and types."""
    return re.sub(r"\(.*", "", name.replace('"', ""))
