"""Parts of runs end as whole runs would: with results reused, and with skips and failures folded into conditions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_graphs import TARGET, closure, config, result, step
from property_settings import examples

from sfml.base.errors import ConflictingState
from sfml.base.quoting import raw
from sfml.graph.model import GraphSettings, OnWarehouse, Reference, Source, SqlBody, TaskGraph, TaskNode
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.lower import lower
from sfml.plan.part import (
    EarlierResults,
    LeavesTask,
    Part,
    ReusesTask,
    RunsTask,
    TaskResult,
    part_graph,
    planned_part,
    recovered_tasks,
)
from sfml.plan.rehoming import EarlierRun, call_of
from sfml.semantics.evaluating import Unknown, condition_holds
from sfml.semantics.graph import GraphShape, TaskShape
from sfml.semantics.running import End, RunResult, functions_of, run_graph, settle
from sfml.semantics.states import PREDECESSOR_CONDITIONS, State

RUN = EarlierRun("r-1", "2026-11-22 00:00:00.000+00:00", "CLV")


def shape(graph: DesiredGraph) -> GraphShape:
    tasks = [
        TaskShape(raw(task.name), tuple(raw(one) for one in task.predecessors), task.condition)
        for task in (graph.root, *graph.tasks)
    ]
    last = None
    if graph.finalizer is not None:
        last = TaskShape(
            raw(graph.finalizer.name), condition=graph.finalizer.condition, finalizes=raw(graph.root.name)
        )
    return GraphShape(raw(graph.root.name), tuple(tasks), last)


def run(graph: DesiredGraph, values: Mapping[str, str | None], failing: frozenset[str]) -> RunResult:
    """A run in which the tasks `failing` fail and the others return their values; both by names in the spec."""
    tasks = {raw(task.name): task.task for task in graph.all_tasks}

    def end(name: str, time: int) -> End:
        task = tasks[name]
        if task in failing:
            return End(State.FAILED)
        return End(State.SUCCEEDED, values.get(task or ""))

    return run_graph(shape(graph), end)


def states(graph: DesiredGraph, ran: RunResult) -> dict[str, State]:
    return {task.task: ran.states[raw(task.name)] for task in graph.all_tasks if task.task is not None}


def results_of(
    graph: DesiredGraph, ran: RunResult, values: Mapping[str, str | None], *, recovered: bool = True
) -> EarlierResults:
    return EarlierResults(
        {
            name: TaskResult(state, "r-1", values.get(name) if state is State.SUCCEEDED else None)
            for name, state in states(graph, ran).items()
            if state is not State.NOT_EXECUTED
        },
        "r-1" if recovered else None,
    )


COUNTS, TRUTH = st.integers(1, 6), st.booleans()
RUN_IF = st.none() | st.sampled_from([*PREDECESSOR_CONDITIONS])

# Made once for what they draw from: hypothesis validates each new strategy, which takes longer than drawing from it.
one_of = cache(st.sampled_from)


@cache
def some_of(names: tuple[str, ...], least: int, most: int | None) -> st.SearchStrategy[list[str]]:
    return st.lists(one_of(names), unique=True, min_size=least, max_size=most)


@cache
def conditions(after: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(
        [f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV${name.upper()}') = '1'" for name in after]
        + [f"SYSTEM$TASK_COMPLETION_STATE('CLV${name.upper()}') <> 'SUCCEEDED'" for name in after]
        + ["1 = 1", "1 = 2"]
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[DesiredGraph, dict[str, str | None], frozenset[str]]:
    """A graph, what its tasks return, and which of them fail."""
    tasks: list[TaskNode] = []
    for index in range(draw(COUNTS)):
        known = tuple(task.name for task in tasks)
        after = tuple(sorted(draw(some_of(known, 0, 3)))) if known else ()
        when = draw(conditions(after))
        run_if = draw(RUN_IF) if after else None
        node = TaskNode(f"t{index}", SqlBody("select 1"), OnWarehouse("WH"), after=after)
        tasks.append(dataclasses.replace(node, run_if=run_if and run_if.lower(), when=when))
    taken: set[str] = set()
    for index, task in enumerate(tasks):
        below = [one.name for one in tasks if task.name in one.after and one.name not in taken]
        if below and draw(TRUTH):
            taken.update(below)
            outcomes: dict[str, tuple[str, ...]] = {name: (name,) for name in below}
            if draw(TRUTH):
                outcomes = {"good": tuple(below), "bad": (below[0],), "same": ()}
            tasks[index] = dataclasses.replace(task, outcomes=outcomes)
    finalizer = None
    if draw(TRUTH):
        finalizer = TaskNode("end", SqlBody("select 1"), OnWarehouse("WH"), is_finalizer=True)
    graph = lower(
        TaskGraph("clv", "specs/clv.yaml", TARGET, GraphSettings(), tuple(tasks), finalizer), closure, "0"
    )
    values: dict[str, str | None] = {}
    for made in graph.tasks:
        choices = tuple(made.outcomes.values()) if made.outcomes else (None, "1", "2")
        values[made.task or ""] = draw(one_of(choices))
    failing = draw(some_of(tuple(task.name for task in tasks), 1, 2))
    return graph, values, frozenset(failing)


@given(cases())
@examples(600)
def test_a_recovery_ends_as_the_run_would_have(
    case: tuple[DesiredGraph, dict[str, str | None], frozenset[str]],
) -> None:
    graph, values, failing = case
    failed, well = run(graph, values, failing), run(graph, values, frozenset())
    results = results_of(graph, failed, values)
    wanted = recovered_tasks(graph, results)
    if not wanted:
        assert State.FAILED not in states(graph, failed).values()
        return
    try:
        part = planned_part(graph, results, wanted, run=RUN)
    except ConflictingState as refused:
        assert "nothing is left to run" in refused.message
        return
    made = part_graph(part, "CLV$$PART_1", {}, {})
    ended = states(made, run(made, values, frozenset()))
    for name, expected in states(graph, well).items():
        match part.by_name.get(name):
            case RunsTask() | ReusesTask():
                assert ended[name] == expected, name
            case LeavesTask(state=state):
                assert state == expected, name
            case None:
                assert states(graph, failed)[name] == expected, name
    for task in made.tasks:
        if isinstance(part.by_name[task.task or ""], ReusesTask):
            assert task.condition is None
            value = values.get(task.task or "")
            body = "select 'reused'" if value is None else f"CALL SYSTEM$SET_RETURN_VALUE('{value}')"
            assert task.definition == SqlDefinition(body)


@given(cases(), st.data())
@examples(600)
def test_any_tasks_run_as_they_would_in_the_rest_of_that_run(
    case: tuple[DesiredGraph, dict[str, str | None], frozenset[str]], data: st.DataObject
) -> None:
    """Whatever is chosen, and whatever fails now: the tasks end as they would beside the others' earlier states."""
    graph, values, failing = case
    before = run(graph, values, failing)
    names = tuple(task.task or "" for task in graph.tasks)
    wanted = {*data.draw(some_of(names, 1, None))}
    fails = frozenset(data.draw(some_of(tuple(sorted(wanted)), 0, 2)))
    whole = shape(graph)
    raws = {raw(task.name): task.task or "" for task in graph.all_tasks}
    expected = {name: state for name, state in before.states.items() if raws[name] not in wanted}
    returned: dict[str, str | Unknown | None] = {
        name: values.get(raws[name]) for name, state in expected.items() if state is State.SUCCEEDED
    }

    def considered(name: str) -> State:
        task = whole.task(name)
        asked = functions_of(whole, name, expected, returned, {})
        if task.condition is not None and not condition_holds(task.condition, asked):
            return State.SKIPPED
        returned[name] = None if raws[name] in fails else values.get(raws[name])
        return State.FAILED if raws[name] in fails else State.SUCCEEDED

    settle(whole, expected, whole, considered)
    results = results_of(graph, before, values)
    try:
        part = planned_part(graph, results, dict.fromkeys(wanted, ""), run=RUN)
    except ConflictingState as refused:
        assert "nothing is left to run" in refused.message
        assert not any(
            state in (State.SUCCEEDED, State.FAILED)
            for name, state in expected.items()
            if raws[name] in wanted
        )
        return
    made = part_graph(part, "CLV$$PART_1", {}, {})
    ended = states(made, run(made, values, fails))
    for name in wanted:
        fate = part.by_name[name]
        state = fate.state if isinstance(fate, LeavesTask) else ended[name]
        assert state == expected[next(one for one in raws if raws[one] == name)], name


