"""The resolved spec: one pipeline for one target.

All values are located nodes, so that `sfml.graph`, which interprets them, can report findings at their places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from sfml.base.diagnostic import Diagnostic
from sfml.base.record import record
from sfml.base.source import Span
from sfml.spec.nodes import MapNode, ScalarNode


@record
class Project:
    """The folder of an `sfml.yaml`, and the document in that file; `steps` are folders relative to `root`."""

    root: Path
    document: MapNode
    steps: tuple[str, ...]
    targets: tuple[str, ...]


@record
class TaskSpec:
    """A task with all its settings, defaults and patches included; `at` is the span of its name."""

    name: str
    at: Span
    settings: MapNode


@record
class ForeignPatch:
    """An entry of the project file's patch for a task that a pipeline does not have; `known` are the tasks it has."""

    name: str
    at: Span
    path: str
    known: tuple[str, ...]


@record
class PipelineSpec:
    """A pipeline for one target. `target` holds the target's own settings, defaults included.

    `schedule` is a schedule config. `graph` is the merged mapping that `tasks` were read from, kept to look up where a
    value came from. `removed` are the tasks that this target disables. `groups` maps each `for_each` to its members,
    `passed` each empty one to its predecessors, and `variables` each variable to its value. A seed is a table, its
    file relative to the project root, and the span of its entry.
    """

    name: str
    name_node: ScalarNode
    path: str
    description: str | None
    target_name: str
    target_at: Span
    target: MapNode
    tasks: tuple[TaskSpec, ...]
    finalizers: tuple[TaskSpec, ...]
    config: MapNode
    overridable: tuple[ScalarNode, ...]
    schedule: MapNode
    seeds: tuple[tuple[str, str, Span], ...]
    graph: MapNode
    removed: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    tests: MapNode | None = None
    """Name → test, from the entry file or a file that it names."""
    foreign: tuple[ForeignPatch, ...] = ()
    """The project file's patches of tasks that this pipeline does not have."""
    budget: MapNode | None = None


@record
class LoadedSpec:
    """The result of reading a spec: the spec, or None when it could not be resolved, and all findings.

    `sources` maps each file, relative to the project root, to its text, and `schemas` to the file of its schema.
    """

    project: Project | None
    spec: PipelineSpec | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    """The entry file, relative to the project root."""
    schemas: Mapping[str, str] = field(default_factory=dict)
