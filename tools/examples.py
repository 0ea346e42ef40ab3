"""Draws the picture of each example, `graph.svg` beside its README, as `sfml compile --page` draws it.

python tools/examples.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import sfml

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TARGETS: Mapping[str, str] = {"segments": "few"}
"""The target that is drawn, where the default one has too many tasks for a README."""


def pictures() -> Iterator[tuple[Path, str]]:
    """The file of each picture, with its content."""
    for file in sorted(EXAMPLES.glob("*/sfml.yaml")):
        project = sfml.open(file.parent)
        (only,) = project.pipelines
        pipeline = project.pipeline(only.name, target=TARGETS.get(file.parent.name))
        yield file.parent / "graph.svg", pipeline.graph.svg()


def main() -> None:
    for file, text in pictures():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