@given(cases(), st.data())
@examples(150)
def test_what_is_chosen_runs_or_is_refused(
    case: tuple[DesiredGraph, dict[str, str | None], frozenset[str]], data: st.DataObject
) -> None:
    graph, values, failing = case
    results = results_of(graph, run(graph, values, failing), values, recovered=data.draw(TRUTH))
    name = data.draw(one_of(tuple(task.task or "" for task in graph.tasks)))
    try:
        part = planned_part(graph, results, {name: "you chose it"}, frozenset({name}), RUN)
    except ConflictingState:
        return
    assert part.running == (name,)
    made = part_graph(part, "CLV$$PART_1", {}, {})
    ended = run(made, values, frozenset())
    there = {task.task for task in made.tasks}
    assert there == {name, *part.reused}
    assert all(states(made, ended)[one] is State.SUCCEEDED for one in part.reused)


def chain(*tasks: TaskNode, finalizer: TaskNode | None = None) -> DesiredGraph:
    return lower(TaskGraph("clv", "s.yaml", TARGET, GraphSettings(), tasks, finalizer), closure, "0")


def body_of(graph: DesiredGraph, name: str) -> DesiredTask:
    return next(task for task in graph.all_tasks if task.task == name)


def ended(value: str | None = None, state: State = State.SUCCEEDED, run_id: str = "r-1") -> TaskResult:
    return TaskResult(state, run_id, value)


