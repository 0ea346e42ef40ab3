"""What a graph needs and its account lacks, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sfml.account.environment import Environment, MissingObject
from sfml.graph.needs import CREATABLE, Kind
from sfml.lower.desired import DesiredGraph


def doubts(environment: Environment) -> Iterator[str]:
    """What nobody can be sure of: kinds that the role may not list, and image repositories that it cannot see.

    Of what a local Snowflake takes by any name, those that no run here touches: that they are missing is seen nowhere.
    """
    yield from (f"not looked at, {text}" for text in environment.unknown)
    unseen = (Kind.NOTIFICATION, Kind.ACCESS, Kind.SECRET)
    names = [f"{one.need.kind} {one.need.name}" for one in environment.taken if one.need.kind in unseen]
    if names:
        yield f"not known here, and needed on an account: {', '.join(names)}"
    for one in environment.missing:
        if one not in environment.blocking:
            jobs = ", ".join(one.need.by)
            yield f"no image repository is visible; without any in the account {jobs} fails: {one.statement};"


def missing_text(graph: DesiredGraph, missing: Sequence[MissingObject]) -> str:
    """The sentence and a paragraph for each."""
    target = graph.target
    role = f"role {target.owner_role}" if target.owner_role else "the role"
    things = "1 thing" if len(missing) == 1 else f"{len(missing)} things"
    place = f"{graph.pipeline} names in target `{target.name}`"
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


def missing_help(left: Sequence[MissingObject], create_missing: bool) -> str:
    """What to do about what is missing."""
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


def environment_text(graph: DesiredGraph, environment: Environment) -> str:
    """What is missing with its statements, or that nothing is."""
    told = list(doubts(environment))
    if environment.blocking:
        return "\n".join([missing_text(graph, environment.blocking), *told])
    counted = (
        f"{environment.looked_at} things that it names are there"
        if environment.looked_at
        else "nothing to look for"
    )
    return "\n".join([f"Environment: {counted}.", *told])
