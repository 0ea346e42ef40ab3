"""What Snowflake refuses about tasks and graphs, in its own sentences.

Codes other than 091421, 091451, 091456, 091457 and 091857 are assumed: the sentences are known from accounts,
their numbers are not.
Nothing is checked that the account checks only when the root is resumed: cycles and second roots pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from sfml.grammar import Name
from sfml.local.errors import SqlError, does_not_exist
from sfml.local.names import ObjectName, resolve
from sfml.local.tasks.model import Settings, Task
from sfml.semantics.graph import GraphError, GraphShape, build_graph
from sfml.semantics.limits import MAX_CHILDREN, MAX_PREDECESSORS, MAX_TASKS_PER_GRAPH


def refused(sentence: str, errno: int = 1008, sqlstate: str = "22000") -> SqlError:
    return SqlError(sentence, errno, sqlstate)


def no_such_task(name: ObjectName) -> SqlError:
    return does_not_exist("Task", name.fqn())


def sibling(name: Name | str, task: ObjectName, kind: str = "predecessor") -> str:
    """The unqualified name of a task that must be in the same schema as `task`."""
    full = resolve(name, task)
    if (full.database, full.schema) != (task.database, task.schema):
        raise refused(f"Cannot have {kind} {full.fqn()} from a different schema.")
    return full.name


def roots_of(name: str, tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """The roots above a task of the schema: itself when it stands alone; several in an unfinished graph."""
    found: dict[str, Task] = {}
    seen: set[str] = set()
    todo = [name]
    while todo:
        current = tasks.get(todo.pop())
        if current is None or current.name.name in seen:
            continue
        seen.add(current.name.name)
        settings = current.settings
        if settings.finalize:
            todo.append(settings.finalize)
        elif settings.predecessors:
            todo.extend(settings.predecessors)
        else:
            found[current.name.name] = current
    return tuple(found.values())


def children_of(name: str, tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """The tasks that name it as a predecessor."""
    return tuple(task for task in tasks.values() if name in task.settings.predecessors)


def finalizer_of(name: str, tasks: Mapping[str, Task]) -> Task | None:
    return next((task for task in tasks.values() if task.settings.finalize == name), None)


def demand_suspended(*roots: Task) -> None:
    """091421: nothing in a graph may change while its root is started."""
    for root in roots:
        if root.started:
            raise SqlError(
                f"Unable to update graph with root task {root.name.fqn()} "
                "since that root task is not suspended.",
                91421,
                "22000",
            )


def check_exclusions(name: ObjectName, settings: Settings) -> None:
    """Settings that do not go together, whatever other tasks there are."""
    short, full = name.name, name.fqn()
    if settings.finalize:
        if settings.schedule:
            raise refused(f"Task {short} cannot have a schedule and be a finalizer task.")
        if settings.predecessors:
            raise refused(f"Task {short} cannot have predecessors as a finalizer task.")
        if settings.config:
            raise refused(f"Task {full} cannot both be a non-root task and have a config.")
    if settings.predecessors:
        if settings.schedule:
            raise refused(f"Task {short} cannot have both a schedule and a predecessor.")
        if settings.config:
            raise refused(f"Task {full} cannot both be a non-root task and have a config.")
        if short in settings.predecessors:
            raise refused(f"Task {short} cannot use itself as its predecessor.")
        if len(settings.predecessors) > MAX_PREDECESSORS:
            raise refused(f"Task {short} cannot have more than {MAX_PREDECESSORS} predecessors.")
    if not settings.is_root:
        if settings.overlap_policy:
            # Of the two clauses that set it, accounts are known to name the older one.
            raise refused(f"Cannot set allow_overlapping_execution on non-root task {full}.")
        if settings.task_auto_retry_attempts is not None:
            raise refused(
                f"Cannot set parameter TASK_AUTO_RETRY_ATTEMPTS on non-root task {short}. "
                "Set it on the root task of its graph instead."
            )


def check_links(name: ObjectName, settings: Settings, tasks: Mapping[str, Task]) -> None:
    """What a task says about other tasks of its schema; `tasks` need not hold the task itself."""
    for predecessor in settings.predecessors:
        other = tasks.get(predecessor)
        if other is None:
            raise refused(f"Invalid predecessor {name.sibling(predecessor).fqn()} was specified.")
        if other.settings.finalize:
            raise refused(f"Task {predecessor} cannot have children as a finalizer task.")
        children = [task for task in children_of(predecessor, tasks) if task.name != name]
        if len(children) >= MAX_CHILDREN:
            raise refused(f"Task {predecessor} cannot have more than {MAX_CHILDREN} children.")
    if settings.predecessors and finalizer_of(name.name, tasks):
        raise refused(
            "This task has a finalizer and cannot be made a child task. "
            "Unset the finalizer before adding predecessors."
        )
    if settings.finalize:
        _check_finalizer(name, settings.finalize, tasks)


def _check_finalizer(name: ObjectName, root: str, tasks: Mapping[str, Task]) -> None:
    target = tasks.get(root)
    if target is None or root == name.name:
        raise refused(f"Invalid finalized root task {name.sibling(root).fqn()} was specified.")
    if not target.settings.is_root:
        raise refused(f"Task {name.name} cannot finalize a non-root task {root}.")
    if children_of(name.name, tasks):
        raise refused(f"Task {name.name} cannot have children as a finalizer task.")
    other = finalizer_of(root, tasks)
    if other is not None and other.name != name:
        raise refused(f"Finalize target {root} already have finalizer.")


def check_graph(root: Task, tasks: Mapping[str, Task]) -> GraphShape:
    """The graph below a root; refuses cycles, second roots and too many tasks, as RESUME does."""
    try:
        shape = build_graph(root.name.name, (task.shape() for task in tasks.values()))
    except GraphError as cause:
        raise refused(f"{cause}", 91422) from cause
    if len(shape.tasks) > MAX_TASKS_PER_GRAPH:
        raise refused(f"The graph has more than {MAX_TASKS_PER_GRAPH} tasks.")
    return shape
