"""The privileges of a graph as SQL and as JSON, and how a role compares with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.graph.comparing import Comparison
from sfml.graph.privileges import Privilege, Purpose
from sfml.render.symbols import Symbols

_HEADINGS = {
    Purpose.DEPLOYING: "To deploy: what `sfml plan`, `apply` and `destroy` do as this role",
    Purpose.RUNNING: "To run: what the tasks do, as the role that owns them, which is the one that created them",
    Purpose.READING: "To look: `sfml plan`, `status` and `history`",
}
LOGS = (
    "-- Logs are in the account's event table: GRANT APPLICATION ROLE SNOWFLAKE.EVENTS_ADMIN TO ROLE {role};"
)


def grants_sql(
    title: str,
    lists: Mapping[Purpose, Sequence[Privilege]],
    roles: Mapping[Purpose, str],
    undeclared: Sequence[str],
) -> str:
    """Statements with comments, which can be run as they are by who may grant."""
    return "\n".join(_sql_lines(title, lists, roles, undeclared))


def _sql_lines(
    title: str,
    lists: Mapping[Purpose, Sequence[Privilege]],
    roles: Mapping[Purpose, str],
    undeclared: Sequence[str],
) -> Iterator[str]:
    yield f"-- {title}: the least privileges, by what a role is for"
    if undeclared:
        yield f"-- Not known: what the code of {', '.join(undeclared)} reads and writes."
        yield "-- Say it with `reads:` and `writes:` of the task, and it is listed here."
    for purpose, privileges in lists.items():
        yield ""
        yield f"-- {_HEADINGS[purpose]}"
        if purpose is Purpose.READING:
            yield LOGS.format(role=roles[purpose])
        for one in privileges:
            for statement in f"{one.grant(roles[purpose])};".split("\n"):
                yield f"{statement}  -- {one.why}"


def comparison_text(found: Comparison, purposes: Sequence[Purpose], symbols: Symbols) -> str:
    """First whether the role has what it needs, then what is missing with its statement, then what is more."""
    return "\n".join(_comparison_lines(found, purposes, symbols))


def _comparison_lines(found: Comparison, purposes: Sequence[Purpose], symbols: Symbols) -> Iterator[str]:
    what = " and ".join(purpose.value for purpose in purposes)
    if found.missing:
        yield f"{symbols['FAILED']} role {found.role} lacks {len(found.missing)} of what {what} needs"
        for one in found.missing:
            for statement in f"{one.grant(found.role)};".split("\n"):
                yield f"    {statement}  -- {one.why}"
    else:
        yield f"{symbols['SUCCEEDED']} role {found.role} has what {what} needs"
    if found.excess:
        yield f"It may also do {len(found.excess)} things that {what} does not need:"
        for held in found.excess:
            place = "the account" if held.on == "ACCOUNT" else f"{held.on.replace('_', ' ')} {held.name}"
            through = "" if held.through == found.role else f", through {held.through}"
            yield f"    {held.privilege} on {place}{through}"
    if found.elsewhere:
        yield f"And it has {found.elsewhere} grants on other objects, which this pipeline does not name."
    if found.unread:
        yield f"Not known: the grants of {', '.join(found.unread)}, which this role cannot look at."


def grants_json(
    lists: Mapping[Purpose, Sequence[Privilege]],
    roles: Mapping[Purpose, str],
    undeclared: Sequence[str],
    comparison: Comparison | None,
) -> dict[str, Any]:
    return {
        "roles": {
            purpose.value: {
                "role": roles[purpose],
                "grants": [_privilege(one, roles[purpose]) for one in privileges],
            }
            for purpose, privileges in lists.items()
        },
        "undeclared": list(undeclared),
        "comparison": None if comparison is None else _comparison(comparison),
    }


def _privilege(one: Privilege, role: str) -> dict[str, Any]:
    return {
        "privilege": one.privilege,
        "on": one.on,
        "name": one.name or None,
        "why": one.why,
        "statement": one.grant(role),
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "role": found.role,
        "missing": [_privilege(one, found.role) for one in found.missing],
        "excess": [
            {
                "privilege": one.privilege,
                "on": one.on,
                "name": None if one.on == "ACCOUNT" else one.name,
                "through": one.through,
            }
            for one in found.excess
        ],
        "elsewhere": found.elsewhere,
        "unread": list(found.unread),
    }
