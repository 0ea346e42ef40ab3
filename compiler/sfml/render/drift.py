"""Drift as text and as the JSON of `drift --output json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sfml.lower.desired import DesiredGraph
from sfml.plan.diff import location
from sfml.plan.drift import Drift, DriftField, DriftKind
from sfml.plan.drift_acceptance import AcceptableField, UnacceptableField
from sfml.plan.journal import Header
from sfml.render.plan import hidden, jsonable, shown
from sfml.render.symbols import Symbols
from sfml.render.units import moment, plural

_SYMBOLS = {DriftKind.CHANGED: "alter", DriftKind.REMOVED: "drop", DriftKind.ADDED: "create"}
_WORDS = {DriftKind.REMOVED: "is gone from the account", DriftKind.ADDED: "was added to the graph"}


def drift_text(
    drifts: Sequence[Drift],
    possible: Sequence[AcceptableField | UnacceptableField],
    desired: DesiredGraph,
    applied: Header,
    symbols: Symbols,
) -> str:
    """The tasks that drifted since the deployment `applied`; the first line says how many."""
    return "\n".join(_lines(drifts, possible, desired, applied, symbols))


def _lines(
    drifts: Sequence[Drift],
    possible: Sequence[AcceptableField | UnacceptableField],
    desired: DesiredGraph,
    applied: Header,
    symbols: Symbols,
) -> Iterator[str]:
    where = f"{desired.pipeline} {symbols['arrow']} {desired.target.name}  {location(desired)}"
    when = moment(datetime.fromisoformat(applied.began_at))
    since = f"since deployment {applied.number} by {applied.owner}, {when}"
    if not drifts:
        yield f"{where}   no drift {since}"
        return
    yield f"{where}   {plural(len(drifts), 'task')} drifted {since}"
    yield ""
    width = max(
        (len(field.path.removesuffix("_ms")) for drift in drifts for field in drift.fields), default=0
    )
    for drift in drifts:
        words = f"  {_WORDS[drift.kind]}" if drift.kind in _WORDS else ""
        yield f"  {symbols[_SYMBOLS[drift.kind]]} {drift.task}{words}"
        for field in drift.fields:
            applied_value, now = shown(field.path, field.applied), shown(field.path, field.now)
            yield f"      {field.path.removesuffix('_ms'):<{width}} applied {applied_value}, now {now}"
            yield from _why_not(drift, field.path, possible, width)
        if not drift.fields:
            yield from _why_not(drift, "", possible, 0)
    yield ""


def _why_not(
    drift: Drift, path: str, possible: Sequence[AcceptableField | UnacceptableField], width: int
) -> Iterator[str]:
    for field in possible:
        if isinstance(field, UnacceptableField) and (field.task, field.path) == (drift.task, path):
            indent = " " * (width + 1 if width else 0)
            yield f"      {indent}cannot be accepted: {field.why}"


def accepted_lines(fields: Sequence[AcceptableField], symbols: Symbols) -> Iterator[str]:
    """One line for each drifted field that was written into the spec, with the file and line."""
    for field in fields:
        place = f"{field.fix.span.file}:{field.fix.span.start.line}"
        yield f"  {symbols['SUCCEEDED']} {field.path.removesuffix('_ms')} of {field.task} written to {place}"


def drift_json(
    drifts: Sequence[Drift],
    possible: Sequence[AcceptableField | UnacceptableField],
    desired: DesiredGraph,
    applied: Header,
) -> dict[str, Any]:
    """The object of `schemas/output/drift.schema.json`, without `format_version`."""
    return {
        "pipeline": desired.pipeline,
        "target": desired.target.name,
        "location": location(desired),
        "deployment": {"number": applied.number, "owner": applied.owner, "began_at": applied.began_at},
        "tasks": [
            {
                "task": drift.task,
                "name": drift.name,
                "kind": drift.kind.value,
                "why_not": _reason(drift.task, "", possible),
                "fields": [_field(drift, field, possible) for field in drift.fields],
            }
            for drift in drifts
        ],
    }


def _field(
    drift: Drift, field: DriftField, possible: Sequence[AcceptableField | UnacceptableField]
) -> dict[str, Any]:
    acceptable = next(
        (
            possible_field
            for possible_field in possible
            if isinstance(possible_field, AcceptableField)
            and (possible_field.task, possible_field.path) == (drift.task, field.path)
        ),
        None,
    )
    return {
        "path": field.path,
        "applied": jsonable(hidden(field.path, field.applied)),
        "now": jsonable(hidden(field.path, field.now)),
        "place": None
        if acceptable is None
        else f"{acceptable.fix.span.file}:{acceptable.fix.span.start.line}",
        "why_not": _reason(drift.task, field.path, possible),
    }


def _reason(task: str, path: str, possible: Sequence[AcceptableField | UnacceptableField]) -> str | None:
    return next(
        (
            field.why
            for field in possible
            if isinstance(field, UnacceptableField) and (field.task, field.path) == (task, path)
        ),
        None,
    )
