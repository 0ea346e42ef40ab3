"""The record of an apply while it is under way, and of each that was made: files below `<pipeline>/state/`.

`apply.json` is there from before the first change until after the last: what was, what is meant, who began it and
when. How far it came is not written down but seen, by comparing the account with both: a progress report could be
older than what was done. `deployment-000014.json` is what deployment 14 meant to be; it counts once its journal
is gone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
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
    """Who changes the graph: `nonce` is that of the lease, `began_at` an ISO time in UTC."""

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

    `was` is the graph before it, None when there was none; `meant` the graph it is to become, None when it is to
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
    """What is kept of deployments, oldest first, and the files of them that cannot be read."""

    deployments: tuple[Deployment, ...]
    unreadable: tuple[RecordUnreadable, ...] = ()


@record
class Deployment:
    """A graph that was deployed, and kept so that it can be put back."""

    header: Header
    artefact: Artefact


def header_of(lease: Lease, number: int, *, work: str = "apply") -> Header:
    """The header of what is done under a lease."""
    return Header(number, lease.owner, lease.since, lease.nonce, lease.reason, work)


def journal_json(journal: Journal) -> str:
    return _json(
        {
            "header": _header_value(journal.header),
            "was": None if journal.was is None else artefact_value(journal.was),
            "meant": None if journal.meant is None else artefact_value(journal.meant),
        }
    )


def journal_from(content: bytes) -> Journal:
    """The journal; raises `RecordUnreadable` for one that this version cannot read."""
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
    return _json(
        {"header": _header_value(deployment.header), "artefact": artefact_value(deployment.artefact)}
    )


def deployment_from(content: bytes, number: int | None = None) -> Deployment:
    """The deployment, which must be that of the number where one is given; raises `RecordUnreadable`."""
    deployment = _read(content, "a kept deployment", _deployment_of)
    if number is not None and deployment.header.number != number:
        raise _unreadable("a kept deployment", f"it says that it is deployment {deployment.header.number}")
    return deployment


def _deployment_of(value: Mapping[str, Any]) -> Deployment:
    return Deployment(_header_from(value["header"]), artefact_from(value["artefact"]))


def deployment_name(number: int) -> str:
    """The file of a deployment; names sort as their numbers do."""
    return f"deployment-{number:06d}.json"


def unreadable_name(name: str, content: bytes) -> str:
    """Under which name the content of an unreadable file is kept when another takes its place."""
    return f"unreadable-{hashlib.sha256(content).hexdigest()[:12]}-{name}"


def deployment_number(name: str) -> int | None:
    """The number of a deployment's file, None for any other file."""
    found = _DEPLOYMENT.fullmatch(name.rsplit("/", 1)[-1])
    return int(found.group(1)) if found else None


def _json(value: Mapping[str, Json]) -> str:
    return canonical_json({"format_version": JOURNAL_VERSION, "written_by": VERSION, **value}) + "\n"


def _read(content: bytes, what: str, make: Callable[[Mapping[str, Any]], T]) -> T:
    """What `make` reads from JSON; whatever is wrong with it is the file's fault, and told in one way."""
    if not content.strip():
        raise _unreadable(what, "it is empty")
    try:
        value = json.loads(content)
        if not isinstance(value, dict):
            raise ValueError("it is no object")
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
