"""A plan as text and as the JSON of `plan --output json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec
from sfml.plan.model import Action, Change, ChangedFile, Comparable, FieldChange, Plan, Reason, Risk
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.units import duration, moment, plural
from sfml.semantics.redaction import redacted_tree

_TIMES = frozenset({"timeout_ms"})
_WIDTH, _CUT = 60, 57
_PLACE = 36
"""The width of the column of changes, to the left of the place in the spec."""
_VERBS = (
    (Action.REPLACE, "to replace"),
    (Action.ALTER, "to alter"),
    (Action.CREATE, "to create"),
    (Action.MOVE, "to move"),
    (Action.DROP, "to drop"),
    (Action.UNCHANGED, "unchanged"),
)


def plan_json(plan: Plan) -> Mapping[str, Any]:
    """The object of `schemas/output/plan.schema.json`, without `format_version`."""
    return {
        "pipeline": plan.pipeline,
        "target": plan.target,
        "location": plan.location,
        "summary": dict(plan.summary),
        "schedule": {"on_now": plan.root_started, "on_after": plan.resume_root},
        "changes": [change_json(change) for change in plan.changes],
        "risks": [risk_json(risk) for risk in plan.risks],
        "next_runs": [at.isoformat() for at in plan.next_runs],
        "notes": list(plan.notes),
    }


def change_json(change: Change) -> dict[str, Any]:
    """One entry of `changes`; `why` is null except for a replacement, `moved_from` except for a move."""
    return {
        "task": change.task,
        "name": change.name,
        "action": change.action.value,
        "moved_from": change.moved_from,
        "why": change.why,
        "fields": [field_json(field) for field in change.fields],
        "risks": [risk_json(risk) for risk in change.risks],
    }


def field_json(field: FieldChange) -> dict[str, Any]:
    return {
        "path": field.path,
        "old": jsonable(hidden(field.path, field.old)),
        "new": jsonable(hidden(field.path, field.new)),
        "reason": field.reason.value,
        "place": field.place,
        "old_place": field.old_place,
        "files": [
            {"path": file.path, "status": file.status, "names": list(file.names)} for file in field.files
        ],
    }


def risk_json(risk: Risk) -> dict[str, str]:
    return {"label": risk.label.value, "message": risk.message}


def jsonable(value: Comparable) -> Any:
    if isinstance(value, tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    return value


def hidden(path: str, value: Comparable) -> Comparable:
    """The value of a setting without the secrets in it; `path` is as `config.api_key`."""
    if path.partition(".")[0] == "secrets":
        return value
    return cast("Comparable", redacted_tree(value, path.rpartition(".")[2]))


def plan_text(plan: Plan, desired: DesiredGraph, symbols: Symbols, *, schedule: str | None = None) -> str:
    """The plan as text: counts in the first line, then each change, the risks, and the schedule."""
    return "\n".join(_plan_lines(plan, desired, symbols, schedule))


def _plan_lines(plan: Plan, desired: DesiredGraph, symbols: Symbols, schedule: str | None) -> Iterator[str]:
    yield _headline(plan, desired, symbols)
    changed = [change for change in plan.changes if change.action is not Action.UNCHANGED]
    if changed:
        yield ""
    width = max((len(change.task) for change in changed), default=0)
    for change in changed:
        yield from _change_lines(change, desired, symbols, width)
    yield ""
    for text in (*(risk.message for risk in plan.risks), *plan.notes):
        yield f"  {symbols['risk']} {text}"
    yield _schedule_line(plan, schedule)
    if changed:
        yield from next_run_lines(plan.next_runs, symbols)


def _headline(plan: Plan, desired: DesiredGraph, symbols: Symbols) -> str:
    role = f" as {desired.target.owner_role}" if desired.target.owner_role else ""
    where = f"{plan.pipeline} {symbols['arrow']} {plan.target}  {plan.location}{role}"
    if plan.is_empty:
        return f"{where}   no changes, {plural(plan.summary['unchanged'], 'task')} as in the spec"
    counts = [f"{plan.summary[action.value]} {verb}" for action, verb in _VERBS if plan.summary[action.value]]
    return f"{where}   {', '.join(counts)}"


def _change_lines(change: Change, desired: DesiredGraph, symbols: Symbols, width: int) -> Iterator[str]:
    head = f"  {symbols.of(change.action)} {change.task:<{width}}"
    if change.action is Action.CREATE:
        yield f"{head}  {description(change.name, desired)}".rstrip()
    else:
        yield head.rstrip()
    if change.moved_from is not None:
        yield f"      was {change.moved_from}: created under its new name, then the old one is dropped"
    if change.why is not None:
        yield f"      replaced because {change.why}"
    for field in change.fields:
        yield from field_lines(field, symbols)
    for risk in change.risks:
        yield f"      {symbols['risk']} {risk.message}"


def description(name: str, desired: DesiredGraph) -> str:
    """`after train_model, ML Job on pool LOCAL_POOL`: the description of a new task."""
    task = desired.task(name)
    spec_names = {other.name: other.task or other.name for other in desired.all_tasks}
    parts = []
    if task is desired.root:
        parts.append("root")
    elif task.finalize:
        parts.append("finalizer")
    else:
        parents = [spec_names[parent] for parent in task.predecessors if parent != desired.root.name]
        parts.append(f"after {', '.join(parents)}" if parents else "first")
    if isinstance(task.definition, MLJobDefinitionSpec):
        parts.append(f"ML Job on pool {task.definition.pool}")
    elif task.warehouse:
        parts.append(f"on warehouse {task.warehouse}")
    else:
        parts.append("serverless")
    return ", ".join(parts)


def field_lines(field: FieldChange, symbols: Symbols) -> Iterator[str]:
    old, new = shown_pair(field)
    change = f"{old} {symbols['arrow']} {new}"
    if field.reason not in (Reason.SPEC_CHANGED, Reason.CODE_CHANGED, Reason.ADOPTED):
        change += f"  ({field.reason.value})"
    yield f"      {field.path.removesuffix('_ms'):<16} {change:<{_PLACE}}  {field.place or ''}".rstrip()
    for file in field.files:
        yield f"      {'':<16} {file_words(file)}"


def file_words(file: ChangedFile) -> str:
    """`clv/train.py: evaluate, fit changed`, `clv/extra.py added`."""
    return (
        f"{file.path}: {', '.join(file.names)} {file.status}" if file.names else f"{file.path} {file.status}"
    )


def next_run_lines(runs: Sequence[datetime], symbols: Symbols) -> Iterator[str]:
    """The next runs in the schedule's time zone, and in the reader's local time if that differs."""
    if not runs:
        return
    yield f"  next runs  {_moments(runs, symbols)}"
    here = [at.astimezone() for at in runs]
    if any(one.utcoffset() != at.utcoffset() for one, at in zip(here, runs, strict=True)):
        yield f"  your time  {_moments(here, symbols)}"


def _moments(runs: Sequence[datetime], symbols: Symbols) -> str:
    """The times in one line; a time zone that they all share is written once, at the end."""
    zones = {at.tzname() for at in runs}
    words = [moment(at) if len(zones) > 1 else moment(at.replace(tzinfo=None)) for at in runs]
    return f" {symbols['dot']} ".join(words) + (f" {zones.pop()}" if len(zones) == 1 else "")


def shown_pair(field: FieldChange) -> tuple[str, str]:
    """Old and new value on one line each, cut so that the difference between them is visible."""
    old, new = whole(field.path, field.old), whole(field.path, field.new)
    if old == new:  # they differ in white space, or a number became text
        old, new = (
            printable(json.dumps(jsonable(hidden(field.path, one)), ensure_ascii=False))
            for one in (field.old, field.new)
        )
        if old == new:
            return cut(old), f"{cut(new)} (what is hidden differs)"
    same = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(old))
    if same < _CUT - 20 or (len(old) <= _WIDTH and len(new) <= _WIDTH):
        return cut(old), cut(new)
    return cut(f"…{old[same - 10 :]}"), cut(f"…{new[same - 10 :]}")


def shown(path: str, value: Comparable) -> str:
    """A value on one line, cut to at most 60 characters."""
    return cut(whole(path, value))


def cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[:_CUT] + "…"


def whole(path: str, value: Comparable) -> str:
    """A value on one line, uncut and without secrets; invisible characters are written as escapes."""
    value = hidden(path, value)
    if value is None or value == "":
        return "(unset)"
    if path in _TIMES and isinstance(value, int):
        return duration(value) if value else "0 s, which is 7 d"
    if isinstance(value, tuple):
        return "[" + ", ".join(cut(whole("", item)) for item in value) + "]"
    # A truth value is written as in YAML and JSON.
    is_plain = not isinstance(value, Mapping | bool)
    text = str(value) if is_plain else json.dumps(jsonable(value), ensure_ascii=False)
    return printable(" ".join(text.split()))


def _schedule_line(plan: Plan, schedule: str | None) -> str:
    if schedule is None:
        return "No schedule: it runs when you say `sfml run`."
    if plan.resume_root and not plan.root_started:
        return f"The schedule goes on: {schedule}"
    if plan.root_started and not plan.resume_root:
        return f"The schedule goes off: {schedule}"
    state = "stays on" if plan.resume_root else "stays off (sfml apply --resume turns it on)"
    return f"The schedule {state}: {schedule}"
