"""What pipelines cost a month, as text and JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.cost.amount import Amount
from sfml.cost.change import CostChange
from sfml.cost.estimate import Estimate, MachineCost, PipelineCost, TaskCost, estimate
from sfml.cost.rates import EFFECTIVE, MONTH_HOURS, SOURCE
from sfml.graph.model import TaskGraph
from sfml.render.printable import printable
from sfml.render.units import duration

_EDITIONS = {
    "standard": "Standard",
    "enterprise": "Enterprise",
    "business_critical": "Business Critical",
    "vps": "Virtual Private Snowflake",
}


_MOST_CAUSES = 5


@record
class Price:
    """What a credit costs, as far as it is said: edition, price and currency."""

    edition: str | None = None
    per_credit: float | None = None
    currency: str | None = None


def number(value: float) -> str:
    """`0.07`, `4.9`, `41`, `1,240`: as many digits as people compare."""
    if value and value < 0.1:
        return f"{value:.3f}"
    if value < 10:
        return f"{value:.2f}"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def amount_text(amount: Amount) -> str:
    """`4.90 to 7.40`; one number where both ends read alike; `>= 4.90 .. ?` without an upper bound."""
    low = number(amount.low)
    if amount.high is None:
        return f">= {low} .. ?" if amount.low else "?"
    high = number(amount.high)
    return low if low == high else f"{low} to {high}"


def planned_cost_text(graph: TaskGraph, change: CostChange | None = None, arrow: str = "->") -> str | None:
    """The line of a plan on what the pipeline costs by itself; None for a local target, which costs nothing.

    With a `change`, what it costs as it is deployed stands before that, and what makes the difference behind it.
    """
    if graph.target.is_local:
        return None
    words = amount_text(estimate([graph]).credits) if change is None else change_words(change, arrow)
    by = causes_words(change) if change is not None else ""
    return printable(
        f"costs {words} credits a month{by}:  sfml cost {shlex.quote(graph.spec_path)} -t {graph.target.name}"
    )


def change_words(change: CostChange, arrow: str) -> str:
    """`4.90 to 7.40 → 9.80`; the amount alone where it stays the same."""
    before, after = amount_text(change.before), amount_text(change.after)
    return after if change.before == change.after else f"{before} {arrow} {after}"


def causes_words(change: CostChange) -> str:
    """`, by the schedule, `train``; empty where nothing makes a difference."""
    more = len(change.causes) - _MOST_CAUSES
    named = ", ".join(change.causes[:_MOST_CAUSES])
    return f", by {named}{f' and {more} more' if more > 0 else ''}" if change.causes else ""


def change_json(change: CostChange) -> dict[str, Any]:
    """The credits of a month before and after, and what makes the difference."""
    sides = {"before": amount_json(change.before), "after": amount_json(change.after)}
    return {"credits_per_month": sides, "causes": list(change.causes)}


def cost_text(costs: Estimate, price: Price) -> str:
    """The credits of a target, then each pipeline with its tasks, and each warehouse and pool."""
    when = date.fromisoformat(EFFECTIVE)
    notes = [f"rates of {when.day} {when:%b %Y}"]
    if price.edition:
        notes.append(_EDITIONS[price.edition])
    lines = [
        f"{amount_text(costs.credits)} credits a month in target {costs.target}"
        f"      {MONTH_HOURS} h, {', '.join(notes)}"
    ]
    if price.per_credit is not None:
        lines.append(f"{_money(costs.credits, price)} at {price.per_credit:g} a credit")
    for pipeline in costs.pipelines:
        lines.extend(("", *_pipeline(pipeline)))
    if costs.machines or not costs.serverless.is_nothing:
        lines.extend(("", *_table(tuple(_shared(costs)))))
    if costs.unknowns:
        lines.extend(("", *(f"  ? {printable(unknown)}" for unknown in costs.unknowns)))
    assumed = [f"  - {printable(assumption)}" for assumption in costs.assumptions]
    lines.extend(("", "assumed:", *assumed))
    return "\n".join(lines)


def _money(credits: Amount, price: Price) -> str:
    assert price.per_credit is not None
    money = credits.times(Amount(price.per_credit, price.per_credit))
    return f"{amount_text(money)}{f' {printable(price.currency)}' if price.currency else ''}"


def _pipeline(pipeline: PipelineCost) -> Iterator[str]:
    runs = f"{amount_text(pipeline.runs)} runs a month"
    of = f", of {number(pipeline.budget)} budgeted" if pipeline.budget is not None else ""
    yield f"{pipeline.name}  {runs}, alone {amount_text(pipeline.credits)}{of}"
    yield from _table([_task(task) for task in pipeline.tasks])


def _task(task: TaskCost) -> tuple[str, ...]:
    return task.name, printable(task.where), _seconds(task.seconds), amount_text(task.credits)


def _seconds(seconds: Amount) -> str:
    low = duration(seconds.low * 1000)
    if seconds.high is None:
        return f">= {low} .. ?" if seconds.low else "?"
    high = duration(seconds.high * 1000)
    return low if low == high else f"{low} to {high}"


def _shared(costs: Estimate) -> Iterator[tuple[str, ...]]:
    for machine in costs.machines:
        kind = "pool" if machine.is_pool else "warehouse"
        size = machine.size or "size unknown"
        up = f"{amount_text(machine.hours)} h up, {amount_text(machine.busy_hours)} h at work"
        yield f"{kind} {printable(raw(machine.name))}", size, up, amount_text(machine.credits)
    if not costs.serverless.is_nothing:
        yield "serverless", "", "", amount_text(costs.serverless)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows in columns, the last one to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row[:-1], widths, strict=False)]
        yield "  " + "  ".join((*cells, row[-1].rjust(widths[-1]))).rstrip()


def cost_json(costs: Estimate, price: Price) -> dict[str, Any]:
    """The object of `schemas/output/cost.schema.json`, without `format_version`."""
    return {
        "target": costs.target,
        "credits_per_month": amount_json(costs.credits),
        "month_hours": MONTH_HOURS,
        "rates": {"effective": EFFECTIVE, "source": SOURCE},
        "price": {"edition": price.edition, "per_credit": price.per_credit, "currency": price.currency},
        "money_per_month": None if price.per_credit is None else _money_json(costs.credits, price.per_credit),
        "pipelines": [_pipeline_json(pipeline) for pipeline in costs.pipelines],
        "warehouses": [_machine_json(machine) for machine in costs.machines if not machine.is_pool],
        "compute_pools": [_machine_json(machine) for machine in costs.machines if machine.is_pool],
        "serverless": {"credits_per_month": amount_json(costs.serverless)},
        "unknown": list(costs.unknowns),
        "assumptions": list(costs.assumptions),
    }


def amount_json(amount: Amount) -> dict[str, float | None]:
    """Both ends; null for an unknown one."""
    return {"low": round(amount.low, 4), "high": None if amount.high is None else round(amount.high, 4)}


def _money_json(credits: Amount, per_credit: float) -> dict[str, float | None]:
    return amount_json(credits.times(Amount(per_credit, per_credit)))


def _pipeline_json(pipeline: PipelineCost) -> dict[str, Any]:
    return {
        "pipeline": pipeline.name,
        "spec": pipeline.spec_path,
        "credits_per_month": amount_json(pipeline.credits),
        "budget": pipeline.budget,
        "runs_per_month": amount_json(pipeline.runs),
        "tasks": [
            {
                "task": task.name,
                "where": task.where,
                "seconds_per_run": amount_json(task.seconds),
                "credits_per_month": amount_json(task.credits),
            }
            for task in pipeline.tasks
        ],
    }


def _machine_json(machine: MachineCost) -> dict[str, Any]:
    return {
        "name": machine.name,
        "size": machine.size,
        "hours_per_month": amount_json(machine.hours),
        "busy_hours_per_month": amount_json(machine.busy_hours),
        "credits_per_month": amount_json(machine.credits),
    }
