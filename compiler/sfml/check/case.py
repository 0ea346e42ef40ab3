"""What a rule looks at: the drafted graph, its step functions, and who lies above whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Unpack

from sfml.base.diagnostic import Diagnostic, FindingDetails
from sfml.base.record import record
from sfml.catalog import StepCatalog, StepFunction
from sfml.graph.draft import GraphDraft, TaskDraft
from sfml.graph.located import Place
from sfml.graph.model import StepBody
from sfml.graph.topology import Reach, children


@record
class Case:
    """One pipeline for one target, as the rules see it."""

    draft: GraphDraft
    catalog: StepCatalog
    reach: Reach
    by_name: Mapping[str, TaskDraft]
    """The tasks, the finalizer included."""
    known: frozenset[str]
    """The names of the tasks, the finalizer left out."""
    broken: frozenset[str]
    """Tasks with a predecessor that does not exist: what lies above them cannot be told."""

    @property
    def tasks(self) -> tuple[TaskDraft, ...]:
        """The tasks and, last, the finalizers."""
        return (*self.draft.tasks, *self.draft.finalizers)

    def task(self, name: str) -> TaskDraft | None:
        return self.by_name.get(name)

    def step_of(self, task: TaskDraft) -> StepFunction | None:
        """The function that the task runs, when it runs one that can be found."""
        return self.catalog.find(task.node.body.step) if isinstance(task.node.body, StepBody) else None

    def steps(self) -> Iterator[tuple[TaskDraft, StepBody]]:
        """The tasks that run a step function."""
        for task in self.tasks:
            if isinstance(task.node.body, StepBody):
                yield task, task.node.body


def case_of(draft: GraphDraft, catalog: StepCatalog) -> Case:
    """The case of a draft."""
    known = frozenset(task.name for task in draft.tasks)
    reach = Reach(draft.predecessors)
    below = children(draft.predecessors)
    lost = {task.name for task in draft.tasks if any(ref.name not in known for ref in task.after)}
    if any(ref.name not in known for task in draft.tasks for ref in task.arms):
        # An arm that does not exist may be the misspelt name of any task that follows nothing.
        lost |= {task.name for task in draft.tasks if not draft.predecessors[task.name]}
    todo = list(lost)
    while todo:
        for child in below[todo.pop()]:
            if child not in lost:
                lost.add(child)
                todo.append(child)
    return Case(draft, catalog, reach, draft.by_name, known, frozenset(lost))


def error(code: str, message: str, place: Place, **details: Unpack[FindingDetails]) -> Diagnostic:
    """An error at a place."""
    return Diagnostic.error(code, message, at=place.span, path=place.path, **details)


def warning(code: str, message: str, place: Place, **details: Unpack[FindingDetails]) -> Diagnostic:
    """A warning at a place."""
    return Diagnostic.warning(code, message, at=place.span, path=place.path, **details)


def listed(names: tuple[str, ...] | list[str], last: str = "and") -> str:
    """`a`, `b` and `c`."""
    words = [f"`{name}`" for name in names]
    return " ".join((", ".join(words[:-1]), last, words[-1])) if len(words) > 1 else "".join(words)
