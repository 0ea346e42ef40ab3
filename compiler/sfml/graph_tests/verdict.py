"""What became of a test, and how a task's state is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from sfml.base.diagnostic import Diagnostic, Severity
from sfml.base.record import record
from sfml.graph.declared_tests import GraphTest
from sfml.graph.located import Place
from sfml.semantics.states import State

Result: TypeAlias = Literal["passed", "failed", "undecided"]


@record
class Verdict:
    """A test with its result: the findings say where it does not hold.

    `states` are the tasks' of a test of one run, by the spec's names.
    """

    test: GraphTest
    findings: tuple[Diagnostic, ...] = ()
    states: Mapping[str, State] | None = None
    state: State | None = None

    @property
    def result(self) -> Result:
        if not self.findings:
            return "passed"
        return "undecided" if all(one.code == "SF711" for one in self.findings) else "failed"


def failure(
    test: GraphTest, message: str, place: Place, *, label: str | None = None, help: str | None = None
) -> Diagnostic:
    """An expectation that does not hold."""
    return _finding("SF710", f"{test.name}: {message}", place, label, help)


def undecided(test: GraphTest, message: str, place: Place, help: str | None) -> Diagnostic:
    """A test that does not say enough."""
    return _finding("SF711", f"{test.name}: {message}", place, None, help)


def _finding(code: str, message: str, place: Place, label: str | None, help: str | None) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, place.span, place.path, label, help=help)
