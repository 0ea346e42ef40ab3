"""Merging the findings that several targets, pipelines or members of a `for_each` share.

A pipeline is read once for each target, so a mistake in a file is found as often as the file is used. It is shown as
one finding, with the targets that have it, and the tasks and pipelines that repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sfml.base.diagnostic import Diagnostic, by_position
from sfml.base.record import record

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.spec.model import PipelineSpec

_QUOTED = re.compile(r"`[^`]*`")
_TASK = re.compile(r"(?:^|\.)(?:tasks|finalizer)\.([^.\[]+)")


@record
class _Occurrence:
    """A finding of one reading; `members` are the members of a `for_each` that it is about.

    `rank` is the index of the first of them.
    """

    finding: Diagnostic
    target: str
    pipeline: str
    entry: str
    members: tuple[str, ...]
    rank: int


def distinct_findings(readings: Sequence[Reading]) -> tuple[Diagnostic, ...]:
    """The findings of all readings by position, without duplicates, with `targets` and `also` filled in.

    Targets are in the order in which they were read; `targets` is empty if only one was read. A finding keeps the words
    of its first occurrence.
    """
    groups: dict[object, list[_Occurrence]] = {}
    for reading in readings:
        for occurrence in _occurrences(reading):
            groups.setdefault(_likeness(occurrence), []).append(occurrence)
    several = len({reading.target for reading in readings}) > 1
    return by_position(_merged(group, several) for group in groups.values())


def _occurrences(reading: Reading) -> Iterator[_Occurrence]:
    spec = reading.loaded.spec
    entry = f"{reading.prefix}{reading.entry}"
    for finding in reading.diagnostics:
        members, rank = _members(finding, spec, reading.repeated.get(finding, 1)) if spec else ((), 0)
        yield _Occurrence(finding, reading.target or "", spec.name if spec else "", entry, members, rank)


def _merged(group: list[_Occurrence], several: bool) -> Diagnostic:
    first = min(group, key=lambda occurrence: occurrence.rank)
    targets = (
        tuple(dict.fromkeys(occurrence.target for occurrence in group if occurrence.target))
        if several
        else ()
    )
    return replace(first.finding, targets=targets, also=tuple(_elsewhere(first, group)))


def _elsewhere(first: _Occurrence, group: Iterable[_Occurrence]) -> Iterator[str]:
    """The other members in the pipeline of the first occurrence, then the entry files of the other pipelines."""
    alike = sorted(
        (occurrence for occurrence in group if occurrence.entry == first.entry),
        key=lambda occurrence: occurrence.rank,
    )
    members = dict.fromkeys(name for occurrence in alike for name in occurrence.members)
    yield from (name for name in members if name != first.members[0])
    entries = dict.fromkeys(occurrence.entry for occurrence in group)
    yield from (entry for entry in entries if entry != first.entry)


def _likeness(occurrence: _Occurrence) -> object:
    """A key that is equal for occurrences of the same mistake: the finding without names of members and pipeline."""
    finding = occurrence.finding
    message = finding.message
    if len(occurrence.members) == 1:
        member = occurrence.members[0]
        message = _without(message, member, member.removeprefix(f"{_task(finding)}_"))
    if occurrence.pipeline:
        message = _without(message, occurrence.pipeline, None)
    return finding.code, finding.severity, finding.span, finding.path, message


def _members(finding: Diagnostic, spec: PipelineSpec, count: int) -> tuple[tuple[str, ...], int]:
    """The members of a `for_each` that the finding is about, and the index of the first of them.

    A finding that was found in the same words for each member is about all of them.
    """
    task = _task(finding)
    members = spec.groups.get(task, ())
    if members and count == len(members):
        return members, 0
    words = [word.strip("`") for word in _QUOTED.findall(finding.message)] if members else []
    for names in (members, [member.removeprefix(f"{task}_") for member in members]):
        for rank, name in enumerate(names):
            if any(_pattern(name).search(word) for word in words):
                return (members[rank],), rank
    return (), 0


def _task(finding: Diagnostic) -> str:
    """The name of the finding's task in the spec; an empty text without one."""
    task = _TASK.search(finding.path or "")
    return task[1] if task else ""


def _without(message: str, *names: str | None) -> str:
    """The message with the names removed from its quoted words."""

    def blanked(quoted: re.Match[str]) -> str:
        text = quoted[0]
        for name in names:
            if name:
                text = _pattern(name).sub("\0", text)
        return text

    return _QUOTED.sub(blanked, message)


@lru_cache(maxsize=4_096)
def _pattern(name: str) -> re.Pattern[str]:
    """A pattern for the name as a whole word, in any case; an underscore matches any characters that are not letters or
    digits."""
    words = r"[\W_]+".join(re.escape(part) for part in name.split("_") if part) or re.escape(name)
    return re.compile(rf"(?<![A-Za-z0-9]){words}(?![A-Za-z0-9])", re.IGNORECASE)
