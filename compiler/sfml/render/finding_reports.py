"""Findings as JUnit XML and as Markdown, for CI servers and comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

from sfml.base.diagnostic import Diagnostic, Severity
from sfml.base.record import record
from sfml.render.junit import cleaned
from sfml.render.markdown import cell, cell_prose, code, fenced
from sfml.render.text import diagnostics_text
from sfml.render.units import plural

_MOST_ROWS = 200


@record
class PipelineReport:
    """A pipeline for one target: its findings, and code and title of every policy that was applied to it."""

    pipeline: str
    spec: str
    target: str
    findings: tuple[Diagnostic, ...]
    policies: tuple[tuple[str, str], ...]


def findings_junit(reports: Sequence[PipelineReport], sources: Mapping[str, str]) -> str:
    """The indented XML: a suite for each pipeline and target, with a case for each policy and for each code found.

    Errors are failures. Warnings pass, and stand in the case's output. A pipeline without policies and findings has
    one case, which passes.
    """
    cases = [(report, _cases(report)) for report in reports]
    root = ElementTree.Element("testsuites", {"name": "sfml", **_counts(one for _, one in cases)})
    for report, found in cases:
        name = f"{report.pipeline} on {report.target}" if report.target else report.pipeline
        suite = ElementTree.SubElement(root, "testsuite", {"name": cleaned(name), **_counts([found])})
        for title, findings in found.items():
            _add_case(suite, report, title, findings, sources)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _cases(report: PipelineReport) -> dict[str, list[Diagnostic]]:
    """Name of a case → its findings; a policy that is kept to has none."""
    titles = {name: f"{name} {title}" for name, title in report.policies}
    cases: dict[str, list[Diagnostic]] = {title: [] for title in titles.values()}
    for finding in report.findings:
        cases.setdefault(titles.get(finding.code, finding.code), []).append(finding)
    return cases or {"the spec is valid": []}


def _counts(every: Iterable[Mapping[str, list[Diagnostic]]]) -> dict[str, str]:
    cases = [findings for one in every for findings in one.values()]
    failed = sum(any(finding.is_error for finding in findings) for findings in cases)
    return {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}


def _add_case(
    suite: ElementTree.Element,
    report: PipelineReport,
    title: str,
    findings: Sequence[Diagnostic],
    sources: Mapping[str, str],
) -> None:
    place = next((finding.span for finding in findings if finding.span is not None), None)
    names = {"name": cleaned(title), "classname": cleaned(f"{report.pipeline}.{report.target}")}
    where = {"file": cleaned(place.file if place is not None else report.spec)}
    line = {"line": str(place.start.line)} if place is not None else {}
    case = ElementTree.SubElement(suite, "testcase", {**names, **where, **line})
    if not findings:
        return
    text = cleaned(diagnostics_text(findings, sources))
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        message = cleaned("; ".join(finding.message for finding in errors))
        ElementTree.SubElement(case, "failure", message=message, type=errors[0].code).text = text
    else:
        ElementTree.SubElement(case, "system-out").text = text


def findings_markdown(
    findings: Sequence[Diagnostic], sources: Mapping[str, str], targets: Sequence[str]
) -> str:
    """A heading with the counts, a table of the findings, and the findings with their lines, folded."""
    errors = sum(finding.is_error for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    of = f", targets {', '.join(map(code, targets))}" if targets else ""
    lines = [f"### {plural(errors, 'error')}, {plural(warnings, 'warning')}{of}", ""]
    if findings:
        lines += ["| | code | what | where | targets |", "|---|---|---|---|---|"]
        lines += [_row(finding) for finding in findings[:_MOST_ROWS]]
        if len(findings) > _MOST_ROWS:
            lines += ["", f"and {len(findings) - _MOST_ROWS:,} more"]
        text = diagnostics_text(findings[:_MOST_ROWS], sources).splitlines()
        lines += ["", "<details><summary>line by line</summary>", "", *fenced(text), "", "</details>"]
    return "\n".join(lines) + "\n"


def _row(finding: Diagnostic) -> str:
    where = f"{finding.span.file}:{finding.span.start.line}" if finding.span is not None else ""
    names = ", ".join(map(cell, finding.targets))
    return (
        f"| {finding.severity} | {finding.code} | {cell_prose(finding.message)} | {cell(where)} | {names} |"
    )
