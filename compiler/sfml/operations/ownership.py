"""Determines which tasks belong to the pipeline, which are strangers, and which are loose.

The records of kept deployments and the journal name the pipeline's tasks; these belong to it wherever they run. A
task below the root that neither a record nor the spec names is a stranger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sfml.account.deployed import DeployedTask
from sfml.base.errors import ConflictingState
from sfml.base.quoting import identifier, qualified, raw
from sfml.base.record import record
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import folded_name
from sfml.operations.target_account import TargetAccount
from sfml.plan.artefact import Artefact, depths_of
from sfml.plan.journal import Deployment, KeptDeployments
from sfml.plan.model import Action, ObservedGraph, ObservedTask
from sfml.plan.stage_content import StageContent
from sfml.plan.stages import DropTask, Group, PutTask

_MADE = (Action.CREATE, Action.REPLACE, Action.MOVE)


@record
class Ownership:
    """The graph without strangers, and the loose tasks of the pipeline.

    `below_loose` are strangers below loose tasks. `kept` is the last kept deployment, `names` are the names of all
    tasks of the schema; both are None if they were not read.
    """

    observed: ObservedGraph | None
    loose: tuple[ObservedTask, ...] = ()
    below_loose: tuple[ObservedTask, ...] = ()
    kept: Deployment | None = None
    names: frozenset[str] | None = None

    @property
    def strangers(self) -> tuple[ObservedTask, ...]:
        return (*(self.observed.strangers if self.observed else ()), *self.below_loose)

    @property
    def started_roots(self) -> tuple[str, ...]:
        """Loose tasks that are started roots; they must be suspended before they or tasks below them are changed."""
        return tuple(
            task.name
            for task in self.loose
            if task.started and not (task.settings["after"] or task.settings["finalize"])
        )


def ownership(
    desired: DesiredGraph,
    observed: ObservedGraph | None,
    staged: StageContent | None,
    traces: tuple[Artefact | None, ...],
    target: TargetAccount,
    *,
    thorough: bool = False,
) -> Ownership:
    """Determine ownership. Costs no call if the graph has exactly the spec's tasks, unless `thorough`.

    `traces` are the graphs of an unfinished apply. Raises `ConflictingState` for a loose task below a foreign root that
    is started, because it could only be taken back by suspending that root.
    """
    if not (thorough or traces) and _is_all_there(desired, observed):
        return Ownership(observed)
    kept = target.stage.kept(desired.pipeline) if staged and staged.deployments else KeptDeployments(())
    records = [
        *(deployment.artefact for deployment in kept.deployments),
        *(trace for trace in traces if trace),
    ]
    last = kept.deployments[-1] if kept.deployments else None
    if not records and (observed is None or observed.record is None):
        return Ownership(observed)
    wanted = {task.name for task in desired.all_tasks}
    known = {name for one in records for name in one.names}
    there = frozenset(observed.by_name if observed else ())
    ours = {*wanted, *known, *desired.moved.values()}
    if kept.unreadable or not records:
        ours |= {name for name in there if raw(name).startswith(f"{raw(desired.root.name)}$")}
    if observed is not None:
        observed = _without_strangers(observed, ours)
    lost = known - there - {desired.root.name}
    if not lost:
        return Ownership(observed, kept=last)
    deployed = target.history.deployed(desired.root.name)
    others = {folded_name(task.name): task for task in deployed.others}
    loose, below = _loose(desired, lost & others.keys(), ours, others, target)
    loose = target.tasks.all_in_doubt(loose, (last.artefact if last else None, *traces))
    names = {*others, *(folded_name(task.name) for task in deployed.tasks)}
    names |= {desired.root.name} if deployed.root else set()
    return Ownership(observed, loose, below, last, frozenset(names))


def _is_all_there(desired: DesiredGraph, observed: ObservedGraph | None) -> bool:
    if observed is None or observed.record is None:
        return False
    return observed.by_name.keys() == {task.name for task in desired.all_tasks}


def may_have_loose_tasks(own: Ownership, desired: DesiredGraph, last: Artefact | None) -> bool:
    """Whether tasks that are no longer in the spec may exist as loose tasks. `last` is the last applied graph, if read.

    A plan without changes has not read it; then only an unchanged fingerprint rules out loose tasks.
    """
    if own.observed is None or own.observed.record is None or own.names is not None:
        return False
    if last is None:
        return own.observed.record.get("fingerprint") != desired.fingerprint
    return not own.observed.by_name.keys() >= set(last.names)


def _without_strangers(observed: ObservedGraph, ours: Iterable[str]) -> ObservedGraph:
    names = frozenset(ours)
    return replace(
        observed,
        tasks=tuple(task for task in observed.tasks if task.name in names),
        strangers=tuple(task for task in observed.tasks if task.name not in names),
    )


def _loose(
    desired: DesiredGraph,
    names: set[str],
    ours: set[str],
    others: Mapping[str, DeployedTask],
    target: TargetAccount,
) -> tuple[tuple[ObservedTask, ...], tuple[ObservedTask, ...]]:
    """The loose tasks, and the strangers below them. Costs one call for each separate group of loose tasks."""
    tasks: dict[str, ObservedTask] = {}
    # A loose task below another loose task is read together with it.
    for name in sorted(names, key=lambda name: (bool(_parents(others[name]) & names), name)):
        graph = None if name in tasks else target.tasks.below(name)
        if graph is not None:
            tasks |= {task.name: task for task in (graph.root, *graph.tasks)}
            _refuse_foreign(desired, graph.root, others, names)
    every = [task for _, task in sorted(tasks.items())]
    loose = tuple(task for task in every if task.name in names)
    return loose, tuple(task for task in every if task.name not in ours)


def _parents(task: DeployedTask) -> frozenset[str]:
    return frozenset(map(folded_name, task.predecessors))


def _refuse_foreign(
    desired: DesiredGraph, task: ObservedTask, others: Mapping[str, DeployedTask], own: set[str]
) -> None:
    """Raise `ConflictingState` if the task runs below a foreign root that is started."""
    finalize = task.settings["finalize"]
    above = {finalize} if isinstance(finalize, str) else _roots_of(task.name, others)
    on = sorted(name for name in above - own if name in others and others[name].started)
    if on:
        raise ConflictingState(
            f"`{task.name}` of {desired.pipeline} runs below `{on[0]}`, which is another graph and is on;"
            " nothing was changed",
            help=f"{_altered(desired, on[0], 'SUSPEND')}, do this again, and resume it",
        )


def _roots_of(name: str, others: Mapping[str, DeployedTask]) -> frozenset[str]:
    """The roots above a task; the task itself if it has no predecessors."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in seen and current in others:
            seen.add(current)
            todo += _parents(others[current])
    return frozenset(one for one in seen if not others[one].predecessors)


