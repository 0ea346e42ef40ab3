"""Findings for patches of the project file whose task no pipeline has; only if all pipelines were read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.frontend.reading import with_findings
from sfml.frontend.unused_silencings import whole_targets
from sfml.spec.expand import no_patch_taken

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.spec.model import ForeignPatch


def with_foreign_patches(files: Sequence[Path], readings: list[Reading]) -> list[Reading]:
    """The readings, with a finding for each patch of the project file whose task no pipeline of its target has.

    `files` are the entry files of the readings. A target with a pipeline that could not be read gets no finding,
    because that pipeline may have the task.
    """
    if not any(reading.loaded.spec is not None and reading.loaded.spec.foreign for reading in readings):
        return readings
    result = list(readings)
    for indexes in whole_targets(files, readings):
        untaken = _untaken([readings[index] for index in indexes])
        findings = tuple(no_patch_taken(patches) for patches in untaken)
        result[indexes[0]] = with_findings(result[indexes[0]], findings)
    return result


def _untaken(readings: list[Reading]) -> list[tuple[ForeignPatch, ...]]:
    """The patches whose task no pipeline has; each as a tuple with the patch's value from every pipeline."""
    seen: dict[str, list[ForeignPatch]] = defaultdict(list)
    for reading in readings:
        spec = reading.loaded.spec
        if spec is None:
            return []
        for path, patch in {patch.path: patch for patch in spec.foreign}.items():
            seen[path].append(patch)
    return [tuple(patches) for patches in seen.values() if len(patches) == len(readings)]
