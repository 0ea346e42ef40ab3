"""Lowering: the typed graph → the tasks as Snowflake is to hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sfml.base.quoting import folded
from sfml.base.source import Span
from sfml.graph.alert_events import with_alerts
from sfml.graph.located import Scalar
from sfml.graph.model import (
    CronSchedule,
    Manual,
    OnPool,
    OnWarehouse,
    RunOn,
    Schedule,
    Serverless,
    StepBody,
    StreamSchedule,
    TaskGraph,
    TaskNode,
)
from sfml.lower.alerting import STEP, alerts_call, has_alerts, watch_of
from sfml.lower.archives import Closure, archive_of
from sfml.lower.beyond import RECORDED, record_of
from sfml.lower.bodies import JobFiles, definition_of, kind_of, sql_definition
from sfml.lower.canonical import Json, canonical_json, fingerprint, plain
from sfml.lower.comments import root_comment
from sfml.lower.conditions import condition_of, root_condition
from sfml.lower.desired import AlertsCall, Archive, DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.named_graph import NamedGraph, named_graph
from sfml.lower.names import default_name
from sfml.lower.values import task_value

DUMMY_ROOT = SqlDefinition("select 'dag dummy root'")
"""The body of the generated root, the same text as in `snowflake.core.task.dagv1`."""


def lower(
    graph: TaskGraph, closure: Closure, version: str, *, job_files: JobFiles | None = None
) -> DesiredGraph:
    """The desired graph of a graph that has passed the checks.

    `closure` returns the files that a step needs, `job_files` those of an ML Job; `version` is that of sfml.
    """
    graph = with_alerts(graph)
    named = named_graph(graph)
    archives = archives_of(graph, closure)
    alerts = _alerts(named, closure)
    root = _fingerprinted(_root(named))
    tasks = tuple(_fingerprinted(_task(named, node, archives, job_files)) for node in graph.tasks)
    finalizer = None
    if graph.finalizer is not None:
        finalizer = _fingerprinted(_task(named, graph.finalizer, archives, job_files, alerts[1]))
    everything = (root, *tasks, *((finalizer,) if finalizer else ()))
    whole = fingerprint({task.name: task.fingerprint for task in everything})
    record: dict[str, Json] = {"fingerprint": whole, "spec": graph.spec_path, "version": version}
    if settings := record_of(everything):
        record[RECORDED] = settings
    if moved := moved_names(named):
        record["moved"] = plain(moved)
    return DesiredGraph(
        pipeline=graph.pipeline,
        spec_path=graph.spec_path,
        target=graph.target,
        root=dataclasses.replace(root, comment=root_comment(graph.description, record)),
        tasks=tasks,
        finalizer=finalizer,
        archives=tuple(sorted({*archives.values(), *alerts[0]}, key=lambda archive: archive.sha256)),
        overridable=graph.overridable,
        seeds=graph.seeds,
        description=graph.description,
        moved=moved,
        fingerprint=whole,
        within=graph.settings.within,
    )


def moved_names(named: NamedGraph) -> Mapping[str, str]:
    """Name of each moved task → its former name, both in Snowflake."""
    return {
        named.names[task]: folded(old) if _is_whole_name(old) else default_name(named.root, old)
        for task, old in named.graph.moved.items()
    }


def _is_whole_name(name: str) -> bool:
    """Whether a former name is a full name in Snowflake (`CLV$TRAIN`), not the name of a task in a spec."""
    return not name.replace("_", "").isalnum()


def archives_of(graph: TaskGraph, closure: Closure) -> Mapping[str, Archive]:
    """Step → its archive; steps with the same files share one."""
    steps = sorted({node.body.step for node in graph.all_tasks if isinstance(node.body, StepBody)} - {STEP})
    return {step: archive_of(graph.pipeline, closure(step)) for step in steps}


def _alerts(named: NamedGraph, closure: Closure) -> tuple[tuple[Archive, ...], AlertsCall | None]:
    """The archive and the call of the alerts around the finalizer; nothing for a graph without them."""
    if not has_alerts(named.graph):
        return (), None
    archive = archive_of(named.graph.pipeline, closure(STEP))
    return (archive,), alerts_call(named, archive)


def _alert_spans(graph: TaskGraph) -> Mapping[str, Span]:
    """The places of the alerts, which are settings of the schedule, for the finalizer that sends them."""
    spans = graph.settings.spans
    return {name: spans[name] for name in spans if name.partition(".")[0] == "alerts"}


def _schedule(schedule: Schedule) -> Schedule | None:
    """The schedule with the usual spelling of its time zone; None for a manual one.

    The documentation says that time zones are case-sensitive; tasks in accounts accept any case.
    https://docs.snowflake.com/en/sql-reference/parameters#timezone
    """
    match schedule:
        case Manual():
            return None
        case CronSchedule(cron, timezone) if timezone != "UTC":
            from sfml.semantics.cron import zone_name  # imported here to start up faster

            return CronSchedule(cron, zone_name(timezone))
        case _:
            return schedule


def _root(named: NamedGraph) -> DesiredTask:
    """The generated root; its comment is only the description, the record is added once the fingerprint is known."""
    graph = named.graph
    settings = graph.settings
    schedule = settings.schedule
    condition = root_condition(settings)
    root = DesiredTask(
        name=named.root,
        task=None,
        definition=DUMMY_ROOT if graph.root_body is None else sql_definition(graph.root_body),
        kind="root",
        condition=condition,
        own_condition=condition,
        schedule=_schedule(schedule),
        config=dict(graph.config) or None,
        overlap_policy=settings.overlap,
        task_auto_retry_attempts=settings.retries,
        suspend_task_after_num_failures=settings.suspend_after_failures,
        user_task_timeout_ms=_milliseconds(settings.timeout),
        error_integration=_folded(settings.on_error),
        success_integration=_folded(settings.on_success),
        session_parameters=_session_parameters(graph, None, settings.session_parameters),
        minimum_trigger_interval_seconds=schedule.every if isinstance(schedule, StreamSchedule) else None,
        execute_as_user=_folded(settings.execute_as_user),
        log_level=settings.log_level,
        tags=dict(settings.tags),
        contacts=dict(settings.contacts),
        watch=watch_of(graph),
        comment=graph.description,
        spans=settings.spans,
    )
    return _on_compute(graph, settings.run_on or OnWarehouse(graph.target.warehouse), root)


def _task(
    named: NamedGraph,
    node: TaskNode,
    archives: Mapping[str, Archive],
    job_files: JobFiles | None,
    alerts: AlertsCall | None = None,
) -> DesiredTask:
    archive = archives.get(node.body.step) if isinstance(node.body, StepBody) else None
    condition = condition_of(named, node)
    after = tuple(sorted(named.names[name] for name in node.after))
    task = DesiredTask(
        name=named.names[node.name],
        task=node.name,
        definition=definition_of(named, node, archive, job_files, alerts),
        kind=kind_of(node.body),
        predecessors=() if node.is_finalizer else after or (named.root,),
        finalize=named.root if node.is_finalizer else None,
        condition=condition.whole,
        own_condition=condition.own,
        is_branch=node.name in named.dag_branches,
        branch_of=condition.edges,
        user_task_timeout_ms=_milliseconds(node.timeout),
        session_parameters=_session_parameters(named.graph, node.name, node.session_parameters),
        execute_as_user=_folded(node.execute_as_user),
        log_level=node.log_level,
        tags=dict(node.tags),
        contacts=dict(node.contacts),
        reads=node.reads,
        writes=node.writes,
        comment=node.comment,
        code_sha256=archive.sha256 if archive else None,
        packages=node.packages,
        outcomes=dict(named.outcomes[node.name]) if node.is_branch else None,
        spans=node.spans if alerts is None else {**node.spans, **_alert_spans(named.graph)},
        defaulted=node.defaulted,
    )
    return _on_compute(named.graph, node.run_on, task)


def _on_compute(graph: TaskGraph, run_on: RunOn, task: DesiredTask) -> DesiredTask:
    match run_on:
        case OnWarehouse(warehouse):
            return dataclasses.replace(task, warehouse=folded(warehouse))
        case OnPool(warehouse=warehouse):
            # The statement that starts the job needs a warehouse; the job itself runs on its pool.
            return dataclasses.replace(task, warehouse=folded(warehouse or graph.target.warehouse))
        case Serverless(initial, smallest, largest, target_completion):
            return dataclasses.replace(
                task,
                user_task_managed_initial_warehouse_size=initial,
                serverless_task_min_statement_size=smallest,
                serverless_task_max_statement_size=largest,
                target_completion_seconds=target_completion,
            )


def _session_parameters(graph: TaskGraph, task: str | None, own: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The user's session parameters and, unless the user sets or declines it, a QUERY_TAG for costs and history."""
    parameters: dict[str, Scalar] = {name.upper(): own[name] for name in sorted(own)}
    if not graph.query_tag:
        return parameters
    tag = {"sfml": {"pipeline": graph.pipeline, **({"task": task} if task else {})}}
    return {"QUERY_TAG": canonical_json(tag), **parameters}


def _fingerprinted(task: DesiredTask) -> DesiredTask:
    return dataclasses.replace(task, fingerprint=fingerprint(task_value(task)))


def _milliseconds(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * 1000


def _folded(name: str | None) -> str | None:
    return None if name is None else folded(name)
