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

    The stage is no finding: an apply makes its own, and on a local target so are the database, the schema and what
    packages are installed. Pools have to be large enough for the tasks that the plan makes or changes.
    """
    from sfml.graph.needs import Kind, needs_of
    from sfml.plan.introduced import introduced
    from sfml.plan.model import Action
    from sfml.snowflake.environment import Environment, environment_of

    graph = found.reading.graph
    if graph is None:
        return Environment(())
    made = {Kind.STAGE}
    if found.desired.target.is_local:
        made |= {Kind.DATABASE, Kind.SCHEMA, Kind.PACKAGE}
    needs = tuple(need for need in needs_of(graph) if need.kind not in made)
    if plan is None:
        return environment_of(connection, graph, needs=needs)
    same = (Action.UNCHANGED, Action.DROP)
    changed = {change.name for change in plan.changes if change.action not in same}
    sized = {task.task for task in found.desired.all_tasks if task.task and task.name in changed}
    return environment_of(connection, graph, needs=introduced(needs, plan, found.desired), sized=sized)


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
    """What nobody can be sure of: kinds that the role may not list, and image repositories that it cannot see.

    Of what a local Snowflake takes by any name, those that no run here touches: that they are missing is seen nowhere.
    """
    from sfml.graph.needs import Kind

    yield from (f"not looked at, {text}" for text in environment.unknown)
    unseen = (Kind.NOTIFICATION, Kind.ACCESS, Kind.SECRET)
    names = [f"{one.need.kind} {one.need.name}" for one in environment.taken if one.need.kind in unseen]
    if names:
        yield f"not known here, and needed on an account: {', '.join(names)}"
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
    small = [one for one in missing if one.exists]
    what = (
        "is too small"
        if len(small) == len(missing) == 1
        else "are too small"
        if len(small) == len(missing)
        else ("cannot be found, or are too small" if small else "cannot be found")
    )
    lines = [f"{things} that {place} {what}; nothing was changed"]
    for one in missing:
        lines += [f"  {one.text}", f"      {one.statement};"]
    if len(small) < len(missing):
        lines.append(f"  Each is missing, or {role} cannot see it.")
    return "\n".join(lines)


def _help(left: list[Missing], create_missing: bool) -> str:
    from sfml.graph.needs import CREATABLE

    if all(one.exists for one in left):
        return "give the pool more nodes, or the task fewer `instances`"
    makes = sorted({str(one.need.kind) for one in left if one.need.kind in CREATABLE and not one.exists})
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
