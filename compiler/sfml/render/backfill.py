"""Backfills as text and as the JSON of `backfill --output json`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sfml.cost.amount import Amount
from sfml.plan.backfill_state import FilledValue
from sfml.render.cost import amount_text
from sfml.render.printable import printable
from sfml.render.run import value_text
from sfml.render.symbols import Symbols
from sfml.render.units import duration, plural

_SYMBOLS = {
    "pending": "SCHEDULED",
    "running": "EXECUTING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
STATES = tuple(_SYMBOLS)


def counts_of(values: Sequence[FilledValue]) -> Mapping[str, int]:
    """State → how many values have it; every state is a key."""
    counted = Counter(value.state for value in values)
    return {state: counted[state] for state in STATES}  # type: ignore[index]  # the same words


def counts_text(values: Sequence[FilledValue]) -> str:
    """`90 values: 78 succeeded, 2 failed, 10 pending`; `no values` if there are none."""
    if not values:
        return "no values"
    counts = counts_of(values)
    order = ("succeeded", "failed", "cancelled", "running", "pending")
    parts = [f"{counts[state]} {state}" for state in order if counts[state]]
    return f"{plural(len(values), 'value')}: {', '.join(parts)}"


def plan_text(
    place: str,
    values: Sequence[FilledValue],
    todo: Sequence[FilledValue],
    at_once: int,
    notes: Sequence[str],
    credits: Amount | None,
) -> str:
    """What a backfill will do."""
    return "\n".join(map(printable, _plan_lines(place, values, todo, at_once, notes, credits)))


def _plan_lines(
    place: str,
    values: Sequence[FilledValue],
    todo: Sequence[FilledValue],
    at_once: int,
    notes: Sequence[str],
    credits: Amount | None,
) -> Iterator[str]:
    lanes = f", {at_once} at once" if at_once > 1 else ""
    yield f"{place}   backfill of {plural(len(values), 'value')}, {len(todo)} to run{lanes}"
    yield ""
    if todo:
        yield f"  from {value_text(todo[0].config)} to {value_text(todo[-1].config)}"
    counts = counts_of(values)
    skipped = [f"{counts[state]} {state}" for state in ("succeeded", "failed", "cancelled") if counts[state]]
    if skipped and len(todo) < len(values):
        yield f"  known already: {', '.join(skipped)}"
    yield from (f"  {note}" for note in notes)
    if credits is not None:
        yield f"  about {amount_text(credits)} credits"


def value_line(value: FilledValue, symbols: Symbols) -> str:
    """`  ✓ day 2026-01-05   4.2 s   run 01J8…`, with the reason of a run that did not succeed."""
    parts = [f"{symbols[_SYMBOLS[value.state]]} {value_text(value.config)}"]
    took = took_ms(value)
    if took is not None:
        parts.append(duration(took))
    if value.run_id is not None:
        parts.append(f"run {value.run_id}")
    if value.error is not None:
        parts.append(value.error)
    return printable(f"  {'   '.join(parts)}")


def took_ms(value: FilledValue) -> int | None:
    if value.started_at is None or value.completed_at is None:
        return None
    took = datetime.fromisoformat(value.completed_at) - datetime.fromisoformat(value.started_at)
    return max(0, round(took.total_seconds() * 1000))


def backfill_json(
    pipeline: str,
    target: str,
    values: Sequence[FilledValue],
    *,
    ran: int,
    is_held: bool | None = None,
    notes: Sequence[str] = (),
    credits: Amount | None = None,
) -> dict[str, Any]:
    """The object of `schemas/output/backfill.schema.json`, without `format_version`."""
    return {
        "pipeline": pipeline,
        "target": target,
        "summary": {"values": len(values), **counts_of(values)},
        "ran": ran,
        "is_going_on": is_held,
        "notes": list(notes),
        "credits": None if credits is None else {"low": credits.low, "high": credits.high},
        "values": [
            {
                "config": dict(value.config),
                "state": value.state,
                "run_id": value.run_id,
                "started_at": value.started_at,
                "duration_ms": took_ms(value),
                "error": value.error,
            }
            for value in values
        ],
    }
