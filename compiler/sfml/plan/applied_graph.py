"""The last applied graph in comparable form; with it, a plan can tell changes of the spec from drift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sfml.base.record import record
from sfml.lower.desired import DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.plan import renderings
from sfml.plan.bodies import deployed_job_name
from sfml.plan.model import Comparable
from sfml.plan.settings import desired_settings


@record
class AppliedTask:
    """One task as the last apply wrote it. `body` is its statement; for an ML Job, `job:` and its registered name."""

    task: str | None
    body: str
    settings: Mapping[str, Comparable]


@record
class AppliedGraph:
    """The tasks that the last apply wrote, by their names in Snowflake."""

    tasks: Mapping[str, AppliedTask]

    def task(self, name: str) -> AppliedTask | None:
        return self.tasks.get(name)


def applied_graph(tasks: Iterable[DesiredTask]) -> AppliedGraph:
    """The applied graph of these tasks, which may be those of a kept deployment."""
    return AppliedGraph(
        {task.name: AppliedTask(task.task, desired_body(task), desired_settings(task)) for task in tasks}
    )


def desired_body(task: DesiredTask) -> str:
    """The body of a desired task in the form of `AppliedTask.body`."""
    match task.definition:
        case SqlDefinition(sql):
            return observed_body(sql)
        case MLJobDefinitionSpec(name=name):
            return f"job:{name}"


def observed_body(definition: str) -> str:
    """A deployed statement in the form of `AppliedTask.body`."""
    job = deployed_job_name(definition)
    return renderings.body(definition) if job is None else f"job:{job}"
