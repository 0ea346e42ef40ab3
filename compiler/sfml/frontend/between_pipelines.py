"""Findings about several pipelines together, added to the readings of those pipelines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.check.together import asks_to_be_watched, findings_together, unwatched
from sfml.frontend.reading import with_findings
from sfml.frontend.silencing import silenced
from sfml.frontend.unused_silencings import whole_targets

if TYPE_CHECKING:
    from sfml.base.diagnostic import Diagnostic
    from sfml.frontend.reading import Reading
    from sfml.graph.model import TaskGraph


def together(readings: list[Reading]) -> list[Reading]:
    """The readings, with the findings about pairs of pipelines of the same project and target."""
    if len(readings) < 2:
        return readings
    graphs: dict[tuple[Path, str], list[TaskGraph]] = defaultdict(list)
    for reading in readings:
        if reading.graph is not None:
            graphs[reading.root, reading.graph.target.name].append(reading.graph)
    shared = {key: findings_together(group) for key, group in graphs.items()}
    return [_with_shared(reading, shared) for reading in readings]


def with_unwatched(files: Sequence[Path], readings: list[Reading]) -> list[Reading]:
    """The readings, with a finding for each pipeline that no other of its project watches although it asks for that.

    `files` are the entry files of the readings. A target with a pipeline that was not read, or has errors, gets no
    finding, because that pipeline may watch.
    """
    if not any(reading.graph is not None and asks_to_be_watched(reading.graph) for reading in readings):
        return readings
    result = list(readings)
    for indexes in whole_targets(files, readings):
        graphs = [graph for index in indexes if (graph := readings[index].graph) is not None]
        for index in indexes if len(graphs) == len(indexes) else ():
            if (graph := readings[index].graph) is not None and (findings := unwatched(graph, graphs)):
                result[index] = _with_own(result[index], findings)
    return result


def _with_shared(reading: Reading, shared: dict[tuple[Path, str], tuple[Diagnostic, ...]]) -> Reading:
    if reading.graph is None:
        return reading
    return _with_own(reading, shared[reading.root, reading.graph.target.name])


def _with_own(reading: Reading, findings: tuple[Diagnostic, ...]) -> Reading:
    """The reading with those findings whose places are in its files, unless they are silenced there."""
    own = tuple(
        finding
        for finding in findings
        if finding.span is not None and finding.span.file in reading.loaded.sources
    )
    if not own:
        return reading
    left = silenced(own, reading.silencings)
    return replace(with_findings(reading, left.kept), used=reading.used | left.used)
