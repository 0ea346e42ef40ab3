"""A graph as drafted in a spec: every value typed, every name still only a name, right or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from sfml.base.record import record
from sfml.graph.located import Place, Ref, Scalar
from sfml.graph.model import GraphSettings, Reference, Seed, SqlBody, Target, TaskNode

if TYPE_CHECKING:
    from sfml.graph.declared_tests import GraphTest


@record
class Use:
    """A `${…}` in the setting `setting` (`with.at_least`, `notify.message`)."""

    reference: Reference
    setting: str
    place: Place


@record
class TaskDraft:
    """A task as its spec has it.

    `node` holds all that needs no other task; `after`, `outcomes` and `run_if` are as written, `names` the
    keys of the outcomes. `places` leads from a setting to where it stands (`""`: the task's name).
    """

    node: TaskNode
    after: tuple[Ref, ...]
    outcomes: Mapping[str, tuple[Ref, ...]] | None
    uses: tuple[Use, ...]
    places: Mapping[str, Place]
    raw_settings: frozenset[str]
    beside: frozenset[str] = frozenset()
    """Of a `job`: the names of the files and folders in its folder."""

    @property
    def name(self) -> str:
        return self.node.name

    def place(self, *settings: str) -> Place:
        """The first of the settings that stands somewhere, else the task itself."""
        for setting in settings:
            if setting in self.places:
                return self.places[setting]
        return self.places[""]

    @property
    def arms(self) -> tuple[Ref, ...]:
        """The tasks that the outcomes start."""
        return tuple(ref for refs in (self.outcomes or {}).values() for ref in refs)


@record
class GraphDraft:
    """A pipeline as its spec has it, for one target; `tasks` are in the order written."""

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
    """`pipeline`, `target`, `tasks`, `schedule`, `alerts` …: where the graph's own settings stand."""
    removed: frozenset[str] = frozenset()
    written_target: Mapping[str, str] = field(default_factory=dict)
    """The target's settings before they are folded; those that an expression made, as the expression."""
    root_name: str | None = None
    root_body: SqlBody | None = None
    query_tag: bool = True
    moved: tuple[tuple[Ref, Ref], ...] = ()
    """Of each move the old name and the new one."""
    predecessors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each task: the known tasks it follows, by `after` or as the arm of a branch, in written order."""
    tests: tuple[GraphTest, ...] = ()

    @property
    def by_name(self) -> dict[str, TaskDraft]:
        return {task.name: task for task in (*self.tasks, *self.finalizers)}
