"""The stages of an apply, as values; a dry run prints the stages that a real run carries out.

A group holds stages that do not depend on each other; groups are carried out one after the other. Their order makes
sure that the account never holds a started graph that is partly new. First come the immutable files (code, payloads of
jobs). Then the root is suspended, the tasks are written by depth, removed tasks are dropped, and the root's record is
written. Only when all of this was read back are child tasks and root resumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from sfml.base.record import record
from sfml.lower.desired import Archive, DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.plan.artefact import Artefact, depths_of
from sfml.plan.model import Action, Plan


@record
class CreateStage:
    """Create the stage for code and state; only the first apply in a schema does so."""


@record
class UploadArchive:
    """Upload an archive of step code."""

    archive: Archive


@record
class RegisterJob:
    """Upload the payload of an ML Job, and register its definition."""

    task: DesiredTask
    spec: MLJobDefinitionSpec


@record
class OpenJournal:
    """Write the journal: the graph before, the graph that is meant, and whether the schedule is to be on at the end."""

    resume_root: bool


@record
class SuspendRoot:
    """Suspend a root task."""

    name: str


@record
class PutTask:
    """Create or change a task."""

    task: DesiredTask
    action: Action


@record
class DropTask:
    """Drop a task."""

    name: str


@record
class Verify:
    """Read the graph back, and compare it with the graph that was meant."""


@record
class ResumeGraph:
    """Resume the suspended child tasks, and then the root if the schedule is to be on."""

    name: str
    with_root: bool


@record
class NoteSchedule:
    """Write into the root's record since when the schedule is off on purpose; None removes the entry."""

    name: str
    off_since: str | None


@record
class CloseJournal:
    """Remove the journal; `undone` is the number of a deployment that is not to be kept."""

    undone: int | None = None


@record
class RemoveFiles:
    """Remove all files of the pipeline on the stage except the journal: code, payloads, runs, deployments, alerts."""


@record
class Collect:
    """Remove files and folders that are no longer needed; `paths` are relative to the stage."""

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
"""Stages that can be carried out at the same time."""


@record
class FilesToWrite:
    """What the stage lacks: archives of steps, jobs whose payload has to be written again, or the stage itself."""

    archives: tuple[Archive, ...] = ()
    broken_jobs: tuple[MLJobDefinitionSpec, ...] = ()
    has_stage: bool = True


@record
class UnfinishedApply:
    """An apply that was cut off. `tasks` are some of its tasks, which may exist without being below the root.

    `number` is that of its deployment if it is being restored; its journal exists already.
    """

    tasks: tuple[str, ...] = ()
    number: int | None = None


def stages_for(
    plan: Plan,
    desired: DesiredGraph,
    files: FilesToWrite,
    *,
    was: Artefact | None = None,
    unfinished: UnfinishedApply | None = None,
    loose_on: tuple[str, ...] = (),
) -> tuple[Group, ...]:
    """The groups of stages that carry out the plan; none if nothing has to be done.

    `was` is the deployed graph, whose edges say in which order tasks can be dropped. `loose_on` are loose tasks that
    are roots of their own and started.
    """
    if plan.is_empty and unfinished is None:
        return _whole_again(desired, files)
    writes = plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE, Action.DROP)
    if not writes and unfinished is None:
        return (*_whole_again(desired, files), *_switched(plan, desired))
    groups = _groups(plan, desired, files, was, unfinished or UnfinishedApply(), loose_on)
    return (*_stage_first(files), *(group for group in groups if group))


def removal_stages(
    artefact: Artefact,
    *,
    root_started: bool,
    unfinished: UnfinishedApply | None = None,
    with_files: bool = False,
    loose_on: tuple[str, ...] = (),
) -> tuple[Group, ...]:
    """The groups of stages that remove a graph: the root is suspended, then tasks are dropped, children first.

    With `with_files`, the files are removed after the tasks, which could need them, and before the journal.
    """
    roots = (*([artefact.root.name] if root_started else ()), *loose_on)
    off: tuple[Group, ...] = (tuple(map(SuspendRoot, roots)),) if roots else ()
    tasks = {task.name: task for task in artefact.tasks}
    undone = unfinished or UnfinishedApply()
    gone = dropped(frozenset({*artefact.names, *undone.tasks}), tasks)
    beginning: tuple[Group, ...] = ((OpenJournal(False),),) if undone.number is None else ()
    files: tuple[Group, ...] = ((RemoveFiles(),),) if with_files else ()
    return (*beginning, *off, *gone, *files, (CloseJournal(undone.number),))


