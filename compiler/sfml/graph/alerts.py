"""Alerts of a pipeline: which notification integrations are told of which events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from sfml.base.record import record
from sfml.graph.located import Place, Ref

Event: TypeAlias = Literal["failure", "gate", "late", "slow", "suspended", "recovered"]
EVENTS: tuple[Event, ...] = ("failure", "gate", "late", "slow", "suspended", "recovered")

WATCHED: frozenset[Event] = frozenset({"late", "suspended"})
"""The events that a run cannot tell, because there is none: a watching task looks for them."""

ChannelKind: TypeAlias = Literal["email", "slack", "teams", "pagerduty", "webhook", "queue"]
CHANNELS: tuple[ChannelKind, ...] = ("email", "slack", "teams", "pagerduty", "webhook", "queue")

INTEGRATION_TYPES: Mapping[ChannelKind, Literal["email", "webhook", "queue"]] = {
    "email": "email",
    "slack": "webhook",
    "teams": "webhook",
    "pagerduty": "webhook",
    "webhook": "webhook",
    "queue": "queue",
}
"""Kind of channel → the type of its notification integration.

https://docs.snowflake.com/en/user-guide/notifications/about-notifications
"""


@record
class Channel:
    """A notification integration that is told of events; `events` is None for those of the pipeline.

    `to` are the recipients of an email, in place of those of the integration.
    """

    kind: ChannelKind
    integration: str
    to: tuple[str, ...] = ()
    events: tuple[Event, ...] | None = None
    place: Place | None = field(default=None, compare=False)


@record
class Alerts:
    """The alerts of a pipeline. `events` is None for all events that the rest of the spec gives a meaning.

    `gates` maps branches to their outcomes that did not pass.
    """

    channels: tuple[Channel, ...] = ()
    events: tuple[Event, ...] | None = None
    gates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gate_refs: tuple[tuple[Ref, tuple[Ref, ...]], ...] = field(default=(), compare=False)
    """The entries of `gates` with their places."""
