"""Adds details to a plan: the last applied graph as a basis for reasons, changed files, risks and next runs.

They cost calls, so they are read only if the plan changes something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sfml.account.history import DeployedRoot, run_activity_of
from sfml.base.errors import ConflictingState, RecordUnreadable
from sfml.base.quoting import raw
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec
from sfml.operations.ownership import Ownership
from sfml.operations.target_account import TargetAccount
from sfml.plan.applied_graph import AppliedGraph, applied_graph
from sfml.plan.artefact import Artefact
from sfml.plan.code import archive_files, archive_path, changed_files, is_runtime_only
from sfml.plan.diff import location
from sfml.plan.journal import deployment_from, deployment_name
from sfml.plan.model import (
    Action,
    Change,
    ChangedFile,
    FieldChange,
    ObservedGraph,
    ObservedTask,
    Plan,
    Reason,
)
from sfml.plan.risks import graph_risks
from sfml.plan.run_activity import RunActivity, next_runs
from sfml.plan.stage_content import StageContent, state_path

MakePlan = Callable[[AppliedGraph | None], Plan]


def detailed_plan(
    make: MakePlan,
    desired: DesiredGraph,
    own: Ownership,
    staged: StageContent | None,
    target: TargetAccount,
    *,
    unfinished: bool = False,
) -> tuple[Plan, Artefact | None]:
    """The plan of `make` with reasons, changed functions, risks and next runs; and the last applied graph, if read.

    Raises `ConflictingState` if a task to be created already exists outside the graph.
    """
    plan, observed = make(None), own.observed
    now = datetime.now(UTC)
    if plan.is_empty:
        return plan, None
    applied: Artefact | None = None
    read: Mapping[str, bytes] = {}
    deployed = {**{task.name: task for task in own.loose}, **(observed.by_name if observed else {})}
    if observed is not None:
        last = last_deployment(staged, unfinished=unfinished)
        applied = _artefact_at(last, own)
        read = target.stage.contents((*(() if applied else last), *_changed_archives(plan, deployed)))
        if applied is None and last and last[0] in read:
            applied, plan = _applied(plan, last[0], read[last[0]])
        if applied is not None:
            plan = make(applied_graph(applied.tasks))
    if not unfinished:
        refuse_taken_names(plan, desired, own, target)
    if observed is not None:
        plan = replace(plan, changes=tuple(_with_files(plan, desired, deployed, read)))
    runs = next_runs(desired.root.schedule, now) if plan.resume_root or plan.root_started else ()
    plan = replace(plan, next_runs=runs)
    situation = _situation(plan, observed, target, now)
    return replace(plan, risks=tuple(graph_risks(plan, desired, situation, now))), applied


def _artefact_at(path: tuple[str, ...], own: Ownership) -> Artefact | None:
    """The graph in the record at this path, if `own` has already read it; else None."""
    kept = own.kept
    is_same = kept is not None and path[:1] == (
        state_path(kept.artefact.pipeline, deployment_name(kept.header.number)),
    )
    return kept.artefact if kept and is_same else None


def _applied(plan: Plan, path: str, content: bytes) -> tuple[Artefact | None, Plan]:
    """The last applied graph, which tells spec changes from drift; if it cannot be read, the plan gets a note."""
    try:
        return deployment_from(content).artefact, plan
    except RecordUnreadable as error:
        note = f"why something differs cannot be told: {error.message} ({path})"
        return None, replace(plan, notes=(*plan.notes, note))


def last_deployment(staged: StageContent | None, *, unfinished: bool = False) -> tuple[str, ...]:
    """The path of the record of the last finished apply, as a tuple; empty if none is kept."""
    numbers = staged.deployments if staged else ()
    numbers = numbers[:-1] if unfinished else numbers
    return (state_path(staged.pipeline, deployment_name(numbers[-1])),) if staged and numbers else ()


def _changed_archives(plan: Plan, deployed: Mapping[str, ObservedTask]) -> tuple[str, ...]:
    """The paths of the deployed archives of tasks whose code changes."""
    names = [change.name for change in plan.changes if any(field.path == "code" for field in change.fields)]
    archives = (archive_path(deployed[name].definition) for name in names)
    return tuple(dict.fromkeys(path for path in archives if path is not None))


def refuse_taken_names(plan: Plan, desired: DesiredGraph, own: Ownership, target: TargetAccount) -> None:
    """Raise `ConflictingState` if the schema already has tasks with the names to be created, outside the graph."""
    new = [change.name for change in plan.of(Action.CREATE, Action.MOVE)]
    if not new:
        return
    there = target.tasks.names() if own.names is None else own.names
    known = own.observed.by_name.keys() if own.observed else frozenset()
    clashes = [name for name in new if name in there and name not in known]
    if clashes:
        shown = ", ".join(f"`{name}`" for name in clashes[:5]) + (" …" if len(clashes) > 5 else "")
        raise ConflictingState(
            f"{location(desired)} already has {shown}, which does not belong to this graph",
            help="rename or drop it, or give the spec's task another name; nothing was changed",
        )


def _with_files(
    plan: Plan, desired: DesiredGraph, deployed: Mapping[str, ObservedTask], contents: Mapping[str, bytes]
) -> Iterator[Change]:
    """The changes with the files that differ in their code; `contents` holds the deployed archives by path."""
    read: dict[str, tuple[ChangedFile, ...]] = {}
    tasks = {task.name: task for task in desired.all_tasks}
    for change in plan.changes:
        if not any(field.path == "code" for field in change.fields):
            yield change
            continue
        path = archive_path(deployed[change.name].definition)
        new = _archive(tasks[change.name], desired)
        key = f"{path} {tasks[change.name].code_sha256}"
        if path is not None and new is not None and key not in read:
            content = contents.get(path)
            old = archive_files(content) if content is not None else None
            after = archive_files(new)
            read[key] = changed_files(old, after) if old is not None and after is not None else ()
        files = read.get(key, ())
        yield replace(
            change,
            fields=tuple(
                _code_field(field, files) if field.path == "code" else field for field in change.fields
            ),
        )


def _code_field(field: FieldChange, files: tuple[ChangedFile, ...]) -> FieldChange:
    """The change of code with its files; the reason is RUNTIME_CHANGED if only files of sfml's runtime differ."""
    is_ours = field.reason is Reason.CODE_CHANGED and is_runtime_only(files)
    return replace(field, files=files, reason=Reason.RUNTIME_CHANGED if is_ours else field.reason)


def _archive(task: DesiredTask, desired: DesiredGraph) -> bytes | None:
    if isinstance(task.definition, MLJobDefinitionSpec):
        return task.definition.payload.get("steps.zip")
    return next((archive.content for archive in desired.archives if archive.sha256 == task.code_sha256), None)


def _situation(
    plan: Plan, observed: ObservedGraph | None, target: TargetAccount, now: datetime
) -> RunActivity:
    changes = plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE, Action.DROP)
    if observed is None or not changes:
        return RunActivity()
    root = DeployedRoot(raw(observed.root.name), observed.root.id, observed.root.started, None, None)
    return run_activity_of(target.history.rows(root), now)
