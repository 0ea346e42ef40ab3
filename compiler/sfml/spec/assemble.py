"""Merging the layers of a spec into one resolved pipeline.

The defaults lie below the spec and the target's patches above it; expressions are evaluated after merging.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.record import record
from sfml.base.source import Span
from sfml.spec.expand import ExpandedTasks, expanded_tasks, no_such_task, says_what_to_run
from sfml.spec.expressions import Names, evaluated
from sfml.spec.include import IncludedTasks
from sfml.spec.known_tasks import KnownTasks
from sfml.spec.model import ForeignPatch, PipelineSpec, Project, TaskSpec
from sfml.spec.nodes import MapNode, Node, ScalarNode, entries_of, is_null, map_of, texts_of
from sfml.spec.patch import merged, merged_maps
from sfml.spec.paths import inside
from sfml.spec.shape import shape_findings

_GRAPH_KEYS = ("config", "overridable", "tasks", "finalizer")
_SCHEDULE_KINDS = ("cron", "every", "on_stream")


@record
class Layers:
    """The sources of a pipeline's values: project file, entry file, graph, schedule, and the target's two patches.

    `patches` holds the target's patch in the project file, then the one in the entry file.
    """

    project: MapNode
    entry: MapNode
    included: IncludedTasks
    schedule: MapNode | None
    patches: tuple[MapNode | None, MapNode | None]


def settings_of(node: Node | None) -> MapNode | None:
    """The schedule config that a `schedule:` stands for; `manual` and `{cron: …}` are short forms of one."""
    short = (isinstance(node, MapNode) and any(kind in node.entries for kind in _SCHEDULE_KINDS)) or (
        isinstance(node, ScalarNode) and node.value is not None
    )
    if node is not None and short:
        return MapNode({"schedule": node}, {"schedule": node.span}, node.span, node.path)
    return map_of(node)


def assembled(
    layers: Layers,
    project: Project,
    file: str,
    names: Names,
    target: tuple[str, Span, MapNode],
    findings: list[Diagnostic],
    known: KnownTasks | None = None,
) -> PipelineSpec:
    """The pipeline with all layers merged and all expressions evaluated.

    The shapes of the result are checked again, because merging and expressions can break them. All findings are
    appended to `findings`. `known` are the tasks of an earlier reading.
    """
    foreign: list[ForeignPatch] = []
    graph = _merged_graph(layers, foreign)
    findings.extend(_removals_of_nothing(layers))
    defaults = _defaults(layers)
    schedule = _evaluated_settings(_merged_schedule(layers), names, findings)
    config = _evaluated_map(graph.get("config"), names, findings, graph)
    if known is not None:
        known.begin((defaults, {name: value for name, value in names.items() if name != "git"}))
    own_tasks = map_of(graph.get("tasks"))
    tasks = expanded_tasks(own_tasks, defaults, names, findings, layers.included.bound, known)
    finalizers = expanded_tasks(map_of(graph.get("finalizer")), defaults, names, findings)
    for one in (tasks, finalizers):
        for patched, node in one.unmet:
            if node.span.file == layers.project.span.file:
                free = _without_patch(one.names, layers.patches[0])
                foreign.append(ForeignPatch(patched, node.span, node.path, free))
            else:
                findings.append(no_such_task(patched, node, _without_patch(one.names, layers.patches[1])))
    findings.extend(_arms_of_nothing(tasks.tasks, {**layers.included.passed, **tasks.passed}))
    if not has_errors(findings):
        findings.extend(_shapes(graph, config, tasks, finalizers, schedule, known))
    name_node = layers.entry.entries["pipeline"]
    assert isinstance(name_node, ScalarNode)
    description = merged(layers.entry.get("description"), _patched(layers.patches[1], "description"))
    return PipelineSpec(
        name=str(name_node.value),
        name_node=name_node,
        path=file,
        description=str(description.value).strip() if isinstance(description, ScalarNode) else None,
        target_name=target[0],
        target_at=target[1],
        target=target[2],
        tasks=tasks.tasks,
        finalizers=finalizers.tasks,
        config=config,
        overridable=texts_of(graph.get("overridable")),
        schedule=schedule,
        seeds=_seeds(layers, project, names, findings),
        graph=graph,
        removed=tasks.removed,
        groups={**_expanded_groups(layers.included.groups, tasks), **tasks.groups},
        passed={**layers.included.passed, **tasks.passed},
        foreign=tuple(foreign),
        budget=_budget(layers, names, findings),
    )


def _budget(layers: Layers, names: Names, findings: list[Diagnostic]) -> MapNode | None:
    """The budget of the entry file, with the target's patch and expressions evaluated."""
    budget = merged(layers.entry.get("budget"), _patched(layers.patches[1], "budget"))
    return map_of(evaluated(budget, names, findings)) if budget is not None else None


