"""However Snowflake renders a graph, a plan against it shows no change that is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered_graphs import Server, graphs

from sfml.lower.desired import DesiredGraph
from sfml.plan.diff import make_plan
from sfml.plan.model import Action, ObservedGraph
from sfml.plan.observed_graph import observed_task, record_of
from sfml.plan.renderings import last_name, names, same, schedule


@given(graphs(), st.data())
def test_a_graph_against_itself_is_no_change_in_any_rendering(
    graph: DesiredGraph, data: st.DataObject
) -> None:
    server = Server(data.draw)
    rendered = [server.render(task) for task in graph.all_tasks]
    root, *others = [observed_task(values) for values in rendered]
    tasks = tuple(data.draw(st.permutations(others)))
    plan = make_plan(graph, ObservedGraph(root, tasks, record_of(rendered[0])))
    assert [change for change in plan.changes if change.action is not Action.UNCHANGED] == []


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("load", "LOAD"),
        ("db.s.load", "LOAD"),
        ('DB."s.t"."a.b"', '"a.b"'),
        ('"LOAD"', "LOAD"),
        ('DB.S."say ""it"""', '"say ""it"""'),
        ("CLV$TRAIN", "CLV$TRAIN"),
    ],
)
def test_the_last_part_of_a_name_is_folded_as_snowflake_folds_it(written: str, name: str) -> None:
    assert last_name(written) == name


def test_a_lower_case_name_in_quotes_is_another_name() -> None:
    assert last_name('"load"') == '"load"' != last_name("load")
    assert names(["b", 'DB.S."a"', "B"]) == ('"a"', "B")


@pytest.mark.parametrize(
    ("key", "one", "other", "are_same"),
    [
        ("config", {"a": 1}, {"a": 1.0}, True),
        ("config", {"a": 1}, {"a": True}, False),
        ("config", {"a": "1"}, {"a": 1}, False),
        ("when", "a('x') = 'Y'", "A( 'x' )='Y'", True),
        ("when", "a('x') = 'Y'", "a('x') = 'y'", False),
        ("comment", "a  b", "a b", False),
        ("warehouse", "MyWh", '"MyWh"', True),
        ("warehouse", "my_wh", "MY_WH", True),
        ("warehouse", '"my_wh"', "MY_WH", False),
        ("on_error", '"Bell"', '"bell"', False),
        ("execute_as_user", "Robot", '"robot"', False),
        ("log_level", "Info", '"Info"', False),
    ],
)
def test_what_means_something_else_is_a_change(key: str, one: Any, other: Any, are_same: bool) -> None:
    assert same(key, one, other) is are_same


def test_schedules_are_one_in_every_form() -> None:
    assert (
        schedule("60 MINUTES")
        == schedule("1 hour")
        == schedule({"minutes": 60})
        == schedule({"seconds": 3600})
    )
    assert schedule("USING CRON 0 0 * * sun UTC") == schedule({"cron_expr": "0 0 * * SUN", "timezone": "utc"})
    assert schedule("USING CRON 0 0 * * sun UTC") != schedule("USING CRON 0 0 * * mon UTC")
