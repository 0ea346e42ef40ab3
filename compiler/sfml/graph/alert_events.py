"""What alerts mean in a graph: the events that its channels are told, its gates, and the tasks that can be slow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sfml.graph.alerts import EVENTS, WATCHED, Alerts, Channel, Event
from sfml.graph.expectations import Range, TaskExpectation
from sfml.graph.model import GraphSettings, OnWarehouse, StepBody, TaskGraph, TaskNode

FINALIZER = "sfml_alerts"
"""The name of the finalizer that sends the alerts of a graph without a finalizer of its own."""

WATCH = "sfml_steps.alerting.watch.watch_pipelines"
"""The general step of a watching pipeline, which tells that others are late or suspended."""

KNOWN_GATES: Mapping[str, tuple[str, ...]] = {
    "sfml_steps.gate.check_metric": ("failed",),
    "sfml_steps.gate.compare_with_champion": ("failed",),
}
"""General step → its outcomes that did not pass."""

TAKES = Range(2, 20)
"""The seconds that sending alerts takes: those of starting a Python procedure."""


def gates_of(alerts: Alerts, tasks: Iterable[TaskNode]) -> Mapping[str, tuple[str, ...]]:
    """Branch → its outcomes that did not pass: those in `gates`, and those of the known steps."""
    known = {
        node.name: KNOWN_GATES[node.body.step]
        for node in tasks
        if isinstance(node.body, StepBody) and node.body.step in KNOWN_GATES
    }
    return {**known, **alerts.gates}


def slow_limits(tasks: Iterable[TaskNode]) -> Mapping[str, float]:
    """Task → the seconds that it is expected to take at most."""
    return {
        node.name: node.expect.takes.high for node in tasks if node.expect is not None and node.expect.takes
    }


def events_of(channel: Channel, settings: GraphSettings, tasks: Iterable[TaskNode]) -> tuple[Event, ...]:
    """The events that a channel is told: its own, else those of `alerts.events`, else all that have a meaning.

    The template of a PagerDuty integration opens an incident with each message, so it is told that a pipeline recovered
    only if its own `events` name that.
    """
    alerts = settings.alerts
    assert alerts is not None
    if channel.events is not None:
        return channel.events
    nodes = tuple(tasks)
    named = alerts.events or tuple(e for e in EVENTS if _has_meaning(e, alerts, settings, nodes))
    return tuple(event for event in named if not (channel.kind == "pagerduty" and event == "recovered"))


def all_events(settings: GraphSettings, tasks: Iterable[TaskNode]) -> frozenset[Event]:
    """The events that any channel is told; none without alerts."""
    nodes = tuple(tasks)
    channels = settings.alerts.channels if settings.alerts else ()
    return frozenset(event for channel in channels for event in events_of(channel, settings, nodes))


def _has_meaning(event: Event, alerts: Alerts, settings: GraphSettings, tasks: tuple[TaskNode, ...]) -> bool:
    match event:
        case "gate":
            return bool(gates_of(alerts, tasks))
        case "slow":
            return bool(slow_limits(tasks))
        case "late" | "suspended":
            return False
        case _:
            return True


def tells_of_runs(settings: GraphSettings, tasks: Iterable[TaskNode]) -> bool:
    """Whether a run tells anything itself, so that the finalizer has to."""
    return bool(all_events(settings, tasks) - WATCHED - {"recovered"})


def with_alerts(graph: TaskGraph) -> TaskGraph:
    """The graph with a finalizer of its own for alerts, where it has alerts that a run tells and no finalizer."""
    if graph.finalizer is not None or not tells_of_runs(graph.settings, graph.tasks):
        return graph
    return replace(graph, finalizer=_finalizer(graph))


def _finalizer(graph: TaskGraph) -> TaskNode:
    return TaskNode(
        name=FINALIZER,
        body=StepBody("sfml_steps.alerting.report.report", {}),
        run_on=graph.settings.run_on or OnWarehouse(graph.target.warehouse),
        is_finalizer=True,
        expect=TaskExpectation(takes=TAKES),
        spans={"": span} if (span := graph.settings.spans.get("alerts")) else {},
    )