def _arms_of_nothing(
    tasks: tuple[TaskSpec, ...], passed: Mapping[str, tuple[str, ...]]
) -> Iterator[Diagnostic]:
    """The findings for outcomes that start an empty `for_each`: tasks after it would run without their condition."""
    for task in tasks if passed else ():
        outcomes = task.settings.get("outcomes")
        arms = outcomes.entries.values() if isinstance(outcomes, MapNode) else (outcomes,)
        for arm in (name for node in arms for name in texts_of(node)):
            if arm.value in passed:
                message = f"`{task.name}` chooses `{arm.value}`, whose `for_each` is empty"
                help = "give it a value, or leave the outcome without tasks in this target: `{outcome: []}`"
                yield Diagnostic.error("SF215", message, at=arm.span, path=arm.path, help=help)


def _expanded_groups(
    groups: Mapping[str, tuple[str, ...]], tasks: ExpandedTasks
) -> dict[str, tuple[str, ...]]:
    """The groups of included tasks, with each `for_each` among them expanded and without removed tasks."""
    known = {task.name for task in tasks.tasks}
    return {
        group: tuple(group for name in names for group in tasks.groups.get(name, (name,)) if group in known)
        for group, names in groups.items()
    }


def _patched(patch: MapNode | None, key: str) -> Node | None:
    return patch.get(key) if patch is not None else None


def _merged_graph(layers: Layers, foreign: list[ForeignPatch]) -> MapNode:
    """The graph with the target's patches, which stand under `graph:` or directly in the target.

    The project file's patch is for all pipelines: entries for tasks that this one does not have go to `foreign`.
    """
    result: Node | None = layers.included.graph.without("version")
    for index, patch in enumerate(layers.patches):
        if patch is None:
            continue
        direct = replace(patch, entries={k: v for k, v in patch.entries.items() if k in _GRAPH_KEYS})
        for part in (map_of(patch.get("graph")), direct):
            if part is not None:
                result = merged(
                    result, _only_known(part, layers.included.graph, foreign) if index == 0 else part
                )
    assert isinstance(result, MapNode)
    return result


def _without_patch(names: Iterable[str], patch: MapNode | None) -> tuple[str, ...]:
    """The tasks that the patch does not name yet: only these can be meant by another entry of it."""
    parts = (patch, map_of(patch.get("graph"))) if patch is not None else ()
    patched = {
        name
        for part in parts
        for key in ("tasks", "finalizer")
        for name, _, _ in entries_of(part.get(key) if part is not None else None)
    }
    return tuple(sorted(name for name in names if name not in patched))


def _removals_of_nothing(layers: Layers) -> Iterator[Diagnostic]:
    """The findings for tasks that the pipeline's patch removes although the graph does not have them."""
    patch = layers.patches[1]
    parts = (patch, map_of(patch.get("graph"))) if patch is not None else ()
    for key in ("tasks", "finalizer"):
        known = map_of(layers.included.graph.get(key))
        names = known.entries if known is not None else {}
        for part in parts:
            for name, at, node in entries_of(part.get(key) if part is not None else None):
                if isinstance(node, ScalarNode) and node.value is None and name not in names:
                    yield no_such_task(name, replace(node, span=at), _without_patch(names, patch))


def _only_known(patch: MapNode, graph: MapNode, foreign: list[ForeignPatch]) -> MapNode:
    """The project's patch without entries for tasks that the graph does not have; these go to `foreign`.

    An entry that defines a whole finalizer is kept for every pipeline.
    """
    entries = dict(patch.entries)
    for key in ("tasks", "finalizer"):
        patched, known = map_of(patch.get(key)), map_of(graph.get(key))
        if patched is None:
            continue
        names = _names_in(known)
        free = [name for name in names if name not in patched.entries]
        groups = tuple(f"{name}_" for name, is_group in names.items() if is_group)
        own: dict[str, Node] = {}
        for name, at, node in entries_of(patched):
            is_whole = key == "finalizer" and says_what_to_run(node)
            if name in names or name.startswith(groups) or is_whole:
                own[name] = node
            else:
                foreign.append(ForeignPatch(name, at, node.path, tuple(free)))
        entries[key] = replace(patched, entries=own)
    return replace(patch, entries=entries)


