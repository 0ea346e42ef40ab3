"""Leases: the right to change a pipeline's graph, stored in the comment of an object in the account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sfml.base.record import record
from sfml.lower.canonical import canonical_json

LEASE_VERSION = 1


@record
class Lease:
    """The right to change one pipeline's graph; `nonce` distinguishes two leases of the same owner.

    `since` is an ISO time in UTC, by the clock of the machine that took the lease; it is only shown, because a lease
    does not expire. `host` and `process` (an id) say where it was taken. `boot` identifies the boot of that machine and
    its space of process ids, if the system provides them.
    """

    owner: str
    host: str
    process: int
    since: str
    nonce: str
    reason: str | None = None
    boot: str | None = None

    @property
    def taken_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.since)
        except ValueError:
            return None


def lease_json(lease: Lease) -> str:
    """The text of the comment that holds the lease."""
    return canonical_json(
        {
            "sfml_lease": LEASE_VERSION,
            "owner": lease.owner,
            "host": lease.host,
            "process": lease.process,
            "since": lease.since,
            "nonce": lease.nonce,
            "reason": lease.reason,
            "boot": lease.boot,
        }
    )


UNREADABLE = Lease("somebody", "", 0, "", "")
"""Stands for a lease whose comment this version cannot read; it counts as held."""


def lease_from(comment: str) -> Lease:
    """The lease in a comment; `UNREADABLE` if this version cannot read it."""
    try:
        value: Mapping[str, Any] = json.loads(comment)
        return Lease(
            str(value["owner"]),
            str(value["host"]),
            int(value["process"]),
            str(value["since"]),
            str(value["nonce"]),
            _text(value.get("reason")),
            _text(value.get("boot")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return UNREADABLE


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
