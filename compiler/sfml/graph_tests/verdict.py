"""The results of graph tests, and their findings."""

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
    """A test with its result; the findings are the expectations that are not met.

    `states` holds the states of the tasks, by names in the spec, for a test of one run.
    """

    test: GraphTest
    findings: tuple[Diagnostic, ...] = ()
    states: Mapping[str, State] | None = None
    state: State | None = None

    @property
    def result(self) -> Result:
        if not self.findings:
            return "passed"
        return "undecided" if all(finding.code == "SF711" for finding in self.findings) else "failed"


def failure(
    test: GraphTest, message: str, place: Place, *, label: str | None = None, help: str | None = None
) -> Diagnostic:
    """The finding for an expectation that is not met."""
    return _finding("SF710", f"{test.name}: {message}", place, label, help)


def undecided(test: GraphTest, message: str, place: Place, help: str | None) -> Diagnostic:
    """The finding for a test that lacks a value on which its result depends."""
    return _finding("SF711", f"{test.name}: {message}", place, None, help)


def _finding(code: str, message: str, place: Place, label: str | None, help: str | None) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, place.span, place.path, label, help=help)
