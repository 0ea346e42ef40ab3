"""The input of rules: the graph draft, its step functions, and which tasks run before which."""

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
    """One pipeline for one target, with what the rules need."""

    draft: GraphDraft
    catalog: StepCatalog
    reach: Reach
    by_name: Mapping[str, TaskDraft]
    """Name → task, including the finalizer."""
    known: frozenset[str]
    """The names of the tasks, without the finalizer."""
    broken: frozenset[str]
    """Tasks with an unknown predecessor, directly or over others: their ancestors are not known."""

    @property
    def tasks(self) -> tuple[TaskDraft, ...]:
        """The tasks and, last, the finalizers."""
        return (*self.draft.tasks, *self.draft.finalizers)

    def task(self, name: str) -> TaskDraft | None:
        return self.by_name.get(name)

    def step_of(self, task: TaskDraft) -> StepFunction | None:
        """The step function that the task runs; None if it runs none, or if the function is not found."""
        return self.catalog.find(task.node.body.step) if isinstance(task.node.body, StepBody) else None

    def steps(self) -> Iterator[tuple[TaskDraft, StepBody]]:
        """The tasks that run a step function, with their bodies."""
        for task in self.tasks:
            if isinstance(task.node.body, StepBody):
                yield task, task.node.body


def case_of(draft: GraphDraft, catalog: StepCatalog) -> Case:
    """The case for a draft and a catalogue."""
    known = frozenset(task.name for task in draft.tasks)
    reach = Reach(draft.predecessors)
    below = children(draft.predecessors)
    lost = {task.name for task in draft.tasks if any(ref.name not in known for ref in task.after)}
    if any(ref.name not in known for task in draft.tasks for ref in task.arms):
        # An unknown arm may be the misspelt name of any task without predecessors.
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
