"""Settings of deployed tasks that are not as in the spec, as far as SHOW TASKS tells them; pure.

It tells no timeouts, sizes, retries and session parameters: `sfml drift` reads those too, with the REST API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.account.deployed import DeployedGraph, DeployedTask
from sfml.account.history import DeployedRoot
from sfml.base.quoting import raw
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.plan import renderings
from sfml.plan.bodies import deployed_mark, mark_of
from sfml.plan.settings import schedule_text


def changed_settings(desired: DesiredGraph, graph: DeployedGraph) -> Mapping[str, tuple[str, ...]]:
    """Name of a task in Snowflake, unquoted → its settings that differ from the spec, in the words of `sfml drift`.

    Only meant for a graph that was applied from this spec: then somebody else has changed them. Tasks that are missing
    are left out.
    """
    tasks = {task.name: task for task in graph.tasks}
    root, *others = desired.all_tasks
    changed = {} if graph.root is None else {graph.root.name: tuple(_of_root(root, graph.root))}
    for task in others:
        deployed = tasks.get(raw(task.name))
        if deployed is not None:
            changed[deployed.name] = tuple(_of_task(task, deployed))
    return {name: settings for name, settings in changed.items() if settings}


def _of_task(task: DesiredTask, deployed: DeployedTask) -> Iterator[str]:
    if deployed.predecessors != {raw(name) for name in task.predecessors}:
        yield "after"
    yield from _of_any(task, deployed)


def _of_root(task: DesiredTask, deployed: DeployedRoot) -> Iterator[str]:
    yield from _of_any(task, deployed)
    if renderings.schedule(deployed.schedule) != schedule_text(task.schedule):
        yield "schedule"
    shown = deployed.shown
    if "config" in shown and not _is_same_config(task, shown["config"]):
        yield "config"
    for setting, column, name in (
        ("on_error", "error_integration", task.error_integration),
        ("on_success", "success_integration", task.success_integration),
    ):
        if column in shown and _bare(shown[column]) != _bare(name):
            yield setting


def _of_any(task: DesiredTask, deployed: DeployedTask | DeployedRoot) -> Iterator[str]:
    mark = mark_of(task)
    if deployed.body and mark is not None and deployed_mark(deployed.body) != mark:
        yield "definition"
    if not renderings.same("when", renderings.text(deployed.condition), renderings.text(task.condition)):
        yield "when"
    if "warehouse" in deployed.shown and _bare(deployed.shown["warehouse"]) != _bare(task.warehouse):
        yield "warehouse"


def _is_same_config(task: DesiredTask, shown: object) -> bool:
    try:
        return renderings.same("config", renderings.config(shown), renderings.config(task.config))
    except ValueError:
        return False


def _bare(name: object) -> str | None:
    """The name without quotes and case: how SHOW TASKS writes a quoted name is not documented."""
    text = renderings.optional_name(name)
    return None if text is None else raw(text).lower()
