"""Names and values of a graph with their places in the spec."""

from __future__ import annotations

from typing import TypeAlias

from sfml.base.record import record
from sfml.base.source import Span

Scalar: TypeAlias = str | int | float | bool
"""A value that a task graph's CONFIG may hold."""


@record
class Place:
    """The place of a setting in a spec: its span and its logical path."""

    span: Span
    path: str


@record
class Ref:
    """A name in a spec, such as that of a predecessor, with its place."""

    name: str
    place: Place
