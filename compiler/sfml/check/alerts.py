"""SF36x, alerts: events that can happen, gates and channels that exist, and finalizers that send in every run."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, Label, did_you_mean, renaming
from sfml.base.quoting import folded
from sfml.check.case import Case, error, listed, warning
from sfml.graph.alert_events import (
    FINALIZER,
    gates_of,
    slow_limits,
)
from sfml.graph.alerts import INTEGRATION_TYPES, Alerts, Channel, Event
from sfml.graph.durations import in_words
from sfml.graph.located import Place
from sfml.graph.model import NotifyBody, StreamSchedule, TaskNode

_MIN_WITHIN, _MAX_WITHIN = 60, 6 * 86_400


def events_that_never_happen(case: Case) -> Iterator[Diagnostic]:
    """SF361: an alert is asked for that can never be sent.

    What: `alerts` has `channels`. `gate` needs a branch in `gates`, or a step of `sfml_steps.gate`; `slow` needs
    `expect: {takes: …}` on a task; `late` needs `expect: {within: …}` in the schedule config; `recovered` needs an
    event to recover from.
    Why: silence would look like success.
    Instead: add what the event needs, or take the event out.
    """
    alerts = case.draft.settings.alerts
    if alerts is None:
        for key in ("events", "gates"):
            if place := case.draft.places.get(f"schedule_config.alerts.{key}"):
                message = f"`alerts.{key}` is of no use without `alerts.channels`"
                yield error(
                    "SF361", message, place, help="add `channels`, such as `channels: {slack: ML_SLACK}`"
                )
                return
        return
    yield from _impossible(case, alerts, alerts.events, _place(case, "alerts.events"))
    for channel in alerts.channels:
        if channel.events is not None and channel.place is not None:
            yield from _impossible(case, alerts, channel.events, channel.place)


def _impossible(
    case: Case, alerts: Alerts, events: tuple[Event, ...] | None, place: Place
) -> Iterator[Diagnostic]:
    if events is None:
        return
    for event in events:
        if lack := _lacking(case, alerts, event):
            message, help = lack
            yield error("SF361", f"the event `{event}` can never happen: {message}", place, help=help)
    if set(events) == {"recovered"}:
        help = "add `failure`, or another event to recover from"
        yield error("SF361", "the event `recovered` has nothing to recover from", place, help=help)


def _lacking(case: Case, alerts: Alerts, event: Event) -> tuple[str, str] | None:
    """What an event lacks, and how to mend that."""
    nodes = _nodes(case)
    if event == "gate" and not gates_of(alerts, nodes):
        return "no branch is a gate", "name one: `gates: {check_quality: failed}`"
    if event == "slow" and not slow_limits(nodes):
        return "no task says how long it takes", "add `expect: {takes: …}` to a task"
    if event == "late" and case.draft.settings.within is None:
        return "nothing says what late is", "add `expect: {within: 2h}` to the schedule config"
    return None


def unknown_gates(case: Case) -> Iterator[Diagnostic]:
    """SF362: `gates` names a task or an outcome that does not exist.

    What: `gates` maps branches of the graph to their outcomes that count as not passed.
    Why: the gate could fail without an alert.
    Instead: correct the name.
    """
    alerts = case.draft.settings.alerts
    for task, outcomes in alerts.gate_refs if alerts else ():
        gate = case.task(task.name)
        branches = [one.name for one in case.tasks if one.outcomes]
        if gate is None or not gate.outcomes:
            message = f"`{task.name}` is not a branch" if gate else f"there is no task `{task.name}`"
            help = did_you_mean(task.name, branches) or "name a task with `outcomes`"
            fix = renaming(task.place.span, task.name, branches)
            yield error("SF362", message, task.place, help=help, fix=fix)
            continue
        for ref in outcomes:
            if ref.name not in gate.outcomes:
                message = f"`{ref.name}` is not an outcome of `{task.name}`"
                help = (
                    did_you_mean(ref.name, gate.outcomes) or f"its outcomes are {listed(list(gate.outcomes))}"
                )
                fix = renaming(ref.place.span, ref.name, gate.outcomes)
                yield error("SF362", message, ref.place, help=help, fix=fix)


def clashing_channels(case: Case) -> Iterator[Diagnostic]:
    """SF363: one integration is used as two types, or given twice.

    What: an integration is for email, for a webhook or for a queue; `slack`, `teams`, `pagerduty` and `webhook` are
    webhooks. `on_error` and `on_success` are queues. A channel names an integration once.
    Why: Snowflake refuses the message, so the alert is lost when it is needed; one that is given twice gets each alert
    twice.
    Instead: name the integration where it belongs.
    """
    seen: dict[str, tuple[str, Place | None]] = {}
    settings = case.draft.settings
    for key, name in (("on_error", settings.on_error), ("on_success", settings.on_success)):
        if name:
            seen[folded(name)] = ("queue", case.draft.places.get(f"schedule_config.alerts.{key}"))
    for task in case.tasks:
        body = task.node.body
        if isinstance(body, NotifyBody) and (type_ := body.type or ("email" if body.email else None)):
            seen.setdefault(folded(body.integration), (type_, task.place("notify.integration", "notify")))
    for channel in _channels(case):
        type_ = INTEGRATION_TYPES[channel.kind]
        known, first = seen.setdefault(folded(channel.integration), (type_, channel.place))
        if known != type_ and channel.place is not None:
            message = (
                f"`{channel.integration}` is {_a(type_)} here and {_a(known)} elsewhere in this pipeline"
            )
            labels = (Label(first.span, f"{_a(known)} here"),) if first else ()
            help = "an integration has one type: name another one"
            yield error("SF363", message, channel.place, labels=labels, help=help)
    yield from _given_twice(case)


def _given_twice(case: Case) -> Iterator[Diagnostic]:
    """Findings for channels of one kind that get the same alerts by the same integration."""
    given: dict[object, Place] = {}
    for channel in _channels(case):
        if channel.place is None:
            continue
        same = (channel.kind, folded(channel.integration), channel.to, channel.events)
        other = given.setdefault(same, channel.place)
        if other is not channel.place:
            message = f"`{channel.integration}` is given twice and would get each alert twice"
            labels = (Label(other.span, "the other one"),)
            yield error("SF363", message, channel.place, labels=labels, help="leave one of them")


def _a(type_: str) -> str:
    return f"{'an' if type_ == 'email' else 'a'} {type_}"


def wrong_recipients(case: Case) -> Iterator[Diagnostic]:
    """SF364: a recipient of an alert is not an email address.

    What: `to` lists addresses such as `name@example.com`, which the integration allows.
    Why: Snowflake sends nothing at all if one recipient is wrong.
    Instead: correct the address.
    """
    for channel in _channels(case):
        for address in channel.to:
            local, at, domain = address.partition("@")
            is_wrong = not (at and local and "." in domain) or any(char.isspace() for char in address)
            if is_wrong and channel.place is not None:
                message = f"`{address[:60]}` is not an email address"
                yield error("SF364", message, channel.place, help="write `name@example.com`")


def incidents_by_recovery(case: Case) -> Iterator[Diagnostic]:
    """SF366: PagerDuty is told that a pipeline recovered.

    What: channels of `pagerduty` leave out the event `recovered`.
    Why: the template of a webhook says what a message does, usually `trigger`, so a recovery opens an incident.
    Instead: take `recovered` out, and resolve the incident by hand, or silence this if the template resolves it.
    """
    for channel in _channels(case):
        if channel.kind == "pagerduty" and channel.events and "recovered" in channel.events and channel.place:
            message = f"`{channel.integration}` is told of `recovered`, which opens an incident"
            yield warning("SF366", message, channel.place, help="take `recovered` out of its events")


def wrong_freshness(case: Case) -> Iterator[Diagnostic]:
    """SF367: `expect.within` cannot be judged.

    What: `within` is from 1 minute to 6 days, in a pipeline with scheduled times: `cron` or `every`.
    Why: Snowflake keeps the history of a task for 7 days, and a stream has no times at which a run is due.
    Instead: name a time in that range, or take `within` out.
    """
    settings = case.draft.settings
    place = _place(case, "expect.within")
    if settings.within is None:
        return
    if not _MIN_WITHIN <= settings.within <= _MAX_WITHIN:
        help = f"name a time from {in_words(_MIN_WITHIN)} to {in_words(_MAX_WITHIN)}"
        yield error("SF367", f"no run can be judged within {in_words(settings.within)}", place, help=help)
    elif isinstance(settings.schedule, StreamSchedule):
        message = "`expect.within` counts from scheduled times, and a stream has none"
        yield error("SF367", message, place, help="take `within` out")


def reserved_names(case: Case) -> Iterator[Diagnostic]:
    """SF369: a task has the name of one that sends alerts.

    What: in a pipeline with `alerts.channels`, no task is named `sfml_alerts`.
    Why: the finalizer that sfml generates for the alerts has this name.
    Instead: rename the task.
    """
    if case.draft.settings.alerts is None:
        return
    for task in case.tasks:
        if task.name.lower() == FINALIZER:
            message = f"`{task.name}` is the name of a task that sends alerts"
            yield error("SF369", message, task.place(), help="rename the task")


def _channels(case: Case) -> tuple[Channel, ...]:
    return case.draft.settings.alerts.channels if case.draft.settings.alerts else ()


def _nodes(case: Case) -> tuple[TaskNode, ...]:
    return tuple(task.node for task in case.draft.tasks)


def _place(case: Case, *settings: str) -> Place:
    """The place of the first of the settings that is set, else that of the schedule config."""
    for setting in (*settings, "alerts"):
        if place := case.draft.places.get(f"schedule_config.{setting}"):
            return place
    return case.draft.places["schedule_config"]
