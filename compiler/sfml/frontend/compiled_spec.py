"""A spec with the graph that it compiles to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sfml.base.record import record
from sfml.base.release import VERSION

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading
    from sfml.lower.desired import DesiredGraph


class PlacedGraph(Protocol):
    """A desired graph, and the root of the project that it is of: enough to connect to its target."""

    @property
    def root(self) -> Path: ...

    @property
    def desired(self) -> DesiredGraph: ...


@record
class CompiledSpec:
    """A spec without errors for one target, with its desired graph."""

    reading: Reading
    desired: DesiredGraph

    @property
    def root(self) -> Path:
        return self.reading.root


def desired_graph(reading: Reading) -> DesiredGraph:
    """The desired graph of a reading without errors."""
    from sfml.lower.job_folders import job_files
    from sfml.lower.lower import lower

    assert reading.graph is not None, "a spec with errors is not lowered"
    return lower(reading.graph, reading.catalog.closure, VERSION, job_files=job_files(reading.root))
