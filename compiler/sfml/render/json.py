"""Findings as JSON: the output of `sfml validate --output json`, format version 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sfml.base.diagnostic import Diagnostic, Fix


def diagnostics_json(diagnostics: Iterable[Diagnostic], targets: Sequence[str]) -> dict[str, Any]:
    """The object of `schemas/output/validate.schema.json`; `targets` are the targets that were validated."""
    findings = [diagnostic_json(finding) for finding in diagnostics]
    return {"format_version": 1, "targets": list(targets), "diagnostics": findings}


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """One finding as JSON. Lines and columns count from 1, the end is exclusive; all are null without a place."""
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "file": span.file if span else None,
        "line": span.start.line if span else None,
        "column": span.start.column if span else None,
        "end_line": span.end.line if span else None,
        "end_column": span.end.column if span else None,
        "path": diagnostic.path or None,
        "why": diagnostic.why,
        "help": diagnostic.help,
        "fix": fix_json(diagnostic.fix) if diagnostic.fix else None,
        "targets": list(diagnostic.targets),
        "also": list(diagnostic.also),
    }


def fix_json(fix: Fix) -> dict[str, Any]:
    """A fix as JSON: replace the text `old`, which is exactly at this place, with `new`."""
    return {
        "file": fix.span.file,
        "line": fix.span.start.line,
        "column": fix.span.start.column,
        "end_line": fix.span.end.line,
        "end_column": fix.span.end.column,
        "old": fix.old,
        "new": fix.new,
    }
