"""Resolved spec → graph draft: nodes become typed values; a value that cannot be typed becomes a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from sfml.base.diagnostic import Diagnostic
from sfml.base.quoting import folded
from sfml.graph.decode_alerts import alerts_of, within_of
from sfml.graph.decode_expectations import budget_of, expected_runs, target_sizes
from sfml.graph.decode_pool import new_pool
from sfml.graph.decode_schedule import settings_of, whole_number
from sfml.graph.decode_task import sql_body, task_draft
from sfml.graph.draft import GraphDraft, TaskDraft
from sfml.graph.located import Place, Ref, Scalar
from sfml.graph.model import JobBody, Mode, Seed, SqlBody, Target
from sfml.spec.documents import ON_DISK, Documents
from sfml.spec.model import PipelineSpec, TaskSpec
from sfml.spec.nodes import ListNode, ScalarNode, entries_of, map_of, text_of

if TYPE_CHECKING:
    from sfml.graph.declared_tests import GraphTest


def graph_draft(
    spec: PipelineSpec, root: Path, documents: Documents = ON_DISK
) -> tuple[GraphDraft, tuple[Diagnostic, ...]]:
    """The draft of the pipeline, and the findings; SQL files are read from below `root`, the project's folder."""
    findings: list[Diagnostic] = []
    target = _target(spec, findings)
    tasks = _task_drafts(spec, target, root, findings, documents)
    finalizers = tuple(
        task_draft(task, spec, target, root, findings, documents=documents, is_finalizer=True)
        for task in spec.finalizers
    )
    known = {task.name for task in tasks}
    root_task = map_of(spec.graph.get("root"))
    own_name = text_of(root_task.get("name")) if root_task else None
    tagged = spec.graph.get("query_tag")
    settings = replace(
        settings_of(spec.schedule, findings),
        expected_runs=expected_runs(spec.schedule.get("expect"), findings),
        within=within_of(spec.schedule.get("expect"), findings),
        alerts=alerts_of(spec.schedule.get("alerts")),
    )
    tests: tuple[GraphTest, ...] = ()
    if spec.tests is not None:
        from sfml.graph.decode_tests import graph_tests

        tests = graph_tests(spec.tests, settings.schedule, findings)
    draft = GraphDraft(
        pipeline=spec.name,
        spec_path=spec.path,
        target=target,
        settings=settings,
        tasks=tasks,
        finalizers=finalizers,
        config=_config(spec),
        overridable=tuple(Ref(str(node.value), Place(node.span, node.path)) for node in spec.overridable),
        seeds=tuple(Seed(table, file, at) for table, file, at in spec.seeds),
        description=spec.description,
        places=_places(spec),
        removed=spec.removed,
        groups=spec.groups,
        written_target=MappingProxyType(_written_target(spec)),
        root_name=own_name,
        root_body=_root_body(spec, root, findings, documents),
        query_tag=not (isinstance(tagged, ScalarNode) and tagged.value is False),
        moved=tuple(_moves(spec)),
        predecessors=MappingProxyType(_predecessors(tasks, known)),
        tests=tests,
        sizes=target_sizes(spec.target.get("sizes"), findings),
        budget=budget_of(spec.budget),
    )
    return draft, tuple(findings)


def _task_drafts(
    spec: PipelineSpec, target: Target, root: Path, findings: list[Diagnostic], documents: Documents
) -> tuple[TaskDraft, ...]:
    """The drafts of the tasks; those of an earlier reading where they depend on nothing that has changed."""

    def draft_of(task: TaskSpec) -> TaskDraft:
        return task_draft(task, spec, target, root, findings, documents=documents)

    known = documents.known_tasks(spec.path, spec.target_name)
    if known is None:
        return tuple(map(draft_of, spec.tasks))
    known.begin_making((target, dict(spec.groups), dict(spec.passed)))
    return tuple(known.made(task, partial(draft_of, task), _reads_no_file, findings) for task in spec.tasks)


def _reads_no_file(draft: TaskDraft) -> bool:
    body = draft.node.body
    return not (isinstance(body, JobBody) or draft.node.imports or (isinstance(body, SqlBody) and body.file))


