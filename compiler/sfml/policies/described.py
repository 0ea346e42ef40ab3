"""A task graph and a plan as policies see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sfml.base.quoting import raw
from sfml.graph.alert_events import events_of
from sfml.graph.model import (
    CallBody,
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    JobBody,
    NotifyBody,
    OnPool,
    OnWarehouse,
    Reference,
    RunOn,
    Serverless,
    Source,
    SqlBody,
    StepBody,
    StreamSchedule,
    Target,
    TaskGraph,
    TaskNode,
    Template,
    Value,
)
from sfml.policies.interface import (
    Alerts,
    Budget,
    Change,
    ChangeRisk,
    Expectation,
    FieldChange,
    Job,
    Notification,
    Pipeline,
    Plan,
    Range,
    RunsOn,
    Schedule,
    ServerlessSize,
    Statement,
    TargetSettings,
    Task,
)


def pipeline_of(graph: TaskGraph, credits: Range | None = None) -> Pipeline:
    """The pipeline; `credits` are what it costs a month, if that was worked out."""
    settings = graph.settings
    before = _ancestors(graph)
    tasks = tuple(_task(graph, node, before) for node in graph.all_tasks)
    return Pipeline(
        name=graph.pipeline,
        spec=graph.spec_path,
        target=_target(graph.target),
        schedule=_schedule(settings),
        tasks=tasks,
        finalizer=tasks[-1] if graph.finalizer is not None else None,
        description=graph.description,
        overlap=settings.overlap,
        retries=settings.retries,
        timeout=settings.timeout,
        suspend_after_failures=settings.suspend_after_failures,
        alerts=_alerts(graph),
        when=settings.when,
        log_level=settings.log_level,
        execute_as_user=settings.execute_as_user,
        tags=dict(settings.tags),
        contacts=dict(settings.contacts),
        config=dict(graph.config),
        overridable=graph.overridable,
        seeds=tuple(seed.table for seed in graph.seeds),
        tests=tuple(test.name for test in graph.tests),
        query_tag=graph.query_tag,
        budget=Budget(graph.budget.credits_per_month) if graph.budget is not None else None,
        credits_per_month=credits,
    )


def plan_of(changes: Iterable[Mapping[str, Any]], risks: Iterable[Mapping[str, Any]]) -> Plan:
    """The plan, from the entries of `changes` and `risks` of a plan's JSON."""
    return Plan(tuple(_change(change) for change in changes), tuple(_risk(risk) for risk in risks))


def _change(change: Mapping[str, Any]) -> Change:
    fields = tuple(
        FieldChange(one["path"], one["old"], one["new"], one["reason"]) for one in change["fields"]
    )
    risks = tuple(_risk(risk) for risk in change["risks"])
    return Change(
        change["task"],
        change["action"],
        fields,
        risks,
        changed=tuple(field.path for field in fields),
        labels=tuple(dict.fromkeys(risk.label for risk in risks)),
    )


def _risk(risk: Mapping[str, Any]) -> ChangeRisk:
    return ChangeRisk(risk["label"], risk["message"])


def _target(target: Target) -> TargetSettings:
    return TargetSettings(
        name=target.name,
        kind=target.kind,
        mode="local" if target.is_local else str(target.mode),
        database=_name(target.database),
        schema=_name(target.schema),
        warehouse=_name(target.warehouse),
        compute_pool=_named(target.compute_pool),
        account=target.account,
        connection=target.connection,
        owner_role=_named(target.owner_role),
        stage=target.stage,
        keep_deployments=target.keep_deployments,
    )


def _alerts(graph: TaskGraph) -> Alerts:
    settings = graph.settings
    channels = settings.alerts.channels if settings.alerts is not None else ()
    told = [
        channel.integration for channel in channels if "failure" in events_of(channel, settings, graph.tasks)
    ]
    if settings.on_error is not None:
        told.append(settings.on_error)
    last = graph.finalizer.body if graph.finalizer is not None else None
    if isinstance(last, NotifyBody):
        told.append(last.integration)
    return Alerts(
        settings.on_error,
        settings.on_success,
        channels=tuple(channel.integration for channel in channels),
        told_of_failures=tuple(dict.fromkeys(told)),
    )


def _name(written: str) -> str:
    """The name of an object as the account has it: upper case unless it is quoted."""
    return raw(written)


