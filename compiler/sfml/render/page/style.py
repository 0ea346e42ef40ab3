"""The colours of pictures and pages, light and dark, and the style sheets that use them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PALETTE: Mapping[str, Mapping[str, str]] = {
    "light": {
        "page": "#ffffff",
        "panel": "#f3f5f8",
        "ink": "#1f2328",
        "soft": "#535c66",
        "line": "#767e88",
        "faint": "#d0d7de",
        "card": "#ffffff",
        "edge": "#6e7781",
        "focus": "#0550ae",
        "link": "#0550ae",
        "icon": "#0a5c9e",
        "tile": "#e3eefa",
        "added": "#17692f",
        "added-card": "#e9f7ed",
        "removed": "#b3202a",
        "removed-card": "#fdeeee",
        "changed": "#835800",
        "changed-card": "#fff6dc",
        "renamed": "#0759ba",
        "renamed-card": "#e8f2fe",
        "on-badge": "#ffffff",
        "heat-1": "#cfe3f8",
        "heat-2": "#86b9ea",
        "heat-3": "#2f7fce",
        "heat-4": "#0a3f7d",
    },
    "dark": {
        "page": "#0d1117",
        "panel": "#161c24",
        "ink": "#e6edf3",
        "soft": "#a3acb7",
        "line": "#7d8793",
        "faint": "#30363d",
        "card": "#171d26",
        "edge": "#8b949e",
        "focus": "#79c0ff",
        "link": "#79c0ff",
        "icon": "#8cc8ff",
        "tile": "#1d3450",
        "added": "#4cc963",
        "added-card": "#10281a",
        "removed": "#ff8880",
        "removed-card": "#331618",
        "changed": "#e0a93b",
        "changed-card": "#2e2410",
        "renamed": "#6cb2ff",
        "renamed-card": "#12263f",
        "on-badge": "#0d1117",
        "heat-1": "#173a5e",
        "heat-2": "#2a6cb0",
        "heat-3": "#62a8ee",
        "heat-4": "#c8e2ff",
    },
}
"""Role → colour. No meaning depends on colour alone: a sign, a border or a word expresses it as well."""

MARKS = {"create": "added", "drop": "removed", "alter": "changed", "replace": "changed", "move": "renamed"}
"""Action → the role of its colour."""

_HERE = Path(__file__).parent


def picture_style() -> str:
    """The style sheet of a stand-alone picture."""
    return colors() + (_HERE / "picture.css").read_text(encoding="utf-8")


def page_style() -> str:
    """The style sheet of a page, including that of its pictures."""
    return picture_style() + (_HERE / "page.css").read_text(encoding="utf-8")


def month_style() -> str:
    """The style sheet of a heat map, and of the page around it."""
    return page_style() + (_HERE / "month.css").read_text(encoding="utf-8")


def page_script() -> str:
    return (_HERE / "page.js").read_text(encoding="utf-8")


def colors() -> str:
    """The palette as CSS custom properties; the reader's system selects light or dark."""
    light, dark = (
        ";".join(f"--{role}:{color}" for role, color in PALETTE[half].items()) for half in ("light", "dark")
    )
    return (
        f":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )
