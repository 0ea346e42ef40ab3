"""Findings as SARIF 2.1.0, for code scanning and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from sfml.base.diagnostic import Diagnostic, Fix
from sfml.base.release import VERSION
from sfml.base.source import Span
from sfml.check.explanations import Explanation, explanations

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def diagnostics_sarif(
    diagnostics: Iterable[Diagnostic], policies: Mapping[str, Explanation] | None = None
) -> dict[str, Any]:
    """A SARIF log with one run: the findings, and the rules and `policies` that they belong to."""
    findings = tuple(diagnostics)
    every = {**explanations(), **(policies or {})}
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "sfml",
        "semanticVersion": VERSION,
        "rules": [_rule(code, every.get(code)) for code in codes],
    }
    results = [_result(finding, codes.index(finding.code)) for finding in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, explanation: Explanation | None) -> dict[str, Any]:
    if explanation is None:
        return {"id": code}
    parts = [("What", explanation.what), ("Why", explanation.why), ("Instead", explanation.instead)]
    said = [(name, part) for name, part in parts if part] or [("What", explanation.title)]
    text = "\n".join((said[0][1], *(f"{name}: {part}" for name, part in said[1:])))
    markdown = "\n\n".join(f"**{name}:** {part}" for name, part in said)
    return {
        "id": code,
        "shortDescription": {"text": f"{explanation.title[:1].upper()}{explanation.title[1:]}."},
        "fullDescription": {"text": explanation.what or explanation.title},
        "help": {"text": text, "markdown": markdown},
        "properties": {"group": explanation.group},
    }


def _result(diagnostic: Diagnostic, index: int) -> dict[str, Any]:
    parts = (diagnostic.message, diagnostic.repetition, diagnostic.why, diagnostic.help)
    text = ". ".join(f"{part[:1].upper()}{part[1:]}" for part in parts if part)
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": str(diagnostic.severity),
        "message": {"text": text},
    }
    if diagnostic.span is not None:
        place: dict[str, Any] = {"physicalLocation": _location(diagnostic.span)}
        if diagnostic.path:
            place["logicalLocations"] = [{"fullyQualifiedName": diagnostic.path}]
        result["locations"] = [place]
    if diagnostic.labels:
        result["relatedLocations"] = [
            {"physicalLocation": _location(label.span), "message": {"text": label.text}}
            for label in diagnostic.labels
        ]
    if diagnostic.targets:
        result["properties"] = {"targets": list(diagnostic.targets)}
    if diagnostic.fix is not None:
        result["fixes"] = [_fix(diagnostic.fix)]
    return result


def _fix(fix: Fix) -> dict[str, Any]:
    description = f"Replace `{fix.old.strip()}` by `{fix.new}`" if fix.new else f"Remove `{fix.old.strip()}`"
    replacement = {"deletedRegion": _region(fix.span), "insertedContent": {"text": fix.new}}
    change = {"artifactLocation": _artifact(fix.span), "replacements": [replacement]}
    return {"description": {"text": description}, "artifactChanges": [change]}


def _location(span: Span) -> dict[str, Any]:
    return {"artifactLocation": _artifact(span), "region": _region(span)}


def _artifact(span: Span) -> dict[str, Any]:
    # Relative to the directory of the command. A colon in the first part would be read as a scheme, so it is quoted.
    return {"uri": quote(span.file, safe="/")}


def _region(span: Span) -> dict[str, Any]:
    return {
        "startLine": span.start.line,
        "startColumn": span.start.column,
        "endLine": span.end.line,
        "endColumn": span.end.column,
    }
