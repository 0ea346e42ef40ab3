"""Results of graph tests as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sfml.graph_tests.suite import SuiteResult
from sfml.graph_tests.verdict import Verdict
from sfml.render.json import diagnostic_json
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.units import plural
from sfml.semantics.states import State

_SYMBOLS = {"passed": "SUCCEEDED", "failed": "FAILED", "undecided": "FAILED"}


def tests_text(result: SuiteResult, symbols: Symbols, *, failures_only: bool = False) -> str:
    """A heading for the pipeline and one line for each test; empty when `failures_only` and all tests passed."""
    verdicts = [verdict for verdict in result.verdicts if not (failures_only and verdict.result == "passed")]
    if failures_only and not verdicts:
        return ""
    lines = [f"{result.pipeline} on {result.target}: {plural(len(result.verdicts), 'test')}"]
    lines += [
        f"  {symbols[_SYMBOLS[verdict.result]]} {printable(verdict.test.name)}{_remark(verdict)}"
        for verdict in verdicts
    ]
    return "\n".join(lines)


def _remark(verdict: Verdict) -> str:
    return "   (cannot be decided)" if verdict.result == "undecided" else ""


def totals_text(results: Sequence[SuiteResult], seconds: float) -> str:
    """`1 failed, 7 passed in 1 pipeline (0.01 s)`."""
    counts = {
        word: sum(result.count(word) for result in results) for word in ("failed", "undecided", "passed")
    }
    parts = [f"{count} {word}" for word, count in counts.items() if count or word == "passed"]
    return f"{', '.join(parts)} in {plural(len(results), 'pipeline')} ({seconds:.2f} s)"


def tests_json(results: Sequence[SuiteResult], how: str) -> Mapping[str, Any]:
    """The object of `schemas/output/test.schema.json`, without `format_version`."""
    return {
        "executed_by": how,
        "passed": sum(result.count("passed") for result in results),
        "failed": sum(result.count("failed") for result in results),
        "undecided": sum(result.count("undecided") for result in results),
        "pipelines": [
            {
                "pipeline": result.pipeline,
                "target": result.target,
                "spec": result.spec,
                "tests": [_test_json(verdict) for verdict in result.verdicts],
            }
            for result in results
        ],
    }


def _test_json(verdict: Verdict) -> Mapping[str, Any]:
    span = verdict.test.place.span
    return {
        "name": verdict.test.name,
        "result": verdict.result,
        "file": span.file,
        "line": span.start.line,
        "column": span.start.column,
        "state": str(verdict.state) if verdict.state else None,
        "tasks": None if verdict.states is None else states_json(verdict.states),
        "findings": [diagnostic_json(finding) for finding in verdict.findings],
    }


def states_json(states: Mapping[str, State]) -> dict[str, str | None]:
    """Maps task names to states; null for a task that never ran."""
    return {name: None if state is State.NOT_EXECUTED else str(state) for name, state in states.items()}
