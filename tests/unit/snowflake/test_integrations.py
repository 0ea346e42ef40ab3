"""Which rows of SHOW INTEGRATIONS cannot be used for what a graph sends."""

from __future__ import annotations

from typing import Any

import pytest

from sfml.graph.needs import Kind, Need
from sfml.snowflake.environment import unusable_integrations


class Shown:
    """A list with one integration, as SHOW INTEGRATIONS answers it on an account."""

    def __init__(self, **row: str) -> None:
        self.values = row

    def row(self, listing: object, name: str) -> dict[str, Any] | None:
        return self.values if name == "X" else None


@pytest.mark.parametrize(
    ("usage", "type_", "enabled", "note"),
    [
        ("queue", "QUEUE - AWS_SNS", "true", None),
        ("queue", "QUEUE", "TRUE", None),
        ("email", "EMAIL", "true", None),
        ("webhook", "WEBHOOK", "true", None),
        ("", "EMAIL", "true", None),
        ("webhook", "SOMETHING NEW", "true", None),
        ("webhook", "EMAIL", "true", "it is of type EMAIL, and is used as WEBHOOK"),
        ("email", "QUEUE - GCP_PUBSUB", "true", "it is of type QUEUE - GCP_PUBSUB, and is used as EMAIL"),
        ("email", "EMAIL", "false", "it is disabled"),
    ],
)
def test_of_another_type_or_disabled(usage: str, type_: str, enabled: str, note: str | None) -> None:
    needs = (Need(Kind.NOTIFICATION, "X", (), usage), Need(Kind.NOTIFICATION, "GONE", (), usage))
    shown: Any = Shown(type=type_, enabled=enabled)
    assert [one.note for one in unusable_integrations(shown, needs)] == ([] if note is None else [note])
