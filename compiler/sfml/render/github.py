"""Findings as workflow commands, which GitHub shows beside the lines of a pull request.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Iterable

from sfml.base.diagnostic import Diagnostic, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def diagnostics_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One workflow command for each finding, one a line."""
    return "\n".join(_command(diagnostic) for diagnostic in diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    properties: list[tuple[str, object]] = []
    if diagnostic.span is not None:
        start, end = diagnostic.span.start, diagnostic.span.end
        properties += [("file", diagnostic.span.file), ("line", start.line)]
        if end.line == start.line:
            # GitHub accepts columns only when both ends are on one line; its end column is inclusive.
            properties += [("col", start.column), ("endLine", end.line)]
            properties += [("endColumn", max(end.column - 1, start.column))]
        else:
            properties += [("endLine", end.line if end.column > 1 else end.line - 1)]
    properties.append(("title", diagnostic.code))
    arguments = ",".join(f"{name}={_property(str(value))}" for name, value in properties)
    why = f"why: {diagnostic.why}" if diagnostic.why else ""
    help = f"help: {diagnostic.help}" if diagnostic.help else ""
    parts = (diagnostic.message, _targets(diagnostic), diagnostic.repetition, why, help)
    message = "\n".join(part for part in parts if part)
    return f"::{_COMMANDS[diagnostic.severity]} {arguments}::{_data(message)}"


def _targets(diagnostic: Diagnostic) -> str:
    return f"targets: {', '.join(diagnostic.targets)}" if diagnostic.targets else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
