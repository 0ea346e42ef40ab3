"""Names and values of a graph, with where they stand in the spec."""

from __future__ import annotations

from typing import TypeAlias

from sfml.base.record import record
from sfml.base.source import Span

Scalar: TypeAlias = str | int | float | bool


@record
class Place:
    """Where a setting stands: its span and its logical path."""

    span: Span
    path: str


@record
class Ref:
    """A name written in the spec, such as a predecessor's."""

    name: str
    place: Place
