"""A graph with the names of its tasks and the return values of its outcomes in Snowflake, worked out once."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.base.quoting import folded, raw
from sfml.base.record import record
from sfml.graph.model import TaskGraph, TaskNode
from sfml.lower.names import default_name, short_name


@record
class NamedGraph:
    """A graph with names in Snowflake. `root` and `names` are folded; `raw_names` are without quotes.

    `names` and `raw_names` map the name of a task in the spec to its name in Snowflake. `outcomes` maps a branch to its
    outcomes with their return values. `dag_branches` are the branches that a `DAGTaskBranch` can express.
    """

    graph: TaskGraph
    root: str
    names: Mapping[str, str]
    raw_names: Mapping[str, str]
    outcomes: Mapping[str, Mapping[str, str]]
    dag_branches: frozenset[str]


def named_graph(graph: TaskGraph) -> NamedGraph:
    """The graph with its names in Snowflake: `CLV` for `clv`, `CLV$TRAIN_MODEL` for `train_model`, unless the spec sets
    others. A `DAG` of `snowflake.core` forms names in the same way.
    """
    root = folded(graph.root_name) if graph.root_name else graph.pipeline.upper()
    own = graph.own_names
    names = {
        node.name: folded(own[node.name]) if own.get(node.name) else default_name(root, node.name)
        for node in graph.all_tasks
    }
    followers = _followers(graph)
    branches = [node for node in graph.all_tasks if node.is_branch]
    dag_branches = frozenset(node.name for node in branches if _is_dag_branch(node, followers))
    return NamedGraph(
        graph=graph,
        root=root,
        names=names,
        raw_names={task: raw(name) for task, name in names.items()},
        outcomes={node.name: _raw_outcomes(node, node.name in dag_branches) for node in branches},
        dag_branches=dag_branches,
    )


def _followers(graph: TaskGraph) -> Mapping[str, set[str]]:
    """Task → the tasks that run after it."""
    followers: dict[str, set[str]] = {}
    for node in graph.tasks:
        for name in node.after:
            followers.setdefault(name, set()).add(node.name)
    return followers


def _is_dag_branch(branch: TaskNode, followers: Mapping[str, set[str]]) -> bool:
    """Whether a `DAGTaskBranch` can express the branch: each task after it has an outcome of its own.

    A `DAGTaskBranch` compares its return value with the name of every task that runs after it. It cannot express that
    an outcome starts several tasks or none, or that a task runs after it whatever the outcome.
    """
    started = [task for tasks in (branch.outcomes or {}).values() for task in tasks]
    one_each = all(len(tasks) == 1 for tasks in (branch.outcomes or {}).values())
    return one_each and len({*started}) == len(started) and {*started} == followers.get(branch.name, set())


def _raw_outcomes(branch: TaskNode, is_dag_branch: bool) -> Mapping[str, str]:
    """Outcome → the return value that Snowflake compares.

    For a `DAGTaskBranch` that is the name of the task which the outcome starts, else the name of the outcome. It is in
    upper case, unless two outcomes differ in case only.
    """
    outcomes = branch.outcomes or {}
    if is_dag_branch:
        return {outcome: short_name(tasks[0]) for outcome, tasks in outcomes.items()}
    upper = {outcome: outcome.upper() for outcome in outcomes}
    return upper if len({*upper.values()}) == len(upper) else {outcome: outcome for outcome in outcomes}
