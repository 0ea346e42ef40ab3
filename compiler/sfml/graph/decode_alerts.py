"""Decoding `alerts` and `expect.within` of a schedule config."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from sfml.base.diagnostic import Diagnostic
from sfml.graph.alerts import CHANNELS, EVENTS, Alerts, Channel, ChannelKind, Event
from sfml.graph.decode_schedule import duration
from sfml.graph.located import Place, Ref
from sfml.spec.nodes import ListNode, MapNode, Node, ScalarNode, entries_of, map_of, text_of, texts_of


def alerts_of(node: Node | None) -> Alerts | None:
    """The alerts in `alerts` of a schedule config; None without channels, for which there is nothing to do."""
    alerts = map_of(node)
    if alerts is None:
        return None
    channels = tuple(_channels(alerts.get("channels")))
    if not channels:
        return None
    gates = tuple(_gates(alerts.get("gates")))
    return Alerts(
        channels=channels,
        events=_events(alerts.get("events")),
        gates=MappingProxyType({task.name: tuple(ref.name for ref in refs) for task, refs in gates}),
        gate_refs=gates,
    )


def within_of(node: Node | None, findings: list[Diagnostic]) -> int | None:
    """The seconds of `within` in the `expect` of a schedule config; None without it."""
    settings = map_of(node)
    return duration(settings.get("within"), findings) if settings is not None else None


def _channels(node: Node | None) -> Iterator[Channel]:
    for key, _, value in entries_of(node):
        if key in CHANNELS:
            for item in value.items if isinstance(value, ListNode) else (value,):
                yield from _channel(key, item)


def _channel(kind: ChannelKind, node: Node) -> Iterator[Channel]:
    if isinstance(node, MapNode):
        integration = node.get("integration")
        name, to, events = text_of(integration), node.get("to"), _events(node.get("events"))
        if name and integration is not None:
            recipients = tuple(str(text.value) for text in texts_of(to))
            yield Channel(kind, name, recipients, events, Place(integration.span, integration.path))
    elif name := text_of(node):
        yield Channel(kind, name, place=Place(node.span, node.path))


def _events(node: Node | None) -> tuple[Event, ...] | None:
    """The events in the order of `EVENTS`; None where none are named."""
    if not isinstance(node, ListNode):
        return None
    named = {item.value for item in node.items if isinstance(item, ScalarNode)}
    return tuple(event for event in EVENTS if event in named)


def _gates(node: Node | None) -> Iterator[tuple[Ref, tuple[Ref, ...]]]:
    for key, at, value in entries_of(node):
        refs = tuple(Ref(str(text.value), Place(text.span, text.path)) for text in texts_of(value))
        if refs:
            yield Ref(key, Place(at, value.path)), refs
