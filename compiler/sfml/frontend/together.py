"""What only several pipelines together can do wrong, added to their findings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.check.together import findings_together
from sfml.frontend.reading import with_findings
from sfml.frontend.silencing import silenced

if TYPE_CHECKING:
    from sfml.base.diagnostic import Diagnostic
    from sfml.frontend.reading import Reading
    from sfml.graph.model import TaskGraph


def together(readings: list[Reading]) -> list[Reading]:
    """The readings, each with the findings between it and the others of its project and target."""
    if len(readings) < 2:
        return readings
    graphs: dict[tuple[Path, str], list[TaskGraph]] = defaultdict(list)
    for reading in readings:
        if reading.graph is not None:
            graphs[reading.root, reading.graph.target.name].append(reading.graph)
    found = {key: findings_together(group) for key, group in graphs.items()}
    return [_with(reading, found) for reading in readings]


def _with(reading: Reading, found: dict[tuple[Path, str], tuple[Diagnostic, ...]]) -> Reading:
    if reading.graph is None:
        return reading
    findings = found[reading.root, reading.graph.target.name]
    own = tuple(one for one in findings if one.span is not None and one.span.file in reading.loaded.sources)
    if not own:
        return reading
    left = silenced(own, reading.silencings)
    return replace(with_findings(reading, left.kept), used=reading.used | left.used)
