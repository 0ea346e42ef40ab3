"""The resolved spec: one pipeline for one target, every value in place and still located.

Values are nodes, so that what reads them (`sfml.graph`) can point at them; what they mean is decided there.
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
    """The folder of an `sfml.yaml`, and what the file says; `steps` are folders relative to `root`."""

    root: Path
    document: MapNode
    steps: tuple[str, ...]
    targets: tuple[str, ...]


@record
class TaskSpec:
    """A task with all its settings, defaults and patches included; `at` is where its name stands."""

    name: str
    at: Span
    settings: MapNode


@record
class ForeignPatch:
    """An entry of the project file's patch for a task that a pipeline does not have; `known` are those it has."""

    name: str
    at: Span
    path: str
    known: tuple[str, ...]


@record
class PipelineSpec:
    """A pipeline for one target. `target` holds the target's own settings, defaults included.

    `schedule` is a schedule config, `graph` the merged mapping that `tasks` were read from (for looking up
    where a value came from), `removed` the tasks that this target takes out, `groups` what each `for_each`
    became, `passed` what an empty one would have run after, `variables` their values.
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
    """Name → test, wherever they are written."""
    foreign: tuple[ForeignPatch, ...] = ()
    """What the project file changes of tasks that other pipelines have."""


@record
class LoadedSpec:
    """What reading a spec gives: the spec when it could be resolved, and every finding on the way.

    `sources` maps each file, relative to the project root, to its text.
    """

    project: Project | None
    spec: PipelineSpec | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    """The entry file, relative to the project root."""
