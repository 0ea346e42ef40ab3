"""What differs between a deployed body and the one that should be there, in the spec's words."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.lower.desired import DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.model import FieldChange, Reason
from sfml.plan.settings import definition_key


def body_changes(deployed: str, task: DesiredTask) -> Iterator[FieldChange]:
    """The changes of a body, at least one."""
    new = definition_key(task)
    yield FieldChange("definition", deployed, new, Reason.SPEC_CHANGED)


__all__ = ["MLJobDefinitionSpec", "SqlDefinition", "body_changes"]
