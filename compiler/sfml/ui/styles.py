"""The style sheet and the script of the pages; the colours and pictures are those of `compile --page`."""

from __future__ import annotations

from pathlib import Path

from sfml.render.page.style import picture_style

_HERE = Path(__file__).parent / "static"


def page_style() -> str:
    return picture_style() + (_HERE / "ui.css").read_text(encoding="utf-8")


def page_script() -> str:
    return (_HERE / "page.js").read_text(encoding="utf-8")
