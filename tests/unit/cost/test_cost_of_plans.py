"""What a plan does to the cost: the same as the difference of the two specs, though only the account's side is read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sfml.cost.change import cost_change
from sfml.frontend.compiled_spec import desired_graph
from sfml.frontend.reading import read
from sfml.graph.model import TaskGraph
from sfml.plan.deployed_cost import deployed_graph, planned_cost
from sfml.plan.model import Plan
from sfml.render.cost import planned_cost_text
from sfml.render.plan_markdown import plan_markdown
from sfml.review.compare import compared
from sfml.review.model import CompiledTarget

PROJECT = """\
version: 1
targets:
  prod: {connection: p, account: A, database: D, warehouse: WH, sizes: {WH: {size: XSMALL}, BIG: {size: LARGE}}}
  local: {kind: local, default: true}
"""
SPEC = """\
version: 1
pipeline: shop
schedule: {version: 1, schedule: {cron: "0 3 * * *", timezone: Europe/Berlin}, overlap: NO_OVERLAP}
graph:
  tasks:
    take: {sql: SELECT 1, expect: {takes: 5m..10m}}
    give: {sql: SELECT 1, after: [take], run_on: {warehouse: BIG}, expect: {takes: 4m}}
    free: {sql: SELECT 1, run_on: {serverless: {initial: SMALL, min: SMALL, max: MEDIUM}}, expect: {takes: 3m}}
"""


def compiled(folder: Path, text: str, target: str = "prod") -> CompiledTarget:
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "shop.yaml").write_text(text, encoding="utf-8")
    reading = read(folder / "shop.yaml", target=target, user="ada")
    assert reading.graph is not None, reading.diagnostics
    desired = desired_graph(reading)
    return CompiledTarget(reading.graph, desired, desired.fingerprint)


def planned(base: CompiledTarget | None, head: CompiledTarget) -> tuple[TaskGraph, Plan]:
    diff = compared("prod", base, head, datetime(2026, 12, 1, tzinfo=UTC))
    return head.graph, Plan("shop", "prod", "D.S", diff.changes, resume_root=False, root_started=False)


@pytest.mark.parametrize(
    ("old", "new", "causes"),
    [
        ('{cron: "0 3 * * *", timezone: Europe/Berlin}', "{every: 2h}", ("the schedule",)),
        ('{cron: "0 3 * * *", timezone: Europe/Berlin}', "manual", ("the schedule",)),
        ("{warehouse: BIG}", "{warehouse: WH}", ("`give`",)),
        ("{warehouse: BIG}", "{serverless: {initial: SMALL, min: SMALL, max: SMALL}}", ("`give`",)),
        ("max: MEDIUM", "max: LARGE", ("`free`",)),
        ("{serverless: {initial: SMALL, min: SMALL, max: MEDIUM}}", "{warehouse: BIG}", ("`free`",)),
    ],
)
def test_it_is_the_difference_of_the_specs(
    old: str, new: str, causes: tuple[str, ...], tmp_path: Path
) -> None:
    for before, after in ((SPEC, SPEC.replace(old, new)), (SPEC.replace(old, new), SPEC)):
        base, head = compiled(tmp_path, before), compiled(tmp_path, after)
        change = planned_cost(*planned(base, head))
        assert change == cost_change(base.graph, head.graph)
        assert change is not None and change.causes == causes and change.before != change.after


def test_new_and_dropped_tasks(tmp_path: Path) -> None:
    more = SPEC + "    more: {sql: SELECT 1, after: [give], run_on: {warehouse: BIG}, expect: {takes: 30m}}\n"
    base, head = compiled(tmp_path, SPEC), compiled(tmp_path, more)
    change = planned_cost(*planned(base, head))
    assert change == cost_change(base.graph, head.graph)
    assert change is not None and change.causes == ("`more`, which is new",)
    base, head = compiled(tmp_path, more), compiled(tmp_path, SPEC)
    change = planned_cost(*planned(base, head))
    assert change is not None and change.before.high is None  # nobody knows how long it took
    assert change.causes[-1:] == ("`more`, which is gone",)


def test_a_new_pipeline_costs_nothing_before(tmp_path: Path) -> None:
    head = compiled(tmp_path, SPEC)
    graph, plan = planned(None, head)
    change = planned_cost(graph, plan)
    assert deployed_graph(graph, plan) is None
    assert change is not None and change.before.high == 0 and change.after.low > 0


def test_what_stays_the_same_is_one_amount(tmp_path: Path) -> None:
    head = compiled(tmp_path, SPEC)
    graph, plan = planned(head, head)
    change = planned_cost(graph, plan)
    assert change is not None and change.before == change.after and change.causes == ()
    line = planned_cost_text(graph, change, "→")
    assert line is not None and "→" not in line and " credits a month:  sfml cost shop.yaml -t prod" in line


def test_the_line_says_before_after_and_which_change_did_it(tmp_path: Path) -> None:
    base, head = (
        compiled(tmp_path, SPEC),
        compiled(tmp_path, SPEC.replace("{warehouse: BIG}", "{warehouse: WH}")),
    )
    graph, plan = planned(base, head)
    line = planned_cost_text(graph, planned_cost(graph, plan), "→")
    assert line is not None and " → " in line and "credits a month, by `give`:" in line
    assert "by `give`" in plan_markdown(plan, cost=line)


def test_nothing_is_told_without_durations_or_of_a_local_target(tmp_path: Path) -> None:
    silent = compiled(tmp_path, re.sub(r", expect: \{[^}]*\}", "", SPEC))
    assert planned_cost(*planned(silent, silent)) is None
    local = compiled(tmp_path, SPEC, "local")
    assert planned_cost(*planned(local, local)) is None
