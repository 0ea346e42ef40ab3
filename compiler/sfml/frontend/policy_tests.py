"""Tests of policies: each compiles the pipeline that it gives, and compares what the policy finds in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.record import record
from sfml.frontend.reading import Reading, read
from sfml.policies.evaluation import Subject, evaluate
from sfml.policies.model import Level, PolicySet, PolicyTest, everywhere

Outcome: TypeAlias = Literal["passed", "failed", "undecided"]

_TASK = re.compile(r"(?:tasks|finalizer)\.([^.\[]+)")


@record
class PolicyTestResult:
    """The result of a test; `message` says what is wrong, `findings` what the policy found."""

    test: PolicyTest
    outcome: Outcome
    message: str | None = None
    findings: tuple[Diagnostic, ...] = ()


def results_of_tests(
    policies: PolicySet, tests: Sequence[PolicyTest], root: Path, *, runs_python: bool, user: str
) -> tuple[PolicyTestResult, ...]:
    """The results of the tests. Policies are on in every target here: it is their rule that is tested."""
    readings = [
        read(root / "given.yaml", target=test.target, user=user, cwd=root, text=test.text) for test in tests
    ]
    on = MappingProxyType({policy.code: everywhere(Level.WARNING) for policy in policies.policies})
    every = replace(policies, settings=replace(policies.settings, severity=on))
    places = [place for place, reading in enumerate(readings) if reading.graph is not None]
    subjects = [Subject(graph, tests[place].plan) for place in places if (graph := readings[place].graph)]
    evaluation = evaluate(every, subjects, runs_python=runs_python)
    results = dict(zip(places, evaluation.by_subject, strict=True))
    return tuple(
        _unread(test, readings[place])
        if place not in results
        else _result(policies, test, results[place], evaluation.about_policies, evaluation.evaluated)
        for place, test in enumerate(tests)
    )


def _unread(test: PolicyTest, reading: Reading) -> PolicyTestResult:
    errors = [finding for finding in reading.diagnostics if finding.is_error]
    message = f"its pipeline has errors: {errors[0].code}: {errors[0].message}" if errors else "no pipeline"
    return PolicyTestResult(test, "undecided", message)


def _result(
    policies: PolicySet,
    test: PolicyTest,
    every: Sequence[Diagnostic],
    about: Sequence[Diagnostic],
    evaluated: frozenset[str],
) -> PolicyTestResult:
    policy = policies.of_code(test.code)
    if policy is None:
        return PolicyTestResult(test, "undecided", f"there is no policy `{test.code}`")
    if test.code not in evaluated:
        return PolicyTestResult(
            test, "undecided", "it is not applied: its code is not trusted or not allowed"
        )
    broken = [one for one in about if one.code == "SF534" and one.span == policy.span]
    if has_errors(broken):
        return PolicyTestResult(test, "failed", broken[0].message)
    own = tuple(finding for finding in every if finding.code == test.code)
    names = tuple(_tasks(own))
    wanted = test.finds
    is_right = len(own) == wanted if isinstance(wanted, int) else names == wanted
    if is_right:
        return PolicyTestResult(test, "passed", findings=own)
    expected = _count(wanted) if isinstance(wanted, int) else f"findings about {', '.join(wanted)}"
    there = _count(len(own)) if isinstance(wanted, int) else ", ".join(names) or "none"
    return PolicyTestResult(test, "failed", f"expected {expected}, found {there}", own)


def _count(number: int) -> str:
    return f"{number} finding{'' if number == 1 else 's'}"


def _tasks(findings: Sequence[Diagnostic]) -> Iterator[str]:
    """The tasks that the findings are about, in their order; the pipeline's name for others."""
    for finding in findings:
        match = _TASK.match(finding.path or "")
        yield match[1] if match else "given"
