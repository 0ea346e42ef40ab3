"""Objects that a graph needs and its account lacks, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sfml.account.environment import Environment, MissingObject
from sfml.graph.needs import CREATABLE, Kind
from sfml.lower.desired import DesiredGraph


def doubts(environment: Environment) -> Iterator[str]:
    """One sentence for each need that could not be checked.

    - a kind of object that the role may not list;
    - a notification integration, external access integration or secret on the local Snowflake, which accepts any
      name for these and uses none of them when it runs a task;
    - an image repository, when the role can see none.
    """
    yield from (f"not looked at, {text}" for text in environment.unknown)
    unseen = (Kind.NOTIFICATION, Kind.ACCESS, Kind.SECRET)
    names = [
        f"{assumed_object.need.kind} {assumed_object.need.name}"
        for assumed_object in environment.taken
        if assumed_object.need.kind in unseen
    ]
    if names:
        yield f"not known here, and needed on an account: {', '.join(names)}"
    for repository in environment.missing:
        if repository not in environment.blocking:
            jobs = ", ".join(repository.need.by)
            yield f"no image repository is visible; without any in the account {jobs} fails: {repository.statement};"


def missing_text(graph: DesiredGraph, missing: Sequence[MissingObject]) -> str:
    """The error message: how many objects are missing or too small, and the statement that creates each."""
    target = graph.target
    role = f"role {target.owner_role}" if target.owner_role else "the role"
    things = "1 thing" if len(missing) == 1 else f"{len(missing)} things"
    named = f"{graph.pipeline} names in target `{target.name}`"
    unusable = [missing_object for missing_object in missing if missing_object.exists]
    some = "is" if len(missing) == 1 else "are"
    are_pools = all(missing_object.need.kind is Kind.POOL for missing_object in unusable)
    if len(unusable) == len(missing):
        what = f"{some} too small" if are_pools else "cannot be used"
    else:
        what = "cannot be found"
        if unusable:
            what += ", or are too small" if are_pools else ", or cannot be used"
    lines = [f"{things} that {named} {what}; nothing was changed"]
    for missing_object in missing:
        lines += [f"  {missing_object.text}", f"      {missing_object.statement};"]
    if len(unusable) < len(missing):
        lines.append(f"  Each is missing, or {role} cannot see it.")
    return "\n".join(lines)


def missing_help(missing: Sequence[MissingObject], create_missing: bool) -> str:
    """The help for an error about missing objects: create them, or change the sizes of pools and tasks."""
    if all(missing_object.exists for missing_object in missing):
        if all(missing_object.need.kind is Kind.POOL for missing_object in missing):
            return "give the pool more nodes, or the task fewer `instances`"
        alike = len({missing_object.need.kind for missing_object in missing}) == 1
        thing = str(missing[0].need.kind).rpartition(" ")[2] if alike else "object"
        return f"change what is said above in the account, or name another {thing}"
    creatable = sorted(
        {
            str(missing_object.need.kind)
            for missing_object in missing
            if missing_object.need.kind in CREATABLE and not missing_object.exists
        }
    )
    if creatable and not create_missing:
        kinds = " and ".join(creatable)
        return f"`sfml apply --create-missing` creates {kinds}; an administrator of the account has to create the rest"
    return "create them, or ask an administrator of the account to, then run it again"


def environment_json(environment: Environment) -> dict[str, Any]:
    """The value of the key `environment` in a plan's JSON."""
    return {
        "missing": [
            {
                "kind": str(missing_object.need.kind),
                "name": missing_object.need.name,
                "tasks": list(missing_object.need.by),
                "statement": missing_object.statement,
                "note": missing_object.note or None,
            }
            for missing_object in environment.missing
        ],
        "not_looked_at": list(environment.unknown),
    }


def environment_text(graph: DesiredGraph, environment: Environment) -> str:
    """The missing objects with the statements that create them, or a line that says that none is missing."""
    doubtful = list(doubts(environment))
    if environment.blocking:
        return "\n".join([missing_text(graph, environment.blocking), *doubtful])
    answer = (
        f"{environment.looked_at} things that it names are there"
        if environment.looked_at
        else "nothing to look for"
    )
    return "\n".join([f"Environment: {answer}.", *doubtful])
