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
    """One entry for each finding. A place is mandatory: a finding without one gets line 1 of `sfml.yaml`."""
    seen: Counter[str] = Counter()
    entries = []
    for diagnostic in diagnostics:
        file, line = (
            (diagnostic.span.file, diagnostic.span.start.line) if diagnostic.span else ("sfml.yaml", 1)
        )
        # GitLab compares reports by fingerprint. Without the line in it, a finding that moved is not reported as new.
        identity = "\n".join((diagnostic.code, file, diagnostic.path or "", diagnostic.message))
        seen[identity] += 1
        parts = (
            diagnostic.message,
            _targets(diagnostic),
            diagnostic.repetition,
            diagnostic.why,
            diagnostic.help,
        )
        entries.append(
            {
                "description": ". ".join(f"{part[:1].upper()}{part[1:]}" for part in parts if part),
                "check_name": diagnostic.code,
                "fingerprint": sha256(f"{identity}\n{seen[identity]}".encode()).hexdigest(),
                "severity": _SEVERITIES[diagnostic.severity],
                "location": {"path": file, "lines": {"begin": line}},
            }
        )
    return entries


def _targets(diagnostic: Diagnostic) -> str | None:
    return f"targets: {', '.join(diagnostic.targets)}" if diagnostic.targets else None
