"""When a task runs: the outcomes of branches, the states of its predecessors, and the user's `when`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.base.quoting import literal, raw
from sfml.base.record import record
from sfml.graph.model import GraphSettings, StreamSchedule, TaskGraph, TaskNode
from sfml.lower.names import short_name, task_name


@record
class Condition:
    """A task's WHEN: `whole` is `own` behind the comparisons that the edges from `edges` add.

    `edges` are the branches, by their names in Snowflake, that a `DAGTaskBranch` stands for.
    """

    whole: str | None
    own: str | None
    edges: tuple[str, ...]


def condition_of(graph: TaskGraph, node: TaskNode) -> Condition:
    """The condition of a task; the finalizer has only its user's."""
    branches = [graph.task(name) for name in sorted(node.after) if graph.task(name).is_branch]
    edges = [branch for branch in branches if is_dag_branch(graph, branch)]
    added = [_equals(graph, branch, short_name(node.name)) for branch in edges]
    own = list(_own_parts(graph, node, branches))
    if node.when is not None:
        # Unlike dagv1, which writes `… and X or Y`, a user's OR stays together.
        own.append(node.when if not (added or own) else f"({node.when})")
    return Condition(
        whole=_joined([*added, *own]),
        own=_joined(own),
        edges=tuple(task_name(graph, branch.name) for branch in edges),
    )


def root_condition(settings: GraphSettings) -> str | None:
    """The root's WHEN: any of the streams has data, and the user's `when`."""
    parts = []
    if isinstance(settings.schedule, StreamSchedule):
        streams = [f"SYSTEM$STREAM_HAS_DATA({literal(name)})" for name in settings.schedule.streams]
        alone = len(streams) == 1 or settings.when is None
        parts.append(" or ".join(streams) if alone else f"({' or '.join(streams)})")
    if settings.when is not None:
        parts.append(f"({settings.when})" if parts else settings.when)
    return _joined(parts)


def is_dag_branch(graph: TaskGraph, branch: TaskNode) -> bool:
    """Whether the branch is what a `DAGTaskBranch` can say: each successor has an outcome of its own.

    A `DAGTaskBranch` compares its return value with the name of every task that runs after it. It cannot say
    that an outcome starts several tasks or none, or that a task runs after it whatever the outcome.
    """
    if branch.outcomes is None:
        return False
    started = [task for tasks in branch.outcomes.values() for task in tasks]
    one_each = all(len(tasks) == 1 for tasks in branch.outcomes.values()) and len({*started}) == len(started)
    return one_each and {*started} == {node.name for node in graph.tasks if branch.name in node.after}


def raw_outcomes(graph: TaskGraph, branch: TaskNode) -> Mapping[str, str]:
    """Each outcome and its return value: the task that it starts, or its own name, in upper case."""
    outcomes = branch.outcomes or {}
    if is_dag_branch(graph, branch):
        return {outcome: short_name(tasks[0]) for outcome, tasks in outcomes.items()}
    upper = {outcome: outcome.upper() for outcome in outcomes}
    return upper if len({*upper.values()}) == len(upper) else {outcome: outcome for outcome in outcomes}


def return_value(graph: TaskGraph, task: str) -> str:
    """The expression that reads what an ancestor returned."""
    return f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE({literal(raw(task_name(graph, task)))})"


def _own_parts(graph: TaskGraph, node: TaskNode, branches: list[TaskNode]) -> Iterator[str]:
    for branch in branches:
        if is_dag_branch(graph, branch):
            continue
        raw = raw_outcomes(graph, branch)
        choices = [_equals(graph, branch, raw[outcome]) for outcome in _outcomes_for(branch, node)]
        if choices:
            yield choices[0] if len(choices) == 1 else f"({' or '.join(choices)})"
    if node.run_if is not None:
        # https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state
        yield f"SYSTEM$PREDECESSORS_STATE({literal(node.run_if.upper())})"


def _outcomes_for(branch: TaskNode, node: TaskNode) -> list[str]:
    return [outcome for outcome, tasks in (branch.outcomes or {}).items() if node.name in tasks]


def _equals(graph: TaskGraph, branch: TaskNode, value: str) -> str:
    return f"{return_value(graph, branch.name)} = {literal(value)}"


def _joined(parts: list[str]) -> str | None:
    # Lower case, as `snowflake.core.task.dagv1` joins the comparisons of its branches.
    return " and ".join(parts) or None
