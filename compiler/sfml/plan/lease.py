"""Who may change a pipeline's graph now, as the comment of the object that stands for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sfml.lower.canonical import canonical_json

LEASE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to change one pipeline's graph; `nonce` tells two leases of one owner apart.

    `since` is an ISO time in UTC, by the clock of whoever took it; `host` and `process` are where it was taken.
    """

    owner: str
    host: str
    process: int
    since: str
    nonce: str
    reason: str | None = None

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
        }
    )


def lease_from(comment: str) -> Lease | None:
    """The lease that a comment describes; None for what nobody of us wrote."""
    try:
        value: Mapping[str, Any] = json.loads(comment)
        return Lease(
            str(value["owner"]),
            str(value["host"]),
            int(value["process"]),
            str(value["since"]),
            str(value["nonce"]),
            value.get("reason"),
        )
    except (ValueError, TypeError, KeyError):
        return None
