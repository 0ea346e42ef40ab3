"""Carries out the stages of a plan through the ports, and tells what happens as it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from sfml.errors import ConflictingState
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.plan.diff import make_plan
from sfml.plan.model import Action
from sfml.plan.settings import RECORD_PREFIX, split_comment
from sfml.plan.stages import (
    CloseJournal,
    DropTask,
    OpenJournal,
    PutTask,
    RegisterJob,
    ResumeRoot,
    ResumeTask,
    Stage,
    SuspendRoot,
    UploadArchive,
    Verify,
)
from sfml.ports import Code, Tasks

OnStage: TypeAlias = Callable[[Stage], None]


@dataclass(slots=True)
class _Progress:
    """What the stages so far have learnt: the statements that registered jobs gave."""

    job_sql: dict[str, str] = field(default_factory=dict)


def deploy(
    stages: tuple[Stage, ...],
    desired: DesiredGraph,
    tasks: Tasks,
    code: Code,
    *,
    provenance: Mapping[str, str] | None = None,
    on_done: OnStage | None = None,
) -> None:
    """Carry out every stage in order; raises what the account answers, leaving the root suspended.

    `provenance` (commit, user) goes into the root's record and is never compared.
    """
    progress = _Progress()
    for stage in stages:
        _carry_out(stage, desired, tasks, code, progress, provenance or {})
        if on_done is not None:
            on_done(stage)


def _carry_out(
    stage: Stage,
    desired: DesiredGraph,
    tasks: Tasks,
    code: Code,
    progress: _Progress,
    provenance: Mapping[str, str],
) -> None:
    match stage:
        case UploadArchive(archive):
            code.upload(archive)
        case RegisterJob(task, spec):
            progress.job_sql[task.name] = code.register_job(spec)
        case OpenJournal(resume_root):
            code.write_journal(
                desired.pipeline, {"resume_root": resume_root, "fingerprint": desired.fingerprint}
            )
        case SuspendRoot(name):
            # Snowflake refuses to change any task of a graph whose root is started (091421).
            # https://docs.snowflake.com/en/sql-reference/sql/alter-task
            tasks.suspend(name)
        case PutTask(task):
            tasks.put(task, definition_sql(task, progress.job_sql), stamped_comment(task, provenance))
        case DropTask(name):
            tasks.drop(name)
        case ResumeTask(name) | ResumeRoot(name):
            tasks.resume(name)
        case Verify():
            _verify(desired, tasks)
        case CloseJournal():
            code.remove_journal(desired.pipeline)
        case _:
            assert_never(stage)


def definition_sql(task: DesiredTask, job_sql: Mapping[str, str]) -> str:
    """The statement that the task runs; an ML Job's comes from its registration."""
    match task.definition:
        case SqlDefinition(sql):
            return sql
        case MLJobDefinitionSpec():
            return job_sql[task.name]
        case _:
            assert_never(task.definition)


def stamped_comment(task: DesiredTask, provenance: Mapping[str, str]) -> str | None:
    """The comment with who deployed it and from which commit in the root's record."""
    text, record = split_comment(task.comment)
    if record is None or not provenance:
        return task.comment
    line = RECORD_PREFIX + json.dumps({**record, **provenance}, sort_keys=True, separators=(",", ":"))
    return f"{text}\n{line}"


def _verify(desired: DesiredGraph, tasks: Tasks) -> None:
    """Raise when the account does not hold what was just written to it."""
    left = make_plan(desired, tasks.observed(desired.root.name))
    wrong = left.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.DROP)
    if wrong:
        details = ", ".join(
            f"{change.task} ({'; '.join(field.path for field in change.fields) or change.action.value})"
            for change in wrong
        )
        raise ConflictingState(
            f"after the apply the account differs from the spec: {details}",
            help="the schedule stays off; look at `sfml plan`, then run `sfml apply` again",
        )