LOAD = step("load")
TRAIN = step("train", after=("load",), arguments={"rows": result("load", "rows"), "k": config("k")})
SCORE = step("score", after=("train",), arguments={"model": result("train"), "rows": result("load", "rows")})


def test_a_step_reads_what_is_reused_below_the_root_of_the_part() -> None:
    graph = chain(LOAD, TRAIN, SCORE)
    results = EarlierResults({"load": ended('{"rows":3}'), "train": ended(state=State.FAILED)}, "r-1")
    part = planned_part(graph, results, recovered_tasks(graph, results), run=RUN)
    assert part.running == ("train", "score") and list(part.reused) == ["load"]
    made = part_graph(part, "CLV$$PART_AB", {"k": 1}, {})
    assert [task.name for task in made.all_tasks] == [
        "CLV$$PART_AB",
        "CLV$$PART_AB$LOAD",
        "CLV$$PART_AB$TRAIN",
        "CLV$$PART_AB$SCORE",
    ]
    assert made.root.config == {"k": 1} and made.root.schedule is None
    call = call_of(body_of(made, "score").definition)
    assert call is not None
    assert call["root"] == "CLV$$PART_AB" and call["run"]["id"] == "r-1"
    assert call["with"]["model"] == {"$result": ["CLV$$PART_AB$TRAIN"]}
    assert {one.sha256 for one in made.archives} == {
        body_of(made, name).code_sha256 for name in ("train", "score")
    }


def part_of(graph: DesiredGraph, results: dict[str, TaskResult], *names: str) -> Part:
    wanted = dict.fromkeys(names, "you chose it")
    return planned_part(graph, EarlierResults(results), wanted, frozenset(names))


def test_a_result_that_is_gone_is_said_before_anything_runs() -> None:
    graph = chain(LOAD, TRAIN, SCORE)
    with pytest.raises(ConflictingState) as refused:
        part_of(graph, {"load": ended("{}")}, "score")
    assert "`score` reads the result of `train`, and no run of it is kept" in refused.value.message
    assert refused.value.help == "run it as well:  --only 'train,score'"


def test_a_predecessor_that_nothing_reads_may_be_gone() -> None:
    graph = chain(LOAD, step("tell", after=("load",)))
    part = part_of(graph, {}, "tell")
    assert part.running == ("tell",)
    made = part_graph(part, "CLV$$PART_AB", {}, {})
    assert body_of(made, "tell").predecessors == ("CLV$$PART_AB",)


def test_a_result_is_there_before_it_is_read_past_a_task_that_is_left_out() -> None:
    past = step("score", after=("between",), arguments={"rows": result("load", "rows")})
    graph = chain(LOAD, step("between", after=("load",)), past)
    made = part_graph(part_of(graph, {"load": ended('{"rows":3}')}, "score"), "CLV$$PART_AB", {}, {})
    assert body_of(made, "score").predecessors == ("CLV$$PART_AB$LOAD",)


