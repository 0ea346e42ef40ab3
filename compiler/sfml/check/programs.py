"""The code that the tasks of a pipeline run, and which places in it are certain to run."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Severity
from sfml.catalog import StepCatalog
from sfml.catalog.code import ReachableCode
from sfml.catalog.modules import MAIN, RUNTIME
from sfml.catalog.surroundings import Surroundings
from sfml.check.case import Case
from sfml.graph.model import JobBody


class Program:
    """The code that one task runs: its modules, and the step function that is called, or the script of a job."""

    def __init__(self, catalog: StepCatalog, step: str, *, is_script: bool) -> None:
        self.catalog = catalog
        self.is_script = is_script
        self.modules = tuple(
            module for module in catalog.modules_of(step) if module.name.partition(".")[0] != RUNTIME
        )
        self._function = None if is_script else step.rpartition(".")[2]
        self._reached: ReachableCode | None = None

    def severity(self, around: Surroundings) -> Severity | None:
        """The severity of a mistake at a place: None where the place does not run, a warning under a condition."""
        if around.owner and around.owner != self._function:
            self._reached = self._reached or ReachableCode(
                self.modules, self._function, as_main=self.is_script
            )
            if around.owner not in self._reached:
                return None
        return Severity.WARNING if around.is_conditional else Severity.ERROR


def programs_of(case: Case) -> Iterator[Program]:
    """The programs of the tasks, without duplicates; steps that are not found are left out, other rules report them."""
    seen: set[object] = set()
    for task in case.tasks:
        body = task.node.body
        key = (body.folder, body.entrypoint, task.node.imports) if isinstance(body, JobBody) else None
        if isinstance(body, JobBody) and key not in seen:
            seen.add(key)
            yield Program(
                case.catalog.program(body.folder, body.entrypoint, task.node.imports),
                f"{MAIN}.",
                is_script=True,
            )
    for _, step in case.steps():
        if step.step not in seen and case.catalog.find(step.step) is not None:
            seen.add(step.step)
            yield Program(case.catalog, step.step, is_script=False)
