"""Which tasks run, are skipped, or never run."""

from __future__ import annotations

import pytest

from sfml.semantics.decisions import Step, graph_state, next_step
from sfml.semantics.graph import GraphError, GraphShape, TaskShape, build_graph
from sfml.semantics.retry import failure_counts, guilty_tasks, kept_states, should_retry
from sfml.semantics.states import State, predecessors_state

OK, BAD, SKIP, CANCEL, NEVER = (
    State.SUCCEEDED,
    State.FAILED,
    State.SKIPPED,
    State.CANCELLED,
    State.NOT_EXECUTED,
)


def task(name: str, *after: str, when: str | None = None, suspended: bool = False) -> TaskShape:
    return TaskShape(name, after, when, suspended)


def graph(*tasks: TaskShape) -> GraphShape:
    return build_graph("R", (task("R"), *tasks))


DIAMOND = graph(task("A", "R"), task("B", "R"), task("J", "A", "B"), TaskShape("F", finalizes="R"))


def test_the_root_runs_first() -> None:
    assert next_step(DIAMOND, {}) == Step(("R",), ())


def test_nothing_begins_before_the_root_has_ended() -> None:
    """Below a suspended task nothing runs, which is known at once, and still no reason to hurry."""
    asks = "SYSTEM$PREDECESSORS_STATE('ALL_DONE')"
    shape = graph(task("A", "R", suspended=True), task("B", "A"), task("C", "B", when=asks))
    assert next_step(shape, {}).consider == ("R",)
    assert next_step(shape, {"R": SKIP}).consider == ()


def test_children_of_a_success_run_together() -> None:
    assert next_step(DIAMOND, {"R": OK}) == Step(("A", "B"), ())


def test_a_join_waits_for_all() -> None:
    assert next_step(DIAMOND, {"R": OK, "A": OK, "B": State.EXECUTING}) == Step((), ())
    assert next_step(DIAMOND, {"R": OK, "A": OK, "B": OK}) == Step(("J",), ())


@pytest.mark.parametrize("state", [BAD, SKIP, CANCEL, NEVER])
def test_nothing_runs_below_what_did_not_succeed(state: State) -> None:
    assert next_step(DIAMOND, {"R": OK, "A": OK, "B": state}) == Step(("F",), ("J",))


def test_the_finalizer_waits_for_tasks_that_still_run() -> None:
    assert next_step(DIAMOND, {"R": OK, "A": State.EXECUTING, "B": BAD}) == Step((), ("J",))


def test_the_finalizer_runs_after_a_failed_root() -> None:
    assert next_step(DIAMOND, {"R": BAD}) == Step(("F",), ("A", "B", "J"))


def test_a_skipped_root_starts_nothing() -> None:
    assert next_step(DIAMOND, {"R": SKIP}) == Step((), ("A", "B", "J", "F"))
    assert graph_state(DIAMOND, {"R": SKIP}) is SKIP


def test_a_suspended_predecessor_counts_as_succeeded_when_another_is_resumed() -> None:
    shape = graph(task("A", "R", suspended=True), task("B", "R"), task("J", "A", "B"))
    assert next_step(shape, {"R": OK}) == Step(("B",), ("A",))
    assert next_step(shape, {"R": OK, "A": NEVER, "B": OK}) == Step(("J",), ())


def test_below_only_suspended_tasks_nothing_runs() -> None:
    shape = graph(task("A", "R", suspended=True), task("C", "A"))
    assert next_step(shape, {"R": OK}) == Step((), ("A", "C"))


def test_a_suspended_finalizer_does_not_run() -> None:
    shape = graph(TaskShape("F", finalizes="R", suspended=True))
    assert next_step(shape, {"R": OK}) == Step((), ("F",))


def test_a_condition_on_predecessors_is_considered_whatever_they_did() -> None:
    shape = graph(
        task("A", "R"), task("B", "R"), task("J", "A", "B", when="system$predecessors_state('ALL_DONE')")
    )
    assert next_step(shape, {"R": OK, "A": BAD, "B": State.EXECUTING}) == Step((), ())
    assert next_step(shape, {"R": OK, "A": BAD, "B": OK}) == Step(("J",), ())


def test_a_function_name_in_a_string_is_no_condition_on_predecessors() -> None:
    shape = graph(task("A", "R"), task("C", "A", when="'SYSTEM$PREDECESSORS_STATE(1)' = 'x'"))
    assert next_step(shape, {"R": OK, "A": BAD}) == Step((), ("C",))


