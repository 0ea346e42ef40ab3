"""The desired graph: the tasks as Snowflake is to hold them, as comparable values that need no client.

Names are those in Snowflake (`CLV$TRAIN_MODEL`), times in Snowflake's units. These values are written to
`manifest.json`, `tasks.sql`, REST calls and `DAG` objects, and compared with the deployed tasks.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.located import Scalar
from sfml.graph.model import Schedule, Seed, Target


@record
class Archive:
    """An immutable zip of step code. `stage_path` is its path below the stage: `clv/code/<sha256>/steps.zip`."""

    sha256: str
    stage_path: str
    content: bytes = field(repr=False)
    files: tuple[tuple[str, str], ...] = ()
    """(path in the archive, sha256 of the file), sorted."""

    @property
    def size(self) -> int:
        return len(self.content)


@record
class AlertsCall:
    """The call of the procedure that sends alerts: its JSON argument, and the archive with its path on the stage."""

    json: str
    sha256: str
    archive: str


@record
class SqlDefinition:
    """A task body that is a statement."""

    sql: str


@record
class MLJobDefinitionSpec:
    """A task body that starts an ML Job; `MLJobDefinition.register(…).to_sql(…)` writes its statement at apply.

    `name` contains the fingerprint of the definition. So a deployed body can be compared without a call: it is the
    same if it contains `'<DATABASE>.<SCHEMA>.<name>_'`. `payload` maps file names to contents. `stage_path` is the
    folder below the stage to which the payload is uploaded; the client appends the name. `arguments` are the command
    line. `preview_sql` is the statement that `to_sql` will write, except for the image of the runtime.
    """

    name: str
    entrypoint: str
    payload: Mapping[str, bytes] = field(repr=False)
    payload_sha256: str
    stage_path: str
    pool: str
    arguments: tuple[str, ...] = ()
    instances: int = 1
    min_instances: int | None = None
    runtime: str | None = None
    warehouse: str | None = None
    metrics: bool = True
    pip: tuple[str, ...] = ()
    artifact_repositories: tuple[str, ...] = ()
    external_access: tuple[str, ...] = ()
    env_vars: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Environment variable → the secret whose text it holds."""
    alerts: AlertsCall | None = None
    """The alerts around the statement, for the job of a finalizer."""
    preview_sql: str = field(default="", repr=False)


Definition: TypeAlias = SqlDefinition | MLJobDefinitionSpec

Kind: TypeAlias = Literal["root", "step", "job", "call", "sql", "notify"]
"""The key in the spec that makes the task; `root` is the generated root."""


@record
class DesiredTask:
    """One task in Snowflake. `name` is unqualified and folded; `task` is its name in the spec, None for the root.

    `predecessors` (sorted) and `finalize` are unqualified names. A setting of None has Snowflake's default. `is_branch`
    is true for a branch that is lowered to a `DAGTaskBranch`; `branch_of` names such branches with an outcome that
    starts this task. `own_condition` is the part of `condition` that a `DAGTaskBranch` does not add.
    """

    name: str
    task: str | None
    definition: Definition
    kind: Kind = "sql"
    warehouse: str | None = None
    predecessors: tuple[str, ...] = ()
    finalize: str | None = None
    condition: str | None = None
    own_condition: str | None = None
    is_branch: bool = False
    branch_of: tuple[str, ...] = ()
    schedule: Schedule | None = None
    config: Mapping[str, Scalar] | None = None
    overlap_policy: str | None = None
    task_auto_retry_attempts: int | None = None
    suspend_task_after_num_failures: int | None = None
    user_task_timeout_ms: int | None = None
    error_integration: str | None = None
    success_integration: str | None = None
    session_parameters: Mapping[str, Scalar] = field(default_factory=dict)
    user_task_managed_initial_warehouse_size: str | None = None
    serverless_task_min_statement_size: str | None = None
    serverless_task_max_statement_size: str | None = None
    target_completion_seconds: int | None = None
    minimum_trigger_interval_seconds: int | None = None
    execute_as_user: str | None = None
    log_level: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    watch: Mapping[str, Scalar] = field(default_factory=dict)
    """For a root: what a watching pipeline is to know of its graph; it stands in the root's record."""
    comment: str | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """Tables that the spec declares for the body; used for privileges only."""
    code_sha256: str | None = None
    """The sha256 of the archive that the body runs, if it runs a step."""
    packages: tuple[str, ...] = ()
    outcomes: Mapping[str, str] | None = None
    """Outcome of a branch in the spec → the return value that Snowflake compares."""
    fingerprint: str = ""
    """The sha256 over `task_value` of the task."""
    body_mark: str | None = None
    """In an outline, which has no definition: what tells the body from any other one (`plan/bodies.py`)."""
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)
    defaulted: frozenset[str] = field(default=frozenset(), compare=False)
    """The settings that come from a `defaults:` block of the spec."""


@record
class DesiredGraph:
    """A root, its tasks in topological order, the finalizer, and the archives of their step code."""

    pipeline: str
    spec_path: str
    target: Target
    root: DesiredTask
    tasks: tuple[DesiredTask, ...]
    finalizer: DesiredTask | None
    archives: tuple[Archive, ...]
    overridable: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    description: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    """Name of a moved task → its former name, both in Snowflake."""
    fingerprint: str = ""
    """The sha256 over the fingerprints of all tasks, including the root."""
    within: int | None = field(default=None, compare=False)
    """The seconds after each scheduled time within which a run should have succeeded."""

    @property
    def where(self) -> str:
        """The arguments for commands on this pipeline and target, as a shell takes them: `specs/clv.yaml -t prod`."""
        return f"{shlex.quote(self.spec_path)} -t {self.target.name}"

    @property
    def all_tasks(self) -> tuple[DesiredTask, ...]:
        """The root, then the tasks in topological order, then the finalizer."""
        return (self.root, *self.tasks, *((self.finalizer,) if self.finalizer else ()))

    def task(self, name: str) -> DesiredTask:
        """The task with that name in Snowflake; raises KeyError."""
        for task in self.all_tasks:
            if task.name == name:
                return task
        raise KeyError(name)
