"""Two compiled graphs compared: nothing that would be deployed differently is left out, and nothing else is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from generated_graphs import graphs, lowered
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from property_settings import examples

from sfml.graph.model import (
    GraphSettings,
    OnPool,
    OnWarehouse,
    Reference,
    Source,
    SqlBody,
    StepBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.plan.model import Action, RiskLabel
from sfml.plan.review_fingerprint import reviewed_fingerprint
from sfml.review.compare import compared
from sfml.review.model import CompiledTarget, Status, TargetDiff

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ON = OnWarehouse("ML_WH")
SLOW = examples(20, suppress_health_check=list(HealthCheck))


def compiled(graph: TaskGraph) -> CompiledTarget:
    desired = lowered(graph)
    return CompiledTarget(graph, desired, reviewed_fingerprint(desired))


def diff(old: TaskGraph | None, new: TaskGraph | None) -> TargetDiff:
    return compared("prod", *(compiled(one) if one is not None else None for one in (old, new)), NOW)


@given(graphs())
@SLOW
def test_a_graph_does_not_differ_from_itself(graph: TaskGraph) -> None:
    found = diff(graph, graph)
    assert found.status is Status.UNCHANGED
    assert not found.changed and not found.settings and not found.risks and not found.notes


@given(graphs(), graphs())
@SLOW
def test_what_is_deployed_differently_is_told(old: TaskGraph, new: TaskGraph) -> None:
    new = replace(new, pipeline=old.pipeline, root_name=old.root_name, target=old.target)
    found = diff(old, new)
    assert (found.status is Status.UNCHANGED) == (found.base is not None and _same(found))
    for change in found.changed:
        assert change.fields or change.action in (Action.DROP, Action.CREATE, Action.MOVE), change


def _same(found: TargetDiff) -> bool:
    assert found.base is not None and found.head is not None
    tasks = [
        {task.name: task.fingerprint for task in side.desired.all_tasks} for side in (found.base, found.head)
    ]
    whole = [(side.graph.overridable, side.graph.seeds) for side in (found.base, found.head)]
    return tasks[0] == tasks[1] and whole[0] == whole[1]


@given(graphs(), st.data())
@SLOW
def test_one_setting_of_one_task_is_one_change(graph: TaskGraph, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(graph.tasks) - 1))
    old = graph.tasks[at]
    tasks = (*graph.tasks[:at], replace(old, timeout=(old.timeout or 60) + 1), *graph.tasks[at + 1 :])
    (change,) = diff(graph, replace(graph, tasks=tasks)).changed
    assert (change.task, change.action) == (old.name, Action.ALTER)
    assert [field.path for field in change.fields] == ["timeout_ms"]


PROD = Target("prod", "account", "ML_PROD", "CLV", "ML_WH", compute_pool="ML_POOL")


def sql(name: str, text: str = "select 1", **more: object) -> TaskNode:
    return replace(TaskNode(name, SqlBody(text), ON), **more)  # type: ignore[arg-type]


def graph(*tasks: TaskNode, target: Target = PROD, **more: object) -> TaskGraph:
    made = TaskGraph("clv", "specs/clv.yaml", target, GraphSettings(), tasks)
    return replace(made, **more)  # type: ignore[arg-type]


def test_another_place_is_told_once_and_not_for_each_task() -> None:
    step = TaskNode("fit", StepBody("clv.steps.fit", {}), ON)
    job = TaskNode("train", StepBody("clv.steps.train", {}), OnPool("ML_POOL"))
    found = diff(graph(step, job), graph(step, job, target=replace(PROD, schema="CLV2", stage="CODE")))
    assert not found.changed
    assert {field.path for field in found.settings} == {"target.schema", "target.stage"}
    assert [risk.label for risk in found.risks] == [RiskLabel.DESTRUCTIVE]


@pytest.mark.parametrize(
    ("changed", "label"),
    [
        ({"owner_role": "ADMIN"}, RiskLabel.PRIVILEGES),
        ({"account": "OTHER"}, RiskLabel.DESTRUCTIVE),
        ({"connection": "other"}, RiskLabel.PRIVILEGES),
    ],
)
def test_a_target_that_changes_is_a_risk(changed: dict[str, str], label: RiskLabel) -> None:
    found = diff(graph(sql("one")), graph(sql("one"), target=replace(PROD, **changed)))  # type: ignore[arg-type]
    assert found.status is Status.CHANGED
    assert [risk.label for risk in found.risks] == [label]


def test_a_rename_that_is_said_is_a_move_with_what_else_changed() -> None:
    old = graph(sql("one"), sql("two", after=("one",), timeout=60))
    new = graph(sql("one"), sql("second", after=("one",), timeout=120), moved={"second": "two"})
    (change,) = diff(old, new).changed
    assert (change.action, change.task, change.moved_from) == (Action.MOVE, "second", "CLV$TWO")
    assert [field.path for field in change.fields] == ["timeout_ms"]


def test_a_rename_that_is_not_said_is_guessed_in_a_note() -> None:
    found = diff(graph(sql("one", "select 7")), graph(sql("uno", "select 7")))
    assert {change.action for change in found.changed} == {Action.CREATE, Action.DROP}
    assert "moved: [{from: one, to: uno}]" in found.notes[0]
    assert not diff(graph(sql("one", "select 7")), graph(sql("uno", "select 8"))).notes


def test_a_rename_hides_no_change_of_a_gate() -> None:
    """Only references that follow a move which is really made are no reason to look."""

    def gate(task: str) -> TaskNode:
        body = StepBody("clv.steps.gate", {"value": Reference(Source.RESULT, task, ("auc",))})
        return TaskNode("gate", body, ON, after=("good", "bad"), outcomes={"yes": ("end",), "no": ()})

    tasks = (sql("good"), sql("bad"), sql("end", after=("gate",)))
    old = graph(*tasks[:2], gate("good"), tasks[2])
    new = graph(*tasks[:2], gate("bad"), tasks[2], moved={"bad": "good"})
    (change,) = (one for one in diff(old, new).changed if one.task == "gate")
    assert [risk.label for risk in change.risks] == [RiskLabel.GATE]


def test_what_a_new_task_may_reach_is_a_risk() -> None:
    new = TaskNode("load", StepBody("clv.steps.load", {}), ON, external_access=("ANYWHERE",))
    found = diff(graph(sql("one")), graph(sql("one"), new))
    (change,) = found.changed
    assert ("external_access", ("ANYWHERE",)) in [(field.path, field.new) for field in change.fields]
    assert [risk.label for risk in change.risks] == [RiskLabel.PRIVILEGES]


def test_packages_of_a_container_are_told() -> None:
    job = TaskNode("train", StepBody("clv.steps.train", {}), OnPool("ML_POOL"), pip=("xgboost==2.0",))
    (change,) = diff(graph(job), graph(replace(job, pip=("xgboost==3.0",)))).changed
    assert [(field.path, field.old, field.new) for field in change.fields] == [
        ("pip", ("xgboost==2.0",), ("xgboost==3.0",))
    ]


def test_a_pipeline_that_goes_is_said_to_stay_in_the_account() -> None:
    found = diff(graph(sql("one")), None)
    assert found.status is Status.REMOVED
    assert {change.action for change in found.changes} == {Action.DROP}
    assert "sfml destroy" in found.risks[0].message
