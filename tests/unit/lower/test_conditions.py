from __future__ import annotations

import pytest
from made_graphs import graph, sql, wide

from sfml.graph.model import GraphSettings, StreamSchedule, TaskGraph, TaskNode
from sfml.lower.conditions import condition_of, root_condition
from sfml.lower.named_graph import named_graph


def returned(task: str) -> str:
    return f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV${task}')"


def branch(*after: TaskNode, **outcomes: tuple[str, ...]) -> TaskGraph:
    return graph(sql("check", outcomes=outcomes), *after)


def whole(made: TaskGraph, task: str) -> str | None:
    return condition_of(named_graph(made), made.task(task)).whole


def test_an_edge_of_a_dag_branch_is_what_dagv1_writes() -> None:
    made = branch(sql("yes", after=("check",)), sql("no", after=("check",)), yes=("yes",), no=("no",))
    found = condition_of(named_graph(made), made.task("yes"))
    assert found.whole == f"{returned('CHECK')} = 'YES'"
    assert (found.own, found.edges) == (None, ("CLV$CHECK",))
    assert named_graph(made).outcomes["check"] == {"yes": "YES", "no": "NO"}


def test_an_outcome_named_otherwise_returns_the_name_of_its_successor() -> None:
    made = branch(
        sql("promote", after=("check",)), sql("alert", after=("check",)), good=("promote",), bad=("alert",)
    )
    assert named_graph(made).outcomes["check"] == {"good": "PROMOTE", "bad": "ALERT"}
    assert whole(made, "alert") == f"{returned('CHECK')} = 'ALERT'"


@pytest.mark.parametrize(
    ("outcomes", "after"),
    [
        ({"good": ("a", "b")}, ("a", "b")),
        ({"good": ("a",), "same": ()}, ("a",)),
        ({"good": ("a",), "fine": ("a",)}, ("a",)),
        ({"good": ("a",)}, ("a", "b")),
    ],
)
def test_what_no_dag_branch_can_say(outcomes: dict[str, tuple[str, ...]], after: tuple[str, ...]) -> None:
    made = branch(*(sql(name, after=("check",)) for name in after), **outcomes)
    assert "check" not in named_graph(made).dag_branches
    assert named_graph(made).outcomes["check"] == {name: name.upper() for name in outcomes}


def test_several_successors_compare_the_outcome() -> None:
    made = wide()
    assert whole(made, "right") == "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('WIDE$CHECK') = 'GOOD'"


def test_several_outcomes_of_one_task_stay_together() -> None:
    made = branch(sql("a", after=("check",), when="x or y"), good=("a",), fine=("a",))
    value = returned("CHECK")
    assert whole(made, "a") == f"({value} = 'GOOD' or {value} = 'FINE') and (x or y)"


def test_a_task_after_a_branch_that_is_no_outcome_runs_always() -> None:
    made = branch(sql("a", after=("check",)), sql("b", after=("check",)), good=("a",), bad=())
    assert whole(made, "b") is None


def test_two_branches_must_both_choose_a_task() -> None:
    made = graph(
        sql("z", outcomes={"both": ("both",)}),
        sql("a", outcomes={"both": ("both",)}),
        sql("both", after=("z", "a"), when="1=1"),
    )
    found = condition_of(named_graph(made), made.task("both"))
    assert found.whole == f"{returned('A')} = 'BOTH' and {returned('Z')} = 'BOTH' and (1=1)"
    assert (found.own, found.edges) == ("(1=1)", ("CLV$A", "CLV$Z"))


def test_a_join_asks_for_the_state_of_its_predecessors() -> None:
    made = graph(sql("a"), sql("b", after=("a",), run_if="all_done", when="1=1"))
    assert whole(made, "b") == "SYSTEM$PREDECESSORS_STATE('ALL_DONE') and (1=1)"


def test_a_condition_alone_is_left_as_written() -> None:
    made = graph(sql("a", when="x or y"))
    assert whole(made, "a") == "x or y"


def test_outcomes_that_differ_in_case_alone_stay_apart() -> None:
    made = branch(sql("a", after=("check",)), Good=("a",), good=())
    assert named_graph(made).outcomes["check"] == {"Good": "Good", "good": "good"}


@pytest.mark.parametrize(
    ("streams", "when", "expected"),
    [
        (("S",), None, "SYSTEM$STREAM_HAS_DATA('S')"),
        (("S", "T"), None, "SYSTEM$STREAM_HAS_DATA('S') or SYSTEM$STREAM_HAS_DATA('T')"),
        (("S", "T"), "x", "(SYSTEM$STREAM_HAS_DATA('S') or SYSTEM$STREAM_HAS_DATA('T')) and (x)"),
        (("S'",), "x", "SYSTEM$STREAM_HAS_DATA('S''') and (x)"),
    ],
)
def test_a_root_waits_for_its_streams(streams: tuple[str, ...], when: str | None, expected: str) -> None:
    assert root_condition(GraphSettings(schedule=StreamSchedule(streams), when=when)) == expected