def _names_in(tasks: MapNode | None) -> dict[str, bool]:
    """Task name → whether the task has a `for_each`."""
    return {
        name: isinstance(node, MapNode) and node.get("for_each") is not None
        for name, _, node in entries_of(tasks)
    }


def _defaults(layers: Layers) -> MapNode | None:
    """The merged defaults of tasks: the project's below the pipeline's below the target's."""
    base = map_of(layers.project.get("defaults"))
    return merged_maps(
        base.without("schedule") if base else None,
        map_of(layers.entry.get("defaults")),
        *(map_of(_patched(patch, "defaults")) for patch in layers.patches),
    )


def _merged_schedule(layers: Layers) -> MapNode:
    base = map_of(layers.project.get("defaults"))
    whole = merged_maps(map_of(base.get("schedule")) if base else None, layers.schedule)
    for patch in layers.patches:
        patched = _patched(patch, "schedule")
        whole = None if is_null(patched) else merged_maps(whole, settings_of(patched))
    empty = MapNode({}, {}, layers.entry.entries["pipeline"].span, "schedule")
    return (whole or empty).without("version")


def _evaluated_map(node: Node | None, names: Names, findings: list[Diagnostic], beside: MapNode) -> MapNode:
    result = evaluated(node, names, findings) if node is not None else None
    return map_of(result) or MapNode({}, {}, beside.span, "config")


def _evaluated_settings(schedule: MapNode, names: Names, findings: list[Diagnostic]) -> MapNode:
    """The schedule config with its expressions evaluated, apart from its condition, which is SQL."""
    result = evaluated(schedule.without("when"), names, findings)
    assert isinstance(result, MapNode)
    when = schedule.get("when")
    return replace(result, entries={**result.entries, "when": when}) if when is not None else result


def _shapes(
    graph: MapNode,
    config: MapNode,
    tasks: ExpandedTasks,
    finalizers: ExpandedTasks,
    schedule: MapNode,
    known: KnownTasks | None,
) -> tuple[Diagnostic, ...]:
    """The shape findings of the merged and evaluated pipeline; there are no earlier errors at this point.

    Tasks whose shape is known to be right are left out.
    """

    def mapping(specs: Sequence[TaskSpec], key: str) -> MapNode:
        entries: dict[str, Node] = {spec.name: spec.settings for spec in specs}
        return MapNode(entries, {spec.name: spec.at for spec in specs}, graph.span, key)

    version = ScalarNode(1, graph.span, "version")

    fresh = [task for task in tasks.tasks if known is None or not known.is_fitting(task)]
    whole: dict[str, Node] = {
        "version": version,
        "config": config,
        "tasks": mapping(fresh, "tasks"),
        "finalizer": mapping(finalizers.tasks, "finalizer"),
    }
    job = shape_findings(MapNode(whole, {}, graph.span, ""), "job_config.schema.json")
    if known is not None:
        known.are_fitting([task for task in tasks.tasks if not job or known.is_fitting(task)])
    timing = MapNode({"version": version, **schedule.entries}, schedule.key_spans, schedule.span, "")
    return (*job, *shape_findings(timing, "schedule_config.schema.json"))


def _seeds(
    layers: Layers, project: Project, names: Names, findings: list[Diagnostic]
) -> tuple[tuple[str, str, Span], ...]:
    """The table, the file (relative to the project root) and the span of each seed."""
    whole = merged(layers.entry.get("seeds"), _patched(layers.patches[1], "seeds"))
    seeds: list[tuple[str, str, Span]] = []
    for table, at, node in entries_of(evaluated(whole, names, findings) if whole is not None else None):
        if isinstance(node, ScalarNode) and node.value is not None:
            file = inside(project.root, node)
            if isinstance(file, Diagnostic):
                findings.append(file)
            else:
                seeds.append((table, file, at))
    return tuple(seeds)