def _named(written: str | None) -> str | None:
    return None if written is None else _name(written)


def _schedule(settings: GraphSettings) -> Schedule:
    match settings.schedule:
        case CronSchedule(cron, timezone):
            return Schedule("cron", cron=cron, timezone=timezone)
        case IntervalSchedule(seconds):
            return Schedule("every", every=seconds)
        case StreamSchedule(streams, every):
            return Schedule("on_stream", on_stream=streams, every=every)
        case _:
            return Schedule("manual")


def _ancestors(graph: TaskGraph) -> Mapping[str, tuple[str, ...]]:
    """Task → every task that it runs after, in the order of the graph; the finalizer runs after all."""
    ranks = {node.name: rank for rank, node in enumerate(graph.tasks)}
    above: dict[str, set[str]] = {}
    for node in graph.tasks:
        above[node.name] = set(node.after).union(*(above[name] for name in node.after))
    found = {name: tuple(sorted(names, key=ranks.__getitem__)) for name, names in above.items()}
    return found if graph.finalizer is None else {**found, graph.finalizer.name: tuple(ranks)}


def _task(graph: TaskGraph, node: TaskNode, ancestors: Mapping[str, tuple[str, ...]]) -> Task:
    before = ancestors[node.name]
    body = node.body
    return Task(
        name=node.name,
        kind=_kind(node),
        run_on=_runs_on(node.run_on),
        step=body.step if isinstance(body, StepBody) else None,
        job=Job(body.folder, body.entrypoint) if isinstance(body, JobBody) else None,
        call=body.procedure if isinstance(body, CallBody) else None,
        sql=Statement(body.text, body.file) if isinstance(body, SqlBody) else None,
        notify=Notification(body.integration, body.type, body.email)
        if isinstance(body, NotifyBody)
        else None,
        arguments={key: _plain(value) for key, value in body.arguments.items()}
        if isinstance(body, StepBody)
        else {},
        after=node.after,
        ancestors=before,
        gates=() if node.is_finalizer else tuple(name for name in before if graph.task(name).is_branch),
        outcomes=tuple(node.outcomes or ()),
        finalizer=node.is_finalizer,
        run_if=node.run_if,
        when=node.when,
        timeout=node.timeout,
        packages=node.packages,
        pip=node.pip,
        artifact_repositories=node.artifact_repositories,
        imports=node.imports,
        external_access=node.external_access,
        secrets=dict(node.secrets),
        env_vars=dict(node.env_vars),
        session_parameters=dict(node.session_parameters),
        execute_as_user=node.execute_as_user,
        log_level=node.log_level,
        tags=dict(node.tags),
        contacts=dict(node.contacts),
        reads=node.reads,
        writes=node.writes,
        comment=node.comment,
        expect=_expectation(node),
    )


def _kind(node: TaskNode) -> str:
    kinds = {StepBody: "step", JobBody: "job", CallBody: "call", SqlBody: "sql", NotifyBody: "notify"}
    return kinds[type(node.body)]


def _runs_on(run_on: RunOn) -> RunsOn:
    match run_on:
        case OnWarehouse(warehouse):
            return RunsOn("warehouse", warehouse=_name(warehouse))
        case Serverless(initial, smallest, largest, completion):
            return RunsOn("serverless", serverless=ServerlessSize(initial, smallest, largest, completion))
        case OnPool():
            return RunsOn(
                "pool",
                warehouse=_named(run_on.warehouse),
                pool=_name(run_on.pool),
                instances=run_on.instances,
                min_instances=run_on.min_instances,
                runtime=run_on.runtime,
            )


def _expectation(node: TaskNode) -> Expectation | None:
    expect = node.expect
    if expect is None:
        return None
    return Expectation(
        Range(expect.takes.low, expect.takes.high) if expect.takes is not None else None, expect.fails
    )


def _plain(value: Value) -> Any:
    """A `with:` value as JSON; references are written as in the spec."""
    match value:
        case Reference():
            return _written(value)
        case Template(parts):
            return "".join(part if isinstance(part, str) else _written(part) for part in parts)
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _written(reference: Reference) -> str:
    first = reference.task if reference.source is Source.RESULT else str(reference.source)
    rest = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in reference.keys)
    return f"${{{first}{rest}}}"