def creation_groups(made: DesiredGraph, missing: Sequence[Archive], *, has_stage: bool) -> Iterator[Group]:
    """The groups that make the graph; its root stays suspended, so that nothing runs before it is executed."""
    if not has_stage:
        yield (CreateStage(),)
    jobs = (
        RegisterJob(task, task.definition)
        for task in made.all_tasks
        if isinstance(task.definition, MLJobDefinitionSpec)
    )
    yield (*map(UploadArchive, missing), *jobs)
    yield (PutTask(made.root, Action.CREATE),)
    depths = depths_of({task.name: task for task in made.all_tasks})
    for depth in range(1, max(depths.values()) + 1):
        yield tuple(PutTask(task, Action.CREATE) for task in made.all_tasks[1:] if depths[task.name] == depth)
    yield (Verify(),)
    yield (ResumeGraph(made.root.name, False),)


def noted(groups: tuple[Group, ...], plan: Plan, name: str, off_since: str | None) -> tuple[Group, ...]:
    """The groups with a `NoteSchedule`, for an apply that does not write the root.

    Snowflake accepts it only while the root is suspended, so it comes after suspending and before resuming the root.
    """
    note: Group = (NoteSchedule(name, off_since),)
    return (note, *groups) if plan.resume_root else (*groups, note)


def _stage_first(files: FilesToWrite) -> tuple[Group, ...]:
    return () if files.has_stage else ((CreateStage(),),)


def _whole_again(desired: DesiredGraph, files: FilesToWrite) -> tuple[Group, ...]:
    """The groups that upload code and payloads which deployed tasks need and the stage lacks; tasks are not changed."""
    tasks = [task for task in desired.all_tasks if task.definition in files.broken_jobs]
    group: Group = (*map(UploadArchive, files.archives), *_jobs(tasks))
    return (*_stage_first(files), group) if group else ()


def _switched(plan: Plan, desired: DesiredGraph) -> Iterator[Group]:
    """The group that only turns the schedule on or off; it is a single call, so it needs no journal."""
    name = desired.root.name
    yield (ResumeGraph(name, True),) if plan.resume_root else (SuspendRoot(name),)


def _groups(
    plan: Plan,
    desired: DesiredGraph,
    files: FilesToWrite,
    was: Artefact | None,
    unfinished: UnfinishedApply,
    loose_on: tuple[str, ...],
) -> Iterator[Group]:
    changed = plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE)
    written = {change.name: change.action for change in changed}
    root, tasks = desired.root, {task.name: task for task in desired.all_tasks}
    children = [task for task in desired.all_tasks if task.name in written and task.name != root.name]
    jobs = [task for task in desired.all_tasks if task in children or task.definition in files.broken_jobs]
    yield (*map(UploadArchive, files.archives), *_jobs(jobs))
    if unfinished.number is None:
        yield (OpenJournal(plan.resume_root),)
    yield (*([SuspendRoot(root.name)] if plan.root_started else ()), *map(SuspendRoot, loose_on))
    names = {change.name for change in plan.of(Action.DROP)} | {
        change.moved_from for change in changed if change.moved_from
    }
    gone = frozenset({*names, *unfinished.tasks} - tasks.keys())
    before = {task.name: task for task in was.tasks} if was else {}
    replaced = {change.name for change in plan.of(Action.REPLACE)}
    # A graph can have only one finalizer, so the old one is dropped before the new one is created.
    finalizers = {name for name in gone | replaced if name in before and before[name].finalize}
    yield tuple(DropTask(name) for name in sorted(finalizers))
    is_new = written.get(root.name) is Action.CREATE
    if is_new:
        yield (PutTask(root, Action.CREATE),)
    depths = depths_of(tasks)
    for depth in range(max(depths.values()) + 1):
        level = [task for task in children if depths[task.name] == depth]
        # A task that becomes the finalizer comes last, when its former children have other predecessors.
        yield tuple(DropTask(task.name) for task in level if task.name in replaced - finalizers)
        yield tuple(PutTask(task, written[task.name]) for task in level)
    yield from dropped(gone - finalizers, before)
    if not is_new:
        # The root's record names the deployed graph, so it is written after the tasks.
        yield (PutTask(root, written.get(root.name, Action.UNCHANGED)),)
    yield (Verify(),)
    yield (ResumeGraph(root.name, plan.resume_root),)
    yield (CloseJournal(unfinished.number),)


def _jobs(children: list[DesiredTask]) -> Iterator[RegisterJob]:
    for task in children:
        if isinstance(task.definition, MLJobDefinitionSpec):
            yield RegisterJob(task, task.definition)


def dropped(names: frozenset[str], tasks: Mapping[str, DesiredTask]) -> Iterator[Group]:
    """The groups that drop tasks, the greatest depth first.

    A task whose parent is dropped first would become a root of its own, and would no longer be found.
    """
    depths = depths_of(tasks)
    lowest = max(depths.values(), default=0) + 1
    for depth in range(lowest, -1, -1):
        level = sorted(name for name in names if depths.get(name, lowest) == depth)
        if level:
            yield tuple(DropTask(name) for name in level)
