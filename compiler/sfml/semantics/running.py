"""Simulating a run of a graph by Snowflake's rules: the caller says how each task ends, the rules give the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import partial

from sfml.base.record import record
from sfml.semantics.asking import RefusedQuestion, completion_state, predecessors_hold, read_predecessor
from sfml.semantics.decisions import Decision, decide, graph_state
from sfml.semantics.evaluating import ConditionError, Functions, Unknown, Value, condition_holds
from sfml.semantics.graph import GraphShape, TaskShape
from sfml.semantics.retry import kept_states, should_retry
from sfml.semantics.states import State

Returned = str | Unknown | None


@record
class End:
    """How a task's body ends, and its return value."""

    state: State
    returned: Returned = None


@record
class RunResult:
    """A run that has ended. `states` holds every task's state after the last attempt; attempts count from 1.

    `reasons` says why tasks failed that read a value which was not there.
    """

    state: State
    states: Mapping[str, State]
    attempts: int = 1
    reasons: Mapping[str, str] = field(default_factory=dict)


def run_graph(
    graph: GraphShape,
    ends: Callable[[str, int], End],
    *,
    retries: int = 0,
    streams: Mapping[str, bool] | None = None,
    holds: Callable[[TaskShape, Functions], bool] | None = None,
    lacks: Callable[[str, Mapping[str, State]], str | None] | None = None,
) -> RunResult:
    """The run that follows when every task ends as `ends` says, with automatic retries.

    `ends` gets a task's name and how many times that task has run, from 1; a task that did not run in an earlier
    attempt starts with 1 in a later one. `streams` says which streams have data. `holds` decides conditions; without it
    they are evaluated. `lacks` gets a task and the states so far, and may return why the task fails before its body
    runs: a value that it reads is missing. Raises `Undecided` for a condition that reads an unknown value.
    """
    returned: dict[str, Returned] = {}
    states: dict[str, State] = {}
    reasons: dict[str, str] = {}
    times: Counter[str] = Counter()

    def end(name: str) -> State:
        times[name] += 1
        reason = lacks(name, states) if lacks is not None else None
        if reason is not None:
            reasons[name] = reason
        ended = ends(name, times[name]) if reason is None else End(State.FAILED)
        returned[name] = ended.returned
        return ended.state

    attempt = 1
    while True:
        answers = partial(functions_of, graph, states=states, returned=returned, streams=streams or {})
        reasons.clear()
        settle(graph, states, graph, partial(_considered, graph, answers, holds or _holds, end))
        state = graph_state(graph, states)
        if not should_retry(state, attempt, retries):
            return RunResult(state, states, attempt, reasons)
        attempt += 1
        states = kept_states(graph, states)


def _considered(
    graph: GraphShape,
    answers: Callable[[str], Functions],
    holds: Callable[[TaskShape, Functions], bool],
    end: Callable[[str], State],
    name: str,
) -> State:
    """The state of a task whose predecessors let it run: SKIPPED or FAILED by its WHEN, else the end of its body."""
    task = graph.task(name)
    try:
        if task.condition is not None and not holds(task, answers(name)):
            return State.SKIPPED
    except (ConditionError, RefusedQuestion):
        return State.FAILED
    return end(name)


def settle(
    graph: GraphShape, states: dict[str, State], tasks: Iterable[TaskShape], consider: Callable[[str], State]
) -> None:
    """Put the final state of each task into `states`; `consider` returns the state of a task that may run.

    `tasks` come in the order of the graph, so all predecessors of a task have ended before it is decided, and one pass
    is enough. The order in which tasks end in an account does not change their states.
    """
    for task in tasks:
        match decide(graph, task.name, states):
            case Decision.CONSIDER:
                states[task.name] = consider(task.name)
            case Decision.NEVER:
                states[task.name] = State.NOT_EXECUTED
            case Decision.WAIT:
                raise AssertionError("the graph's order puts predecessors first")


def _holds(task: TaskShape, functions: Functions) -> bool:
    return task.condition is None or condition_holds(task.condition, functions)


def functions_of(
    graph: GraphShape,
    name: str,
    states: Mapping[str, State],
    returned: Mapping[str, Returned],
    streams: Mapping[str, bool],
) -> Functions:
    """The SYSTEM$ functions that the condition of a task may call, answered from the run so far."""

    def return_value(arguments: tuple[Value, ...]) -> Value:
        predecessor = arguments[0] if arguments else None
        if isinstance(predecessor, Unknown):
            return predecessor
        return returned.get(read_predecessor(graph, name, None if predecessor is None else str(predecessor)))

    def has_data(arguments: tuple[Value, ...]) -> Value:
        stream = str(arguments[0])
        return streams.get(stream.upper(), Unknown(f"nothing says whether the stream `{stream}` has data"))

    return {
        "SYSTEM$GET_PREDECESSOR_RETURN_VALUE": return_value,
        "SYSTEM$STREAM_HAS_DATA": has_data,
        "SYSTEM$PREDECESSORS_STATE": lambda predecessor: predecessors_hold(
            graph, name, str(predecessor[0]), states
        ),
        "SYSTEM$TASK_COMPLETION_STATE": lambda predecessor: str(
            completion_state(graph, str(predecessor[0]), states)
        ),
    }
