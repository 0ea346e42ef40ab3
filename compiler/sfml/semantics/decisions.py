"""Which tasks of a graph run next, given how the others ended."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from sfml.base.record import record
from sfml.semantics.conditions import decides_on_predecessors
from sfml.semantics.graph import GraphShape
from sfml.semantics.states import PREDECESSOR_CONDITIONS, State


class Decision(Enum):
    """What happens to a task now."""

    WAIT = "its predecessors have not all finished"
    CONSIDER = "its predecessors let it run: evaluate WHEN, then run or skip it"
    NEVER = "it does not run, and leaves no row in the history"
    DONE = "it has a state already"


def decide(graph: GraphShape, name: str, states: Mapping[str, State]) -> Decision:
    """What happens to one task; `states` holds the tasks that started or ended, and those that will never run.

    The rules of https://docs.snowflake.com/en/user-guide/tasks-graphs: a task runs when all its predecessors have
    succeeded. A suspended predecessor counts as succeeded as long as another one is not suspended. Below a failed or
    skipped task nothing runs, unless WHEN reads the predecessors' states.
    """
    if name in states:
        return Decision.DONE
    task = graph.task(name)
    if task is graph.finalizer:
        return _decide_finalizer(graph, states)
    if name == graph.root:
        return Decision.CONSIDER
    root = states.get(graph.root)
    if task.suspended or root is State.SKIPPED:
        return Decision.NEVER
    if root is None or not root.is_final:
        return Decision.WAIT
    enabled = graph.enabled_predecessors(name)
    if not enabled:
        return Decision.NEVER
    final = [states[p] for p in enabled if p in states and states[p].is_final]
    if decides_on_predecessors(task.condition):
        return Decision.CONSIDER if len(final) == len(enabled) else Decision.WAIT
    if not PREDECESSOR_CONDITIONS["ALL_SUCCEEDED"](final):
        return Decision.NEVER
    return Decision.CONSIDER if len(final) == len(enabled) else Decision.WAIT


def _decide_finalizer(graph: GraphShape, states: Mapping[str, State]) -> Decision:
    """What happens to the finalizer: it runs when all other tasks have ended, but not when the root was skipped."""
    assert graph.finalizer is not None
    if graph.finalizer.suspended or states.get(graph.root) is State.SKIPPED:
        return Decision.NEVER
    done = all(task.name in states and states[task.name].is_final for task in graph.tasks)
    return Decision.CONSIDER if done else Decision.WAIT


@record
class Step:
    """What a run does next: the tasks to consider now, and the tasks that turn out never to run."""

    consider: tuple[str, ...]
    never: tuple[str, ...]


def next_step(graph: GraphShape, states: Mapping[str, State]) -> Step:
    """Every decision that the states allow. A task that never runs decides the tasks below it in the same step."""
    known = dict(states)
    never: list[str] = []
    consider: list[str] = []
    for task in graph:
        decision = decide(graph, task.name, known)
        if decision is Decision.NEVER:
            known[task.name] = State.NOT_EXECUTED
            never.append(task.name)
        elif decision is Decision.CONSIDER:
            consider.append(task.name)
    return Step(tuple(consider), tuple(never))


def graph_state(graph: GraphShape, states: Mapping[str, State]) -> State:
    """The state of a whole run.

    FAILED when any task failed (the finalizer too: assumed, from "one or more task runs failed"),
    CANCELLED when one was cancelled, SKIPPED when the root was, SUCCEEDED when children were merely
    skipped (https://docs.snowflake.com/en/sql-reference/functions/complete_task_graphs).
    """
    seen = {name: state for name, state in states.items() if name in graph}
    if any(state.is_failure for state in seen.values()):
        return State.FAILED
    if State.CANCELLED in seen.values():
        return State.CANCELLED
    if any(not state.is_final for state in seen.values()) or graph.root not in seen:
        return State.EXECUTING if seen else State.SCHEDULED
    if seen[graph.root] is State.SKIPPED:
        return State.SKIPPED
    step = next_step(graph, seen)
    return State.EXECUTING if step.consider else State.SUCCEEDED
