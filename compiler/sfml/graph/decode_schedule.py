"""A schedule config → the settings of the root task."""

from __future__ import annotations

from types import MappingProxyType
from typing import cast

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Span
from sfml.graph.durations import seconds
from sfml.graph.located import Scalar
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    Manual,
    OnWarehouse,
    Overlap,
    Schedule,
    Serverless,
    StreamSchedule,
)
from sfml.semantics.limits import warehouse_size
from sfml.spec.nodes import MapNode, Node, ScalarNode, entries_of, map_of, text_of, texts_of


def settings_of(node: MapNode, findings: list[Diagnostic]) -> GraphSettings:
    """The root's settings; a duration that cannot be read becomes None and a finding."""
    alerts = map_of(node.get("alerts"))
    spans: dict[str, Span] = {}
    for key, _, value in entries_of(node):
        spans[key] = value.span
        for inner, _, part in entries_of(value):
            spans[f"{key}.{inner}"] = part.span
    return GraphSettings(
        schedule=_schedule(node.get("schedule"), findings),
        overlap=cast(Overlap, text_of(node.get("overlap")) or "NO_OVERLAP"),
        retries=whole_number(node.get("retries")) or 0,
        timeout=duration(node.get("timeout"), findings),
        suspend_after_failures=whole_number(node.get("suspend_after_failures")),
        on_error=text_of(alerts.get("on_error")) if alerts else None,
        on_success=text_of(alerts.get("on_success")) if alerts else None,
        when=text_of(node.get("when")),
        run_on=_run_on(map_of(node.get("run_on")), findings),
        log_level=text_of(node.get("log_level")),
        session_parameters=scalars(node.get("session_parameters")),
        execute_as_user=text_of(node.get("execute_as_user")),
        tags=texts(node.get("tags")),
        contacts=texts(node.get("contacts")),
        spans=MappingProxyType(spans),
    )


def _schedule(node: Node | None, findings: list[Diagnostic]) -> Schedule:
    if not isinstance(node, MapNode):
        return Manual()
    if "cron" in node.entries:
        fields = (text_of(node.get("cron")) or "").split()
        return CronSchedule(" ".join(fields), text_of(node.get("timezone")) or "UTC")
    every = duration(node.get("every"), findings)
    if "on_stream" in node.entries:
        return StreamSchedule(tuple(str(item.value) for item in texts_of(node.get("on_stream"))), every)
    return Manual() if every is None else IntervalSchedule(every)


def _run_on(node: MapNode | None, findings: list[Diagnostic]) -> OnWarehouse | Serverless | None:
    if node is None:
        return None
    if "serverless" in node.entries:
        return serverless(node, findings)
    return OnWarehouse(text_of(node.get("warehouse")) or "")


def serverless(node: MapNode, findings: list[Diagnostic]) -> Serverless:
    """The sizes under `serverless`; with `{}`, Snowflake chooses them."""
    sizes = map_of(node.get("serverless")) or MapNode({}, {}, node.span, node.path)
    return Serverless(
        initial=_size(sizes.get("initial")),
        min=_size(sizes.get("min")),
        max=_size(sizes.get("max")),
        target_completion=duration(sizes.get("target_completion"), findings),
    )


def _size(node: Node | None) -> str | None:
    text = text_of(node)
    return warehouse_size(text) if text else None


def duration(node: Node | None, findings: list[Diagnostic]) -> int | None:
    """The seconds of a duration; None, with a finding, for a text that is not one."""
    text = text_of(node)
    if node is None or text is None:
        return None
    value = seconds(text)
    if value is None:
        message = f"`{text}` is not a duration"
        help = "write a number and its unit, s, m, h or d: `90s`, `30m`, `1h30m`, `2d`"
        findings.append(Diagnostic.error("SF506", message, at=node.span, path=node.path, help=help))
    return value


def whole_number(node: Node | None) -> int | None:
    """The number in a scalar as an integer; None for any other node."""
    if isinstance(node, ScalarNode) and isinstance(node.value, (int, float)):
        return int(node.value)
    return None


def scalars(node: Node | None) -> MappingProxyType[str, Scalar]:
    """Key → value of the scalar entries of a mapping; nulls are left out."""
    return MappingProxyType(
        {
            key: value.value
            for key, _, value in entries_of(node)
            if isinstance(value, ScalarNode) and value.value is not None
        }
    )


def texts(node: Node | None) -> MappingProxyType[str, str]:
    """Key → text of the scalar entries of a mapping; numbers and booleans as YAML writes them."""
    return MappingProxyType(
        {key: text for key, _, value in entries_of(node) if (text := text_of(value)) is not None}
    )
