"""Saved plans: a plan in a file, which an apply carries out exactly, or refuses.

The file holds the plan for people to read, and fingerprints of everything that the plan is based on. The apply makes a
new plan, and carries it out only if everything is still the same. The file holds no credentials. It holds the values of
`--var`, as the tasks that are made from them do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from sfml.base.errors import ConflictingState, UsageError
from sfml.base.record import record
from sfml.lower.canonical import fingerprint
from sfml.lower.desired import DesiredGraph
from sfml.plan.model import ObservedGraph

SAVED_VERSION = 1
KIND = "sfml plan"


@record
class Grounds:
    """What a plan is based on: account, role and location, and the fingerprints of desired and observed graph."""

    account: str
    role: str | None
    location: str
    desired: str
    observed: str


@record
class SavedPlan:
    """The arguments of the plan, its grounds, and the plan itself as `sfml plan -o json` prints it."""

    tool: str
    spec: str
    target: str
    grounds: Grounds
    plan: Mapping[str, Any]
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    resume: bool | None = None
    adopt: bool = False


def desired_fingerprint(desired: DesiredGraph) -> str:
    """The fingerprint of the desired graph with its archives and moves, which decide what an apply does."""
    archives = sorted(archive.sha256 for archive in desired.archives)
    return fingerprint({"graph": desired.fingerprint, "moved": dict(desired.moved), "archives": archives})


def observed_fingerprint(observed: ObservedGraph | None) -> str:
    """The fingerprint of the deployed graph; who deployed it and when is not part of it."""
    if observed is None:
        return fingerprint(None)
    tasks = [
        [task.name, task.id, task.started, task.definition, dict(task.settings), task.owner]
        for _, task in sorted(observed.by_name.items())
    ]
    recorded = None if observed.record is None else observed.record.get("fingerprint")
    return fingerprint([tasks, recorded])


def saved_json(saved: SavedPlan) -> str:
    """The text of the file: JSON with sorted keys, indented, a newline at the end."""
    value = {
        "format_version": SAVED_VERSION,
        "kind": KIND,
        "tool": saved.tool,
        "spec": saved.spec,
        "target": saved.target,
        "variables": dict(saved.variables),
        "user": saved.user,
        "resume": saved.resume,
        "adopt": saved.adopt,
        "grounds": {
            "account": saved.grounds.account,
            "role": saved.grounds.role,
            "location": saved.grounds.location,
            "desired": saved.grounds.desired,
            "observed": saved.grounds.observed,
        },
        "plan": saved.plan,
    }
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def saved_from(text: str, file: str) -> SavedPlan:
    """The saved plan in the text of a file.

    Raises `UsageError` for a text that is not a saved plan, and `ConflictingState` for another version of the format.
    """
    try:
        value = json.loads(text)
        is_plan = isinstance(value, dict) and value.get("kind") == KIND
    except ValueError:
        is_plan = False
    if not is_plan:
        raise UsageError(
            f"`{file}` is not a saved plan", help=f"make one:  sfml plan SPEC -t TARGET --out {file}"
        )
    if value.get("format_version") != SAVED_VERSION:
        raise ConflictingState(
            f"`{file}` is a plan of format {value.get('format_version')}; this version of sfml reads format"
            f" {SAVED_VERSION}",
            help="plan again with the version that applies",
        )
    try:
        return SavedPlan(
            tool=str(value["tool"]),
            spec=str(value["spec"]),
            target=str(value["target"]),
            grounds=Grounds(**{key: value["grounds"][key] for key in Grounds.__dataclass_fields__}),
            plan=value["plan"],
            variables=dict(value["variables"]),
            user=value["user"],
            resume=value["resume"],
            adopt=bool(value["adopt"]),
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise UsageError(f"`{file}` is a saved plan that was changed by hand", help="plan again") from cause


def moved_on(saved: SavedPlan, now: Grounds, plan: Mapping[str, Any], tool: str) -> Iterator[str]:
    """A sentence for everything that has changed since the plan was made; nothing if the plan may be applied."""
    was = saved.grounds
    if was.account != now.account:
        yield f"it was made for account {was.account}, and the connection leads to {now.account}"
    if was.role != now.role:
        yield f"it was made as role {was.role}, and the role is now {now.role}"
    if was.location != now.location:
        yield f"it was made for {was.location}, and the target is now {now.location}"
    if was.desired != now.desired:
        yield "the spec or the step code changed since"
    if was.observed != now.observed:
        yield "the deployed graph changed since"
    if saved.tool != tool and (was.desired, was.observed) != (now.desired, now.observed):
        yield f"it was made by sfml {saved.tool}, and this is sfml {tool}"
    if was == now and decisive(saved.plan) != decisive(plan):
        yield f"sfml {tool} would do something else than sfml {saved.tool} planned"


def decisive(plan: Mapping[str, Any]) -> Any:
    """The part of a plan's JSON that says what is done, without risks and run times, which change by the minute."""
    changes = [
        [
            change["name"],
            change["action"],
            [[field["path"], field["old"], field["new"]] for field in change["fields"]],
        ]
        for change in plan["changes"]
    ]
    return json.loads(json.dumps([plan["pipeline"], plan["target"], plan["schedule"], changes]))
