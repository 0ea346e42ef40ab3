"""Findings for silencings that apply to no finding in any target or, for shared files, in any pipeline."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.diagnostic import MAX_FINDINGS, first_of
from sfml.frontend.entry_files import each_entry_of_project
from sfml.frontend.reading import with_findings
from sfml.frontend.silencing import unused

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.frontend.silencing import Silencing

BETWEEN_PIPELINES = ("SF368", "SF509")
"""The warnings that only pipelines which are read together have; reading a file alone never finds them."""

ReadTarget = Callable[[Path, str], "Reading"]


def with_unused(files: Sequence[Path], readings: list[Reading], read: ReadTarget) -> list[Reading]:
    """The readings, with a finding for each unused silencing; `read` reads a file for another target.

    `files` are the entry files of the readings; a file has a reading for each target. A warning may depend on the
    target and, in files that pipelines share, on the pipeline. So a silencing is unused only if all targets and
    pipelines that could need it were read without errors; one of a warning between pipelines, if all were read here.
    """
    if not any(set(reading.silencings) - reading.used for reading in readings):
        return readings
    whole = whole_projects(files, readings)
    idle: dict[tuple[Path, Silencing], int] = {}
    busy: set[tuple[Path, Silencing]] = set()
    for file, index, views in _by_file(files, readings):
        reading = views[0]
        own = _own_files(reading)
        everything = reading.root in whole
        used = _used(views)
        busy |= {(reading.root, silencing) for silencing in used}
        candidates = {
            silencing
            for view in views
            for silencing in set(view.silencings) - used
            if everything or (silencing.line is not None and silencing.span.file in own)
            if silencing.code not in BETWEEN_PIPELINES or (everything and _has_all_targets(views))
        }
        if not candidates:
            continue
        if all(view.graph is not None for view in views):
            views = [*views, *_other_targets(file, views, read)]
        if any(view.graph is None for view in views):
            busy |= {(reading.root, silencing) for silencing in candidates}
            continue
        used = _used(views)
        busy |= {(reading.root, silencing) for silencing in candidates & used}
        for silencing in candidates - used:
            idle.setdefault((reading.root, silencing), index)
    return _with_findings(readings, {key: index for key, index in idle.items() if key not in busy})


def _has_all_targets(views: Sequence[Reading]) -> bool:
    project = views[0].loaded.project
    return project is None or {view.target for view in views} >= set(project.targets)


def _used(views: Iterable[Reading]) -> frozenset[Silencing]:
    none: frozenset[Silencing] = frozenset()
    return none.union(*(view.used for view in views))


def _by_file(files: Sequence[Path], readings: list[Reading]) -> Iterable[tuple[Path, int, list[Reading]]]:
    """Each entry file with the index of its first reading, and all its readings."""
    first: dict[Path, int] = {}
    views: dict[Path, list[Reading]] = {}
    for index, (file, reading) in enumerate(zip(files, readings, strict=True)):
        first.setdefault(file, index)
        views.setdefault(file, []).append(reading)
    return ((file, first[file], views[file]) for file in views)


def _with_findings(readings: list[Reading], idle: dict[tuple[Path, Silencing], int]) -> list[Reading]:
    by_index: dict[int, list[Silencing]] = {}
    for (_, silencing), index in idle.items():
        entry = readings[index].entry
        for place, reading in enumerate(readings):
            if reading.entry == entry and reading.root == readings[index].root:
                by_index.setdefault(place, []).append(silencing)
    result = list(readings)
    for index, silencings in by_index.items():
        findings = (unused(silencing) for silencing in sorted(silencings, key=lambda one: one.span))
        result[index] = with_findings(result[index], tuple(first_of(findings, MAX_FINDINGS)))
    return result


def _other_targets(file: Path, views: list[Reading], read: ReadTarget) -> list[Reading]:
    """The readings of the pipeline for the targets that it was not read for yet."""
    project = views[0].loaded.project
    if project is None:
        return []
    seen = {view.target for view in views}
    return [read(file, target) for target in project.targets if target not in seen]


def _own_files(reading: Reading) -> set[str]:
    """The files of this pipeline only: its entry file and the files that this names, without included files."""
    spec = reading.loaded.spec
    return {spec.path, spec.graph.span.file, spec.schedule.span.file} if spec is not None else set()


def whole_targets(files: Sequence[Path], readings: Sequence[Reading]) -> list[list[int]]:
    """For each target of the projects all of whose pipelines were read, the indexes of its readings."""
    whole = whole_projects(files, readings)
    indexes: dict[tuple[Path, str | None], list[int]] = defaultdict(list)
    for index, reading in enumerate(readings):
        if reading.root in whole:
            indexes[reading.root, reading.target].append(index)
    return list(indexes.values())


def whole_projects(files: Sequence[Path], readings: Sequence[Reading]) -> set[Path]:
    """The roots of projects all of whose pipelines were read."""
    seen = {os.path.realpath(file) for file in files}  # `Path.resolve` raises an error for links in a cycle
    roots = {reading.root for reading in readings}
    return {
        root for root in roots if all(os.path.realpath(path) in seen for path in each_entry_of_project(root))
    }