def graph_to_restore(now: Artefact | None, own: Ownership) -> Artefact | None:
    """The graph for a restore: the deployed graph; if there are loose tasks, with the tasks of the last apply added."""
    if not own.loose or own.kept is None:
        return now
    kept = own.kept.artefact
    if now is None:
        return kept
    has_finalizer = any(task.finalize for task in now.tasks)
    missing = [task for task in kept.tasks if task.name not in now.names]
    tasks = [*now.tasks, *(task for task in missing if not (task.finalize and has_finalizer))]
    depths = depths_of({task.name: task for task in tasks})
    return replace(now, tasks=tuple(sorted(tasks, key=lambda task: depths[task.name])))


def protect_strangers(groups: tuple[Group, ...], own: Ownership, desired: DesiredGraph) -> None:
    """Raise `ConflictingState` if the stages would affect a stranger: drop its predecessor, or take its place."""
    root = desired.root.name
    stages = [stage for group in groups for stage in group]
    gone = {stage.name for stage in stages if isinstance(stage, DropTask)}
    has_new_finalizer = any(
        isinstance(stage, PutTask) and stage.task.finalize and stage.action in _MADE for stage in stages
    )
    for task in own.strangers:
        lost = sorted(gone.intersection(_after(task)))
        if lost:
            raise ConflictingState(
                f"`{task.name}`, which sfml did not make, runs after `{lost[0]}`, which would be dropped;"
                " nothing was changed",
                help=f"take it out first:  {taking_out(desired, own, {task.name: lost})}",
            )
        if has_new_finalizer and task.settings["finalize"] == root:
            raise ConflictingState(
                f"`{task.name}`, which sfml did not make, is the finalizer of `{root}`, and a graph takes one;"
                " nothing was changed",
                help=f"take it out first:  {taking_out(desired, own, {task.name: ()})}",
            )


