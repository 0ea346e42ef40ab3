"""The steps of an apply, as data: a dry run prints the same stages that a real one carries out.

The order keeps the promise that the account never holds a started graph that is half new: what is immutable
first (code, jobs), then the root off, the tasks in the order of the graph, what is gone, the children on, and
the root on again last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sfml.lower.desired import Archive, DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.plan.model import Action, Plan


@dataclass(frozen=True, slots=True)
class UploadArchive:
    archive: Archive


@dataclass(frozen=True, slots=True)
class RegisterJob:
    task: DesiredTask
    spec: MLJobDefinitionSpec


@dataclass(frozen=True, slots=True)
class OpenJournal:
    """Leave word on the stage that an apply has begun, and whether the schedule is to be on when it is done."""

    resume_root: bool


@dataclass(frozen=True, slots=True)
class SuspendRoot:
    name: str


@dataclass(frozen=True, slots=True)
class PutTask:
    task: DesiredTask
    action: Action


@dataclass(frozen=True, slots=True)
class DropTask:
    name: str


@dataclass(frozen=True, slots=True)
class ResumeTask:
    name: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Read the graph back: it must equal what was meant."""


@dataclass(frozen=True, slots=True)
class ResumeRoot:
    name: str


@dataclass(frozen=True, slots=True)
class CloseJournal:
    pass


Stage: TypeAlias = (
    UploadArchive
    | RegisterJob
    | OpenJournal
    | SuspendRoot
    | PutTask
    | DropTask
    | ResumeTask
    | Verify
    | ResumeRoot
    | CloseJournal
)


def stages_for(
    plan: Plan, desired: DesiredGraph, missing: tuple[Archive, ...], *, unfinished: bool = False
) -> tuple[Stage, ...]:
    """What carries the plan out; nothing for an empty plan without an unfinished apply."""
    if plan.is_empty and not unfinished:
        return ()
    return tuple(_stages(plan, desired, missing))


def _stages(plan: Plan, desired: DesiredGraph, missing: tuple[Archive, ...]) -> Iterator[Stage]:
    written = {
        change.name: change.action
        for change in plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE)
    }
    drops = plan.of(Action.DROP)
    root = desired.root
    children = [task for task in desired.all_tasks if task.name in written and task.name != root.name]
    for archive in missing:
        yield UploadArchive(archive)
    for task in children:
        if isinstance(task.definition, MLJobDefinitionSpec):
            yield RegisterJob(task, task.definition)
    yield OpenJournal(plan.resume_root)
    if written or drops:
        is_new = written.get(root.name) is Action.CREATE
        if plan.root_started:
            yield SuspendRoot(root.name)
        if is_new:
            yield PutTask(root, Action.CREATE)
        for task in children:
            yield PutTask(task, written[task.name])
        for change in reversed(drops):
            yield DropTask(change.name)
        if not is_new:
            # The root's record names the graph that is deployed, so it is written when the graph is there.
            yield PutTask(root, written.get(root.name, Action.UNCHANGED))
        for task in children:
            yield ResumeTask(task.name)
        yield Verify()
    elif plan.root_started and not plan.resume_root:
        yield SuspendRoot(root.name)
    if plan.resume_root and (written or drops or not plan.root_started):
        yield ResumeRoot(root.name)
    yield CloseJournal()
