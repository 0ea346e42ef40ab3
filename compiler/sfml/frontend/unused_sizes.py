"""Findings for sizes of warehouses and compute pools that no pipeline uses; only if all pipelines were read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.quoting import raw
from sfml.frontend.reading import with_findings
from sfml.frontend.unused_silencings import whole_targets
from sfml.graph.expectations import Size
from sfml.graph.needs import Kind, needs_of

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.graph.model import TaskGraph


def with_unused_sizes(files: Sequence[Path], readings: list[Reading]) -> list[Reading]:
    """The readings, with a finding for each size in the project file that no pipeline of its target uses.

    `files` are the entry files of the readings. A target with a pipeline that was not read, or has errors, gets no
    finding, because that pipeline may use the size.
    """
    if not any(reading.graph is not None and reading.graph.sizes for reading in readings):
        return readings
    result = list(readings)
    for indexes in whole_targets(files, readings):
        graphs = [readings[index].graph for index in indexes]
        if None not in graphs:
            findings = tuple(_unused([graph for graph in graphs if graph is not None]))
            result[indexes[0]] = with_findings(result[indexes[0]], findings)
    return result


def _unused(graphs: list[TaskGraph]) -> list[Diagnostic]:
    sizes: dict[str, Size] = {}
    for graph in graphs:
        sizes.update(graph.sizes)
    used = {
        need.name: None
        for graph in graphs
        for need in needs_of(graph)
        if need.kind in (Kind.WAREHOUSE, Kind.POOL)
    }
    return [
        _finding(size, [name for name in used if name not in sizes])
        for size in sizes.values()
        if size.name not in used
    ]


def _finding(size: Size, others: list[str]) -> Diagnostic:
    assert size.place is not None, "sizes are decoded from a text"
    help = did_you_mean(raw(size.name), map(raw, others)) or "take it out, or name what pipelines run on"
    message = f"no pipeline of this target runs on `{raw(size.name)}`"
    return Diagnostic.warning("SF524", message, at=size.place.span, path=size.place.path, help=help)
