"""The typed task graph: one pipeline for one target, with its tasks, edges and places in the spec.

Names are those of the spec (`train_model`, not `CLV$TRAIN_MODEL`); `sfml.lower` translates them into Snowflake's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.alerts import Alerts
from sfml.graph.expectations import Budget, ExpectedRuns, Size, TaskExpectation
from sfml.graph.located import Scalar

if TYPE_CHECKING:
    from sfml.graph.declared_tests import GraphTest


Value: TypeAlias = (
    "bool | int | float | str | tuple[Value, ...] | Mapping[str, Value] | Reference | Template | None"
)
"""A `with:` value: JSON, in which a leaf may be a reference that is read when the task runs."""


class Source(StrEnum):
    """Where a `${…}` is read from."""

    RESULT = "result"
    CONFIG = "config"
    RUN = "run"


@record
class Reference:
    """A reference such as `${train_model.metrics.spearman}`, `${config.threshold}` or `${run.id}`.

    For RESULT, `task` is the ancestor and `keys` the path into its result (empty for the whole result). For CONFIG and
    RUN, `keys` holds one key, and `task` is None.
    """

    source: Source
    task: str | None
    keys: tuple[str | int, ...]
    span: Span | None = field(default=None, compare=False)


@record
class Template:
    """A text with references in it: `model ${config.model_name} is done`."""

    parts: tuple[str | Reference, ...]


# -- where a task runs ------------------------------------------------------------------------------


@record
class OnWarehouse:
    warehouse: str


@record
class Serverless:
    """Serverless compute. Sizes are Snowflake's words (XSMALL … XXLARGE); `target_completion` is in seconds."""

    initial: str | None = None
    min: str | None = None
    max: str | None = None
    target_completion: int | None = None


@record
class OnPool:
    """An ML Job on a compute pool; its queries run on `warehouse`, or else on the target's warehouse."""

    pool: str
    instances: int = 1
    min_instances: int | None = None
    runtime: str | None = None
    warehouse: str | None = None
    metrics: bool = True


RunOn: TypeAlias = OnWarehouse | Serverless | OnPool


# -- what a task does -------------------------------------------------------------------------------


@record
class StepBody:
    """A step function, named `package.module.function`, with its `with:` values."""

    step: str
    arguments: Mapping[str, Value]


@record
class JobBody:
    """A script as an ML Job. `folder` is a posix path relative to the project root; `entrypoint` is relative to it."""

    folder: str
    entrypoint: str
    arguments: tuple[Value, ...] = ()


@record
class CallBody:
    """A call of an existing procedure."""

    procedure: str
    arguments: tuple[Value, ...] = ()


@record
class SqlBody:
    """A statement as written; `file` is the file it was read from, relative to the project root.

    `file` is an empty text where the path cannot be used.
    """

    text: str
    file: str | None = None


Channel: TypeAlias = Literal["email", "webhook", "queue"]
MessageFormat: TypeAlias = Literal["text", "html", "json"]


@record
class NotifyBody:
    """A message to a notification integration; recipients and subject are for email integrations only."""

    integration: str
    message: Value
    email: tuple[str, ...] = ()
    subject: Value = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    type: Channel | None = None
    format: MessageFormat = "text"


Body: TypeAlias = StepBody | JobBody | CallBody | SqlBody | NotifyBody


@record
class TaskNode:
    """One task of the graph.

    `after` holds the predecessors by their spec names, sorted, including branches that start the task. `outcomes` maps
    each declared outcome of a branch to the tasks that it starts. Times are in seconds. `imports` are folders and
    files for an ML Job's container, as posix paths relative to the project root. `spans` maps a setting (`"timeout"`,
    `"with.at_least"`, `"after"`, `""` for the task itself) to its span.
    """

    name: str
    body: Body
    run_on: RunOn
    after: tuple[str, ...] = ()
    outcomes: Mapping[str, tuple[str, ...]] | None = None
    run_if: str | None = None
    when: str | None = None
    timeout: int | None = None
    packages: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    artifact_repositories: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    external_access: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    env_vars: Mapping[str, str] = field(default_factory=dict)
    session_parameters: Mapping[str, Scalar] = field(default_factory=dict)
    execute_as_user: str | None = None
    log_level: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    """Tables and views, those of feature views among them."""
    feature_views: tuple[str, ...] = ()
    """The views of feature views, by their names in Snowflake: they must exist."""
    writes: tuple[str, ...] = ()
    comment: str | None = None
    is_finalizer: bool = False
    own_name: str | None = None
    """The task's name in Snowflake as written, if the spec sets one."""
    expect: TaskExpectation | None = field(default=None, compare=False)
    """How long it is expected to take; it is not deployed."""
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)
    defaulted: frozenset[str] = field(default=frozenset(), compare=False)
    """The settings that come from a `defaults:` block."""

    @property
    def is_branch(self) -> bool:
        return self.outcomes is not None


# -- when the graph runs ----------------------------------------------------------------------------


