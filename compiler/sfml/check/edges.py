"""SF2xx, edges: predecessors, cycles, and the numbers of tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sfml.base.diagnostic import Diagnostic, Label, did_you_mean, renaming
from sfml.check.case import Case, error, listed
from sfml.graph.alert_events import tells_of_runs
from sfml.graph.draft import GraphDraft
from sfml.graph.model import Source
from sfml.graph.topology import children, cycles
from sfml.semantics.limits import MAX_CHILDREN, MAX_PREDECESSORS, MAX_TASKS_PER_GRAPH


def unknown_predecessors(case: Case) -> Iterator[Diagnostic]:
    """SF203: `after` names a task that does not exist.

    What: every name in `after` is the name of a task of the same graph.
    Why: Snowflake would refuse the task, or run it at the wrong time.
    Instead: correct the name, or add the task.
    """
    finalizers = {task.name for task in case.draft.finalizers}
    for task in case.tasks:
        for ref in task.after:
            if ref.name in case.known or ref.name in finalizers:
                continue
            if ref.name in case.draft.removed:
                message = f"task `{task.name}` runs after `{ref.name}`, which this target takes out"
                help = f"take `{ref.name}` out of `after` in this target too, or leave it enabled"
                yield error("SF203", message, ref.place, label="`enabled: false`", help=help)
            else:
                message = f"task `{task.name}` runs after unknown task `{ref.name}`"
                others = case.known - {task.name}
                help = did_you_mean(ref.name, others) or _tasks_there(case)
                fix = renaming(ref.place.span, ref.name, others)
                yield error("SF203", message, ref.place, label="no task has this name", help=help, fix=fix)


def _tasks_there(case: Case) -> str:
    tasks = case.draft.tasks
    names = [task.name for task in tasks[:8]]
    if len(tasks) <= 8:
        return f"tasks of this graph: {listed(names)}"
    return f"tasks of this graph: {', '.join(f'`{name}`' for name in names)} and {len(tasks) - 8} more"


def cyclic_tasks(case: Case) -> Iterator[Diagnostic]:
    """SF204: tasks run after each other in a cycle.

    What: following `after` and `outcomes` from task to task never leads back to the same task.
    Why: none of the tasks could ever start. Snowflake creates the tasks, and refuses to resume the root.
    Instead: remove one of the edges.
    """
    drafts = case.by_name
    for path in cycles(case.draft.predecessors):
        first, last = drafts[path[0]], drafts[path[-2]]
        place = next((ref.place for ref in first.after if ref.name == last.name), None)
        place = place or next((ref.place for ref in last.arms if ref.name == first.name), first.place(""))
        labels = tuple(
            Label(ref.place.span, f"`{below}` runs after `{above}`")
            for above, below in pairwise(path)
            for ref in drafts[below].after
            if ref.name == above and ref.place != place
        )
        message = f"tasks form a cycle: {' → '.join(path)}"
        yield error(
            "SF204",
            message,
            place,
            label="closes the cycle",
            labels=labels[:4],
            why="no task of a cycle can ever start; Snowflake refuses to resume the graph",
            help=_way_out(case, path),
        )


def _way_out(case: Case, path: Sequence[str]) -> str:
    """The help that names an edge to remove; preferably one over which no result is read."""
    reads = {
        (use.reference.task, task.name)
        for task in case.tasks
        for use in task.uses
        if use.reference.source is Source.RESULT
    }
    edges = list(pairwise(path))
    above, below = next((edge for edge in edges if edge not in reads), edges[-1])
    if below in {ref.name for ref in case.by_name[above].arms}:
        edge = f"`{below}` out of the outcomes of `{above}`"
    else:
        edge = f"`{above}` out of `after` of `{below}`"
    with_it = f", and what `{below}` reads of it" if (above, below) in reads else ""
    return f"take out the edge that is not meant, such as {edge}{with_it}"


def self_references(case: Case) -> Iterator[Diagnostic]:
    """SF205: a task runs after itself.

    What: a task names itself neither in `after` nor in its outcomes.
    Why: it could never start.
    Instead: remove the name; to run a task again when it fails, set `retries` in the schedule config.
    """
    for task in case.tasks:
        for ref in task.after:
            if ref.name == task.name:
                yield error("SF205", f"task `{task.name}` runs after itself", ref.place, help="take it out")
        for ref in task.arms:
            if ref.name == task.name:
                message = f"an outcome of task `{task.name}` starts the task itself"
                yield error("SF205", message, ref.place, help="name another task, or none: `[]`")


def far_too_many(draft: GraphDraft) -> Diagnostic:
    """The finding for a graph with more tasks than Snowflake takes."""
    count = _count(draft)
    message = f"the graph has {count} tasks, its root included; Snowflake takes {MAX_TASKS_PER_GRAPH}"
    return error("SF206", message, draft.places["tasks"], help="split it into several pipelines")


def _count(draft: GraphDraft) -> int:
    """The number of tasks with the root and the finalizer, which may be the generated one that sends alerts."""
    alone = not draft.finalizers and tells_of_runs(draft.settings, (task.node for task in draft.tasks))
    return len(draft.tasks) + len(draft.finalizers) + 1 + alone


def too_many(case: Case) -> Iterator[Diagnostic]:
    """SF206: a graph or a task is larger than Snowflake takes.

    What: a graph has at most 1000 tasks, including the generated root and the finalizer. A task has at most 100
    predecessors and 100 children; the children of the root are the tasks without predecessors.
    Why: Snowflake refuses more.
    Instead: split the graph, or put a task in between.
    """
    draft = case.draft
    count = _count(draft)
    if count > MAX_TASKS_PER_GRAPH:
        yield far_too_many(draft)
    below = children(draft.predecessors)
    for task in draft.tasks:
        above = draft.predecessors[task.name]
        if len(above) > MAX_PREDECESSORS:
            message = f"task `{task.name}` has {len(above)} predecessors; Snowflake takes {MAX_PREDECESSORS}"
            yield error("SF206", message, task.place("after"), help="join some of them in a task in between")
        if len(below[task.name]) > MAX_CHILDREN:
            message = f"{len(below[task.name])} tasks run after `{task.name}`; Snowflake takes {MAX_CHILDREN}"
            yield error("SF206", message, task.place(""), help="let some of them follow a task in between")
    first = [task for task in draft.tasks if not draft.predecessors[task.name]]
    if len(first) > MAX_CHILDREN and count <= MAX_TASKS_PER_GRAPH:
        message = f"{len(first)} tasks run after nothing, so after the root; Snowflake takes {MAX_CHILDREN}"
        yield error("SF206", message, draft.places["tasks"], help="let some of them follow another task")


def finalizer_neighbours(case: Case) -> Iterator[Diagnostic]:
    """SF207: a task runs after the finalizer, or an outcome starts it.

    What: the finalizer has neither predecessors nor children.
    Why: Snowflake runs it by itself when all other tasks of the run have ended, also when they failed.
    Instead: remove it from `after` and `outcomes`; it runs anyway.
    """
    finalizers = {task.name for task in case.draft.finalizers}
    why = "Snowflake runs the finalizer by itself, once nothing else of the run is left"
    for task in case.tasks:
        for ref in task.after:
            if ref.name in finalizers:
                message = f"task `{task.name}` runs after the finalizer `{ref.name}`"
                yield error("SF207", message, ref.place, why=why, help="take it out; nothing can follow it")
        for ref in task.arms:
            if ref.name in finalizers:
                message = f"an outcome of `{task.name}` starts the finalizer `{ref.name}`"
                yield error(
                    "SF207", message, ref.place, why=why, help="take it out; the finalizer runs anyway"
                )


def no_tasks(case: Case) -> Iterator[Diagnostic]:
    """SF208: the graph has no tasks.

    What: a pipeline has at least one task in each target, unless its root has a statement of its own.
    Why: a root without tasks would run on schedule and do nothing.
    Instead: add a task, or do not apply the pipeline to this target.
    """
    if not case.draft.tasks and case.draft.root_body is None:
        message = f"pipeline `{case.draft.pipeline}` has no tasks"
        help = "add a task under `tasks:`"
        if case.draft.removed:
            message += f" in target `{case.draft.target.name}`"
            help = "leave one of them enabled"
        yield error("SF208", message, case.draft.places["tasks"], help=help)
