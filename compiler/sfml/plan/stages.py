"""The steps of an apply, as data: a dry run prints the same stages that a real one carries out.

A group holds stages that do not depend on each other; groups follow one another. Their order keeps the promise that
the account never holds a started graph that is half new: what is immutable first (code, jobs), then the root off,
the tasks level by level, what is gone, the root's record, and only when all of it has been read back the children
and the root on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from sfml.base.record import record
from sfml.lower.desired import Archive, DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.plan.artefact import Artefact, depths_of
from sfml.plan.model import Action, Plan


@record
class CreateStage:
    """Make the stage that holds code and state; only the first apply in a schema has it to do."""


@record
class UploadArchive:
    archive: Archive


@record
class RegisterJob:
    task: DesiredTask
    spec: MLJobDefinitionSpec


@record
class OpenJournal:
    """Leave word on the stage: what was, what is meant, and whether the schedule is to be on when it is done."""

    resume_root: bool


@record
class SuspendRoot:
    name: str


@record
class PutTask:
    task: DesiredTask
    action: Action


@record
class DropTask:
    name: str


@record
class Verify:
    """Read the graph back: it must equal what was meant."""


@record
class ResumeGraph:
    """Turn on the children that are off, and then the root if it is to be on."""

    name: str
    with_root: bool


@record
class NoteSchedule:
    """Write into the root's record that the schedule is off on purpose, or that it is not any more (None)."""

    name: str
    off_since: str | None


@record
class CloseJournal:
    """Take the journal away; `undone` is the number of a deployment that is not to be kept."""

    undone: int | None = None


@record
class RemoveFiles:
    """Remove all that the pipeline has on the stage but its journal: code, jobs, files of runs, kept deployments."""


@record
class Collect:
    """Remove what nothing needs any more: folders and files, below the stage."""

    paths: tuple[str, ...]


Stage: TypeAlias = (
    CreateStage
    | UploadArchive
    | RegisterJob
    | OpenJournal
    | SuspendRoot
    | PutTask
    | DropTask
    | Verify
    | ResumeGraph
    | NoteSchedule
    | CloseJournal
    | RemoveFiles
    | Collect
)

Group: TypeAlias = "tuple[Stage, ...]"
"""Stages that may be carried out at the same time."""


def stages_for(
    plan: Plan,
    desired: DesiredGraph,
    missing: tuple[Archive, ...],
    *,
    has_stage: bool = True,
    was: Artefact | None = None,
    unfinished: bool = False,
    leftover: tuple[str, ...] = (),
    undone: int | None = None,
    broken: tuple[MLJobDefinitionSpec, ...] = (),
    loose_on: tuple[str, ...] = (),
) -> tuple[Group, ...]:
    """What carries the plan out; nothing for an empty plan without an unfinished apply and with a whole stage.

    `was` is the deployed graph, whose links say in which order tasks can be dropped. `leftover` are tasks of an
    apply that was cut off, which may be there without being linked to the root. `undone` is the number of a
    deployment that was cut off and is put back, whose journal is there already. `broken` are jobs whose payload
    is to be written anew. `loose_on` are tasks of ours that somebody made roots of their own and turned on.
    """
    if plan.is_empty and not unfinished:
        return _whole_again(desired, missing, broken, has_stage)
    writes = plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE, Action.DROP) or unfinished
    if not writes:
        return (*_whole_again(desired, missing, broken, has_stage), *_switched(plan, desired))
    groups = _groups(plan, desired, missing, was, leftover, undone, broken, loose_on)
    return (*(() if has_stage else ((CreateStage(),),)), *(group for group in groups if group))


def removal_stages(
    artefact: Artefact,
    *,
    root_started: bool,
    leftover: tuple[str, ...] = (),
    undone: int | None = None,
    with_files: bool = False,
    loose_on: tuple[str, ...] = (),
) -> tuple[Group, ...]:
    """What takes a whole graph away: the root off, then children before their parents, the root last.

    Its files go `with_files` when no task is left that could need them, and before the journal.
    """
    roots = (*([artefact.root.name] if root_started else ()), *loose_on)
    off: tuple[Group, ...] = (tuple(map(SuspendRoot, roots)),) if roots else ()
    tasks = {task.name: task for task in artefact.tasks}
    gone = _dropped(frozenset({*artefact.names, *leftover}), tasks)
    opened: tuple[Group, ...] = ((OpenJournal(False),),) if undone is None else ()
    files: tuple[Group, ...] = ((RemoveFiles(),),) if with_files else ()
    return (*opened, *off, *gone, *files, (CloseJournal(undone),))