def demand_one_owner(
    groups: tuple[Group, ...], own: Ownership, desired: DesiredGraph, role: str | None
) -> None:
    """Raise `ConflictingState` if the stages would link tasks of several owners, which Snowflake refuses.

    `role` is that of the session, which owns new tasks; None if it is not known.
    https://docs.snowflake.com/en/user-guide/tasks-graphs
    """
    stages = [stage for group in groups for stage in group]
    put = [stage for stage in stages if isinstance(stage, PutTask)]
    gone = {stage.name for stage in stages if isinstance(stage, DropTask)}
    there = (*(own.observed.by_name.values() if own.observed else ()), *own.loose)
    owners = {task.name: raw(task.owner) for task in there if task.owner and task.name not in gone}
    makes = any(stage.action in _MADE for stage in put)
    if not put or role is None or len({*owners.values(), *((raw(role),) if makes else ())}) < 2:
        return
    others = {name: owner for name, owner in owners.items() if owner != raw(role)}
    name, owner = next(iter(others.items()))
    raise ConflictingState(
        f"`{name}` belongs to role {owner}, and this is role {raw(role)}: tasks of one graph have one owner;"
        " nothing was changed",
        help=_one_owner_help(desired, role, others, whole=len(others) == len(owners)),
    )


def _one_owner_help(desired: DesiredGraph, role: str, others: Mapping[str, str], *, whole: bool) -> str:
    """The statements that give the session's role the tasks of others; of a whole graph, also what keeps its owner."""
    to = f"TO ROLE {identifier(role)} COPY CURRENT GRANTS"
    if whole:
        schema = qualified(desired.target.database, desired.target.schema)
        owner = next(iter(others.values()))
        all_tasks = f"GRANT OWNERSHIP ON ALL TASKS IN SCHEMA {schema} {to}"
        return f"use its role (`owner_role: {owner}` of the target), or  {all_tasks}"
    tasks = [f"GRANT OWNERSHIP ON TASK {_in_schema(desired, name)} {to}" for name in others]
    return f"{_shown(tasks, '; ')}, and do this again"


def taking_out(desired: DesiredGraph, own: Ownership, above: Mapping[str, Iterable[str]]) -> str:
    """The SQL statements that take strangers out of the graph and leave its schedule as it was.

    `above` maps each to the predecessors to remove; to none for a finalizer. Snowflake changes no task of a graph whose
    root is started.
    """
    statements = []
    for task, names in above.items():
        after = ", ".join(_in_schema(desired, name) for name in names)
        statements.append(_altered(desired, task, f"REMOVE AFTER {after}" if after else "UNSET FINALIZE"))
    if own.observed is not None and own.observed.root.started:
        root = desired.root.name
        statements = [_altered(desired, root, "SUSPEND"), *statements, _altered(desired, root, "RESUME")]
    return "; ".join(statements)


def above_strangers(own: Ownership) -> Mapping[str, tuple[str, ...]]:
    """Each stranger that runs directly below a task of the pipeline, with these tasks; none for a finalizer."""
    names = {task.name for task in own.strangers}
    return {
        task.name: ours
        for task in own.strangers
        if (ours := tuple(name for name in _after(task) if name not in names)) or task.settings["finalize"]
    }


def _after(task: ObservedTask) -> tuple[str, ...]:
    after = task.settings["after"]
    return tuple(map(str, after)) if isinstance(after, tuple) else ()


def _altered(desired: DesiredGraph, task: str, change: str) -> str:
    return f"ALTER TASK {_in_schema(desired, task)} {change}"


def _in_schema(desired: DesiredGraph, task: str) -> str:
    return qualified(desired.target.database, desired.target.schema, task)


def ownership_notes(own: Ownership, desired: DesiredGraph) -> Iterator[str]:
    """The plan's notes on loose tasks and strangers."""
    wanted = {task.name for task in desired.all_tasks}
    for words, names in (
        ("tied into the graph again", [task.name for task in own.loose if task.name in wanted]),
        ("dropped", [task.name for task in own.loose if task.name not in wanted]),
    ):
        if names:
            yield f"cut loose by hand, and {words}: {_shown(names)}"
    yield from stranger_notes(own.strangers)


def stranger_notes(strangers: tuple[ObservedTask, ...]) -> Iterator[str]:
    if strangers:
        yield f"not made by sfml, and left alone: {_shown([task.name for task in strangers])}"


def _shown(names: list[str], between: str = ", ") -> str:
    return between.join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
