"""What pipelines cost a month, beside sums that were made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sfml.cost.amount import UNKNOWN, Amount
from sfml.cost.change import cost_change
from sfml.cost.estimate import Estimate, estimate
from sfml.frontend.reading import read
from sfml.graph.model import TaskGraph
from sfml.render.cost import planned_cost_text

SIZES = """
      WH: {size: XSMALL, auto_suspend: 1m}
      BIG: {size: LARGE, generation: 2, auto_suspend: 2m}
      POOL: {family: CPU_X64_S, auto_suspend: 10m}
      WIDE: {family: GPU_NV_S, nodes: 1..4, auto_suspend: 10m}
"""
PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  prod:
    connection: prod
    account: A
    database: ML
    warehouse: WH
    compute_pool: POOL
    sizes:
"""
DAYS = 365 / 12

Write = Callable[..., TaskGraph]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a pipeline of the given tasks, and reads it for the target `prod`."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "run.py").write_text("print(1)\n", encoding="utf-8")

    def graph(
        tasks: str,
        *,
        name: str = "p",
        schedule: str = '{cron: "0 3 * * *"}',
        more: str = "",
        sizes: str = SIZES,
    ) -> TaskGraph:
        (tmp_path / "sfml.yaml").write_text(PROJECT + sizes, encoding="utf-8")
        (tmp_path / f"{name}.yaml").write_text(
            f"version: 1\npipeline: {name}\nschedule: {{version: 1, schedule: {schedule}{more}}}\n"
            f"graph:\n  tasks:\n{tasks}\n",
            encoding="utf-8",
        )
        reading = read(tmp_path / f"{name}.yaml", target="prod", user="ada")
        assert reading.graph is not None, reading.diagnostics
        return reading.graph

    return graph


def sql(name: str, takes: str = "", more: str = "") -> str:
    expect = f", expect: {{takes: {takes}}}" if takes else ""
    return f"    {name}: {{sql: SELECT 1{expect}{more}}}\n"


def job(name: str, takes: str, more: str = "", pool: str = "POOL", instances: int = 1) -> str:
    run_on = f'run_on: {{pool: {pool}, instances: {instances}, runtime: "2.3.0"}}'
    rest = f"timeout: 9h, expect: {{takes: {takes}}}{more}"
    return f"    {name}: {{job: {{folder: code, entrypoint: run.py}}, {run_on}, {rest}}}\n"


def credits(found: Estimate, machine: str) -> Amount:
    return next(one.credits for one in found.machines if one.name == machine)


def close(amount: Amount, low: float, high: float | None) -> None:
    assert amount.low == pytest.approx(low)
    assert amount.high == (None if high is None else pytest.approx(high))


def test_a_task_is_charged_its_time_and_the_idle_time_after_it(write: Write) -> None:
    found = estimate([write(sql("a", "10m..20m"))])
    close(found.credits, DAYS * 11 / 60, DAYS * 21 / 60)
    assert found.pipelines[0].runs == Amount(365 / 12, 365 / 12)
    close(found.pipelines[0].tasks[0].credits, DAYS * 10 / 60, DAYS * 20 / 60)


def test_a_warehouse_is_charged_a_minute_at_least(write: Write) -> None:
    found = estimate([write(sql("a", "5s"), sizes="\n      WH: {size: XSMALL, auto_suspend: 10s}\n")])
    close(found.credits, DAYS / 60, DAYS / 60)


def test_tasks_in_a_chain_keep_it_up_without_a_pause(write: Write) -> None:
    found = estimate([write(sql("a", "10m") + sql("b", "5m", ", after: [a]"))])
    close(found.credits, DAYS * 16 / 60, DAYS * 16 / 60)


def test_tasks_beside_each_other_share_it(write: Write) -> None:
    found = estimate([write(sql("a", "10m") + sql("b", "10m"))])
    close(found.credits, DAYS * 11 / 60, DAYS * 11 / 60)


def test_generation_2_costs_what_it_costs_on_either_cloud(write: Write) -> None:
    found = estimate([write(sql("a", "58m", ", run_on: {warehouse: BIG}"))])
    close(credits(found, "BIG"), DAYS * 8 * 1.25, DAYS * 8 * 1.35)


def test_a_pool_is_charged_five_minutes_a_node_and_its_idle_time(write: Write) -> None:
    short = (
        "\n      WH: {size: XSMALL, auto_suspend: 1m}\n      POOL: {family: CPU_X64_S, auto_suspend: 1m}\n"
    )
    found = estimate([write(job("a", "30s"), sizes=short)])
    close(credits(found, "POOL"), DAYS * 0.11 * 5 / 60, DAYS * 0.11 * 5 / 60)
    found = estimate([write(job("a", "1h..2h"))])
    close(credits(found, "POOL"), DAYS * 0.11 * 70 / 60, DAYS * 0.11 * 130 / 60)