def test_a_condition_about_states_counts_no_results_past_a_task_that_is_left_out() -> None:
    score = step("score", after=("between", "train"), run_if="all_done")
    graph = chain(LOAD, step("between", after=("load",)), step("train"), score)
    made = part_graph(part_of(graph, {"load": ended("{}")}, "train", "score"), "CLV$$PART_AB", {}, {})
    assert body_of(made, "score").predecessors == ("CLV$$PART_AB$TRAIN",)


def test_the_arm_that_was_not_chosen_is_refused() -> None:
    graph = chain(
        step("gate", outcomes={"up": ("up",), "down": ("down",)}),
        step("up", after=("gate",)),
        step("down", after=("gate",)),
    )
    with pytest.raises(ConflictingState) as refused:
        part_of(graph, {"gate": ended("UP"), "down": ended("1", run_id="r-0")}, "down")
    assert "`down` would not run: gate chose up" in refused.value.message
    with pytest.raises(ConflictingState) as refused:
        part_of(graph, {"gate": ended("LEFT")}, "up")
    assert "none of its outcomes" in refused.value.message or "would not run" in refused.value.message


def test_the_arm_of_another_run_counts_as_skipped() -> None:
    gate = step("gate", outcomes={"up": ("up",), "down": ("down",)})
    join = step(
        "join",
        after=("up", "down"),
        run_if="none_failed_min_one_succeeded",
        arguments={"up": result("up"), "down": result("down")},
    )
    graph = chain(gate, step("up", after=("gate",)), step("down", after=("gate",)), join)
    part = part_of(graph, {"gate": ended("UP"), "up": ended("1"), "down": ended("2", run_id="r-0")}, "join")
    assert list(part.reused) == ["gate", "up"]
    made = part_graph(part, "CLV$$PART_AB", {}, {})
    call = call_of(body_of(made, "join").definition)
    assert call is not None and call["with"]["down"] == {"$literal": None}
    assert call["absent"] == ["CLV$$PART_AB$DOWN"]


def test_what_the_root_returned_is_returned_again() -> None:
    ask = TaskNode("ask", SqlBody("select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV')"), OnWarehouse("WH"))
    part = part_of(chain(ask), {}, "ask")
    made = part_graph(part, "CLV$$PART_AB", {}, {}, "it's 7")
    assert made.root.definition == SqlDefinition("CALL SYSTEM$SET_RETURN_VALUE('it''s 7')")
    assert body_of(made, "ask").definition == SqlDefinition(
        "select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$$PART_AB')"
    )


def test_statements_and_the_run_keep_their_meaning() -> None:
    say = TaskNode(
        "say",
        SqlBody("insert into t select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$LOAD')"),
        OnWarehouse("WH"),
        after=("load",),
    )
    other = step("other", arguments={"run": Reference(Source.RUN, None, ("id",))})
    graph = chain(LOAD, say, other)
    wanted = {"say": "", "other": ""}
    part = planned_part(graph, EarlierResults({"load": ended("7")}), wanted, run=RUN)
    made = part_graph(part, "CLV$$PART_AB", {}, {})
    assert body_of(made, "say").definition == SqlDefinition(
        "insert into t select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('CLV$$PART_AB$LOAD')"
    )
    call = call_of(body_of(made, "other").definition)
    assert call is not None and call["with"]["run"] == {"$literal": "r-1"}


def test_a_part_is_whole_if_it_leaves_nothing_open() -> None:
    graph = chain(LOAD, TRAIN, SCORE, step("other"))
    known = {"load": ended('{"rows":3}'), "train": ended("1"), "other": ended("1")}
    assert not part_of(graph, known, "train", "score").is_whole
    assert part_of(graph, known, "train", "score", "other").is_whole
    gate = step("gate", outcomes={"up": ("up",), "down": ("down",)})
    arms = chain(gate, step("up", after=("gate",)), step("down", after=("gate",)))
    results = EarlierResults({"gate": ended("UP"), "up": ended(state=State.FAILED)}, "r-1")
    wanted = {"up": "it failed", "down": "it never ran"}
    assert planned_part(arms, results, wanted).is_whole
    left = LeavesTask("load", State.FAILED, "it failed")
    fates = {"load": left, **{name: RunsTask(name, "you chose it") for name in ("train", "score", "other")}}
    assert not Part(graph, tuple(fates.values()), by_name=fates).is_whole
