"""What must be there before a graph can be deployed: said with the statements that make it, or made when asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.opening import Opened, connection_to, server_for
from sfml.cli.options import Options
from sfml.errors import ConflictingState

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.plan.model import Plan
    from sfml.snowflake.environment import Environment, Missing


@contextmanager
def opened_connection(found: Opened, options: Options) -> Iterator[SnowflakeConnection]:
    """The target's connection, checked, whether or not its database and schema are there."""
    target = found.desired.target
    with server_for(found, options) as server, connection_to(target, server, options) as connection:
        yield connection


def looked_at(found: Opened, connection: SnowflakeConnection, plan: Plan | None = None) -> Environment:
    """What of the graph's needs is missing, or of those alone that a plan brings in.

    The stage is no finding: an apply makes its own. Of a local target only streams can be missing: the local Snowflake
    takes any name of a warehouse, a pool or an integration, but a stream is made of a table.
    """
    from sfml.graph.needs import Kind, needs_of
    from sfml.plan.introduced import introduced
    from sfml.snowflake.environment import Environment, environment_of

    graph = found.reading.graph
    if graph is None:
        return Environment(())
    local = found.desired.target.is_local
    needs = tuple(
        need for need in needs_of(graph) if need.kind is Kind.STREAM or not (local or need.kind is Kind.STAGE)
    )
    return environment_of(
        connection, graph, needs=needs if plan is None else introduced(needs, plan, found.desired)
    )


def demand_environment(
    found: Opened,
    connection: SnowflakeConnection,
    options: Options,
    *,
    create_missing: bool,
    auto_approve: bool,
    plan: Plan | None = None,
) -> None:
    """Return when everything is there; make what may be made, if asked to, and raise for the rest.

    With a plan, what the deployed graph names already counts as there.

    Raises `ConflictingState` before anything is changed, with every missing thing and its statement.
    """
    from sfml.snowflake.environment import create

    environment = looked_at(found, connection, plan)
    if not (options.json or options.quiet):
        for text in doubts(environment):
            output.note(f"note: {text}")
    creatable = environment.creatable if create_missing else ()
    left = [one for one in environment.blocking if one not in creatable]
    if left:
        raise ConflictingState(missing_text(found, left), help=_help(left, create_missing))
    if not creatable:
        return
    if not (options.json or options.quiet):
        output.say("Missing, and made now:")
        for one in creatable:
            output.say(f"  + {one.text}\n      {one.statement};")
    if not auto_approve:
        confirm(f"Create {'it' if len(creatable) == 1 else 'them'}?", options)
    create(connection, found.desired.target, creatable)


def doubts(environment: Environment) -> Iterator[str]:
    """What nobody can be sure of: kinds that the role may not list, and image repositories that it cannot see."""
    yield from (f"not looked at, {text}" for text in environment.unknown)
    for one in environment.missing:
        if one not in environment.blocking:
            jobs = ", ".join(one.need.by)
            yield f"no image repository is visible; without any in the account {jobs} fails: {one.statement};"


def missing_text(found: Opened, missing: list[Missing]) -> str:
    """The sentence and a paragraph for each."""
    target = found.desired.target
    role = f"role {target.owner_role}" if target.owner_role else "the role"
    things = "1 thing" if len(missing) == 1 else f"{len(missing)} things"
    place = f"{found.desired.pipeline} names in target `{target.name}`"
    lines = [f"{things} that {place} cannot be found; nothing was changed"]
    for one in missing:
        lines += [f"  {one.text}", f"      {one.statement};"]
    return "\n".join([*lines, f"  Each is missing, or {role} cannot see it."])


def _help(left: list[Missing], create_missing: bool) -> str:
    from sfml.graph.needs import CREATABLE

    makes = sorted({str(one.need.kind) for one in left if one.need.kind in CREATABLE})
    if makes and not create_missing:
        return f"`sfml apply --create-missing` makes {' and '.join(makes)}; the rest is for who administers the account"
    return "have them made, then run it again"


def environment_json(environment: Environment) -> dict[str, Any]:
    """The part `environment` of a plan's JSON."""
    return {
        "missing": [
            {
                "kind": str(one.need.kind),
                "name": one.need.name,
                "tasks": list(one.need.by),
                "statement": one.statement,
                "note": one.note or None,
            }
            for one in environment.missing
        ],
        "not_looked_at": list(environment.unknown),
    }


def environment_text(found: Opened, environment: Environment) -> str:
    """What is missing with its statements, or that nothing is."""
    told = list(doubts(environment))
    if environment.blocking:
        return "\n".join([missing_text(found, list(environment.blocking)), *told])
    counted = (
        f"{environment.looked_at} things that it names are there"
        if environment.looked_at
        else "nothing to look for"
    )
    return "\n".join([f"Environment: {counted}.", *told])
