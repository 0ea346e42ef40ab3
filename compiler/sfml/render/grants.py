"""The privileges that a graph needs as SQL and as JSON, and the comparison of a role's grants with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.base.record import record
from sfml.graph.comparing import Comparison
from sfml.graph.privileges import Privilege, Purpose
from sfml.render.symbols import Symbols

_HEADINGS = {
    Purpose.DEPLOYING: "To deploy: what `sfml plan`, `apply`, `run`, `backfill` and `destroy` do as this role",
    Purpose.RUNNING: "To run: what the tasks do, as the role that owns them, which is the one that created them",
    Purpose.READING: "To look: `sfml plan`, `status`, `history` and `models list`",
}
LOGS = (
    "-- Logs are in the account's event table: GRANT APPLICATION ROLE SNOWFLAKE.EVENTS_ADMIN TO ROLE {role};"
)


@record
class Unknown:
    """What is not known of privileges: the tasks whose tables are not declared, and others in words."""

    undeclared: Sequence[str] = ()
    others: Sequence[str] = ()


def grants_sql(
    title: str,
    lists: Mapping[Purpose, Sequence[Privilege]],
    roles: Mapping[Purpose, str],
    unknown: Unknown,
) -> str:
    """GRANT statements with comments, ready to run."""
    return "\n".join(_sql_lines(title, lists, roles, unknown))


def _sql_lines(
    title: str,
    lists: Mapping[Purpose, Sequence[Privilege]],
    roles: Mapping[Purpose, str],
    unknown: Unknown,
) -> Iterator[str]:
    yield f"-- {title}: the least privileges, by what a role is for"
    if unknown.undeclared:
        yield f"-- Not known: what the code of {', '.join(unknown.undeclared)} reads and writes."
        yield "-- Say it with `reads:` and `writes:` of the task, and it is listed here."
    for text in unknown.others:
        yield f"-- Not known: {text}."
    for purpose, privileges in lists.items():
        yield ""
        yield f"-- {_HEADINGS[purpose]}"
        if purpose is Purpose.READING:
            yield LOGS.format(role=roles[purpose])
        for privilege in privileges:
            for statement in f"{privilege.grant(roles[purpose])};".split("\n"):
                yield f"{statement}  -- {privilege.why}"


def comparison_text(comparison: Comparison, purposes: Sequence[Purpose], symbols: Symbols) -> str:
    """Whether the role has all privileges that it needs; the missing ones with their statements; the excess."""
    return "\n".join(_comparison_lines(comparison, purposes, symbols))


def _comparison_lines(comparison: Comparison, purposes: Sequence[Purpose], symbols: Symbols) -> Iterator[str]:
    what = " and ".join(purpose.value for purpose in purposes)
    if comparison.missing:
        yield f"{symbols['FAILED']} role {comparison.role} lacks {len(comparison.missing)} of what {what} needs"
        for one in comparison.missing:
            for statement in f"{one.grant(comparison.role)};".split("\n"):
                yield f"    {statement}  -- {one.why}"
    else:
        yield f"{symbols['SUCCEEDED']} role {comparison.role} has what {what} needs"
    if comparison.excess:
        yield f"It may also do {len(comparison.excess)} things that {what} does not need:"
        for privilege in comparison.excess:
            place = (
                "the account"
                if privilege.on == "ACCOUNT"
                else f"{privilege.on.replace('_', ' ')} {privilege.name}"
            )
            through = "" if privilege.through == comparison.role else f", through {privilege.through}"
            yield f"    {privilege.privilege} on {place}{through}"
    if comparison.elsewhere:
        yield f"And it has {comparison.elsewhere} grants on other objects, which this pipeline does not name."
    if comparison.unread:
        yield f"Not known: the grants of {', '.join(comparison.unread)}, which this role cannot look at."


def grants_json(
    lists: Mapping[Purpose, Sequence[Privilege]],
    roles: Mapping[Purpose, str],
    unknown: Unknown,
    comparison: Comparison | None,
) -> dict[str, Any]:
    return {
        "roles": {
            purpose.value: {
                "role": roles[purpose],
                "grants": [_privilege(privilege, roles[purpose]) for privilege in privileges],
            }
            for purpose, privileges in lists.items()
        },
        "undeclared": list(unknown.undeclared),
        "unknown": list(unknown.others),
        "comparison": None if comparison is None else _comparison(comparison),
    }


def _privilege(privilege: Privilege, role: str) -> dict[str, Any]:
    return {
        "privilege": privilege.privilege,
        "on": privilege.on,
        "name": privilege.name or None,
        "why": privilege.why,
        "statement": privilege.grant(role),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "role": comparison.role,
        "missing": [_privilege(privilege, comparison.role) for privilege in comparison.missing],
        "excess": [
            {
                "privilege": privilege.privilege,
                "on": privilege.on,
                "name": None if privilege.on == "ACCOUNT" else privilege.name,
                "through": privilege.through,
            }
            for privilege in comparison.excess
        ],
        "elsewhere": comparison.elsewhere,
        "unread": list(comparison.unread),
    }
