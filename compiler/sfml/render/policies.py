"""Policies, and results of their tests, as text, JSON and JUnit XML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from sfml.frontend.policy_tests import PolicyTestResult
from sfml.frontend.project_policies import ProjectPolicies
from sfml.policies.model import FieldRule, Policy
from sfml.render.json import diagnostic_json
from sfml.render.junit import cleaned
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.table import table_text

_WIDTH = 100
_SYMBOLS = {"passed": "SUCCEEDED", "failed": "FAILED", "undecided": "FAILED"}


def policies_text(found: ProjectPolicies) -> str:
    """A table of the policies with a column for each target, and what to do next."""
    policies = found.policies.policies
    if not policies:
        return "\n".join(_how_to_begin(found))
    names = [target.name for target in found.targets]
    rows = [
        (
            policy.code,
            policy.title,
            *(str(found.policies.level(policy, target)) for target in found.targets),
            _origin(policy),
        )
        for policy in policies
    ]
    lines = [table_text(("CODE", "TITLE", *names, "FROM"), rows), ""]
    python = [policy for policy in policies if policy.is_python]
    count = "1 policy" if len(policies) == 1 else f"{len(policies):,} policies"
    lines.append(f"{count}{_of_python(found, len(python))}")
    lines.append(f"Next:  sfml policies explain {policies[0].code}")
    return "\n".join(lines)


def _how_to_begin(found: ProjectPolicies) -> Iterator[str]:
    if found.is_enabled:
        yield f"no policies: the folder `{found.policies.settings.folder}` holds none, and no preset is chosen"
    else:
        yield "no policies: sfml.yaml has no key `policies`"
    yield "Next:  write `policies: {preset: standard}` in sfml.yaml; docs/policies.md has more"


def _of_python(found: ProjectPolicies, count: int) -> str:
    if not count:
        return ""
    if not found.policies.settings.python:
        return f", {count} in Python, which sfml.yaml does not allow: `python: true`"
    if not found.trusts_python:
        return f", {count} in Python, which are not trusted here:  sfml policies trust"
    return f", {count} in Python, trusted"


def _origin(policy: Policy) -> str:
    return policy.origin if policy.span is None else f"{policy.origin}:{policy.span.start.line}"


def policy_text(found: ProjectPolicies, policy: Policy) -> str:
    """What the policy demands, why, what to do, and how serious it is in each target."""
    parts = (("what", policy.what), ("why", policy.why), ("instead", policy.help or ""))
    lines = [f"{policy.code}: {printable(policy.title)}", ""]
    lines += [
        textwrap.fill(printable(text), _WIDTH, initial_indent=f"{word:>8}: ", subsequent_indent=" " * 10)
        for word, text in parts
        if text
    ]
    levels = ", ".join(f"{target.name} {found.policies.level(policy, target)}" for target in found.targets)
    lines += [f"{'targets':>8}: {levels}", f"{'from':>8}: {_origin(policy)}, {_kind(policy)}"]
    return "\n".join(lines)


def _kind(policy: Policy) -> str:
    if isinstance(policy.rule, FieldRule):
        return f"`{policy.rule.field}` of every {policy.rule.about}"
    return f"`{policy.rule.function}` in Python"


def policies_json(found: ProjectPolicies) -> dict[str, Any]:
    """The object of `schemas/output/policies.schema.json`, without `format_version`."""
    return {
        "policies": [policy_json(found, policy) for policy in found.policies.policies],
        "python": {"allowed": found.policies.settings.python, "trusted": found.trusts_python},
        "preset": found.policies.settings.preset,
        "findings": [diagnostic_json(finding) for finding in found.findings],
    }


def policy_json(found: ProjectPolicies, policy: Policy) -> dict[str, Any]:
    """One policy; `severity` is by target."""
    return {
        "code": policy.code,
        "title": policy.title,
        "what": policy.what,
        "why": policy.why,
        "help": policy.help,
        "severity": {target.name: str(found.policies.level(policy, target)) for target in found.targets},
        "origin": policy.origin,
        "line": policy.span.start.line if policy.span is not None else None,
        "written_in": "python" if policy.is_python else "yaml",
        "needs_plan": policy.needs_plan,
    }


def results_text(
    results: Sequence[PolicyTestResult], symbols: Symbols, *, failures_only: bool, seconds: float
) -> str:
    """One line for each test, what is wrong below it, then the counts."""
    lines = []
    for result in results:
        if failures_only and result.outcome == "passed":
            continue
        lines.append(
            f"  {symbols[_SYMBOLS[result.outcome]]} {result.test.code} {printable(result.test.name)}"
        )
        if result.message is not None:
            lines.append(f"      {printable(result.message)}")
            lines += [f"      found: {printable(finding.message)}" for finding in result.findings]
    counts = {
        word: sum(result.outcome == word for result in results) for word in ("failed", "undecided", "passed")
    }
    parts = [f"{count} {word}" for word, count in counts.items() if count or word == "passed"]
    return "\n".join((*lines, "", f"{', '.join(parts)} ({seconds:.2f} s)"))


def results_json(results: Sequence[PolicyTestResult]) -> dict[str, Any]:
    """The object of `schemas/output/policies.schema.json` for `sfml policies test`, without `format_version`."""
    return {
        "tests": [
            {
                "name": result.test.name,
                "policy": result.test.code,
                "result": result.outcome,
                "message": result.message,
                "file": result.test.span.file,
                "line": result.test.span.start.line,
                "findings": [diagnostic_json(finding) for finding in result.findings],
            }
            for result in results
        ]
    }


def results_junit(results: Sequence[PolicyTestResult]) -> str:
    """The results as JUnit XML: one case for each test."""
    failed = sum(result.outcome == "failed" for result in results)
    errors = sum(result.outcome == "undecided" for result in results)
    counts = {"tests": str(len(results)), "failures": str(failed), "errors": str(errors)}
    root = ElementTree.Element("testsuites", {"name": "sfml", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "policies", **counts})
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            name=cleaned(result.test.name),
            classname=cleaned(result.test.code),
            file=cleaned(result.test.span.file),
            line=str(result.test.span.start.line),
        )
        if result.outcome != "passed":
            kind = "error" if result.outcome == "undecided" else "failure"
            ElementTree.SubElement(case, kind, message=cleaned(result.message or ""), type=result.test.code)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'
