"""What an apply looks for before it changes anything: what no deployed task has named so far."""

from __future__ import annotations

import pytest

from sfml.graph.model import GraphSettings, OnWarehouse, SqlBody, StreamSchedule, Target, TaskGraph, TaskNode
from sfml.graph.needs import Kind, needs_of
from sfml.graph.privileges import Purpose, privileges_of
from sfml.lower.lower import lower
from sfml.plan.model import Action, Change, FieldChange, Plan, Reason
from sfml.plan.new_needs import introduced

TARGET = Target("dev", "account", "DB", "S", "W", connection="dev")
GRAPH = TaskGraph(
    "p",
    "specs/p.yaml",
    TARGET,
    GraphSettings(),
    (
        TaskNode("a", SqlBody("select 1"), OnWarehouse("BIG")),
        TaskNode("b", SqlBody("select 1"), OnWarehouse("BIG"), external_access=("WEB",)),
        TaskNode("c", SqlBody("select 1"), OnWarehouse("HUGE"), secrets={"key": "S.KEY"}),
    ),
)
DESIRED = lower(GRAPH, lambda step: (), "0.1.0")


def found(**changed: tuple[Action, tuple[str, ...]]) -> set[str]:
    """The names of what is looked for when these tasks change and the others do not."""

    def change(name: str, full: str) -> Change:
        action, paths = changed.get(name, (Action.UNCHANGED, ()))
        fields = tuple(FieldChange(path, None, None, Reason.SPEC_CHANGED) for path in paths)
        return Change(name, full, action, fields)

    changes = tuple(change(task.task or "root", task.name) for task in DESIRED.all_tasks)
    plan = Plan("p", "dev", "DB.S", changes, resume_root=False, root_started=False)
    return {need.name for need in introduced(needs_of(GRAPH), plan, DESIRED)}


def test_a_graph_without_a_change_brings_nothing_in() -> None:
    assert found() == set()


@pytest.mark.parametrize("path", ["timeout_ms", "code", "with.at_least", "config.x", "comment", "tags"])
def test_a_field_that_names_nothing_brings_nothing_in(path: str) -> None:
    assert found(b=(Action.ALTER, (path,)), root=(Action.ALTER, (path,))) == set()


def test_a_changed_field_brings_in_what_it_names() -> None:
    assert found(c=(Action.ALTER, ("warehouse",))) == {"HUGE"}
    assert found(c=(Action.ALTER, ("secrets", "timeout_ms"))) == {"DB.S.KEY"}
    assert found(root=(Action.ALTER, ("warehouse",))) == {"W"}


def test_what_another_deployed_task_names_is_there() -> None:
    assert found(a=(Action.ALTER, ("warehouse",))) == set()
    both = (Action.ALTER, ("warehouse",))
    assert found(a=both, b=both) == {"BIG"}


def test_a_new_task_and_a_body_that_is_another_bring_in_all_that_they_name() -> None:
    assert found(c=(Action.CREATE, ())) == {"HUGE", "DB.S.KEY"}
    assert found(b=(Action.ALTER, ("definition",))) == {"WEB"}
    assert found(b=(Action.ALTER, ("a field of tomorrow",))) == {"WEB"}


def test_the_streams_of_all_conditions_are_needed_and_looked_for_whatever_is_changed() -> None:
    graph = TaskGraph(
        "p",
        "specs/p.yaml",
        TARGET,
        GraphSettings(schedule=StreamSchedule(("OF_ROOT",)), when="SYSTEM$STREAM_HAS_DATA('\"also\"')"),
        (TaskNode("a", SqlBody("select 1"), OnWarehouse("BIG"), when="SYSTEM$STREAM_HAS_DATA('raw.of_a')"),),
    )
    streams = [need for need in needs_of(graph) if need.kind is Kind.STREAM]
    assert [(need.name, need.by) for need in streams] == [
        ("DB.RAW.OF_A", ("a",)),
        ('DB.S."also"', ()),
        ("DB.S.OF_ROOT", ()),
    ]
    desired = lower(graph, lambda step: (), "0.1.0")
    same = tuple(Change(task.task or "root", task.name, Action.UNCHANGED, ()) for task in desired.all_tasks)
    plan = Plan("p", "dev", "DB.S", same, resume_root=False, root_started=False)
    assert [*introduced(needs_of(graph), plan, desired)] == streams
    for purpose in (Purpose.RUNNING, Purpose.READING):
        granted = {one.name for one in privileges_of(graph, purpose, "P") if one.on == "STREAM"}
        assert granted == {need.name for need in streams}
