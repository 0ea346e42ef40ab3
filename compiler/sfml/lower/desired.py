"""What a pipeline should look like in Snowflake: comparable values that know no client.

Names are Snowflake's (`CLV$TRAIN_MODEL`), times in the units Snowflake takes. The same values become
`manifest.json`, `tasks.sql`, REST calls and `DAG` objects, and are compared with what is deployed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.located import Scalar
from sfml.graph.model import Schedule, Seed, Target


@record
class Archive:
    """An immutable zip of step code. `stage_path` is below the stage: `clv/code/<sha256>/steps.zip`."""

    sha256: str
    stage_path: str
    content: bytes = field(repr=False)
    files: tuple[tuple[str, str], ...] = ()
    """(path in the archive, sha256 of the file), sorted."""

    @property
    def size(self) -> int:
        return len(self.content)


@record
class SqlDefinition:
    """A task body that is known to the letter."""

    sql: str


@record
class MLJobDefinitionSpec:
    """A task body that `MLJobDefinition.register(…).to_sql(…)` writes when it is applied.

    `name` carries the fingerprint of all of this, so a deployed definition can be compared without a call:
    it must contain `'<DATABASE>.<SCHEMA>.<name>_'`. `payload` maps file names to contents; `stage_path` is
    the folder below the stage that the payload is uploaded to (the name is appended by the client).
    `arguments` are the command line. `preview_sql` is what `to_sql` will write, but for the runtime image.
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
    preview_sql: str = field(default="", repr=False)


Definition: TypeAlias = SqlDefinition | MLJobDefinitionSpec

Kind: TypeAlias = Literal["root", "step", "job", "call", "sql", "notify"]
"""What the spec calls it; `root` is the generated one."""


@record
class DesiredTask:
    """One Snowflake task. `name` is unqualified and folded, in quotes only where it needs them; `task` is its name
    in the spec (None: the root).

    `predecessors` and `finalize` are unqualified names, predecessors sorted. Everything that is None is
    left to Snowflake's default. `branch_of` names the branch task whose outcome starts this one, where the
    compiled form is a `DAGTaskBranch` edge; `is_branch` marks such a branch. `own_condition` is the part of
    `condition` that the edges do not add.
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
    comment: str | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    """Tables that the body is said to read and write, for privileges alone."""
    code_sha256: str | None = None
    """The archive that the body runs, when it runs a step."""
    packages: tuple[str, ...] = ()
    outcomes: Mapping[str, str] | None = None
    """Of a branch: outcome in the spec → the raw return value that Snowflake compares."""
    fingerprint: str = ""
    """sha256 over everything above but spans, bytes and previews."""
    spans: Mapping[str, Span] = field(default_factory=dict, compare=False)
    defaulted: frozenset[str] = field(default=frozenset(), compare=False)
    """The settings that a `defaults:` block of the spec gave."""


@record
class DesiredGraph:
    """A root, its tasks in topological order, and the finalizer; with the archives they run."""

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
    """Tasks that have a new name: the new one → the old one, both in Snowflake."""
    fingerprint: str = ""
    """sha256 over the tasks' fingerprints, the root's included."""

    @property
    def where(self) -> str:
        """What commands take: `specs/clv.yaml -t prod`."""
        return f"{self.spec_path} -t {self.target.name}"

    @property
    def all_tasks(self) -> tuple[DesiredTask, ...]:
        """Root first, then the tasks in order, the finalizer last."""
        return (self.root, *self.tasks, *((self.finalizer,) if self.finalizer else ()))

    def task(self, name: str) -> DesiredTask:
        """The task of that Snowflake name; raises KeyError."""
        for task in self.all_tasks:
            if task.name == name:
                return task
        raise KeyError(name)
