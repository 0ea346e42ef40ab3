"""What the last apply wrote, in the form that is compared: it tells a changed spec from a drifted account."""

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
    """One task as it was written. `body` is its statement; of an ML Job it is `job:` and its registered name."""

    task: str | None
    body: str
    settings: Mapping[str, Comparable]


@record
class AppliedGraph:
    """Everything that the last apply wrote, by the tasks' names in Snowflake."""

    tasks: Mapping[str, AppliedTask]

    def task(self, name: str) -> AppliedTask | None:
        return self.tasks.get(name)


def applied_graph(tasks: Iterable[DesiredTask]) -> AppliedGraph:
    """What an apply of these tasks leaves behind; those of a kept deployment have their final bodies."""
    return AppliedGraph(
        {task.name: AppliedTask(task.task, desired_body(task), desired_settings(task)) for task in tasks}
    )


def desired_body(task: DesiredTask) -> str:
    match task.definition:
        case SqlDefinition(sql):
            return observed_body(sql)
        case MLJobDefinitionSpec(name=name):
            return f"job:{name}"


def observed_body(definition: str) -> str:
    """A deployed statement in the same form."""
    job = deployed_job_name(definition)
    return renderings.body(definition) if job is None else f"job:{job}"
