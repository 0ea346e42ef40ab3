"""The journal of an apply, and kept deployments: files below `<pipeline>/state/` on the stage.

`apply.json`, the journal, exists from before the first change until after the last. It holds the graph before the
apply, the graph that is meant, and who began it when. Progress is not recorded, because a record could be older than
the last change; it is found by comparing the account with both graphs. `deployment-000014.json` holds the graph that
deployment 14 meant; it is valid once the journal of that apply is gone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from sfml.base.errors import ConflictingState, RecordUnreadable
from sfml.base.record import record
from sfml.base.release import VERSION
from sfml.lower.canonical import Json, canonical_json
from sfml.plan.artefact import Artefact, artefact_from, artefact_value
from sfml.plan.lease import Lease

T = TypeVar("T")

JOURNAL_VERSION = 1
JOURNAL_NAME = "apply.json"

_DEPLOYMENT = re.compile(r"deployment-(\d{6,})\.json")


@record
class Header:
    """Who changes the graph since when: `nonce` is that of the lease, `began_at` an ISO time in UTC."""

    number: int
    owner: str
    began_at: str
    nonce: str
    reason: str | None = None
    work: str = "apply"
    """`apply`, `destroy` or `rollback`."""


@record
class Journal:
    """An apply that is under way or was cut off.

    `was` is the graph before the apply, None if there was none. `meant` is the graph after it, None if the graph is to
    be removed.
    """

    header: Header
    was: Artefact | None
    meant: Artefact | None

    @property
    def pipeline(self) -> str:
        either = self.meant or self.was
        assert either is not None, "an apply has a graph before it or after it"
        return either.pipeline


@record
class KeptDeployments:
    """The kept deployments, oldest first, and the errors of files that cannot be read."""

    deployments: tuple[Deployment, ...]
    unreadable: tuple[RecordUnreadable, ...] = ()


@record
class Deployment:
    """A graph that was deployed and is kept for a rollback."""

    header: Header
    artefact: Artefact


def deployment_before(deployments: Iterable[Deployment], at: datetime) -> Deployment | None:
    """The last of these deployments that was begun before a time; None if it is not kept."""
    before = [one for one in deployments if _began(one) <= at]
    return max(before, key=lambda one: one.header.number, default=None)


def _began(deployment: Deployment) -> datetime:
    at = datetime.fromisoformat(deployment.header.began_at)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def header_of(lease: Lease, number: int, *, work: str = "apply") -> Header:
    """The header of the work that is done under a lease."""
    return Header(number, lease.owner, lease.since, lease.nonce, lease.reason, work)


def journal_json(journal: Journal) -> str:
    """The text of the journal's file."""
    return _json(
        {
            "header": _header_value(journal.header),
            "was": None if journal.was is None else artefact_value(journal.was),
            "meant": None if journal.meant is None else artefact_value(journal.meant),
        }
    )


def journal_from(content: bytes) -> Journal:
    """The journal in the bytes of its file; raises `RecordUnreadable` if this version cannot read it."""
    return _read(content, "the journal of an unfinished command", _journal_of)


def _journal_of(value: Mapping[str, Any]) -> Journal:
    was, meant = value.get("was"), value.get("meant")
    if was is None and meant is None:
        raise ValueError("it has no graph")
    return Journal(
        _header_from(value["header"]),
        None if was is None else artefact_from(was),
        None if meant is None else artefact_from(meant),
    )


def deployment_json(deployment: Deployment) -> str:
    """The text of a kept deployment's file."""
    return _json(
        {"header": _header_value(deployment.header), "artefact": artefact_value(deployment.artefact)}
    )


def deployment_from(content: bytes, number: int | None = None) -> Deployment:
    """The deployment in the bytes of its file; raises `RecordUnreadable`, also if it does not have the `number`."""
    deployment = _read(content, "a kept deployment", _deployment_of)
    if number is not None and deployment.header.number != number:
        raise _unreadable("a kept deployment", f"it says that it is deployment {deployment.header.number}")
    return deployment


def _deployment_of(value: Mapping[str, Any]) -> Deployment:
    return Deployment(_header_from(value["header"]), artefact_from(value["artefact"]))


def deployment_name(number: int) -> str:
    """The name of a deployment's file; names sort in the order of the numbers."""
    return f"deployment-{number:06d}.json"


def unreadable_name(name: str, content: bytes) -> str:
    """The name under which an unreadable file is kept when a new one replaces it."""
    return f"unreadable-{hashlib.sha256(content).hexdigest()[:12]}-{name}"


def deployment_number(name: str) -> int | None:
    """The number in the name of a deployment's file; None for any other file."""
    match = _DEPLOYMENT.fullmatch(name.rsplit("/", 1)[-1])
    return int(match.group(1)) if match else None


def _json(value: Mapping[str, Json]) -> str:
    return canonical_json({"format_version": JOURNAL_VERSION, "written_by": VERSION, **value}) + "\n"


def _read(content: bytes, what: str, make: Callable[[Mapping[str, Any]], T]) -> T:
    """The value that `make` reads from JSON; any error in it is raised as `RecordUnreadable`."""
    if not content.strip():
        raise _unreadable(what, "it is empty")
    try:
        value = json.loads(content)
        if not isinstance(value, dict):
            raise ValueError("it is not a JSON object")
        version = value.get("format_version", value.get("version"))
        if isinstance(version, int) and version > JOURNAL_VERSION:
            by = f", sfml {value['written_by']}" if isinstance(value.get("written_by"), str) else ""
            raise _unreadable(what, f"a later version of sfml wrote it{by}", is_newer=True)
        if version != JOURNAL_VERSION:
            raise ValueError("it does not say its version")
        return make(value)
    except RecordUnreadable:
        raise
    except ConflictingState as error:
        raise _unreadable(what, error.message, is_newer=True) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as cause:
        problem = f"it lacks {cause}" if isinstance(cause, KeyError) else f"it is damaged: {cause}"
        raise _unreadable(what, problem) from cause


def _unreadable(what: str, problem: str, *, is_newer: bool = False) -> RecordUnreadable:
    return RecordUnreadable(
        f"{what} on the stage cannot be read: {problem}", problem=problem, is_newer=is_newer
    )


def _header_value(header: Header) -> dict[str, Json]:
    return {
        "number": header.number,
        "owner": header.owner,
        "began_at": header.began_at,
        "nonce": header.nonce,
        "reason": header.reason,
        "work": header.work,
    }


def _header_from(value: Mapping[str, Any]) -> Header:
    return Header(
        int(value["number"]),
        str(value["owner"]),
        str(value["began_at"]),
        str(value["nonce"]),
        value.get("reason"),
        str(value.get("work", "apply")),
    )
