"""The rules of graphs against a second, smaller model of them, over random graphs, outcomes and orders."""

from __future__ import annotations

from collections import Counter

import pytest
from graph_model import ASKED, Drawn, Member, graph_outcome, graphs, outcomes
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from property_settings import examples

from sfml.semantics.decisions import Step, graph_state, next_step
from sfml.semantics.frontier import Frontier
from sfml.semantics.graph import GraphShape, TaskShape, build_graph
from sfml.semantics.retry import is_retryable, kept_states
from sfml.semantics.states import State, predecessors_state

GRAPHS = 300


def shape(drawn: Drawn) -> GraphShape:
    tasks = [_shape(member) for member in drawn.members]
    if drawn.finalizer:
        tasks.append(TaskShape("F", suspended=drawn.finalizer.suspended, finalizes="T0"))
    return build_graph("T0", tasks)


def _shape(member: Member) -> TaskShape:
    when = f"SYSTEM$PREDECESSORS_STATE('{member.when}')" if member.when in ASKED else member.when
    return TaskShape(member.name, member.after, when, member.suspended)


def carry_out(
    drawn: Drawn, graph: GraphShape, states: dict[str, State], attempt: int, choose: st.DataObject
) -> list[str]:
    """Step through a run as the server does, ending tasks in a drawn order; answers the order of beginnings.

    A drawn number of what may begin does: the server has so many places.
    """
    members = {
        member.name: member for member in (*drawn.members, *([drawn.finalizer] if drawn.finalizer else []))
    }
    begun: list[str] = []
    running: list[str] = []
    frontier = Frontier(graph, states)
    while True:
        ready = frontier.ready
        assert next_step(graph, states) == Step(ready, ()), "a look at the whole graph finds the same"
        for name in ready[: choose.draw(st.integers(0 if running else 1, 3))]:
            assert name not in begun, "a task begins once"
            begun.append(name)
            if _passes(graph, members[name], states):
                frontier.note(name, State.EXECUTING)
                running.append(name)
            else:
                frontier.note(name, State.SKIPPED)
        if running:
            ended = running.pop(choose.draw(st.integers(0, len(running) - 1)))
            frontier.note(ended, State.FAILED if members[ended].fails[attempt] else State.SUCCEEDED)
        elif not ready:
            return begun


def _passes(graph: GraphShape, member: Member, states: dict[str, State]) -> bool:
    if member.when not in ASKED:
        return member.when != "false"
    found = [states.get(name, State.NOT_EXECUTED) for name in graph.enabled_predecessors(member.name)]
    assert all(state.is_final for state in found), "WHEN is asked once the predecessors have ended"
    return predecessors_state(member.when, found)


def rows(states: dict[str, State]) -> dict[str, str]:
    return {name: str(state) for name, state in states.items() if state is not State.NOT_EXECUTED}


@examples(GRAPHS, suppress_health_check=list(HealthCheck))
@given(drawn=graphs(), choose=st.data())
def test_every_order_comes_to_what_the_model_says(
    tried: dict[str, Counter[str]], drawn: Drawn, choose: st.DataObject
) -> None:
    counts = tried.setdefault("by the rules alone", Counter())
    graph = shape(drawn)
    states: dict[str, State] = {}
    begun = carry_out(drawn, graph, states, 0, choose)
    expected = outcomes(drawn)
    assert rows(states) == expected
    assert graph_state(graph, states) == graph_outcome(expected)
    if "F" in begun:
        assert begun[-1] == "F", "the finalizer is the last"
    counts["graphs"] += 1
    counts["tasks"] += len(graph.tasks)
    counts[f"ended {graph_outcome(expected)}"] += 1
    if not is_retryable(graph_state(graph, states)):
        return
    again = kept_states(graph, states)
    carry_out(drawn, graph, again, 1, choose)
    retried = outcomes(drawn, 1, expected)
    assert rows(again) == retried
    assert graph_state(graph, again) == graph_outcome(retried)
    counts["retries"] += 1


def test_the_model_itself() -> None:
    """The model is worth something only if it says what the documentation says in the plainest cases."""
    member = Member("A", ("T0",), None, False, (True, False))
    below = Member("B", ("A",), None, False, (False, False))
    root = Member("T0", (), None, False, (False, False))
    first = outcomes(Drawn((root, member, below), None))
    assert first == {"T0": "SUCCEEDED", "A": "FAILED"}
    assert outcomes(Drawn((root, member, below), None), 1, first) == dict.fromkeys(
        ("T0", "A", "B"), "SUCCEEDED"
    )
    with pytest.raises(KeyError):
        first["B"]
