"""Findings as a Code Quality report, which GitLab shows in the merge request.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from sfml.base.diagnostic import Diagnostic, Severity

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def diagnostics_gitlab(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """One entry a finding; a finding without a place is at the first line of the project file, as a place is needed."""
    seen: Counter[str] = Counter()
    entries = []
    for one in diagnostics:
        file, line = (one.span.file, one.span.start.line) if one.span else ("sfml.yaml", 1)
        # GitLab compares reports by it: a finding that only moved to another line is no new one.
        what = "\n".join((one.code, file, one.path or "", one.message))
        seen[what] += 1
        parts = (one.message, _targets(one), one.repetition, one.why, one.help)
        entries.append(
            {
                "description": ". ".join(f"{part[:1].upper()}{part[1:]}" for part in parts if part),
                "check_name": one.code,
                "fingerprint": sha256(f"{what}\n{seen[what]}".encode()).hexdigest(),
                "severity": _SEVERITIES[one.severity],
                "location": {"path": file, "lines": {"begin": line}},
            }
        )
    return entries


def _targets(diagnostic: Diagnostic) -> str | None:
    return f"targets: {', '.join(diagnostic.targets)}" if diagnostic.targets else None