def test_the_queries_of_a_job_need_its_warehouse_for_none_to_all_of_its_time(write: Write) -> None:
    found = estimate([write(job("a", "1h"))])
    close(credits(found, "WH"), 0, DAYS * 61 / 60)


def test_instances_are_nodes(write: Write) -> None:
    found = estimate([write(job("a", "1h", pool="WIDE", instances=3))])
    # At least three nodes for an hour; at most those, and the idle time of each.
    close(credits(found, "WIDE"), DAYS * 0.57 * 3, DAYS * 0.57 * 3 * 70 / 60)


def test_what_runs_at_the_same_time_is_up_once(write: Write) -> None:
    one, other = write(sql("a", "10m"), name="p"), write(sql("b", "10m"), name="q")
    alone, together = estimate([one]), estimate([one, other])
    assert together.credits == alone.credits
    assert [pipeline.credits for pipeline in together.pipelines] == [alone.credits, alone.credits]
    later = write(sql("b", "10m"), name="q", schedule='{cron: "5 3 * * *"}')
    close(estimate([one, later]).credits, DAYS * 16 / 60, DAYS * 16 / 60)


def test_serverless_costs_by_its_sizes(write: Write) -> None:
    run_on = ", run_on: {serverless: {min: SMALL, max: MEDIUM}}"
    found = estimate([write(sql("a", "1h", run_on))])
    close(found.serverless, DAYS * 2 * 0.9, DAYS * 4 * 0.9)
    unbound = estimate([write(sql("a", "1h", ", run_on: {serverless: {}}"))])
    close(unbound.serverless, DAYS * 0.9, None)
    assert any("`max`" in one for one in unbound.unknowns)


def test_retries_count_by_the_rate_of_failures(write: Write) -> None:
    task = "    a: {sql: SELECT 1, expect: {takes: 10m, fails: 0.5}}\n"
    found = estimate([write(task, more=", retries: 2")])
    close(found.credits, DAYS * (17.5 + 1) / 60, DAYS * (17.5 + 1) / 60)


BRANCH = """\
    gate: {call: GATE, expect: {takes: 10m}, outcomes: {good: [long], bad: []}}
    long: {sql: SELECT 1, expect: {takes: 1h}}
    none: {sql: SELECT 1, expect: {takes: 1m}, after: [gate]}
"""


def test_branches_count_by_both_ends(write: Write) -> None:
    found = estimate([write(BRANCH)])
    low, high = DAYS * 12 / 60, DAYS * 71 / 60
    close(found.credits, low, high)
    assert found.pipelines[0].tasks[1].seconds == Amount(0, 3600)


def test_a_run_that_goes_on_keeps_the_next_from_beginning(write: Write) -> None:
    short = estimate([write(sql("a", "59m"), schedule="{every: 1h}")])
    assert short.pipelines[0].runs.low == 730
    close(short.credits, 730, 730)
    long = estimate([write(sql("a", "61m"), schedule="{every: 1h}")])
    assert long.pipelines[0].runs == Amount(365, 365)
    either = estimate(
        [write(sql("a", "1m..90m", ", run_on: {serverless: {max: XSMALL}}"), schedule="{every: 1h}")]
    )
    assert either.pipelines[0].runs == Amount(365, 730)
    close(either.serverless, 365 / 60 * 0.9, 730 * 0.9)


@pytest.mark.parametrize(("more", "fewest"), [("", 730), (", timeout: 30m", 1460), (", timeout: 2h", 365)])
def test_runs_of_unknown_duration_may_keep_others_from_beginning(
    more: str, fewest: float, write: Write
) -> None:
    tasks = sql("a", "5m", ", run_on: {serverless: {max: XSMALL}}") + sql("b")
    found = estimate([write(tasks, schedule="{every: 10m}", more=more)])
    assert found.pipelines[0].runs == Amount(fewest, 4380)
    assert found.serverless.low == pytest.approx(fewest / 12 * 0.9)


def test_a_schedule_of_other_years_is_told(write: Write) -> None:
    found = estimate([write(sql("a", "1m"), schedule='{cron: "0 0 29 2 *"}')])
    assert found.credits == Amount(0, 0)
    assert found.assumptions[0] == "`p` does not run in 2026, the year that is simulated"


