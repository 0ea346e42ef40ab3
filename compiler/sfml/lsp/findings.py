"""Findings of a project → the diagnostics of each of its files, on specs and on the step code that they use wrongly."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lsprotocol import types

from sfml.base.diagnostic import Diagnostic, Severity
from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog import StepCatalog
from sfml.frontend.reading import Reading
from sfml.frontend.shared_findings import distinct_findings
from sfml.lsp.positions import TextMap

SOURCE = "sfml"

_SEVERITIES: Mapping[Severity, types.DiagnosticSeverity] = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}


@record
class FileFinding:
    """A finding in one file; `span` is its place there, `finding` where it was found."""

    span: Span
    message: str
    finding: Diagnostic


def findings_by_file(
    readings: Sequence[Reading], entry: str, targets: int, own: Iterable[Diagnostic] = ()
) -> dict[str, list[FileFinding]]:
    """The findings of readings by file, each once. Those without a place are at the beginning of `entry`.

    `targets` is the number of targets that there are: a finding that not all have names its targets. `own` are findings
    of the project file without any pipeline.
    """
    by_file: dict[str, dict[FileFinding, None]] = defaultdict(dict)
    findings = distinct_findings(readings)
    for finding in (*findings, *(one for one in own if not _is_among(one, findings))):
        span = finding.span or Span.whole(entry)
        by_file[span.file][FileFinding(span, _message(finding, targets), finding)] = None
    for on_step in _on_steps(findings, readings):
        by_file[on_step.span.file][on_step] = None
    return {file: list(file_findings) for file, file_findings in by_file.items()}


def _is_among(finding: Diagnostic, findings: Iterable[Diagnostic]) -> bool:
    return any(
        (one.code, one.span, one.message) == (finding.code, finding.span, finding.message) for one in findings
    )


def _message(finding: Diagnostic, targets: int) -> str:
    lines = [finding.message]
    if finding.why:
        lines.append(f"why: {finding.why}")
    if finding.help:
        lines.append(f"help: {finding.help}")
    if finding.targets and len(finding.targets) < targets:
        lines.append(f"in target{'s' if len(finding.targets) > 1 else ''} {', '.join(finding.targets)}")
    if finding.repetition:
        lines.append(finding.repetition)
    return "\n".join(lines)


def _on_steps(findings: Iterable[Diagnostic], readings: Sequence[Reading]) -> Iterator[FileFinding]:
    """The findings of specs that are about a step, at the decorator of its function."""
    catalogs = list({id(reading.catalog): reading.catalog for reading in readings}.values())
    for finding in findings:
        at = finding.span
        if at is None or at.file.endswith(".py"):
            continue
        for label in finding.labels:
            if label.span.file.endswith(".py"):
                span = _decorator(label.span, catalogs) or label.span
                yield FileFinding(span, f"{finding.message}\nused so by {at.file}:{at.start.line}", finding)
                break


def _decorator(span: Span, catalogs: Iterable[StepCatalog]) -> Span | None:
    """The decorator of the function that a span lies in; the name of the function where it has none."""
    for catalog in catalogs:
        for module in catalog.modules():
            if module.file != span.file or module.tree is None:
                continue
            for node in module.tree.body:
                first = min((one.lineno for one in getattr(node, "decorator_list", ())), default=None)
                if not isinstance(node, ast.FunctionDef):
                    continue
                if (first or node.lineno) <= span.start.line <= (node.end_lineno or node.lineno):
                    return module.span(node.decorator_list[0]) if node.decorator_list else None
    return None


def diagnostic(
    one: FileFinding, text: TextMap, link: Mapping[str, tuple[str, TextMap]] | None
) -> types.Diagnostic:
    """The finding in the protocol's form; `link` has address and text of other files, for clients that show them."""
    finding = one.finding
    at = text.range(one.span)
    if at.start == at.end:
        at = types.Range(at.start, types.Position(at.start.line, at.start.character + 1))
    related = []
    if link is not None:
        places = [(label.span, label.text) for label in finding.labels]
        if finding.span is not None and finding.span != one.span:
            places.insert(0, (finding.span, finding.message))
        related = [
            types.DiagnosticRelatedInformation(
                location=types.Location(uri=link[span.file][0], range=link[span.file][1].range(span)),
                message=label,
            )
            for span, label in places
            if span.file in link and span != one.span
        ]
    return types.Diagnostic(
        range=at,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source=SOURCE,
        message=one.message,
        related_information=related or None,
    )
