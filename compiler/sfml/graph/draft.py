"""Graph drafts: a spec with typed values, whose names of tasks are not resolved and may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from sfml.base.record import record
from sfml.graph.expectations import Budget, Size
from sfml.graph.located import Place, Ref, Scalar
from sfml.graph.model import GraphSettings, Reference, Seed, SqlBody, Target, TaskNode

if TYPE_CHECKING:
    from sfml.graph.declared_tests import GraphTest


@record
class Use:
    """A reference `${…}` in a task's setting, such as `with.at_least` or `notify.message`."""

    reference: Reference
    setting: str
    place: Place


@record
class TaskDraft:
    """A task of a draft.

    `node` holds the settings that do not depend on other tasks; its `after` and `outcomes` are set when the graph is
    built. `after` and `outcomes` here hold the names as written. `uses` are the references in the body. `places` maps
    a setting to its place (`""`: the task's name). `raw_settings` are the keys that are set.
    """

    node: TaskNode
    after: tuple[Ref, ...]
    outcomes: Mapping[str, tuple[Ref, ...]] | None
    uses: tuple[Use, ...]
    places: Mapping[str, Place]
    raw_settings: frozenset[str]
    beside: frozenset[str] = frozenset()
    """The names of the files and folders in the folder of a `job`."""

    @property
    def name(self) -> str:
        return self.node.name

    def place(self, *settings: str) -> Place:
        """The place of the first of the settings that is set, else that of the task's name."""
        for setting in settings:
            if setting in self.places:
                return self.places[setting]
        return self.places[""]

    @property
    def arms(self) -> tuple[Ref, ...]:
        """The tasks that the outcomes of a branch start."""
        return tuple(ref for refs in (self.outcomes or {}).values() for ref in refs)


@record
class GraphDraft:
    """The draft of a pipeline for one target; `tasks` are in the order written."""

    pipeline: str
    spec_path: str
    target: Target
    settings: GraphSettings
    tasks: tuple[TaskDraft, ...]
    finalizers: tuple[TaskDraft, ...]
    config: Mapping[str, Scalar]
    overridable: tuple[Ref, ...]
    seeds: tuple[Seed, ...]
    description: str | None
    places: Mapping[str, Place]
    """Setting of the graph → its place, such as `pipeline`, `target.schema`, `schedule_config.alerts.on_error`."""
    removed: frozenset[str] = frozenset()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of a `for_each` → the tasks that it makes."""
    written_target: Mapping[str, str] = field(default_factory=dict)
    """The target's settings as written, before names are folded; an expression instead of its value."""
    root_name: str | None = None
    root_body: SqlBody | None = None
    query_tag: bool = True
    moved: tuple[tuple[Ref, Ref], ...] = ()
    """The old and the new name of each moved task."""
    predecessors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Task → its predecessors that exist, by `after` or as the arm of a branch, in the order written."""
    tests: tuple[GraphTest, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    """Warehouse or compute pool → its size, where the target says it."""
    budget: Budget | None = None

    @property
    def by_name(self) -> dict[str, TaskDraft]:
        return {task.name: task for task in (*self.tasks, *self.finalizers)}
