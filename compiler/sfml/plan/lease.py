"""Who may change a pipeline's graph now, as the comment of the object that stands for it."""

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
    """The right to change one pipeline's graph; `nonce` tells two leases of one owner apart.

    `since` is an ISO time in UTC, by the clock of whoever took it, and only ever shown: a lease does not run out.
    `host` and `process` are where it was taken, `boot` which start of that machine and which space of process ids,
    where the system tells.
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
"""Stands for a lease whose comment says nothing that this version can read: it is held all the same."""


def lease_from(comment: str) -> Lease:
    """The lease that a comment describes; `UNREADABLE` for what this version cannot read."""
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
