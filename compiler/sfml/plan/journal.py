"""The record of an apply while it is under way, and of each that was made: files below `<pipeline>/state/`.

`apply.json` is there from before the first change until after the last: what was, what is meant, who began it and
when. How far it came is not written down but seen, by comparing the account with both: a progress report could be
older than what was done. `deployment-000014.json` is what deployment 14 meant to be; it counts once its journal
is gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sfml.errors import ConflictingState
from sfml.lower.canonical import Json, canonical_json
from sfml.plan.artefact import Artefact, artefact_from, artefact_value
from sfml.plan.lease import Lease

JOURNAL_VERSION = 1
JOURNAL_NAME = "apply.json"

_DEPLOYMENT = re.compile(r"deployment-(\d{6,})\.json")


@dataclass(frozen=True, slots=True)
class Header:
    """Who changes the graph: `nonce` is that of the lease, `began_at` an ISO time in UTC."""

    number: int
    owner: str
    began_at: str
    nonce: str
    reason: str | None = None
    work: str = "apply"
    """`apply`, `destroy` or `rollback`."""


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


def journal_from(text: str) -> Journal:
    """The journal; raises `ConflictingState` for one that this version cannot read."""
    value = _read(text, "journal of an apply")
    was, meant = value.get("was"), value.get("meant")
    return Journal(
        _header_from(value["header"]),
        None if was is None else artefact_from(was),
        None if meant is None else artefact_from(meant),
    )


def deployment_json(deployment: Deployment) -> str:
    return _json(
        {"header": _header_value(deployment.header), "artefact": artefact_value(deployment.artefact)}
    )


def deployment_from(text: str) -> Deployment:
    value = _read(text, "kept deployment")
    return Deployment(_header_from(value["header"]), artefact_from(value["artefact"]))


def deployment_name(number: int) -> str:
    """The file of a deployment; names sort as their numbers do."""
    return f"deployment-{number:06d}.json"


def deployment_number(name: str) -> int | None:
    """The number of a deployment's file, None for any other file."""
    found = _DEPLOYMENT.fullmatch(name.rsplit("/", 1)[-1])
    return int(found.group(1)) if found else None


def _json(value: Mapping[str, Json]) -> str:
    return canonical_json({"format_version": JOURNAL_VERSION, **value}) + "\n"


def _read(text: str, what: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as cause:
        raise ConflictingState(f"the {what} on the stage cannot be read: {cause}") from cause
    if not isinstance(value, dict) or value.get("format_version") != JOURNAL_VERSION:
        raise ConflictingState(
            f"the {what} on the stage was written by another version of sfml",
            help="finish or restore with the version that wrote it",
        )
    return value


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
