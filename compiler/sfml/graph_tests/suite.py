"""The results of a pipeline's tests, with files relative to the working directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from sfml.base.diagnostic import moved
from sfml.base.record import record
from sfml.graph.declared_tests import GraphTest
from sfml.graph.model import TaskGraph
from sfml.graph_tests.verdict import Verdict


@record
class SuiteResult:
    """The results of the tests of one pipeline for one target; `seconds` holds the duration of each verdict.

    Files are relative to the working directory.
    """

    pipeline: str
    target: str
    spec: str
    verdicts: tuple[Verdict, ...]
    seconds: tuple[float, ...]

    def count(self, *results: str) -> int:
        """The number of tests with one of these results."""
        return sum(verdict.result in results for verdict in self.verdicts)


def tested(
    graph: TaskGraph, prefix: str, tests: Iterable[GraphTest], judge: Callable[[GraphTest], Verdict]
) -> SuiteResult:
    """The results of the tests, which `judge` executes; `prefix` is put before the names of files."""
    verdicts: list[Verdict] = []
    seconds: list[float] = []
    for test in tests:
        began = time.perf_counter()
        verdicts.append(_as_shown(judge(test), prefix))
        seconds.append(time.perf_counter() - began)
    spec = f"{prefix}{graph.spec_path}"
    return SuiteResult(graph.pipeline, graph.target.name, spec, tuple(verdicts), tuple(seconds))


def _as_shown(one: Verdict, prefix: str) -> Verdict:
    """The verdict with `prefix` before the names of its files."""
    place = one.test.place
    shown = replace(place, span=replace(place.span, file=f"{prefix}{place.span.file}"))
    findings = tuple(moved(finding, prefix) for finding in one.findings)
    return replace(one, test=replace(one.test, place=shown), findings=findings)
