"""Findings: what is wrong with the user's input, as data; renderers turn them into text, JSON and more."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sfml.source import Span


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a finding, such as "first defined here"."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `message` is one line with the user's own words in backticks; `span` is where; `label` says what is
    wrong right there; `path` is the logical path (`tasks.train.after[0]`); `why` is what Snowflake would
    make of it; `help` is an imperative line.
    """

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    path: str | None = None
    label: str | None = None
    labels: tuple[Label, ...] = ()
    why: str | None = None
    help: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @classmethod
    def error(
        cls,
        code: str,
        message: str,
        *,
        at: Span | None = None,
        path: str | None = None,
        label: str | None = None,
        labels: tuple[Label, ...] = (),
        why: str | None = None,
        help: str | None = None,
    ) -> Diagnostic:
        return cls(code, Severity.ERROR, message, at, path, label, labels, why, help)

    @classmethod
    def warning(
        cls,
        code: str,
        message: str,
        *,
        at: Span | None = None,
        path: str | None = None,
        label: str | None = None,
        labels: tuple[Label, ...] = (),
        why: str | None = None,
        help: str | None = None,
    ) -> Diagnostic:
        return cls(code, Severity.WARNING, message, at, path, label, labels, why, help)


def by_position(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in the order of their files and lines, without repetitions."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span is None, d.span or Span.whole(""), d.code, d.message)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.is_error for diagnostic in diagnostics)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help line naming the closest of `known`, or None when none is close."""
    # Bounded, so that hostile input cannot make comparing names take long.
    if len(word) > 100:
        return None
    alike = [name for name in known if abs(len(name) - len(word)) <= 2 + len(word) // 3]
    if len(alike) > 60:
        alike = heapq.nsmallest(
            60, alike, key=lambda name: (name[:4] != word[:4], name[-4:] != word[-4:], name)
        )
    close = difflib.get_close_matches(word, sorted(alike), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None
