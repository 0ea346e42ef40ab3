"""The WHEN conditions of tasks: the outcomes of branches, the states of predecessors, and the user's `when`."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.quoting import literal
from sfml.base.record import record
from sfml.graph.model import GraphSettings, StreamSchedule, TaskNode
from sfml.lower.named_graph import NamedGraph
from sfml.lower.names import short_name


@record
class Condition:
    """The WHEN of a task. `whole` is the full condition: the comparisons for `edges`, then `own`.

    `edges` are the names in Snowflake of the branches that are lowered to a `DAGTaskBranch`, which adds the comparison
    by itself.
    """

    whole: str | None
    own: str | None
    edges: tuple[str, ...]


def condition_of(named: NamedGraph, node: TaskNode) -> Condition:
    """The condition of a task; a finalizer has only its `when`."""
    branches = [named.graph.task(name) for name in sorted(node.after) if named.graph.task(name).is_branch]
    edges = [branch for branch in branches if branch.name in named.dag_branches]
    added = [_equals(named, branch, short_name(node.name)) for branch in edges]
    own = list(_own_parts(named, node, branches))
    if node.when is not None:
        # dagv1 writes `… and X or Y`; here the user's condition is put in parentheses, so that its OR stays together.
        own.append(node.when if not (added or own) else f"({node.when})")
    return Condition(
        whole=_joined([*added, *own]),
        own=_joined(own),
        edges=tuple(named.names[branch.name] for branch in edges),
    )


def root_condition(settings: GraphSettings) -> str | None:
    """The root's WHEN: one of the streams has data, and the user's `when` holds; None without both."""
    parts = []
    if isinstance(settings.schedule, StreamSchedule):
        streams = [f"SYSTEM$STREAM_HAS_DATA({literal(name)})" for name in settings.schedule.streams]
        alone = len(streams) == 1 or settings.when is None
        parts.append(" or ".join(streams) if alone else f"({' or '.join(streams)})")
    if settings.when is not None:
        parts.append(f"({settings.when})" if parts else settings.when)
    return _joined(parts)


def return_value(named: NamedGraph, task: str) -> str:
    """The SQL expression for the return value of an ancestor; `task` is its name in the spec."""
    return f"SYSTEM$GET_PREDECESSOR_RETURN_VALUE({literal(named.raw_names[task])})"


def _own_parts(named: NamedGraph, node: TaskNode, branches: list[TaskNode]) -> Iterator[str]:
    for branch in branches:
        if branch.name in named.dag_branches:
            continue
        raw = named.outcomes[branch.name]
        choices = [_equals(named, branch, raw[outcome]) for outcome in _outcomes_for(branch, node)]
        if choices:
            yield choices[0] if len(choices) == 1 else f"({' or '.join(choices)})"
    if node.run_if is not None:
        # https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state
        yield f"SYSTEM$PREDECESSORS_STATE({literal(node.run_if.upper())})"


def _outcomes_for(branch: TaskNode, node: TaskNode) -> list[str]:
    return [outcome for outcome, tasks in (branch.outcomes or {}).items() if node.name in tasks]


def _equals(named: NamedGraph, branch: TaskNode, value: str) -> str:
    return f"{return_value(named, branch.name)} = {literal(value)}"


def _joined(parts: list[str]) -> str | None:
    # Lower case, as `snowflake.core.task.dagv1` joins the comparisons of its branches.
    return " and ".join(parts) or None
