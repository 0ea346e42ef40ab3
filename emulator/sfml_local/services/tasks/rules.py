"""Snowflake's refusals about tasks and graphs, with its messages.

Codes other than 091085, 091421, 091435, 091451, 091456, 091457 and 091857 are assumed: the messages are known
from accounts, their numbers are not.
Cycles and second roots are accepted here, because accounts check them only when the root is resumed.
"""

from __future__ import annotations

from collections.abc import Mapping

from sfml.semantics.graph import GraphError, GraphShape, build_graph
from sfml.semantics.limits import MAX_CHILDREN, MAX_PREDECESSORS, MAX_TASKS_PER_GRAPH
from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.names import ObjectName
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.services.tasks.model import Settings, Task

NO_PREDECESSOR = (91085, "42601")
"""Recorded in github.com/snowflakedb/terraform-provider-snowflake/issues/1088."""


def refused(sentence: str, errno: int = 1008, sqlstate: str = "22000") -> SqlError:
    return SqlError(sentence, errno, sqlstate)


def no_such_task(name: ObjectName) -> SqlError:
    return does_not_exist("Task", name.fqn())


def roots_of(name: str, tasks: Mapping[str, Task]) -> tuple[Task, ...]:
    """The roots above a task of the schema: itself if it is standalone; several in an incomplete graph."""
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
    """Refuses contradicting settings, independently of other tasks."""
    short, full = name.name, name.fqn()
    if settings.finalize and settings.schedule:
        raise refused(f"Task {short} cannot have a schedule and be a finalizer task.")
    if settings.predecessors and settings.schedule:
        raise refused(f"Task {short} cannot have both a schedule and a predecessor.")
    if len(settings.predecessors) > MAX_PREDECESSORS:
        raise refused(f"Task {short} cannot have more than {MAX_PREDECESSORS} predecessors.")
    if settings.is_root:
        return
    if settings.overlap_policy not in (None, "NO_OVERLAP"):
        raise refused(f"Cannot set allow_overlapping_execution on non-root task {full}.")
    for parameter in ("task_auto_retry_attempts", "suspend_task_after_num_failures"):
        if getattr(settings, parameter) is not None:
            raise refused(
                f"Cannot set parameter {parameter.upper()} on non-root task {short}. Non-root tasks use the "
                "parameter setting from their root task. Please set this on the root task for this task instead."
            )


def check_links(
    name: ObjectName, settings: Settings, tasks: Mapping[str, Task], *, replaces: bool = False
) -> None:
    """Check a task's relations to other tasks of its schema; `tasks` need not contain the task itself."""
    if settings.predecessors and finalizer_of(name.name, tasks):
        raise _has_finalizer(name, replaces)
    if settings.predecessors and not settings.finalize:
        _check_predecessors(name, settings, tasks)
    if settings.finalize:
        _check_finalizer(name, settings, tasks)
    if settings.config and not settings.is_root:
        raise refused(f"Task {name.fqn()} cannot both be a non-root task and have a config.")
    other = finalizer_of(settings.finalize, tasks) if settings.finalize else None
    if other is not None and other.name != name:
        raise refused(f"Finalize target {settings.finalize} already have finalizer.")


def _has_finalizer(name: ObjectName, replaces: bool) -> SqlError:
    if replaces:
        return refused(
            f"Cannot replace task {name.fqn()} with a non-root task because it has a finalizer task. "
            "Please remove the finalizer task first."
        )
    return refused(
        "This task has a finalizer and cannot be made a child task. "
        "Please remove the finalizer before adding a predecessor."
    )


def _check_predecessors(name: ObjectName, settings: Settings, tasks: Mapping[str, Task]) -> None:
    if name.name in settings.predecessors:
        raise refused(f"Task {name.name} cannot use itself as its predecessor.")
    for predecessor in settings.predecessors:
        other = tasks.get(predecessor)
        if other is None:
            raise refused(
                f"Invalid predecessor {quoted_if_needed(predecessor)} was specified.", *NO_PREDECESSOR
            )
        if other.settings.finalize:
            raise refused(f"Task {other.name.fqn()} cannot have children as a finalizer task.")
        children = [task for task in children_of(predecessor, tasks) if task.name != name]
        if len(children) >= MAX_CHILDREN:
            raise refused(f"Task {predecessor} cannot have more than {MAX_CHILDREN} children.")


def _check_finalizer(name: ObjectName, settings: Settings, tasks: Mapping[str, Task]) -> None:
    root = str(settings.finalize)
    target = tasks.get(root)
    if target is not None and not target.settings.is_root:
        raise refused(f"Task {name.fqn()} cannot finalize a non-root task {target.name.fqn()}.")
    if root == name.name:
        raise refused(f"Task {name.name} cannot finalize itself.")
    if target is None:
        raise refused(f"Invalid finalized root task {quoted_if_needed(root)} was specified.")
    if settings.predecessors:
        raise refused(f"Task {name.fqn()} cannot have predecessors as a finalizer task.")
    if children_of(name.name, tasks):
        raise refused(f"Task {name.fqn()} cannot have children as a finalizer task.")


def demand_one_owner(name: ObjectName, owner: str, settings: Settings, tasks: Mapping[str, Task]) -> None:
    """Refuses predecessors, and a root to finalize, of another owner: the tasks of a graph have one.

    The words about predecessors are recorded; what stands before them, and the sentence about roots, are assumed.
    """
    if any(tasks[one].owner != owner for one in settings.predecessors if one in tasks):
        raise refused(
            f"Task {name.fqn()} cannot have the given predecessor since they do not share the same owner role."
        )
    if settings.finalize in tasks and tasks[str(settings.finalize)].owner != owner:
        raise refused(
            f"Task {name.fqn()} cannot finalize the given task since they do not share the same owner role."
        )


def check_graph(root: Task, tasks: Mapping[str, Task]) -> GraphShape:
    """The graph below a root; refuses cycles, second roots and too many tasks, as RESUME does."""
    try:
        shape = build_graph(root.name.name, (task.shape() for task in tasks.values()))
    except GraphError as cause:
        raise refused(f"{cause}", 91422) from cause
    if len(shape.tasks) > MAX_TASKS_PER_GRAPH:
        raise refused(f"The graph has more than {MAX_TASKS_PER_GRAPH} tasks.")
    return shape
