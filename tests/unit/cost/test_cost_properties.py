"""What holds of every estimate: ends in order, more time never cheaper, another pipeline never cheaper, same again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from sfml.cost.amount import Amount
from sfml.cost.estimate import Estimate, estimate
from sfml.graph.expectations import PoolSize, Range, Size, TaskExpectation, WarehouseSize
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    OnPool,
    OnWarehouse,
    RunOn,
    Serverless,
    SqlBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.render.cost import Price, cost_json, cost_text

TARGET = Target("prod", "account", "DB", "S", "WH", compute_pool="POOL")
SIZES: dict[str, Size] = {
    "WH": WarehouseSize("WH", "XSMALL", 2, 60),
    "OTHER": WarehouseSize("OTHER", "LARGE", None, 30),
    "POOL": PoolSize("POOL", "CPU_X64_S", 1, 4, 600),
    "GPU": PoolSize("GPU", "GEN_X64_G2_2", 2, 2, 0),
}
RUNS_ON: tuple[RunOn, ...] = (
    OnWarehouse("WH"),
    OnWarehouse("OTHER"),
    OnPool("POOL"),
    OnPool("POOL", instances=3, min_instances=2),
    OnPool("GPU", instances=2, warehouse="OTHER"),
    Serverless(max="SMALL"),
)
SCHEDULES = (
    CronSchedule("0 3 * * *", "UTC"),
    CronSchedule("30 2,14 * * MON", "Europe/Berlin"),
    CronSchedule("5 3 1 * *", "UTC"),
    IntervalSchedule(6 * 3600),
)
MOST = 3000
"""Seconds that a task takes at most: no run of these graphs lasts until the next one is due."""


# Made once: hypothesis validates each new strategy, which takes longer than drawing from it.
HALVES, DIGITS, COUNTS, RETRIES = (
    st.integers(low, high) for low, high in ((0, MOST // 2), (0, 9), (1, 5), (0, 1))
)
SHARES = st.sampled_from((None, 0.0, 0.1))
BEFORE = [st.lists(st.sampled_from([f"t{one}" for one in range(at)]), unique=True) for at in range(1, 5)]
PLACES, DUE = st.sampled_from(RUNS_ON), st.sampled_from(SCHEDULES)


@st.composite
def expectations(draw: st.DrawFn) -> TaskExpectation | None:
    low, more = draw(HALVES), draw(HALVES)
    said = draw(DIGITS)
    if said == 0:
        return None
    return TaskExpectation(Range(low, low + more), draw(SHARES))


EXPECTATIONS = expectations()


@st.composite
def graphs(draw: st.DrawFn, name: str = "p") -> TaskGraph:
    nodes: list[TaskNode] = []
    for at in range(draw(COUNTS)):
        after = draw(BEFORE[at - 1]) if at else []
        nodes.append(
            TaskNode(
                f"t{at}",
                SqlBody("select 1"),
                draw(PLACES),
                after=tuple(sorted(after)),
                expect=draw(EXPECTATIONS),
            )
        )
    retries = draw(RETRIES)
    schedule = draw(DUE)
    return TaskGraph(
        name,
        f"{name}.yaml",
        TARGET,
        GraphSettings(schedule=schedule, retries=retries),
        tuple(nodes),
        sizes=SIZES,
    )


def amounts(found: Estimate) -> list[Amount]:
    """Every amount of credits of an estimate."""
    tasks = [task.credits for pipeline in found.pipelines for task in pipeline.tasks]
    machines = [one.credits for one in found.machines]
    return [found.credits, found.serverless, *machines, *tasks, *(one.credits for one in found.pipelines)]


def is_at_least(one: Amount, other: Amount) -> bool:
    """Whether both ends are, but for what adding up floating-point numbers leaves."""
    high = float("inf") if one.high is None else one.high
    other_high = float("inf") if other.high is None else other.high
    return one.low >= other.low - 1e-6 and high >= other_high - 1e-6


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_the_low_end_is_not_above_the_high_end(graph: TaskGraph) -> None:
    for amount in amounts(estimate([graph])):
        assert amount.low >= 0
        assert amount.high is None or amount.low <= amount.high


@given(graphs(), graphs("q"), st.data())
@settings(max_examples=80, deadline=None)
def test_more_time_never_costs_less(graph: TaskGraph, other: TaskGraph, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(graph.tasks) - 1))
    expect = graph.tasks[at].expect
    takes = expect.takes if expect is not None else None
    if expect is None or takes is None:
        return
    low = takes.low + data.draw(st.integers(0, 600))
    longer = replace(expect, takes=Range(low, max(takes.high, low) + data.draw(st.integers(0, 600))))
    tasks = [replace(node, expect=longer) if place == at else node for place, node in enumerate(graph.tasks)]
    before, after = estimate([graph, other]), estimate([replace(graph, tasks=tuple(tasks)), other])
    for old, new in zip(amounts(before), amounts(after), strict=True):
        assert is_at_least(new, old)


@given(graphs(), graphs("q"))
@settings(max_examples=60, deadline=None)
def test_another_pipeline_never_lowers_the_total(graph: TaskGraph, other: TaskGraph) -> None:
    alone, together = estimate([graph]).credits, estimate([graph, other]).credits
    assert is_at_least(together, alone)


@given(graphs(), graphs("q"))
@settings(max_examples=20, deadline=None)
def test_the_same_pipelines_cost_the_same(graph: TaskGraph, other: TaskGraph) -> None:
    one, again = estimate([graph, other]), estimate([graph, other])
    price = Price("standard", 2.0)
    assert cost_text(one, price) == cost_text(again, price)
    assert cost_json(one, price) == cost_json(again, price)
