"""What selectors of tasks select, and what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.base.errors import UsageError
from sfml.graph.topology import Reach
from sfml.plan.selection import SelectableTask, selection

T = SelectableTask
TASKS = (
    T("load", kinds=frozenset({"sql"})),
    T("train", ("load",), frozenset({"step", "pool"}), {"GOV.COST": "ml", "TEAM": "a"}),
    T("gate", ("train",), frozenset({"step", "gate"})),
    T("score_a", ("gate",), frozenset({"step"}), {"TEAM": "b"}),
    T("score_b", ("gate",), frozenset({"call"})),
    T("clean", kinds=frozenset({"step", "finalizer"}), is_finalizer=True),
)


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (("train",), "train"),
        (("Train",), "train"),
        (("+gate",), "load train gate"),
        (("gate+",), "gate score_a score_b clean"),
        (("+gate+",), "load train gate score_a score_b clean"),
        (("load", "score_a"), "load score_a"),
        (("score_a,load",), "load score_a"),
        (("score_a load",), "load score_a"),
        (("score_*",), "score_a score_b"),
        (("+score_?",), "load train gate score_a score_b"),
        (("kind:step",), "train gate score_a clean"),
        (("kind:gate+",), "gate score_a score_b clean"),
        (("kind:finalizer",), "clean"),
        (("+clean",), "load train gate score_a score_b clean"),
        (("clean+",), "clean"),
        (("tag:team",), "train score_a"),
        (("tag:team=b",), "score_a"),
        (("tag:cost",), "train"),
        (("tag:gov.cost",), "train"),
    ],
)
def test_what_is_selected(selectors: tuple[str, ...], expected: str) -> None:
    assert selection(TASKS, selectors).tasks == tuple(expected.split())


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("", "names no task"),
        (" , ", "names no task"),
        ("+", "is not a selector"),
        ("++train", "is not a selector"),
        ("train++", "is not a selector"),
        ("a+b", "is not a selector"),
        ("kind:", "is not a selector"),
        ("owner:me", "is not a selector"),
        ("trian", "no task is called `trian`"),
        ("x*", "no task is called `x*`"),
        ("kind:stpe", "is not a kind of task"),
        ("kind:notify", "no task is of kind `notify`"),
        ("tag:nope", "no task has the tag `nope`"),
        ("tag:team=c", "no task has the tag `team=c`"),
    ],
)
def test_what_selects_nothing_is_refused(selector: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        selection(TASKS, ("load", selector) if selector.strip(" ,") else (selector,))
    assert words in refused.value.message


def test_what_a_plus_adds_is_not_named() -> None:
    assert selection(TASKS, ("+gate",)).named == {"gate"}


@st.composite
def made_tasks(draw: st.DrawFn) -> tuple[SelectableTask, ...]:
    tasks: list[SelectableTask] = []
    for index in range(draw(st.integers(1, 8))):
        above = [task.name for task in tasks]
        after = draw(st.lists(st.sampled_from(above), unique=True, max_size=3)) if above else []
        tasks.append(T(f"t{index}", tuple(after)))
    if draw(st.booleans()):
        tasks.append(T("last", is_finalizer=True))
    return tuple(tasks)


@given(made_tasks(), st.data())
def test_a_plus_means_exactly_what_runs_before_and_after(
    tasks: tuple[SelectableTask, ...], data: st.DataObject
) -> None:
    edges = {task.name: task.after for task in tasks}
    reach = Reach(edges)
    name = data.draw(st.sampled_from([task.name for task in tasks if not task.is_finalizer]))
    last = {task.name for task in tasks if task.is_finalizer}
    assert set(selection(tasks, (f"+{name}",)).tasks) == {name, *reach.above(name)}
    after = {other for other in edges if reach.is_above(name, other)}
    assert set(selection(tasks, (f"{name}+",)).tasks) == {name, *after, *last}
    both = selection(tasks, (f"+{name}+",)).tasks
    assert set(both) == {name, *after, *last, *reach.above(name)}
    assert list(both) == [task for task in edges if task in both]
