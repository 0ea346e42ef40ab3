"""What policies see and return: a compiled pipeline, its tasks and its plan as frozen values; findings; `@policy`.

Names are those of the spec, durations are seconds. This module is imported in the process of Python policies, so it
imports nothing that costs time. The fields of YAML policies are the fields of these classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, TypeVar

from sfml.base.record import record

Function = TypeVar("Function", bound=Callable[..., Any])

REGISTERED: dict[str, list[Callable[..., Any]]] = {}
"""Code → the functions that were registered under it."""


def policy(
    code: str, *, severity: str | Mapping[str, str] = "warning", help: str | None = None
) -> Callable[[Function], Function]:
    """Register a function as the policy `code`, and return the function unchanged.

    The function takes any of `pipeline`, `task` and `plan`, by these names. With `task` it is called for each task,
    else once for each pipeline and target; with `plan` only where there is a plan. It returns or yields findings, made
    by `pipeline.finding(…)`, `task.finding(…)` or `change.finding(…)`; a text is a finding about the task or pipeline.
    The first line of its docstring is the policy's title. `severity` is `error`, `warning` or `off`, or a mapping from
    targets, modes and `default` to these. All arguments are literals: policies are listed without running them.
    """

    def registered(function: Function) -> Function:
        REGISTERED.setdefault(code, []).append(function)
        return function

    return registered


@record
class Finding:
    """What a policy finds: a message of one line; `task` and `at` name the task and the setting that it is about."""

    message: str
    task: str | None = None
    at: str | None = None
    help: str | None = None


@record
class Range:
    """From `low` to `high`; `high` is None where it is unknown."""

    low: float
    high: float | None


@record
class Expectation:
    """The expected duration in seconds, and the expected share of runs that fail."""

    takes: Range | None = None
    fails: float | None = None


@record
class ServerlessSize:
    """Serverless compute: sizes in Snowflake's words, the time to complete in seconds."""

    initial: str | None = None
    min: str | None = None
    max: str | None = None
    target_completion: int | None = None


@record
class RunsOn:
    """Where a task runs: `kind` is `warehouse`, `serverless` or `pool`. A job's queries run on `warehouse`."""

    kind: str
    warehouse: str | None = None
    serverless: ServerlessSize | None = None
    pool: str | None = None
    instances: int | None = None
    min_instances: int | None = None
    runtime: str | None = None


@record
class Job:
    """A script or folder as an ML Job."""

    folder: str
    entrypoint: str


@record
class Statement:
    """A statement as written; `file` is the file that it was read from."""

    text: str
    file: str | None = None


@record
class Notification:
    """A message to a notification integration."""

    integration: str
    type: str | None = None
    email: tuple[str, ...] = ()


@record
class Task:
    """One task of a pipeline; the finalizer is one of them.

    `kind` is `step`, `job`, `call`, `sql` or `notify`. `arguments` are the values under `with`, references as text.
    `ancestors` are all tasks that it runs after, `gates` those of them that decide by their outcome what runs next.
    """

    name: str
    kind: str
    run_on: RunsOn
    step: str | None = None
    job: Job | None = None
    call: str | None = None
    sql: Statement | None = None
    notify: Notification | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    ancestors: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    finalizer: bool = False
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
    session_parameters: Mapping[str, Any] = field(default_factory=dict)
    execute_as_user: str | None = None
    log_level: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    comment: str | None = None
    expect: Expectation | None = None

    def finding(self, message: str, *, at: str | None = None, help: str | None = None) -> Finding:
        """A finding about the task; `at` is a setting of it, such as `timeout` or `run_on.pool`."""
        return Finding(message, self.name, at, help)


@record
class Schedule:
    """When a pipeline runs: `kind` is `cron`, `every`, `on_stream` or `manual`; `every` is in seconds."""

    kind: str
    cron: str | None = None
    timezone: str | None = None
    every: int | None = None
    on_stream: tuple[str, ...] = ()


@record
class Alerts:
    """The integrations that are told of runs: queues by Snowflake itself, channels by the pipeline.

    `channels` are the integrations of all channels; `told_of_failures` those that learn of a failed run.
    """

    on_error: str | None = None
    on_success: str | None = None
    channels: tuple[str, ...] = ()
    told_of_failures: tuple[str, ...] = ()


@record
class Budget:
    """The credits that a pipeline may use in a month."""

    credits_per_month: float


@record
class TargetSettings:
    """The target that the pipeline is compiled for; `kind` is `account` or `local`."""

    name: str
    kind: str
    mode: str
    database: str
    schema: str
    warehouse: str
    compute_pool: str | None = None
    account: str | None = None
    connection: str | None = None
    owner_role: str | None = None
    stage: str = "SFML"
    keep_deployments: int = 10


@record
class Pipeline:
    """One pipeline for one target. `credits_per_month` is what `sfml cost` says of it, None for a local target."""

    name: str
    spec: str
    target: TargetSettings
    schedule: Schedule
    tasks: tuple[Task, ...]
    finalizer: Task | None = None
    description: str | None = None
    overlap: str = "NO_OVERLAP"
    retries: int = 0
    timeout: int | None = None
    suspend_after_failures: int | None = None
    alerts: Alerts = Alerts()
    when: str | None = None
    log_level: str | None = None
    execute_as_user: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    overridable: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    query_tag: bool = True
    budget: Budget | None = None
    credits_per_month: Range | None = None

    def task(self, name: str) -> Task:
        """The task of that name; raises KeyError."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def finding(self, message: str, *, at: str | None = None, help: str | None = None) -> Finding:
        """A finding about the pipeline; `at` is a setting of it, such as `schedule.cron` or `alerts.on_error`."""
        return Finding(message, None, at, help)


@record
class FieldChange:
    """A setting of a deployed task, before and after."""

    path: str
    old: Any
    new: Any
    reason: str


@record
class ChangeRisk:
    """A consequence of a change."""

    label: str
    message: str


@record
class Change:
    """What a plan does to a task: `action` is create, alter, replace, move, drop or unchanged.

    `changed` are the paths of `fields`, `labels` those of `risks`. The root has the pipeline's name.
    """

    task: str
    action: str
    fields: tuple[FieldChange, ...] = ()
    risks: tuple[ChangeRisk, ...] = ()
    changed: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def finding(self, message: str, *, help: str | None = None) -> Finding:
        """A finding about the change, at the task if the spec still has it."""
        return Finding(message, self.task, None, help)


@record
class Plan:
    """What an apply would change, or in a review what a branch changes; tasks that stay as they are included."""

    changes: tuple[Change, ...]
    risks: tuple[ChangeRisk, ...] = ()