def _root_body(
    spec: PipelineSpec, root: Path, findings: list[Diagnostic], documents: Documents
) -> SqlBody | None:
    task = map_of(spec.graph.get("root"))
    node = task.get("sql") if task else None
    return None if node is None else sql_body(node, root, findings, documents)


def _moves(spec: PipelineSpec) -> Iterator[tuple[Ref, Ref]]:
    """The old and the new name of each entry of `moved`."""
    node = spec.graph.get("moved")
    for item in node.items if isinstance(node, ListNode) else ():
        names = [map_of(item).get(key) for key in ("from", "to")] if map_of(item) else []  # type: ignore[union-attr]
        refs = [
            Ref(str(name.value), Place(name.span, name.path))
            for name in names
            if isinstance(name, ScalarNode)
        ]
        if len(refs) == 2:
            yield refs[0], refs[1]


def _predecessors(tasks: tuple[TaskDraft, ...], known: set[str]) -> dict[str, tuple[str, ...]]:
    """Task → its predecessors: the tasks in its `after`, and the branches with an outcome that starts it."""
    above: dict[str, dict[str, None]] = {task.name: {} for task in tasks}
    for task in tasks:
        for ref in task.after:
            if ref.name in known and ref.name != task.name:
                above[task.name][ref.name] = None
    for task in tasks:
        for ref in task.arms:
            if ref.name in known and ref.name != task.name:
                above[ref.name][task.name] = None
    return {name: tuple(names) for name, names in above.items()}


def _target(spec: PipelineSpec, findings: list[Diagnostic]) -> Target:
    settings = {key: text_of(node) for key, _, node in entries_of(spec.target)}

    def name(key: str) -> str:
        text = settings.get(key)
        return folded(text) if text else ""

    role = settings.get("owner_role")
    return Target(
        name=spec.target_name,
        kind="local" if settings.get("kind") == "local" else "account",
        database=name("database"),
        schema=name("schema"),
        warehouse=name("warehouse"),
        stage=name("stage"),
        connection=settings.get("connection"),
        account=settings.get("account"),
        owner_role=folded(role) if role else None,
        compute_pool=name("compute_pool") or None,
        mode=Mode(settings.get("mode") or "development"),
        new_pool=new_pool(spec.target.get("create"), findings),
        keep_deployments=whole_number(spec.target.get("keep_deployments")) or 10,
    )


def _written_target(spec: PipelineSpec) -> dict[str, str]:
    nodes = {key: node.overrode or node for key, _, node in entries_of(spec.target)}
    return {key: text for key, node in nodes.items() if (text := text_of(node)) is not None}


def _config(spec: PipelineSpec) -> Mapping[str, Scalar]:
    return MappingProxyType(
        {
            key: node.value
            for key, _, node in entries_of(spec.config)
            if isinstance(node, ScalarNode) and node.value is not None
        }
    )


def _places(spec: PipelineSpec) -> Mapping[str, Place]:
    graph, target, schedule = spec.graph, spec.target, spec.schedule
    places = {
        "": Place(spec.name_node.span, ""),
        "pipeline": Place(spec.name_node.span, "pipeline"),
        "target": Place(spec.target_at, f"targets.{spec.target_name}"),
        "tasks": Place(graph.key_spans.get("tasks", graph.span), "tasks"),
        "schedule_config": Place(schedule.span, schedule.path),
    }
    for key, at, node in entries_of(target):
        places[f"target.{key}"] = Place(node.span if key in target.key_spans else at, node.path)
    for key, _, node in entries_of(schedule):
        places[f"schedule_config.{key}"] = Place(node.span, node.path)
        for inner, _, value in entries_of(node):
            places[f"schedule_config.{key}.{inner}"] = Place(value.span, value.path)
            for part, _, leaf in entries_of(value):
                places[f"schedule_config.{key}.{inner}.{part}"] = Place(leaf.span, leaf.path)
    for key, at, node in entries_of(spec.config):
        places[f"config.{key}"] = Place(at, node.path)
    for key in ("root", "moved"):
        for inner, _, node in entries_of(graph.get(key)):
            places[f"{key}.{inner}"] = Place(node.span, node.path)
    for table, _, at in spec.seeds:
        places[f"seeds.{table}"] = Place(at, f"seeds.{table}")
    return MappingProxyType(places)
