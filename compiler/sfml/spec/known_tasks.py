"""What an earlier reading of the same pipeline and target worked out, for the tasks whose text has not changed.

A task is known by the identity of its nodes: an editor's documents keep the nodes of text that stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sfml.base.diagnostic import Diagnostic
from sfml.spec.model import TaskSpec
from sfml.spec.nodes import Node

T = TypeVar("T")


class KnownTasks:
    """Resolved tasks and what was made of them. It is used by one reading at a time."""

    def __init__(self) -> None:
        self._context: object = None
        self._resolved: dict[str, tuple[Node, TaskSpec]] = {}
        self._fitting: dict[str, TaskSpec] = {}
        self._around: object = None
        self._made: dict[str, tuple[TaskSpec, object]] = {}

    def begin(self, context: object) -> None:
        """Begin to resolve; in another context, nothing is known."""
        if context != self._context:
            self._context = context
            self._resolved.clear()

    def resolved(
        self, name: str, node: Node, resolve: Callable[[], TaskSpec], problems: list[Diagnostic]
    ) -> TaskSpec:
        """The resolved task of a node; one that adds to `problems` is resolved again each time."""
        known = self._resolved.get(name)
        if known is not None and known[0] is node:
            return known[1]
        before = len(problems)
        task = resolve()
        if len(problems) == before:
            self._resolved[name] = (node, task)
        else:
            self._resolved.pop(name, None)
        return task

    def is_fitting(self, task: TaskSpec) -> bool:
        """Whether the shape of the task was found to be right."""
        return self._fitting.get(task.name) is task

    def are_fitting(self, tasks: Iterable[TaskSpec]) -> None:
        """Remember that the shapes of all these tasks are right."""
        self._fitting = {task.name: task for task in tasks}

    def begin_making(self, around: object) -> None:
        """Begin to make something of tasks; with other surroundings, nothing is known."""
        if around != self._around:
            self._around = around
            self._made.clear()

    def made(
        self, task: TaskSpec, make: Callable[[], T], is_kept: Callable[[T], bool], problems: list[Diagnostic]
    ) -> T:
        """What was made of a task, or is made now; kept if it depends on the task alone and adds no problem."""
        known = self._made.get(task.name)
        if known is not None and known[0] is task:
            return known[1]  # type: ignore[return-value]
        before = len(problems)
        result = make()
        if len(problems) == before and is_kept(result):
            self._made[task.name] = (task, result)
        else:
            self._made.pop(task.name, None)
        return result
