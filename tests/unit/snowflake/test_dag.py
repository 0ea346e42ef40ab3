"""The DAG objects and the tasks that are put say the same."""

from __future__ import annotations

import dataclasses

import pytest
from made_graphs import closure, clv, every, graph, sql, wide

from sfml.base.errors import ConflictingState
from sfml.graph.model import GraphSettings, Serverless, StreamSchedule, TaskGraph
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.plan.lane import lane_graph, lane_root
from sfml.plan.part import EarlierResults, TaskResult, part_graph, part_root, planned_part
from sfml.semantics.states import State

pytest.importorskip("snowflake.core")

from snowflake.core.task.dagv1 import DAGTask, DAGTaskBranch

from sfml.snowflake.dag import INEXPRESSIBLE, dag, differences


def lowered(made: TaskGraph) -> DesiredGraph:
    return lower(made, closure, "0.1.0")


def two_branches() -> TaskGraph:
    return graph(
        sql("z", outcomes={"both": ("both",)}),
        sql("a", outcomes={"both": ("both",)}),
        sql("c"),
        sql("both", after=("z", "a", "c"), when="1=1 or 2=2"),
        settings=GraphSettings(when="1=1"),
    )


@pytest.mark.parametrize(
    "made", [clv(), wide(), every(90), two_branches()], ids=["clv", "wide", "every", "two branches"]
)
def test_dag_and_tasks_say_the_same_but_for_what_dagv1_has_no_words_for(made: TaskGraph) -> None:
    assert [difference for difference in differences(lowered(made)) if difference.known is None] == []


@pytest.mark.parametrize("made", [clv(), wide(), two_branches()], ids=["clv", "wide", "two branches"])
def test_parts_and_lanes_come_out_as_objects_too(made: TaskGraph) -> None:
    desired = lowered(made)
    first, *others = (task for task in desired.all_tasks if task.task is not None)
    value = next(iter((first.outcomes or {"": "1"}).values()))
    results = {str(first.task): TaskResult(State.SUCCEEDED, "r", value)}
    wanted = {str(task.task): "you chose it" for task in others}
    part = planned_part(desired, EarlierResults(results), wanted)
    for below in (
        lane_graph(desired, lane_root(desired.root.name, 1), {}),
        part_graph(part, part_root(desired.root.name, "ab"), {}, {}),
    ):
        assert [difference for difference in differences(below) if difference.known is None] == []


def branches(desired: DesiredGraph) -> set[str]:
    """The short names of the tasks that are `DAGTaskBranch` objects."""
    return {task.name for task in dag(desired).tasks if isinstance(task, DAGTaskBranch)}


@pytest.mark.parametrize("made", [clv(), wide(), two_branches()], ids=["clv", "wide", "two branches"])
def test_a_lane_has_the_branches_of_the_graph(made: TaskGraph) -> None:
    desired = lowered(made)
    assert branches(lane_graph(desired, lane_root(desired.root.name, 1), {})) == branches(desired)


@pytest.mark.parametrize(
    ("reused", "wanted", "expected"),
    [
        ((), ("z", "a", "c", "both"), {"Z", "A"}),
        (("z",), ("a", "c", "both"), {"Z", "A"}),
        (("z", "a", "c"), ("both",), {"Z", "A"}),
        (("z", "a"), ("c",), set()),
        ((), ("z", "a", "c"), set()),
        (("c", "both"), ("z", "a"), set()),
    ],
)
def test_a_part_has_those_branches_whose_arms_it_runs(
    reused: tuple[str, ...], wanted: tuple[str, ...], expected: set[str]
) -> None:
    desired = lowered(two_branches())
    results = {name: TaskResult(State.SUCCEEDED, "r", "BOTH") for name in reused}
    part = planned_part(desired, EarlierResults(results), dict.fromkeys(wanted, "you chose it"))
    below = part_graph(part, part_root(desired.root.name, "ab"), {}, {})
    assert branches(below) == expected
    assert [difference for difference in differences(below) if difference.known is None] == []


def test_a_condition_that_only_looks_like_a_branch_is_none() -> None:
    """One arm has a condition of its own in front, so `DAGTaskBranch` cannot write it."""
    desired = lowered(two_branches())
    tasks = tuple(
        dataclasses.replace(task, condition=f"1 = 1 and {task.condition}") if task.task == "both" else task
        for task in desired.tasks
    )
    lane = lane_graph(dataclasses.replace(desired, tasks=tasks), lane_root(desired.root.name, 1), {})
    assert branches(lane) == set()
    assert [difference for difference in differences(lane) if difference.known is None] == []


def test_names_that_are_too_long_below_another_root_are_refused_before_anything_is_made() -> None:
    desired = lowered(graph(sql("a" * 240)))
    wanted = {"a" * 240: "you chose it"}
    part = planned_part(desired, EarlierResults({}), wanted)
    lane_graph(desired, lane_root(desired.root.name, 1), {})
    with pytest.raises(ConflictingState, match=r"a name of 259 characters below CLV\$\$PART_AB123456, and"):
        part_graph(part, part_root(desired.root.name, "ab123456"), {}, {})
    with pytest.raises(ConflictingState, match="a name of 258 characters"):
        lane_graph(lowered(graph(sql("a" * 246))), lane_root("CLV", 1), {})


def test_the_readmes_pipeline_has_no_difference_at_all() -> None:
    assert differences(lowered(clv())) == ()


def test_branches_are_dag_task_branches() -> None:
    made = dag(lowered(clv()))
    assert {task.full_name: type(task) for task in made.tasks if task.name.startswith("C")} == {
        "CLV$CHECK_MODEL_QUALITY": DAGTaskBranch,
        "CLV$CLEANUP": DAGTask,
    }
    finalizer = made.get_finalizer_task()
    assert finalizer is not None
    assert finalizer.full_name == "CLV$CLEANUP"


def test_every_row_of_the_table_is_true() -> None:
    """A setting that dagv1 learns to express must leave the table."""
    root = GraphSettings(
        schedule=StreamSchedule(("S",), 60),
        on_success="OK",
        run_on=Serverless("SMALL", "XSMALL", "LARGE", 60),
        execute_as_user="robot",
        log_level="INFO",
        tags={"a": "b"},
        contacts={"support": "team"},
    )
    only = sql("only", log_level="INFO", tags={"a": "b"}, contacts={"support": "team"})
    found = {
        ("root" if difference.task == "CLV" else "task", difference.setting)
        for difference in differences(lowered(graph(only, settings=root)))
    }
    assert found == {*INEXPRESSIBLE}


def test_a_mistake_is_found() -> None:
    """The comparison is able to fail: a condition that the edges do not make up."""
    desired = lowered(clv())
    tasks = tuple(
        dataclasses.replace(task, own_condition="1=0") if task.name == "CLV$SEND_ALERT" else task
        for task in desired.tasks
    )
    found = differences(dataclasses.replace(desired, tasks=tasks))
    assert [(difference.task, difference.setting, difference.known) for difference in found] == [
        ("CLV$SEND_ALERT", "condition", None)
    ]


def test_bodies_of_registered_jobs_can_be_given() -> None:
    made = dag(lowered(clv()), {"CLV$TRAIN_MODEL": "CALL registered()"})
    train = made.get_task("TRAIN_MODEL")
    assert train is not None
    assert train.definition == "CALL registered()"
