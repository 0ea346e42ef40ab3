"""What a spec expects of durations, sizes and runs: what costs are counted with, and nothing deployed depends on."""

from __future__ import annotations

from dataclasses import field
from typing import Literal, TypeAlias

from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.located import Place


@record
class Range:
    """The least and the most that a number is expected to be."""

    low: float
    high: float


@record
class TaskExpectation:
    """How long one run of a task takes, in seconds, and which share of its runs fails; None where nothing is said."""

    takes: Range | None = None
    fails: float | None = None


Unit: TypeAlias = Literal["hour", "day", "week", "month"]


@record
class ExpectedRuns:
    """How often a graph runs in each `per`."""

    runs: Range
    per: Unit


@record
class WarehouseSize:
    """A warehouse: its size in Snowflake's words, its generation where it is said, and its idle time in seconds."""

    name: str
    size: str | None
    generation: int | None = None
    auto_suspend: int | None = None
    place: Place | None = field(default=None, compare=False)


@record
class PoolSize:
    """A compute pool: its instance family, its nodes from the least to the most, and its idle time in seconds."""

    name: str
    family: str
    min_nodes: int = 1
    max_nodes: int = 1
    auto_suspend: int | None = None
    place: Place | None = field(default=None, compare=False)


Size: TypeAlias = WarehouseSize | PoolSize


@record
class Budget:
    """The credits that a pipeline may use in a month, and where that is written."""

    credits_per_month: float
    span: Span
    path: str
