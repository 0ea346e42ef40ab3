"""The finalizer of a graph with alerts: a block that tells of the run, runs the user's finalizer, and tells the rest.

A root has one finalizer, so alerts are wrapped around the user's. What is wrong is told before it, so that it is told
even if it fails or is cut off; its own failure, and that the pipeline has recovered, after it. Alerts fail nothing: the
procedure logs what it cannot send, and one that cannot start leaves a note as the task's return value.

The user's statement is run by EXECUTE IMMEDIATE, so that nothing in it can become a variable or a part of the block.
https://docs.snowflake.com/en/sql-reference/sql/call-with (INTO)
https://docs.snowflake.com/en/sql-reference/sql/execute-immediate
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sfml.base.quoting import dotted, folded, literal, raw, stage_path
from sfml.base.record import record
from sfml.graph.alert_events import events_of, gates_of, slow_limits, tells_of_runs
from sfml.graph.alerts import WATCHED
from sfml.graph.located import Scalar
from sfml.graph.model import Manual, TaskGraph
from sfml.lower.canonical import Json
from sfml.lower.desired import AlertsCall, Archive
from sfml.lower.named_graph import NamedGraph
from sfml.lower.names import stage_of
from sfml.lower.programs import alerts_procedure
from sfml.semantics.limits import timeout_seconds

STEP = "sfml_steps.alerting.report.report"
"""The function whose archive the alerts of a finalizer run."""

_HEAD = "BEGIN\n    LET SFML_CALL STRING := "
_INNER = re.compile(r"^        EXECUTE IMMEDIATE ('(?:[^'\\]|\\.|'')*');$", re.MULTILINE | re.DOTALL)
_NOT_SENT = (
    "            LET SFML_PROBLEM STRING := LEFT('alerts were not sent: ' || SQLERRM, 1000);\n"
    "            CALL SYSTEM$SET_RETURN_VALUE(:SFML_PROBLEM);\n"
)


def has_alerts(graph: TaskGraph) -> bool:
    """Whether the finalizer of the graph tells of its runs."""
    return tells_of_runs(graph.settings, graph.tasks)


def alerts_call(named: NamedGraph, archive: Archive) -> AlertsCall:
    """The call of the procedure that tells of the runs of a graph."""
    graph = named.graph
    alerts, finalizer = graph.settings.alerts, graph.finalizer
    assert alerts is not None and finalizer is not None
    limits = slow_limits(graph.tasks)
    call: dict[str, Json] = {
        **call_base(named),
        "finalizer": named.raw_names[finalizer.name],
        "retries": graph.settings.retries,
        "timeout": timeout_seconds(None if graph.settings.timeout is None else graph.settings.timeout * 1000),
        "gates": _gates(named, gates_of(alerts, graph.tasks)),
        "slow": {named.raw_names[name]: limits[name] for name in sorted(limits)},
        "channels": [*channels_of(graph, of_runs=True)],
    }
    path = stage_path(stage_of(graph.target), archive.stage_path)
    return AlertsCall(json.dumps(call, ensure_ascii=False, allow_nan=False), archive.sha256, path)


def call_base(named: NamedGraph) -> dict[str, Json]:
    """What every call that sends alerts says of the pipeline; `names` holds names that cannot be derived."""
    graph, root = named.graph, raw(named.root)
    return {
        "pipeline": graph.pipeline,
        "target": graph.target.name,
        "spec": graph.spec_path,
        "root": root,
        "schema": dotted(f"{folded(graph.target.database)}.{folded(graph.target.schema)}"),
        "stage": stage_of(graph.target),
        "names": {
            name: task
            for task, name in sorted(named.raw_names.items())
            if name.removeprefix(f"{root}$").lower() != task
        },
    }


def channels_of(graph: TaskGraph, *, of_runs: bool) -> list[dict[str, Any]]:
    """The channels with the events of runs, or with those that a watching task looks for; `recovered` is of both."""
    alerts = graph.settings.alerts
    channels: list[dict[str, Any]] = []
    for channel in alerts.channels if alerts else ():
        events = events_of(channel, graph.settings, graph.tasks)
        own = [event for event in events if event == "recovered" or (event in WATCHED) is not of_runs]
        if set(own) - {"recovered"}:
            entry: dict[str, Any] = {"kind": channel.kind, "integration": folded(channel.integration)}
            if channel.to:
                entry["to"] = list(channel.to)
            channels.append({**entry, "events": list(own)})
    return channels


def watch_of(graph: TaskGraph) -> dict[str, Scalar]:
    """What a watching pipeline is to know of a graph: who is told of what no run can tell, and what is late.

    A channel is an entry from its kind, its integration and its recipients to its events.
    """
    channels = {
        " ".join((str(channel["kind"]), str(channel["integration"]), *channel.get("to", ()))): ", ".join(
            channel["events"]
        )
        for channel in channels_of(graph, of_runs=False)
    }
    if not channels or isinstance(graph.settings.schedule, Manual):
        return {}
    within = graph.settings.within
    late = {} if within is None else {"within": within}
    place = {"pipeline": graph.pipeline, "target": graph.target.name, "stage": stage_of(graph.target)}
    return {**place, **late, **channels}


def _gates(named: NamedGraph, gates: Mapping[str, tuple[str, ...]]) -> dict[str, Json]:
    """Branch in Snowflake → return value → outcome, for the outcomes that did not pass."""
    return {
        named.raw_names[branch]: {
            value: outcome for outcome, value in named.outcomes[branch].items() if outcome in gates[branch]
        }
        for branch in sorted(gates)
        if branch in named.outcomes
    }


def alerted(call: AlertsCall, inner: str | None) -> str:
    """The block around a statement; without one, the block only tells of the run."""
    if inner is None:
        call_text = _told(call, "'only', ''", indent=" " * 8)
        return f"{_HEAD}{literal(call.json)};\n{call_text}END"
    before = _told(call, "'before', ''", " INTO :SFML_PHASE")
    failed = _told(call, "'failed', :SFML_ERROR", indent=" " * 12)
    passed = _told(call, ":SFML_PHASE, ''")
    return (
        f"{_HEAD}{literal(call.json)};\n"
        "    LET SFML_PHASE STRING := 'only';\n"
        f"{before}"
        "    BEGIN\n"
        f"        EXECUTE IMMEDIATE {literal(inner)};\n"
        "    EXCEPTION\n"
        "        WHEN OTHER THEN\n"
        "            LET SFML_ERROR STRING := SQLERRM;\n"
        f"{failed}"
        "            RAISE;\n"
        "    END;\n"
        "    IF (SFML_PHASE <> 'done') THEN\n"
        f"{passed}"
        "    END IF;\n"
        "END"
    )


def _told(call: AlertsCall, arguments: str, into: str = "", indent: str = "    ") -> str:
    procedure = alerts_procedure(call.sha256, call.archive)
    return (
        "    BEGIN\n"
        f"{procedure}\n"
        f"CALL SFML_ALERTS(:SFML_CALL, {arguments}){into};\n"
        "    EXCEPTION\n"
        "        WHEN OTHER THEN\n"
        f"{_NOT_SENT}"
        "    END;\n"
    )


@record
class AlertedParts:
    """The parts of a block of `alerted`: the JSON of the call, the block itself, and the user's statement."""

    call: str
    block: str
    inner: str | None


def alerted_parts(sql: str) -> AlertedParts | None:
    """The parts of a finalizer with alerts; None for any other statement."""
    if not sql.startswith(_HEAD):
        return None
    call = _LITERAL.match(sql, len(_HEAD))
    if call is None:
        return None
    inner = _INNER.search(sql, call.end())
    block = sql[call.end() :] if inner is None else sql[call.end() : inner.start(1)] + sql[inner.end(1) :]
    return AlertedParts(unquoted(call[0]), block, None if inner is None else unquoted(inner[1]))


def own_statement(sql: str) -> str:
    """The user's statement in a finalizer with alerts; any other statement as it is."""
    parts = alerted_parts(sql)
    return sql if parts is None or parts.inner is None else parts.inner


_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)|''", re.DOTALL)


def unquoted(text: str) -> str:
    """The text of a literal that `base.quoting.literal` wrote."""
    return _ESCAPE.sub(lambda match: match[1] or "'", text[1:-1])
