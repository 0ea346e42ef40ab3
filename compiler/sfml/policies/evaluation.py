"""Applying policies to compiled pipelines: their findings, at the places in the specs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, Severity, first_of
from sfml.base.record import record
from sfml.base.source import Span
from sfml.graph.durations import in_words
from sfml.graph.model import TaskGraph
from sfml.policies.described import pipeline_of
from sfml.policies.fields import field_at, value_at
from sfml.policies.interface import Pipeline, Plan, Range, Task
from sfml.policies.model import FieldRule, FunctionRule, Level, Policy, PolicySet
from sfml.policies.process import Call, CallResult, run_policies
from sfml.policies.values import jsonable
from sfml.policies.yaml_policies import filled

_LEVELS = {Level.ERROR: Severity.ERROR, Level.WARNING: Severity.WARNING}
_MOST_OF_VALUE = 80
_MOST_NAMED = 5


@record
class Subject:
    """What policies look at: a compiled pipeline, and a plan if there is one."""

    graph: TaskGraph
    plan: Plan | None = None
    plan_only: bool = False
    """Whether only policies over the plan are meant."""


@record
class Evaluation:
    """The findings of each subject, and findings about policies that could not be applied as they should."""

    by_subject: tuple[tuple[Diagnostic, ...], ...]
    about_policies: tuple[Diagnostic, ...] = ()
    evaluated: frozenset[str] = frozenset()
    """The codes of the policies that were applied to every subject that they are on for."""


def evaluate(policies: PolicySet, subjects: Sequence[Subject], *, runs_python: bool) -> Evaluation:
    """Apply every policy that is on. `runs_python` says that the policies in Python are trusted.

    Without it, or where the project file does not allow them, they are named in a finding.
    """
    pipelines = [_pipeline(policies, subject.graph) for subject in subjects]
    found: list[list[Diagnostic]] = [[] for _ in subjects]
    calls: list[Call] = []
    for policy in policies.policies:
        on = [
            place
            for place, subject in enumerate(subjects)
            if policies.level(policy, subject.graph.target) is not Level.OFF and _is_meant(policy, subject)
        ]
        match policy.rule:
            case FieldRule():
                for place in on:
                    findings = _of_field(policies, policy, subjects[place], pipelines[place])
                    found[place] += first_of(findings, MAX_FINDINGS)
            case FunctionRule():
                if on:
                    calls.append(Call(policy, tuple(on)))
    about: tuple[Diagnostic, ...] = ()
    unrun: frozenset[str] = frozenset()
    if calls and policies.settings.python and runs_python:
        about, unrun = _of_functions(policies, calls, subjects, pipelines, found)
    elif calls:
        about = (_not_run(policies, calls, subjects),)
        unrun = frozenset(call.policy.code for call in calls)
    return Evaluation(tuple(map(tuple, found)), about, policies.codes - unrun)


def _is_meant(policy: Policy, subject: Subject) -> bool:
    if policy.needs_plan:
        return subject.plan is not None
    return not subject.plan_only


def _pipeline(policies: PolicySet, graph: TaskGraph) -> Pipeline:
    return pipeline_of(graph, _credits(graph) if _reads_credits(policies) else None)


def _reads_credits(policies: PolicySet) -> bool:
    """Whether a policy may ask for the cost, which takes time to work out."""
    return any("credits_per_month" in text for text in policies.sources.values())


def _credits(graph: TaskGraph) -> Range | None:
    from sfml.cost.estimate import estimate  # most policies do not ask for it

    if graph.target.is_local:
        return None
    credits = estimate([graph]).credits
    return Range(credits.low, credits.high)


# -- policies in YAML -------------------------------------------------------------------------------


def _of_field(
    policies: PolicySet, policy: Policy, subject: Subject, pipeline: Pipeline
) -> Iterator[Diagnostic]:
    rule = policy.rule
    assert isinstance(rule, FieldRule)
    for one in _subjects_of(rule, pipeline, subject.plan):
        if not all(condition.selects(value_at(one, pipeline, name)) for name, condition in rule.where):
            continue
        value = value_at(one, pipeline, rule.field)
        if rule.condition.holds(value):
            continue
        task = one.name if isinstance(one, Task) else getattr(one, "task", None)
        words = {
            "task": str(task or ""),
            "pipeline": pipeline.name,
            "target": pipeline.target.name,
            "field": rule.field,
            "value": _words(rule, rule.field, value),
        }

        def worded(name: str, one: Any = one) -> str:
            return _words(rule, name, value_at(one, pipeline, name))

        message = filled(rule.message, words, worded)
        name = task if isinstance(task, str) and not isinstance(one, Pipeline) else None
        yield _finding(policies, policy, subject.graph, message, name, rule.field, None)


def _subjects_of(rule: FieldRule, pipeline: Pipeline, plan: Plan | None) -> Iterable[Any]:
    match rule.about:
        case "pipeline":
            return (pipeline,)
        case "task":
            return pipeline.tasks
        case "change":
            return plan.changes if plan is not None else ()


def _words(rule: FieldRule, name: str, value: Any) -> str:
    """A value in a message: durations in words, lists with commas, `unset` for none."""
    field = field_at(rule.about, name)
    if value is None:
        return "unset"
    if field is not None and field.is_duration and isinstance(value, int | float):
        return in_words(int(value))
    if isinstance(value, str):
        text = value
    elif isinstance(value, tuple | list):
        text = ", ".join(str(jsonable(item)) for item in value)
    elif isinstance(value, bool | int | float):
        text = json.dumps(value)
    else:
        text = getattr(value, "name", None) or json.dumps(jsonable(value), default=str)
    return text if len(text) <= _MOST_OF_VALUE else f"{text[:_MOST_OF_VALUE]}…"


# -- policies in Python -----------------------------------------------------------------------------


def _of_functions(
    policies: PolicySet,
    calls: Sequence[Call],
    subjects: Sequence[Subject],
    pipelines: Sequence[Pipeline],
    found: list[list[Diagnostic]],
) -> tuple[tuple[Diagnostic, ...], frozenset[str]]:
    """Note what the policies find; returns what is wrong with them, and the codes of those that did not end well."""
    given = [
        {"pipeline": jsonable(pipeline), "plan": jsonable(subject.plan)}
        for pipeline, subject in zip(pipelines, subjects, strict=True)
    ]
    run = run_policies(calls, given, policies.folder, policies.settings.folder, policies.settings.seconds)
    about: list[Diagnostic] = []
    for result in run.results:
        for finding in result.findings:
            if 0 <= finding.pipeline < len(subjects):
                graph = subjects[finding.pipeline].graph
                found[finding.pipeline].append(
                    _finding(
                        policies,
                        result.policy,
                        graph,
                        finding.message,
                        finding.task,
                        finding.at,
                        finding.help,
                    )
                )
        about += _about_result(result)
    if not run.cut_off:
        about.append(
            Diagnostic(
                "SF536",
                Severity.NOTE,
                "policies in Python ran with the network: this system has no means that sfml knows to cut it off",
                policies.settings.span,
                "policies",
            )
        )
    return tuple(about), frozenset(one.policy.code for one in run.results if one.problem is not None)


def _about_result(result: CallResult) -> Iterator[Diagnostic]:
    policy = result.policy
    if result.problem is not None:
        message = f"policy `{policy.code}` {result.problem}"
        help = "correct it; `sfml policies test` executes its tests"
        yield Diagnostic.error("SF534", message, at=policy.span, help=help)
    if result.printed is not None:
        message = f"policy `{policy.code}` prints: {result.printed}"
        help = "return findings; what a policy prints is shown nowhere else"
        yield Diagnostic.warning("SF535", message, at=policy.span, help=help)


def _not_run(policies: PolicySet, calls: Sequence[Call], subjects: Sequence[Subject]) -> Diagnostic:
    """The finding for Python policies that are not run, with the reason."""
    codes = [f"`{call.policy.code}`" for call in calls]
    more = f" and {len(codes) - _MOST_NAMED} more" if len(codes) > _MOST_NAMED else ""
    names = f"{', '.join(codes[:_MOST_NAMED])}{more}"
    if not policies.settings.python:
        why = "the project file does not allow policies in Python"
        help = "write `python: true` under `policies`, or remove them"
    else:
        why = "their code is not trusted here"
        help = "read them, then  sfml policies trust   (in a job: --policies REF, a commit that is trusted)"
    is_plural = len(codes) > 1
    message = f"{names} {'are' if is_plural else 'is'} not applied: {why}"
    at = calls[0].policy.span
    if any(
        policies.level(call.policy, subjects[place].graph.target) is Level.ERROR
        and subjects[place].plan is not None
        for call in calls
        for place in call.pipelines
    ):
        # An apply must not pass for what its policies would have refused.
        return Diagnostic.error("SF533", message, at=at, help=help)
    return Diagnostic.warning("SF533", message, at=at, help=help)


# -- places -----------------------------------------------------------------------------------------


def _finding(
    policies: PolicySet,
    policy: Policy,
    graph: TaskGraph,
    message: str,
    task: str | None,
    at: str | None,
    help: str | None,
) -> Diagnostic:
    level = policies.level(policy, graph.target)
    span, path = _place(graph, task, at or "")
    return Diagnostic(
        policy.code,
        _LEVELS[level],
        " ".join(message.split()),
        span,
        path,
        why=policy.why or None,
        help=help or policy.help,
    )


def _place(graph: TaskGraph, task: str | None, at: str) -> tuple[Span, str]:
    """The place of a setting, or of what is around it; and its logical path."""
    whole = graph.settings.spans.get("", Span.whole(graph.spec_path))
    if task is not None and any(node.name == task for node in graph.all_tasks):
        node = graph.task(task)
        span, setting = _nearest(node.spans, at)
        group = "finalizer" if node.is_finalizer else "tasks"
        path = f"{group}.{task}{f'.{setting}' if setting else ''}"
        return span or whole, path
    if at.partition(".")[0] == "budget" and graph.budget is not None:
        return graph.budget.span, graph.budget.path
    span, setting = _nearest(graph.settings.spans, at)
    return span or whole, setting or "pipeline"


def _nearest(spans: Mapping[str, Span], at: str) -> tuple[Span | None, str]:
    """The span of the setting, or of the nearest one around it that is written; and its name."""
    while at and at not in spans:
        at = at.rpartition(".")[0]
    return spans.get(at), at
