"""What was spent beside the estimate, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sfml.cost.actual import Comparison, Spent, tasks_of
from sfml.render.cost import amount_json, amount_text, number
from sfml.render.printable import printable

_MOST_TASKS = 10


def actual_text(spent: Spent, comparisons: Sequence[Comparison]) -> str:
    """A line for each part: estimate, what was spent, how far off; then the tasks, and what no view says."""
    rows = [
        (
            f"{one.kind} {one.name}".rstrip(),
            amount_text(one.estimated),
            _actual(one),
            one.verdict,
            one.remark,
        )
        for one in comparisons
    ]
    widths = [max((len(printable(row[at])) for row in rows), default=0) for at in range(4)]
    lines = [f"spent in the last {spent.days} days, as credits of a month:"]
    for row in rows:
        cells = (f"{printable(text):<{width}}" for text, width in zip(row[:4], widths, strict=True))
        lines.append(f"  {'  '.join((*cells, printable(row[4])))}".rstrip())
    names = [one.name for one in comparisons if one.kind == "pipeline"]
    tasks = list(tasks_of(spent, names))
    for pipeline, task, credits in tasks[:_MOST_TASKS]:
        lines.append(f"    {printable(pipeline)}.{printable(task)}  {number(credits)}")
    if len(tasks) > _MOST_TASKS:
        lines.append(f"    and {len(tasks) - _MOST_TASKS} more tasks")
    lines += [f"  ? {printable(text)}" for text in spent.missing]
    if any("not emulated" not in text for text in spent.missing):
        lines.append(
            "  the role needs IMPORTED PRIVILEGES on the database SNOWFLAKE; the views are hours late"
        )
    return "\n".join(lines)


def _actual(comparison: Comparison) -> str:
    if comparison.actual is None:
        return "?"
    return number(comparison.actual) if comparison.is_whole else f">= {number(comparison.actual)} .. ?"


def actual_json(spent: Spent, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The value of `actual` in `schemas/output/cost.schema.json`."""
    names = [one.name for one in comparisons if one.kind == "pipeline"]
    return {
        "days": spent.days,
        "parts": [
            {
                "kind": one.kind,
                "name": one.name,
                "estimated": amount_json(one.estimated),
                "actual": {
                    "low": None if one.actual is None else round(one.actual, 4),
                    "high": None if one.actual is None or not one.is_whole else round(one.actual, 4),
                },
                "verdict": one.verdict,
            }
            for one in comparisons
        ],
        "tasks": [
            {"pipeline": pipeline, "task": task, "credits_per_month": round(credits, 4)}
            for pipeline, task, credits in tasks_of(spent, names)
        ],
        "missing": list(spent.missing),
    }