def noted(groups: tuple[Group, ...], plan: Plan, name: str, off_since: str | None) -> tuple[Group, ...]:
    """The groups with the note on the schedule, where no task is written that would carry it.

    Snowflake takes it only while the root is suspended: after turning the schedule off, before turning it on.
    """
    note: Group = (NoteSchedule(name, off_since),)
    return (note, *groups) if plan.resume_root else (*groups, note)


def _whole_again(
    desired: DesiredGraph,
    missing: tuple[Archive, ...],
    broken: tuple[MLJobDefinitionSpec, ...],
    has_stage: bool,
) -> tuple[Group, ...]:
    """What writes code that the deployed tasks run and the stage does not have whole; the tasks stay as they are."""
    tasks = [task for task in desired.all_tasks if task.definition in broken]
    group = (*map(UploadArchive, missing), *_jobs(tasks))
    if not group:
        return ()
    return (*(() if has_stage else ((CreateStage(),),)), group)


def _switched(plan: Plan, desired: DesiredGraph) -> Iterator[Group]:
    """Only the schedule goes on or off: one call, which happens or does not, and needs no journal."""
    name = desired.root.name
    yield (ResumeGraph(name, True),) if plan.resume_root else (SuspendRoot(name),)


def _groups(
    plan: Plan,
    desired: DesiredGraph,
    missing: tuple[Archive, ...],
    was: Artefact | None,
    leftover: tuple[str, ...],
    undone: int | None,
    broken: tuple[MLJobDefinitionSpec, ...],
    loose_on: tuple[str, ...],
) -> Iterator[Group]:
    changed = plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE)
    written = {change.name: change.action for change in changed}
    root, tasks = desired.root, {task.name: task for task in desired.all_tasks}
    children = [task for task in desired.all_tasks if task.name in written and task.name != root.name]
    jobs = [task for task in desired.all_tasks if task in children or task.definition in broken]
    yield (*map(UploadArchive, missing), *_jobs(jobs))
    if undone is None:
        yield (OpenJournal(plan.resume_root),)
    yield (*([SuspendRoot(root.name)] if plan.root_started else ()), *map(SuspendRoot, loose_on))
    names = {change.name for change in plan.of(Action.DROP)} | {
        one.moved_from for one in changed if one.moved_from
    }
    gone = frozenset({*names, *leftover} - tasks.keys())
    before = {task.name: task for task in was.tasks} if was else {}
    replaced = {change.name for change in plan.of(Action.REPLACE)}
    # A graph takes one finalizer: the old one goes before the new one comes.
    finalizers = {name for name in gone | replaced if name in before and before[name].finalize}
    yield tuple(DropTask(name) for name in sorted(finalizers))
    is_new = written.get(root.name) is Action.CREATE
    if is_new:
        yield (PutTask(root, Action.CREATE),)
    depths = depths_of(tasks)
    for depth in range(max(depths.values()) + 1):
        level = [task for task in children if depths[task.name] == depth]
        # What is to be the finalizer, and stands last, has lost its children by now.
        yield tuple(DropTask(task.name) for task in level if task.name in replaced - finalizers)
        yield tuple(PutTask(task, written[task.name]) for task in level)
    yield from _dropped(gone - finalizers, before)
    if not is_new:
        # The root's record names the graph that is deployed, so it is written when the graph is there.
        yield (PutTask(root, written.get(root.name, Action.UNCHANGED)),)
    yield (Verify(),)
    yield (ResumeGraph(root.name, plan.resume_root),)
    yield (CloseJournal(undone),)


def _jobs(children: list[DesiredTask]) -> Iterator[RegisterJob]:
    for task in children:
        if isinstance(task.definition, MLJobDefinitionSpec):
            yield RegisterJob(task, task.definition)


def _dropped(names: frozenset[str], tasks: Mapping[str, DesiredTask]) -> Iterator[Group]:
    """The lowest level first: a task whose parent is dropped would become a root of its own, and be lost sight of."""
    depths = depths_of(tasks)
    lowest = max(depths.values(), default=0) + 1
    for depth in range(lowest, -1, -1):
        level = sorted(name for name in names if depths.get(name, lowest) == depth)
        if level:
            yield tuple(DropTask(name) for name in level)