def test_what_nothing_says_is_unknown(write: Write) -> None:
    found = estimate([write(sql("a") + sql("b", "10m"))])
    close(found.credits, DAYS * 11 / 60, None)
    assert any("`a`" in one and "takes" in one for one in found.unknowns)
    unsized = estimate([write(sql("a", "10m"), sizes="\n      OTHER: {size: XSMALL}\n")])
    assert unsized.credits == UNKNOWN
    assert any("`WH`" in one for one in unsized.unknowns)
    triggered = estimate([write(sql("a", "10m"), schedule="{on_stream: [S]}")])
    assert triggered.credits == UNKNOWN
    assert any("runs:" in one for one in triggered.unknowns)


def test_triggered_runs_are_those_that_are_said(write: Write) -> None:
    found = estimate(
        [write(sql("a", "1m"), schedule="{on_stream: [S]}", more=", expect: {runs: 1..2 a day}")]
    )
    close(found.credits, DAYS * 2 / 60, 2 * DAYS * 2 / 60)


def test_nobody_runs_a_manual_pipeline(write: Write) -> None:
    found = estimate([write(sql("a"), schedule="manual")])
    assert found.credits == Amount(0, 0)
    assert any("by hand" in one for one in found.assumptions)
    sometimes = estimate([write(sql("a", "1m"), schedule="manual", more=", expect: {runs: 3 a month}")])
    close(sometimes.credits, 3 * 2 / 60, 3 * 2 / 60)


def test_a_pool_that_apply_makes_needs_no_size(write: Write, tmp_path: Path) -> None:
    sizes = SIZES.replace("      POOL: {family: CPU_X64_S, auto_suspend: 10m}\n", "")
    sizes += "    create: {compute_pool: {instance_family: CPU_X64_M, auto_suspend: 20m}}\n"
    found = estimate([write(job("a", "1h"), sizes=sizes)])
    close(credits(found, "POOL"), DAYS * 0.22 * 80 / 60, DAYS * 0.22 * 80 / 60)


def test_a_plan_has_a_line_on_costs(write: Write, tmp_path: Path) -> None:
    graph = write(sql("a", "10m..20m"))
    assert planned_cost_text(graph) == "costs 5.58 to 10.6 credits a month:  sfml cost p.yaml -t prod"
    local = read(tmp_path / "p.yaml", target="local").graph
    assert local is not None and planned_cost_text(local) is None


def test_a_local_target_costs_nothing(tmp_path: Path, write: Write) -> None:
    write(sql("a"))
    graph = read(tmp_path / "p.yaml", target="local").graph
    assert graph is not None
    found = estimate([graph])
    assert found.credits == Amount(0, 0)
    assert found.pipelines[0].runs == Amount(365 / 12, 365 / 12)


def test_no_more_runs_are_counted_than_snowflake_begins(write: Write) -> None:
    graph = write(
        sql("a", "1s"), schedule="{on_stream: [S]}", more=", expect: {runs: 5..999999999999 an hour}"
    )
    found = estimate([graph])
    assert found.pipelines[0].runs == Amount(730 * 5, 730 * 360)
    close(found.credits, 730 * 5 * 61 / 3600, 730)


def test_jobs_of_two_pipelines_may_each_need_a_node(write: Write) -> None:
    one, other = write(job("a", "1h", pool="WIDE"), name="p"), write(job("b", "1h", pool="WIDE"), name="q")
    # At least one after the other on one node; at most side by side, the second hour on a node of its own.
    low, high = DAYS * 0.57 * 2, DAYS * 0.57 * 130 / 60
    close(credits(estimate([one, other]), "WIDE"), low, high)


def test_a_pool_never_has_more_nodes_than_it_may(write: Write) -> None:
    often = [write(job("a", "50m..59m"), name=name, schedule="{every: 1h}") for name in "pqr"]
    # Three times 50 minutes an hour are more than its one node has.
    close(credits(estimate(often), "POOL"), 730 * 0.11, 730 * 0.11)


def test_a_pool_and_a_warehouse_of_one_name_are_two(write: Write) -> None:
    found = estimate([write(job("a", "1h", pool="WH") + sql("b", "10m"))])
    assert [(one.name, one.is_pool) for one in found.machines] == [("WH", False), ("WH", True)]
    assert found.machines[0].credits.high is not None
    assert found.machines[1].credits == UNKNOWN


def test_alerts_cost_the_finalizer_that_sends_them(write: Write) -> None:
    alerts = ", alerts: {channels: {slack: S}, events: [failure]}"
    before, after = write(sql("a", "100s")), write(sql("a", "100s"), more=alerts)
    names = [task.name for task in estimate([after]).pipelines[0].tasks]
    assert names == ["a", "sfml_alerts"]
    change = cost_change(before, after)
    assert change is not None and change.causes == ("`sfml_alerts`, which is new",)
    assert cost_change(after, after) is None
