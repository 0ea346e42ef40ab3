"""Silencings that silence nothing: told where every target, and for shared ones every pipeline, was looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.diagnostic import first_of

if TYPE_CHECKING:
    from sfml.frontend import Reading
    from sfml.silencing import Silencing

ReadTarget = Callable[[Path, str], "Reading"]


def with_unused(files: tuple[Path, ...], readings: list[Reading], read: ReadTarget) -> list[Reading]:
    """The readings with a finding for each silencing that is of no use; `read` reads a file for another target.

    Whether a warning is there can depend on the target, and for what pipelines share on the pipeline; nothing
    is said of a silencing as long as one that was not read, or has errors, might need it.
    """
    if not any(set(reading.silencings) - reading.used for reading in readings):
        return readings
    whole = _whole_projects(files, readings)
    idle: dict[tuple[Path, Silencing], int] = {}
    busy: set[tuple[Path, Silencing]] = set()
    for index, (file, reading) in enumerate(zip(files, readings, strict=True)):
        own = _own_files(reading)
        everything = reading.root in whole
        candidates = {
            one
            for one in set(reading.silencings) - reading.used
            if everything or (one.line is not None and one.span.file in own)
        }
        busy |= {(reading.root, one) for one in reading.used}
        if not candidates:
            continue
        others = _other_targets(file, reading, read) if reading.graph is not None else []
        views = [reading, *others]
        if any(view.graph is None for view in views):
            busy |= {(reading.root, one) for one in candidates}
            continue
        used = frozenset().union(*(view.used for view in views))
        busy |= {(reading.root, one) for one in candidates & used}
        for one in candidates - used:
            idle.setdefault((reading.root, one), index)
    return _told(readings, {key: index for key, index in idle.items() if key not in busy})


def _told(readings: list[Reading], idle: dict[tuple[Path, Silencing], int]) -> list[Reading]:
    from sfml.check import MAX_FINDINGS
    from sfml.frontend import with_findings
    from sfml.silencing import unused

    by_index: dict[int, list[Silencing]] = {}
    for (_, silencing), index in idle.items():
        by_index.setdefault(index, []).append(silencing)
    told = list(readings)
    for index, silencings in by_index.items():
        found = (unused(one) for one in sorted(silencings, key=lambda one: one.span))
        told[index] = with_findings(told[index], tuple(first_of(found, MAX_FINDINGS)))
    return told


def _other_targets(file: Path, reading: Reading, read: ReadTarget) -> list[Reading]:
    spec, project = reading.loaded.spec, reading.loaded.project
    if spec is None or project is None:
        return []
    return [read(file, target) for target in project.targets if target != spec.target_name]


def _own_files(reading: Reading) -> set[str]:
    """The files that are this pipeline's: its entry file and those that it names; not what `include` brings in."""
    spec = reading.loaded.spec
    return {spec.path, spec.graph.span.file, spec.schedule.span.file} if spec is not None else set()


def _whole_projects(files: tuple[Path, ...], readings: list[Reading]) -> set[Path]:
    """The projects of which every pipeline was read."""
    from sfml.entry_files import pipelines_of
    from sfml.spec.project import project_root

    seen = {file.resolve() for file in files}
    roots = {reading.root for reading in readings}
    return {
        root
        for root in roots
        if all(path.resolve() in seen for path in pipelines_of(root) if project_root(path.parent) == root)
    }
