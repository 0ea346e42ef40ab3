"""Findings as JSON: the `validate` output of format 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sfml.base.diagnostic import Diagnostic, Fix


def diagnostics_json(diagnostics: Iterable[Diagnostic], targets: Sequence[str]) -> dict[str, Any]:
    """`{"format_version": 1, "targets": […], "diagnostics": […]}`, as `schemas/output/validate.schema.json` has it.

    `targets` are those that were looked at.
    """
    findings = [diagnostic_json(finding) for finding in diagnostics]
    return {"format_version": 1, "targets": list(targets), "diagnostics": findings}


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """One finding; lines and columns count from 1, the end is exclusive, null where there is no place."""
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
    """What to write in place of which text; the place is exact."""
    return {
        "file": fix.span.file,
        "line": fix.span.start.line,
        "column": fix.span.start.column,
        "end_line": fix.span.end.line,
        "end_column": fix.span.end.column,
        "old": fix.old,
        "new": fix.new,
    }
