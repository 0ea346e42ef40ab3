"""Plans: what is deployed against what should be."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from sfml.base.errors import ConflictingState
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    Mode,
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
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.lower import lower
from sfml.plan.diff import make_plan
from sfml.plan.model import Action, ObservedGraph, ObservedTask
from sfml.plan.settings import desired_settings, split_comment


@dataclasses.dataclass(frozen=True)
class File:
    path: str
    content: bytes


PROD = Target("prod", "account", "ML_PROD", "CLV", "ML_WH", compute_pool="ML_POOL", mode=Mode.PRODUCTION)
DEV = dataclasses.replace(PROD, name="dev", mode=Mode.DEVELOPMENT)
ON_WH = OnWarehouse("ML_WH")
SUNDAYS = GraphSettings(schedule=CronSchedule("0 0 * * 0", "UTC"), timeout=21_600)


def closure(step: str) -> Iterable[File]:
    return (File("sfml_steps/__init__.py", b""), File("clv/steps.py", b"VERSION = 1\n"))


def changed_closure(step: str) -> Iterable[File]:
    return (File("sfml_steps/__init__.py", b""), File("clv/steps.py", b"VERSION = 2\n"))


def pipeline(
    *,
    target: Target = PROD,
    settings: GraphSettings = SUNDAYS,
    gate: float = 0.4,
    extra: tuple[TaskNode, ...] = (),
) -> TaskGraph:
    features = Reference(Source.RESULT, "prepare", ("features",))
    return TaskGraph(
        pipeline="clv",
        spec_path="specs/clv.yaml",
        target=target,
        settings=settings,
        tasks=(
            TaskNode("prepare", StepBody("clv.steps.prepare", {}), ON_WH),
            TaskNode(
                "train",
                StepBody("clv.steps.train", {"features": features}),
                OnPool("ML_POOL"),
                after=("prepare",),
            ),
            TaskNode("gate", StepBody("clv.steps.gate", {"at_least": gate}), ON_WH, after=("train",)),
            *extra,
        ),
        finalizer=TaskNode("cleanup", SqlBody("select 1"), ON_WH, is_finalizer=True),
        config={"threshold": gate},
    )


def desired(**changes: object) -> DesiredGraph:
    return lower(pipeline(**changes), closure, "0.1.0")  # type: ignore[arg-type]


def observed(graph: DesiredGraph, *, root_started: bool = True) -> ObservedGraph:
    """The graph as an account that holds just this would answer it."""
    tasks = [seen(task, started=root_started if task is graph.root else True) for task in graph.all_tasks]
    return ObservedGraph(tasks[0], tuple(tasks[1:]), split_comment(graph.root.comment)[1])


def seen(task: DesiredTask, *, started: bool = True) -> ObservedTask:
    match task.definition:
        case SqlDefinition(sql):
            definition = sql
        case MLJobDefinitionSpec(preview_sql=sql):
            definition = sql
    return ObservedTask(task.name, "id", started, definition, desired_settings(task))


def test_what_is_deployed_as_meant_gives_an_empty_plan() -> None:
    graph = desired()
    plan = make_plan(graph, observed(graph))
    assert plan.is_empty
    assert plan.summary["unchanged"] == 5


def test_a_new_pipeline_creates_everything_and_turns_the_schedule_on_in_production() -> None:
    plan = make_plan(desired(), None)
    assert {change.action for change in plan.changes} == {Action.CREATE}
    assert plan.resume_root


@pytest.mark.parametrize(
    ("target", "resume", "on"),
    [(PROD, None, True), (DEV, None, False), (DEV, True, True), (PROD, False, False)],
)
def test_the_mode_decides_whether_a_new_schedule_is_on(target: Target, resume: bool | None, on: bool) -> None:
    assert make_plan(desired(target=target), None, resume=resume).resume_root is on


def test_a_changed_argument_is_named_as_the_spec_names_it() -> None:
    plan = make_plan(desired(gate=0.2), observed(desired(gate=0.4)))
    gate = next(change for change in plan.changes if change.task == "gate")
    assert gate.action is Action.ALTER
    assert [(field.path, field.old, field.new) for field in gate.fields] == [("with.at_least", 0.4, 0.2)]
    root = next(change for change in plan.changes if change.task == "clv")
    assert [field.path for field in root.fields] == ["config.threshold"]


def test_changed_code_alters_every_task_that_runs_it_and_no_other() -> None:
    old, new = desired(), lower(pipeline(), changed_closure, "0.1.0")
    plan = make_plan(new, observed(old))
    altered = {change.task: [field.path for field in change.fields] for change in plan.of(Action.ALTER)}
    assert altered == {"prepare": ["code"], "train": ["code"], "gate": ["code"]}


def test_a_task_that_left_the_spec_is_dropped() -> None:
    old = desired(extra=(TaskNode("report", SqlBody("select 2"), ON_WH, after=("gate",)),))
    plan = make_plan(desired(), observed(old))
    assert [(change.task, change.action) for change in plan.of(Action.DROP)] == [("report", Action.DROP)]


def test_the_order_of_predecessors_is_no_change() -> None:
    both = TaskNode("both", SqlBody("select 2"), ON_WH, after=("gate", "prepare"))
    swapped = dataclasses.replace(both, after=("prepare", "gate"))
    assert make_plan(desired(extra=(swapped,)), observed(desired(extra=(both,)))).is_empty


def test_a_new_version_of_the_tool_is_no_change() -> None:
    newer = lower(pipeline(), closure, "9.9.9")
    assert make_plan(newer, observed(desired())).is_empty


def test_a_root_that_somebody_suspended_stays_suspended() -> None:
    plan = make_plan(desired(gate=0.2), observed(desired(), root_started=False))
    assert not plan.resume_root


def test_an_apply_that_did_not_finish_is_completed_with_its_schedule() -> None:
    graph = desired()
    journal = {"resume_root": True, "fingerprint": graph.fingerprint}
    plan = make_plan(graph, observed(graph, root_started=False), unfinished=journal)
    assert plan.resume_root and not plan.is_empty


def test_a_suspended_child_counts_as_drifted() -> None:
    graph = desired()
    account = observed(graph)
    tasks = tuple(dataclasses.replace(task, started=task.name != "CLV$GATE") for task in account.tasks)
    plan = make_plan(graph, dataclasses.replace(account, tasks=tasks))
    assert [change.task for change in plan.of(Action.ALTER)] == ["gate"]


def test_a_root_of_the_same_name_that_is_not_ours_is_left_alone() -> None:
    graph = desired()
    foreign = dataclasses.replace(observed(graph), record=None)
    with pytest.raises(ConflictingState, match="not made by sfml"):
        make_plan(graph, foreign)
