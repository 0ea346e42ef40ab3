"""A compiled pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.base.record import record
from sfml.graph.model import TaskGraph
from sfml.lower.desired import DesiredGraph

if TYPE_CHECKING:
    from sfml.render.page.drawing import Drawing


@record
class Task:
    """One task of a compiled graph.

    `name` is its name in the spec, None for the root; `snowflake_name` is its name in the account. `kind` is its kind
    in the manifest: `root`, `step`, `sql` and so on. `after` holds the names of its predecessors without the root.
    """

    name: str | None
    snowflake_name: str
    kind: str
    after: tuple[str, ...]
    value: Mapping[str, Any] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """One entry of `tasks` in the manifest."""
        return json.loads(json.dumps(self.value))  # type: ignore[no-any-return]


class Graph:
    """The task graph of a pipeline for one target. Notebooks show it as a picture."""

    def __init__(self, graph: TaskGraph, desired: DesiredGraph) -> None:
        self._graph = graph
        self._desired = desired

    @property
    def pipeline(self) -> str:
        return self._desired.pipeline

    @property
    def target(self) -> str:
        return self._desired.target.name

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of everything that the graph consists of, in hexadecimal; equal input gives equal values."""
        return self._desired.fingerprint

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The root, the tasks in the order of the spec, and the finalizer."""
        manifest = self.to_dict()
        entries = (manifest["root"], *manifest["tasks"], manifest["finalizer"])
        values = {entry["name"]: entry for entry in entries if entry}
        names = {task.name: task.task for task in self._desired.all_tasks if task.task}
        return tuple(
            Task(
                task.task,
                task.name,
                task.kind,
                tuple(names[name] for name in task.predecessors if name in names),
                values[task.name],
            )
            for task in self._desired.all_tasks
        )

    def mermaid(self) -> str:
        """The graph as a Mermaid flowchart."""
        from sfml.render.mermaid import mermaid

        return mermaid(self._graph)

    def svg(self) -> str:
        """The graph as a picture in SVG."""
        from sfml.render.page.svg import svg

        return svg(self._drawing())

    def page(self) -> str:
        """The graph as a self-contained interactive HTML page."""
        from sfml.render.page.html import html

        drawing = self._drawing()
        return html(drawing.title, (drawing,))

    def _drawing(self) -> Drawing:
        from sfml.render.page.drawing import drawing_of
        from sfml.review.model import CompiledTarget

        return drawing_of(CompiledTarget(self._graph, self._desired, self.fingerprint))

    def to_dict(self) -> dict[str, Any]:
        """The manifest, as `sfml compile --output json` prints it."""
        from sfml.lower.manifest import manifest_bytes

        return json.loads(manifest_bytes(self._desired))  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Graph {self.pipeline} for {self.target}: {len(self._desired.all_tasks)} tasks>"

    def _repr_html_(self) -> str:
        return self.svg()


@record
class Artefact:
    """The files that `Pipeline.compile` wrote."""

    folder: Path
    files: tuple[Path, ...]
    graph: Graph

    def to_dict(self) -> dict[str, Any]:
        """The manifest."""
        return self.graph.to_dict()
