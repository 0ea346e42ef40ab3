"""Icons and outlines of cards: an icon for each kind of task and for each place where tasks run, as SVG paths."""

from __future__ import annotations

from collections.abc import Mapping

from sfml.plan.model import Action

KINDS: Mapping[str, str] = {
    "root": "M6 4 L15 10 L6 16 Z",
    "step": "M7 6 L3 10 L7 14 M13 6 L17 10 L13 14 M11 4 L9 16",
    "job": "M10 3 L16 6.5 V13.5 L10 17 L4 13.5 V6.5 Z M4 6.5 L10 10 L16 6.5 M10 10 V17",
    "sql": "M4 5.5 C4 2.8 16 2.8 16 5.5 V14.5 C16 17.2 4 17.2 4 14.5 Z M4 5.5 C4 8.2 16 8.2 16 5.5",
    "call": "M7 4 C4 7 4 13 7 16 M13 4 C16 7 16 13 13 16 M10 9 V11",
    "notify": "M3 5 H17 V15 H3 Z M3 5 L10 11 L17 5",
}
"""Kind of task → SVG path in a square of 20 by 20."""

KIND_WORDS: Mapping[str, str] = {
    "root": "root",
    "step": "step function",
    "job": "ML Job of files",
    "sql": "SQL statement",
    "call": "procedure call",
    "notify": "notification",
}

PLACES: Mapping[str, str] = {
    "warehouse": "M1 5 L6 1.5 L11 5 V11 H1 Z M3.5 11 V7.5 H8.5 V11",
    "serverless": "M3 10 C0 10 0 6 3 6 C3 2 8.5 2 9 5.5 C12 5.5 12 10 9.5 10 Z",
    "pool": "M1 1.5 H5 V5.5 H1 Z M7 1.5 H11 V5.5 H7 Z M1 7.5 H5 V11.5 H1 Z M7 7.5 H11 V11.5 H7 Z",
}
"""Place where a task runs → SVG path in a square of 12 by 12."""

PLACE_WORDS: Mapping[str, str] = {
    "warehouse": "on a warehouse",
    "serverless": "serverless",
    "pool": "ML Job on a compute pool",
}

SIGNS: Mapping[Action, str] = {
    Action.CREATE: "+",
    Action.ALTER: "~",
    Action.REPLACE: "±",
    Action.MOVE: "→",
    Action.DROP: "−",
}

POINT = 12.0
"""The width of the pointed ends of a gate's outline."""
_ROUNDEST = 24.0
"""The radius of the root's ends at which its icon stays inside."""


def outline(kind: str, width: float, height: float, *, is_branch: bool) -> str:
    """The SVG element of an outline: a hexagon for a gate, a pill for the root, a rounded rectangle for the rest."""
    if is_branch:
        middle = height / 2
        return (
            f'<path class="box" d="M{POINT:g} 0H{width - POINT:g}L{width:g} {middle:g}L{width - POINT:g} {height:g}'
            f'H{POINT:g}L0 {middle:g}Z"/>'
        )
    radius = min(height / 2, _ROUNDEST) if kind == "root" else 7
    return f'<rect class="box" width="{width:g}" height="{height:g}" rx="{radius:g}"/>'
