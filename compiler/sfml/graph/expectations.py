"""Expected durations, sizes and runs, from which costs are computed; they do not change what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Literal, TypeAlias

from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.located import Place


@record
class Range:
    """The smallest and the largest expected value of a number."""

    low: float
    high: float


@record
class TaskExpectation:
    """The expected duration of one run of a task in seconds, and the share of runs that fail, from 0 to 1."""

    takes: Range | None = None
    fails: float | None = None


Unit: TypeAlias = Literal["hour", "day", "week", "month"]
_PER_YEAR: Mapping[Unit, float] = MappingProxyType({"hour": 8760, "day": 365, "week": 365 / 7, "month": 12})


@record
class ExpectedRuns:
    """The expected number of runs of a graph in one unit of time (`per`)."""

    runs: Range
    per: Unit

    @property
    def per_year(self) -> Range:
        """The expected number in a year of 365 days."""
        count = _PER_YEAR[self.per]
        return Range(self.runs.low * count, self.runs.high * count)


@record
class WarehouseSize:
    """A warehouse: its size in Snowflake's words, its generation, and its auto-suspend time in seconds.

    `size` is None if the one in the spec is wrong.
    """

    name: str
    size: str | None
    generation: int | None = None
    auto_suspend: int | None = None
    place: Place | None = field(default=None, compare=False)


@record
class PoolSize:
    """A compute pool: its instance family, smallest and largest number of nodes, and auto-suspend time in seconds."""

    name: str
    family: str
    min_nodes: int = 1
    max_nodes: int = 1
    auto_suspend: int | None = None
    place: Place | None = field(default=None, compare=False)


Size: TypeAlias = WarehouseSize | PoolSize


@record
class Budget:
    """The credits that a pipeline may use in a month, with the place of the setting."""

    credits_per_month: float
    span: Span
    path: str
