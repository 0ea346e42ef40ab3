"""Tasks below another root: the same text as if the graph had been compiled with that root's name."""

from __future__ import annotations

import dataclasses
import itertools
import json

import pytest
from generated_graphs import graphs, lowered
from hypothesis import given
from hypothesis import strategies as st

from sfml.base.quoting import literal, raw
from sfml.graph.alerts import Alerts, Channel
from sfml.graph.expectations import Range, TaskExpectation
from sfml.graph.model import TaskGraph
from sfml.lower.desired import MLJobDefinitionSpec, SqlDefinition
from sfml.plan.rehoming import (
    EarlierRun,
    MissingResult,
    Move,
    call_of,
    folded_predecessors,
    rehomed_call,
    rehomed_definition,
    rehomed_sql,
    unquoted,
)
from sfml.semantics.condition_words import arguments_of
from sfml.semantics.states import PREDECESSOR_CONDITIONS, State, predecessors_state

RUN = EarlierRun("r-1", "2026-11-22 00:00:00.000+00:00", "CLV")
MOVE = Move("P", {"CLV$A": "P$A"}, {"CLV$B": State.SKIPPED}, {"CLV$B": "P$B"}, RUN)


@given(graphs())
def test_a_rehomed_graph_is_that_of_another_root(graph: TaskGraph) -> None:
    before = lowered(graph)
    after = lowered(dataclasses.replace(graph, root_name="OTHER_ROOT"))
    names = {raw(old.name): raw(new.name) for old, new in zip(before.all_tasks, after.all_tasks, strict=True)}
    move = Move("OTHER_ROOT", names)
    for old, new in zip(before.all_tasks, after.all_tasks, strict=True):
        assert old.task == new.task
        if old.task is None:
            continue
        moved = rehomed_definition(old.definition, move, graph.target, graph.pipeline, old.task)
        assert moved == new.definition
        if old.condition is not None:
            assert rehomed_sql(old.condition, move) == new.condition


@given(graphs())
def test_the_statement_of_a_registered_job_is_rehomed_as_its_definition(graph: TaskGraph) -> None:
    names = {raw(task.name): f"P${raw(task.name)}" for task in lowered(graph).all_tasks}
    for task in lowered(graph).all_tasks:
        if not isinstance(task.definition, MLJobDefinitionSpec) or task.task is None:
            continue
        statement = SqlDefinition(task.definition.preview_sql)
        move = Move("P", names, run=RUN)
        moved = rehomed_definition(statement, move, graph.target, graph.pipeline, task.task)
        definition = rehomed_definition(task.definition, move, graph.target, graph.pipeline, task.task)
        assert call_of(moved) == call_of(definition)
        assert (call_of(moved) is None) == (moved == statement)


def test_texts_that_only_look_like_calls_stay() -> None:
    for sql in (
        "select 'SYSTEM$GET_PREDECESSOR_RETURN_VALUE(''CLV$A'')'",
        "-- SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$A')\nselect 1",
        "select MY.SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$A')",
        "select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$C')",
        "select SYSTEM$TASK_RUNTIME_INFO('CURRENT_ROOT_TASK_UUID')",
    ):
        assert rehomed_sql(sql, MOVE) == sql


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "select system$get_predecessor_return_value( 'CLV$A' )",
            "select system$get_predecessor_return_value( 'P$A' )",
        ),
        ("SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$B') = 'x'", "NULL = 'x'"),
        ("SYSTEM$TASK_COMPLETION_STATE('clv$b') = 'SKIPPED'", "'SKIPPED' = 'SKIPPED'"),
        ("SYSTEM$TASK_COMPLETION_STATE('CLV$A') = 'x'", "SYSTEM$TASK_COMPLETION_STATE('P$A') = 'x'"),
        ("select SYSTEM$TASK_RUNTIME_INFO('CURRENT_TASK_GRAPH_RUN_GROUP_ID')", "select 'r-1'"),
        (
            "execute immediate $$ select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$A') $$",
            "execute immediate $$ select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('P$A') $$",
        ),
    ],
)
def test_calls_are_moved(sql: str, expected: str) -> None:
    assert rehomed_sql(sql, MOVE) == expected


