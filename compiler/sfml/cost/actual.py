"""What was spent, from an account's views, beside the estimate; what no view attributes stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.cost.amount import Amount
from sfml.cost.estimate import Estimate
from sfml.cost.rates import MONTH_HOURS


@record
class Attributed:
    """Credits that queries with a pipeline's tag were attributed on a warehouse, without idle time.

    `task` is None for the root, `runs` the number of different runs in the tags.
    """

    pipeline: str
    task: str | None
    warehouse: str
    credits: float
    runs: int


@record
class Spent:
    """What an account's views say of so many days; None where a view cannot be read, and `missing` says why.

    `warehouses` and `pools` are metered as a whole, with whatever else runs on them; `serverless` is by task in
    Snowflake, `names` maps those to pipelines and tasks.
    """

    days: int
    attributed: tuple[Attributed, ...] | None
    warehouses: Mapping[str, float] | None
    pools: Mapping[str, float] | None
    serverless: Mapping[str, float] | None
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@record
class Comparison:
    """A part of the estimate, what it used in a month at the rate of those days, and a remark.

    `is_whole` says that the actual amount is all that the part used; otherwise a share of it is not attributed.
    """

    kind: str
    name: str
    estimated: Amount
    actual: float | None
    is_whole: bool
    remark: str = ""

    @property
    def verdict(self) -> str:
        """`within the estimate`, `1.40 times the most`, `0.50 times the least`; `?` where that is not known."""
        low, high = self.estimated.low, self.estimated.high
        if self.actual is None:
            return "?"
        if high is not None and self.actual > high * _TOLERANCE:
            return f"{self.actual / high:.2f} times the most" if high else "nothing was estimated"
        if not self.is_whole:
            return "?"
        if self.actual * _TOLERANCE < low:
            return f"{self.actual / low:.2f} times the least"
        return "?" if high is None else "within the estimate"


_TOLERANCE = 1.005
"""Amounts that differ by less are equal: views round."""


def compared_with(estimate: Estimate, spent: Spent) -> tuple[Comparison, ...]:
    """Each pipeline, warehouse and pool of the estimate beside what was spent, as credits of a month."""
    scale = MONTH_HOURS / (24 * spent.days)
    return (
        *_pipelines(estimate, spent, scale),
        *_machines(estimate, spent, scale),
        *_serverless(estimate, spent, scale),
    )


def _pipelines(estimate: Estimate, spent: Spent, scale: float) -> Iterator[Comparison]:
    for pipeline in estimate.pipelines:
        own = [one for one in spent.attributed or () if one.pipeline == pipeline.name]
        of_tasks = sum(
            credits
            for name, credits in (spent.serverless or {}).items()
            if _owner(name, spent) == pipeline.name
        )
        known = spent.attributed is not None or of_tasks > 0
        credits = (sum(one.credits for one in own) + of_tasks) * scale
        runs = max((one.runs for one in own), default=0)
        said = f"{runs} runs seen; " if runs else ""
        remark = f"{said}idle time and its share of pools are not attributed"
        yield Comparison(
            "pipeline",
            pipeline.name,
            pipeline.credits,
            credits if known else None,
            is_whole=False,
            remark=remark,
        )


def _owner(name: str, spent: Spent) -> str | None:
    return spent.names.get(name, (None, ""))[0]


def _machines(estimate: Estimate, spent: Spent, scale: float) -> Iterator[Comparison]:
    for machine in estimate.machines:
        name = raw(machine.name)
        metered = spent.pools if machine.is_pool else spent.warehouses
        credits = None if metered is None else metered.get(name, 0.0) * scale
        remark = "with whatever else runs on it"
        if not machine.is_pool and spent.attributed is not None and credits is not None:
            own = sum(one.credits for one in spent.attributed if one.warehouse == name) * scale
            remark = f"{max(credits - own, 0.0):.2f} of it idle time and others' queries"
        kind = "pool" if machine.is_pool else "warehouse"
        yield Comparison(kind, name, machine.credits, credits, is_whole=True, remark=remark)


def _serverless(estimate: Estimate, spent: Spent, scale: float) -> Iterator[Comparison]:
    if estimate.serverless.is_nothing and not spent.serverless:
        return
    credits = None if spent.serverless is None else sum(spent.serverless.values()) * scale
    yield Comparison("serverless", "", estimate.serverless, credits, is_whole=True)


def tasks_of(spent: Spent, pipelines: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    """Pipeline, task and its credits in a month, most first: what queries were attributed, and serverless tasks."""
    scale = MONTH_HOURS / (24 * spent.days)
    found: dict[tuple[str, str], float] = {}
    for one in spent.attributed or ():
        key = (one.pipeline, one.task or "the root")
        found[key] = found.get(key, 0.0) + one.credits * scale
    for name, credits in (spent.serverless or {}).items():
        if name in spent.names:
            found[spent.names[name]] = found.get(spent.names[name], 0.0) + credits * scale
    for (pipeline, task), credits in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        if pipeline in pipelines:
            yield pipeline, task, credits
