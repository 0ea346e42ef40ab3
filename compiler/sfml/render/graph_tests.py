"""Results of tests of graphs as text and as JSON."""

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


def tests_text(tested: SuiteResult, symbols: Symbols, *, failures_only: bool = False) -> str:
    """The pipeline, and a line a test."""
    shown = [one for one in tested.verdicts if not (failures_only and one.result == "passed")]
    if failures_only and not shown:
        return ""
    lines = [f"{tested.pipeline} on {tested.target}: {plural(len(tested.verdicts), 'test')}"]
    lines += [f"  {symbols[_SYMBOLS[one.result]]} {printable(one.test.name)}{_said(one)}" for one in shown]
    return "\n".join(lines)


def _said(one: Verdict) -> str:
    return "   (cannot be decided)" if one.result == "undecided" else ""


def totals_text(every: Sequence[SuiteResult], seconds: float) -> str:
    """`1 failed, 7 passed in 1 pipeline (0.01 s)`."""
    counts = {result: sum(one.count(result) for one in every) for result in ("failed", "undecided", "passed")}
    told = [f"{count} {result}" for result, count in counts.items() if count or result == "passed"]
    return f"{', '.join(told)} in {plural(len(every), 'pipeline')} ({seconds:.2f} s)"


def tests_json(every: Sequence[SuiteResult], how: str) -> Mapping[str, Any]:
    """The object of `schemas/output/test.schema.json`, without `format_version`."""
    return {
        "executed_by": how,
        "passed": sum(one.count("passed") for one in every),
        "failed": sum(one.count("failed") for one in every),
        "undecided": sum(one.count("undecided") for one in every),
        "pipelines": [
            {
                "pipeline": one.pipeline,
                "target": one.target,
                "spec": one.spec,
                "tests": [_test_json(verdict) for verdict in one.verdicts],
            }
            for one in every
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
    """Task → state, null for one that never ran."""
    return {name: None if state is State.NOT_EXECUTED else str(state) for name, state in states.items()}