@pytest.mark.parametrize(
    ("condition", "states", "expected"),
    [
        ("ALL_SUCCEEDED", [OK, OK], True),
        ("ALL_SUCCEEDED", [OK, SKIP], False),
        ("ALL_FAILED", [BAD, State.FAILED_AND_AUTO_SUSPENDED], True),
        ("ALL_FAILED", [BAD, OK], False),
        ("ALL_DONE", [BAD, CANCEL, SKIP, OK, NEVER], True),
        ("ALL_SKIPPED", [SKIP, SKIP], True),
        ("ALL_SKIPPED", [SKIP, NEVER], False),
        ("AT_LEAST_ONE_FAILED", [OK, BAD], True),
        ("AT_LEAST_ONE_FAILED", [OK, SKIP], False),
        ("AT_LEAST_ONE_SUCCEEDED", [BAD, OK], True),
        ("NONE_FAILED", [OK, SKIP], True),
        ("NONE_FAILED", [OK, CANCEL], False),
        ("none_failed_min_one_succeeded", [SKIP, OK], True),
        ("NONE_FAILED_MIN_ONE_SUCCEEDED", [SKIP, SKIP], False),
        ("NONE_SKIPPED", [OK, BAD], True),
        ("NONE_SKIPPED", [OK, SKIP], False),
    ],
)
def test_predecessors_state(condition: str, states: list[State], expected: bool) -> None:
    assert predecessors_state(condition, states) is expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, State.SCHEDULED),
        ({"R": State.EXECUTING}, State.EXECUTING),
        ({"R": OK, "A": OK, "B": OK}, State.EXECUTING),
        ({"R": OK, "A": OK, "B": OK, "J": OK, "F": OK}, OK),
        ({"R": OK, "A": SKIP, "B": OK, "J": NEVER, "F": OK}, OK),
        ({"R": OK, "A": BAD, "B": OK, "J": NEVER, "F": OK}, BAD),
        ({"R": OK, "A": OK, "B": OK, "J": OK, "F": BAD}, BAD),
        ({"R": OK, "A": CANCEL, "B": OK, "J": NEVER, "F": OK}, CANCEL),
    ],
)
def test_state_of_a_graph(states: dict[str, State], expected: State) -> None:
    assert graph_state(DIAMOND, states) is expected


def test_cycles_are_found_and_named() -> None:
    with pytest.raises(GraphError, match=r"Graph has at least one cycle containing task [AB]$"):
        graph(task("A", "R", "B"), task("B", "A"), task("BELOW", "B"))


def test_a_second_root_is_refused() -> None:
    with pytest.raises(GraphError, match="The graph has more than one root task"):
        graph(task("X"), task("A", "R", "X"))


def test_tasks_of_other_graphs_are_left_out() -> None:
    shape = graph(task("A", "R"), task("OTHER"), task("O", "OTHER"))
    assert [t.name for t in shape] == ["R", "A"]


def test_a_retry_runs_only_what_failed_and_what_is_below() -> None:
    kept = kept_states(DIAMOND, {"R": OK, "A": OK, "B": BAD, "J": NEVER, "F": OK})
    assert kept == {"R": OK, "A": OK}
    assert next_step(DIAMOND, kept) == Step(("B",), ())


@pytest.mark.parametrize(
    ("state", "attempt", "expected"),
    [(BAD, 1, True), (BAD, 2, True), (BAD, 3, False), (CANCEL, 1, False), (OK, 1, False)],
)
def test_automatic_retries(state: State, attempt: int, expected: bool) -> None:
    assert should_retry(state, attempt, 2) is expected


def test_failures_in_a_row_suspend() -> None:
    once = failure_counts({}, {"R": OK, "A": BAD})
    assert not guilty_tasks(once, 2)
    assert not guilty_tasks(failure_counts(once, {"R": OK, "A": OK}), 2)
    assert guilty_tasks(failure_counts(once, {"R": OK, "A": BAD}), 2) == {"A"}
    assert guilty_tasks(failure_counts(failure_counts(once, {"A": SKIP}), {"A": BAD}), 2)
    assert not guilty_tasks(failure_counts(once, {"A": BAD}, exhausted=False), 2)
    assert not guilty_tasks({"A": 99}, 0)