def test_the_argument_of_a_step_is_moved() -> None:
    call = {
        "pipeline": "clv",
        "task": "t",
        "step": "a.b",
        "root": "CLV",
        "with": {
            "whole": {"$result": ["CLV$B"]},
            "text": {"$text": ["x ", {"$result": ["CLV$A", "k"]}, {"$run": "id"}]},
            "mine": {"$literal": {"$result": ["CLV$A"]}},
            "at": {"$run": "scheduled_at"},
            "list": [{"$object": {"$config": {"$run": "root"}}}],
        },
        "branches": {"CLV$A": {"X": "x"}, "CLV$B": {}},
    }
    moved = json.loads(rehomed_call(json.dumps(call), MOVE))
    assert moved["root"] == "P" and moved["branches"] == {"P$A": {"X": "x"}}
    assert moved["run"] == {"id": "r-1", "scheduled_at": RUN.scheduled_at, "root": "CLV"}
    assert moved["absent"] == ["P$B"]
    assert moved["with"] == {
        "whole": {"$literal": None},
        "text": {"$text": ["x ", {"$result": ["P$A", "k"]}, {"$literal": "r-1"}]},
        "mine": {"$literal": {"$result": ["CLV$A"]}},
        "at": {"$literal": RUN.scheduled_at},
        "list": [{"$object": {"$config": {"$literal": "CLV"}}}],
    }
    call["with"] = {"part": {"$result": ["CLV$B", "k"]}}
    with pytest.raises(MissingResult):
        rehomed_call(json.dumps(call), MOVE)


@pytest.mark.parametrize("text", ["it's", "a\\'b", "line\nbreak", "tab\t$$", ""])
def test_literals_are_read_back(text: str) -> None:
    assert unquoted(literal(text)) == text


ENDS = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED, State.NOT_EXECUTED)


@pytest.mark.parametrize("asked", PREDECESSOR_CONDITIONS)
def test_a_folded_condition_says_what_the_whole_one_would(asked: str) -> None:
    for absent in itertools.chain(*(itertools.product(ENDS, repeat=count) for count in range(3))):
        for others in itertools.chain(*(itertools.product(ENDS, repeat=count) for count in range(3))):
            if not (absent or others):
                continue
            folded = folded_predecessors(asked, absent, has_others=bool(others))
            match folded:
                case "1 = 1":
                    holds = True
                case "1 = 0":
                    holds = False
                case _:
                    (left,) = arguments_of(folded, "SYSTEM$PREDECESSORS_STATE")
                    holds = predecessors_state(str(left), others)
            assert holds == predecessors_state(asked, (*absent, *others)), (absent, others, folded)


@given(graphs(), st.booleans())
def test_a_finalizer_that_tells_of_its_run_is_that_of_another_root(graph: TaskGraph, slow: bool) -> None:
    tasks = list(graph.tasks)
    if slow:
        tasks[0] = dataclasses.replace(tasks[0], expect=TaskExpectation(Range(60, 600)))
    gates = {task.name: tuple(task.outcomes)[:1] for task in tasks if task.outcomes}
    alerts = Alerts((Channel("slack", "ML_SLACK"),), gates=gates)
    alerting = dataclasses.replace(
        graph, tasks=tuple(tasks), settings=dataclasses.replace(graph.settings, alerts=alerts)
    )
    old = lowered(alerting)
    new = lowered(dataclasses.replace(alerting, root_name="OTHER_ROOT"))
    assert old.finalizer is not None and new.finalizer is not None and old.finalizer.task is not None
    names = {raw(one.name): raw(two.name) for one, two in zip(old.all_tasks, new.all_tasks, strict=True)}
    move = Move("OTHER_ROOT", names)
    moved = rehomed_definition(
        old.finalizer.definition, move, graph.target, graph.pipeline, old.finalizer.task
    )
    assert moved == new.finalizer.definition