@record
class CronSchedule:
    """Five fields and a time zone, as Snowflake takes them in USING CRON."""

    cron: str
    timezone: str


@record
class IntervalSchedule:
    """An interval such as `every: 12h`; Snowflake takes 10 seconds to 8 days."""

    seconds: int


@record
class StreamSchedule:
    """The graph runs when one of the streams has data; `every` is the minimum interval in seconds."""

    streams: tuple[str, ...]
    every: int | None = None


@record
class Manual:
    """The graph runs only when it is executed by hand."""


Schedule: TypeAlias = CronSchedule | IntervalSchedule | StreamSchedule | Manual

Overlap: TypeAlias = Literal["NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP"]


@record
class GraphSettings:
    """The settings of the root task, with times in seconds. Without `run_on` it runs on the target's warehouse."""

    schedule: Schedule = field(default_factory=Manual)
    overlap: Overlap = "NO_OVERLAP"
    retries: int = 0
    timeout: int | None = None
    suspend_after_failures: int | None = None
    on_error: str | None = None
    on_success: str | None = None
    when: str | None = None
    run_on: OnWarehouse | Serverless | None = None
    log_level: str | None = None
    session_parameters: Mapping[str, Scalar] = field(default_factory=dict)
    execute_as_user: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    expected_runs: ExpectedRuns | None = field(default=None, compare=False)
    """How often it is expected to run; it is not deployed."""
    within: int | None = field(default=None, compare=False)
    """The time after each scheduled time within which a run should have succeeded, in seconds."""
    alerts: Alerts | None = None
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)


# -- where it goes ----------------------------------------------------------------------------------


class Mode(StrEnum):
    """Whether names are prefixed, schedules run, and files must be committed."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@record
class NewPool:
    """The settings of a compute pool that sfml creates; `auto_suspend` is in seconds.

    Without `max_nodes`, the pool gets as many nodes as the largest job needs.
    """

    instance_family: str = "CPU_X64_S"
    min_nodes: int = 1
    max_nodes: int | None = None
    auto_suspend: int = 600


@record
class Target:
    """Where a pipeline is deployed; names are folded to upper case unless they are quoted."""

    name: str
    kind: Literal["account", "local"]
    database: str
    schema: str
    warehouse: str
    stage: str = "SFML"
    connection: str | None = None
    account: str | None = None
    owner_role: str | None = None
    compute_pool: str | None = None
    mode: Mode = Mode.DEVELOPMENT
    new_pool: NewPool | None = None
    keep_deployments: int = 10
    """How many of the last deployments are kept for a rollback."""

    @property
    def is_local(self) -> bool:
        return self.kind == "local"


@record
class Seed:
    """A table that `sfml seed` loads from a file, relative to the project root, in targets other than production."""

    table: str
    file: str
    span: Span | None = field(default=None, compare=False)


@record
class TaskGraph:
    """One pipeline for one target. `tasks` is in topological order, ties in the order of the spec."""

    pipeline: str
    spec_path: str
    target: Target
    settings: GraphSettings
    tasks: tuple[TaskNode, ...]
    finalizer: TaskNode | None = None
    description: str | None = None
    config: Mapping[str, Scalar] = field(default_factory=dict)
    overridable: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    root_name: str | None = None
    """The root's name in Snowflake as written, if the spec sets one; else the root has the pipeline's name."""
    root_body: SqlBody | None = None
    """The root's own statement, if it does more than start the other tasks."""
    query_tag: bool = True
    """Whether sfml sets a QUERY_TAG for the queries of tasks."""
    own_names: Mapping[str, str] = field(default_factory=dict)
    """Task → its name in Snowflake as written, for tasks whose spec sets one."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Task → its former name, in the spec or in Snowflake."""
    tests: tuple[GraphTest, ...] = field(default=(), compare=False, repr=False)
    """The graph tests of the spec; they are not deployed."""
    sizes: Mapping[str, Size] = field(default_factory=dict, compare=False, repr=False)
    """Warehouse or compute pool of the target → its size, where the target says it; not deployed."""
    budget: Budget | None = field(default=None, compare=False, repr=False)
    _by_name: dict[str, TaskNode] = field(init=False, compare=False, repr=False, default_factory=dict)

    @property
    def all_tasks(self) -> tuple[TaskNode, ...]:
        """The tasks and, last, the finalizer."""
        return (*self.tasks, self.finalizer) if self.finalizer else self.tasks

    def task(self, name: str) -> TaskNode:
        """The task of that name; raises KeyError."""
        if not self._by_name:  # built at the first look-up
            self._by_name.update({node.name: node for node in self.all_tasks})
        return self._by_name[name]

    def ancestors(self, name: str) -> tuple[str, ...]:
        """Every task that the named task runs after, directly or over others, in the order of `tasks`."""
        by_name = {node.name: node for node in self.all_tasks}
        seen: set[str] = set()
        todo = list(by_name[name].after)
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo.extend(by_name[current].after)
        return tuple(node.name for node in self.tasks if node.name in seen)
