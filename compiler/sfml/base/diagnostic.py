"""Findings: what is wrong with the user's input, as data; renderers turn them into text, JSON and more."""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from enum import StrEnum
from itertools import islice
from typing import TypedDict, Unpack

from sfml.base.record import record
from sfml.base.source import Span

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./$-]*")
"""Words that YAML reads as the same text with and without quotes, apart from those in `_NOT_TEXT`."""
_NOT_TEXT = ("null", "true", "false")
_RULE_CODE = re.compile(r"SF\d{3}")
_VERY_CLOSE = 0.75
_HINTS = ContextVar("_HINTS", default=True)
MOST_NAMED = 5
"""How many of the tasks and pipelines that repeat a finding are named."""
MOST_COUNTED = 1_000
"""How many findings are counted, at most, beyond those that are shown."""
MAX_FINDINGS = 200
"""The most findings of one rule, and of one pipeline, that are made."""


class Severity(StrEnum):
    """How serious a finding is; only errors keep a spec from being compiled."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@record
class Label:
    """A second place that explains a finding, such as "first defined here"."""

    span: Span
    text: str


@record
class Fix:
    """A change of the text that is safe to make without asking: within `span`, `old` is replaced by `new`.

    `old` occurs once within `span`, which may cover more than `old`; `fixes.pinned` narrows it.
    """

    span: Span
    old: str
    new: str


class FindingDetails(TypedDict, total=False):
    """What a finding can have beside its code, its message and its place."""

    label: str | None
    labels: tuple[Label, ...]
    why: str | None
    help: str | None
    fix: Fix | None


@record
class Diagnostic:
    """One finding.

    `message` is one line with the user's own words in backticks. `span` is the place in the text, and `label` a short
    remark about that place. `path` is the logical path (`tasks.train.after[0]`), `why` what Snowflake would do with
    the text, `help` an imperative line, and `fix` the change that `--fix` makes. `targets` names the targets that
    have the finding, where several were checked; `also` names the tasks and entry files that repeat it.
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
    fix: Fix | None = None
    targets: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def repetition(self) -> str | None:
        """The tasks or entry files that repeat the finding, in a few words; None without repetitions."""
        if not self.also:
            return None
        more = len(self.also) - MOST_NAMED
        names = ", ".join(f"`{name}`" for name in self.also[:MOST_NAMED])
        return (
            f"the same for {names}{f' and {more:,} more' if more > 0 else ''} ({len(self.also) + 1:,} in all)"
        )

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @property
    def is_of_rule(self) -> bool:
        """Whether it is the finding of a rule of sfml's own, and not of a team's policy."""
        return is_rule_code(self.code)

    @classmethod
    def error(
        cls,
        code: str,
        message: str,
        *,
        at: Span | None = None,
        path: str | None = None,
        **details: Unpack[FindingDetails],
    ) -> Diagnostic:
        return cls(code, Severity.ERROR, message, at, path, **details)

    @classmethod
    def warning(
        cls,
        code: str,
        message: str,
        *,
        at: Span | None = None,
        path: str | None = None,
        **details: Unpack[FindingDetails],
    ) -> Diagnostic:
        return cls(code, Severity.WARNING, message, at, path, **details)


def is_rule_code(code: str) -> bool:
    """Whether it is the code of a rule of sfml's own; policies cannot have such codes."""
    return _RULE_CODE.fullmatch(code) is not None


def by_position(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings in the order of their files and lines, without duplicates; those without a place come last."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span is None, d.span or Span.whole(""), d.code, d.message)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    return any(diagnostic.is_error for diagnostic in diagnostics)


def first_of(diagnostics: Iterator[Diagnostic], most: int) -> Iterator[Diagnostic]:
    """The first `most` findings, then a note with the number of the others, which are counted without their help."""
    last, left = None, most
    for last in islice(diagnostics, most):
        left -= 1
        yield last
    if left:
        return  # as nearly always: there are no others
    with _without_hints():
        more = sum(1 for _ in islice(diagnostics, MOST_COUNTED))
    if last is not None and more:
        count = f"at least {more:,}" if more == MOST_COUNTED else f"{more:,}"
        yield Diagnostic(last.code, Severity.NOTE, f"… and {count} more like the last of these")


@contextmanager
def _without_hints() -> Iterator[None]:
    token = _HINTS.set(False)
    try:
        yield
    finally:
        _HINTS.reset(token)


def hints_wanted() -> bool:
    """Whether the help of a finding will be shown. Where it is not, the costly comparison of names is left out."""
    return _HINTS.get()


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A help line naming the closest of `known`, or None when none is close."""
    close = _close(word, known, 1)
    return f"did you mean `{close[0]}`?" if close else None


def renaming(span: Span | None, word: str, known: Iterable[str]) -> Fix | None:
    """The fix for a misspelt word at `span`; None unless exactly one of `known` is close, and that one very close."""
    close = _close(word, known, 2)
    if span is None or len(close) != 1 or not _PLAIN.fullmatch(close[0]) or close[0].lower() in _NOT_TEXT:
        return None
    ratio = difflib.SequenceMatcher(None, close[0], word).ratio()
    return Fix(span, word, close[0]) if ratio >= _VERY_CLOSE else None


def _close(word: str, known: Iterable[str], count: int) -> list[str]:
    # Lengths and counts are bounded, so that hostile input cannot make the comparison take long.
    if len(word) > 100 or not hints_wanted():
        return []
    alike = [name for name in known if abs(len(name) - len(word)) <= 2 + len(word) // 3]
    if len(alike) > 60:
        alike = heapq.nsmallest(
            60, alike, key=lambda name: (name[:4] != word[:4], name[-4:] != word[-4:], name)
        )
    return difflib.get_close_matches(word, sorted(alike), n=count, cutoff=0.6)


def moved(diagnostic: Diagnostic, prefix: str) -> Diagnostic:
    """The finding with `prefix` before the names of its files, and its message put on one line."""
    message = " ".join(diagnostic.message.split())
    if message != diagnostic.message:
        diagnostic = replace(diagnostic, message=message)
    return placed(diagnostic, lambda span: replace(span, file=prefix + span.file)) if prefix else diagnostic


def placed(diagnostic: Diagnostic, place: Callable[[Span], Span]) -> Diagnostic:
    """The finding with each of its spans replaced by `place` of it."""
    span, labels, fix = diagnostic.span, diagnostic.labels, diagnostic.fix
    new_span = place(span) if span is not None else None
    new_labels = tuple(Label(place(label.span), label.text) for label in labels)
    new_fix = replace(fix, span=place(fix.span)) if fix is not None else None
    if (new_span, new_labels, new_fix) == (span, labels, fix):
        return diagnostic
    return replace(diagnostic, span=new_span, labels=new_labels, fix=new_fix)
