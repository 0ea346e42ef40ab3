"""The plan of a part of a run: what runs and why, what is reused from which run, what it costs and forfeits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sfml.account.history import parsed_return_value
from sfml.base.record import record
from sfml.cost.amount import Amount
from sfml.graph.located import Scalar
from sfml.lower.desired import DesiredGraph
from sfml.plan.part import LeavesTask, Part, ReusesTask, RunsTask
from sfml.plan.part_record import PartRecord
from sfml.render.cost import amount_text
from sfml.render.printable import printable
from sfml.render.run import SUMMARY, part_record_json, setting_text
from sfml.render.symbols import Symbols
from sfml.render.units import moment
from sfml.semantics.states import CAME

_CHANGED = {"code": "its code changed since", "settings": "its spec changed since", "new": "new since"}
_SHORT = 8


@record
class ShownPart:
    """A planned part with everything that is shown of it."""

    part: Part
    record: PartRecord
    changed: Mapping[str, str]
    recovered_at: datetime | None
    retryable: tuple[str, datetime] | None
    running_since: datetime | None
    notes: Sequence[str]
    cost: Amount | None


def part_text(shown: ShownPart, symbols: Symbols) -> str:
    """The plan of a part for people."""
    return printable_text(_lines(shown, symbols))


def printable_text(lines: Iterator[str]) -> str:
    return "\n".join(printable(line) for line in lines)


def _lines(shown: ShownPart, symbols: Symbols) -> Iterator[str]:
    part, record = shown.part, shown.record
    graph = part.graph
    yield f"{graph.pipeline} {symbols['arrow']} {graph.target.name}   {_what(shown)}, with {_code(record)}"
    yield ""
    names = [task.name for task in part.tasks]
    width = max(map(len, names))
    short = short_ids([result.run_id for result in part.reused.values()])
    for task in part.tasks:
        match task:
            case RunsTask(name, why):
                changed = _CHANGED.get(shown.changed.get(name, ""))
                words = f"runs: {why}" + (f"; {changed}" if changed else "")
                yield f"  {symbols['EXECUTING']} {name:<{width}}  {words}"
            case ReusesTask(name, result):
                words = f"reused: succeeded in {short[result.run_id]}"
                summary = _summary(graph, name, result.value)
                changed = _CHANGED.get(shown.changed.get(name, ""))
                more = [text for text in (summary, changed) if text]
                yield f"  {symbols['unchanged']} {name:<{width}}  {', '.join([words, *more])}"
            case LeavesTask(name, state, why):
                counts = f"; counts as {state.value.lower().replace('_', ' ')}" if not task.is_gone else ""
                yield f"  {symbols['never']} {name:<{width}}  left out: {why}{counts}"
    yield ""
    if record.config:
        overridden = _overridden(graph, record.config)
        if overridden:
            yield f"  with the config  {', '.join(overridden)}"
    yield f"  {_forfeits(shown)}"
    if shown.running_since is not None:
        yield f"  runs beside a run that is executing since {moment(shown.running_since)}"
    for note in shown.notes:
        yield f"  {note}"
    if shown.cost is not None:
        yield f"  about {amount_text(shown.cost)} credits"


def _what(shown: ShownPart) -> str:
    record = shown.record
    if record.recovers is None:
        return f"part of a run ({', '.join(record.selectors)})"
    at = f" ({moment(shown.recovered_at)})" if shown.recovered_at else ""
    chosen = f", {', '.join(record.selectors)}" if record.selectors else ""
    return f"part of run {record.recovers}{at}{chosen}"


def _code(record: PartRecord) -> str:
    origin = f" ({record.commit})" if record.commit else ""
    if record.deployment is not None:
        return f"the code of deployment {record.deployment}{origin}"
    return f"the code of your files{origin}"


def _forfeits(shown: ShownPart) -> str:
    if shown.retryable is None:
        return "the deployed graph stays as it is; no retry is forfeited"
    run_id, at = shown.retryable
    return (
        f"the deployed graph stays as it is; `sfml retry` of run {run_id} ({moment(at)}) stays possible"
        " until an apply"
    )


def _overridden(graph: DesiredGraph, config: Mapping[str, Scalar]) -> list[str]:
    usual = graph.root.config or {}
    return [setting_text(key, value) for key, value in config.items() if usual.get(key) != value]


def _summary(graph: DesiredGraph, name: str, value: str | None) -> str | None:
    """What is worth telling of a result: its summary, or the outcome of a gate."""
    outcomes = next((task.outcomes for task in graph.all_tasks if task.task == name), None)
    parsed = parsed_return_value(value, outcomes)
    if outcomes is not None:
        return f"chose {parsed}"
    if isinstance(parsed, Mapping):
        return str(parsed[SUMMARY]) if parsed.get(SUMMARY) else None
    return str(parsed)[:60] if isinstance(parsed, str | int | float) else None


def short_ids(run_ids: Sequence[str]) -> Mapping[str, str]:
    """Run id → its first characters, as many as tell it from the others."""
    for length in (_SHORT, 2 * _SHORT):
        if len({run_id[:length] for run_id in run_ids}) == len({*run_ids}):
            return {run_id: run_id[:length] for run_id in run_ids}
    return {run_id: run_id for run_id in run_ids}


def part_json(shown: ShownPart) -> dict[str, Any]:
    """The object of `schemas/output/part.schema.json`, without `format_version`."""
    graph, record = shown.part.graph, shown.record
    return {
        "pipeline": graph.pipeline,
        "target": graph.target.name,
        **part_record_json(record),
        "tasks": [_task_json(shown, task.name) for task in shown.part.tasks],
        "config": dict(record.config or {}),
        "retryable_run": shown.retryable[0] if shown.retryable else None,
        "forfeits": [],
        "runs_beside": shown.running_since is not None,
        "notes": list(shown.notes),
        "credits": None if shown.cost is None else {"low": shown.cost.low, "high": shown.cost.high},
    }


def _task_json(shown: ShownPart, name: str) -> dict[str, Any]:
    task = shown.part.by_name[name]
    value: dict[str, Any] = {"task": name, "changed": shown.changed.get(name)}
    match task:
        case RunsTask(why=why):
            return {**value, "action": "run", "why": why, "run_id": None, "state": None}
        case ReusesTask(result=result):
            why = "it " + CAME[result.state]
            return {
                **value,
                "action": "reuse",
                "why": why,
                "run_id": result.run_id,
                "state": result.state.value,
            }
        case LeavesTask(state=state, why=why):
            return {**value, "action": "leave", "why": why, "run_id": None, "state": state.value}
