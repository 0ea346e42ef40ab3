"""Pipelines of six, sixty and six hundred tasks, and a change of each, for pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sfml.base.source import Span
from sfml.graph.model import (
    CallBody,
    CronSchedule,
    GraphSettings,
    Mode,
    NotifyBody,
    OnPool,
    OnWarehouse,
    Serverless,
    SqlBody,
    StepBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.lower.lower import lower
from sfml.review.compare import compared
from sfml.review.model import CompiledTarget, TargetDiff

TARGET = Target("prod", "account", "ML_PROD", "CLV", "ML_WH", compute_pool="ML_POOL", mode=Mode.PRODUCTION)
WAREHOUSE = OnWarehouse("ML_WH")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class File:
    path: str
    content: bytes


def closure(step: str) -> Iterable[File]:
    return (File(f"{step.rsplit('.', 1)[0].replace('.', '/')}.py", step.encode()),)


def compiled(graph: TaskGraph) -> CompiledTarget:
    desired = lower(graph, closure, "0.1.0")
    return CompiledTarget(graph, desired, desired.fingerprint)


def changed(base: TaskGraph, head: TaskGraph) -> TargetDiff:
    return compared("prod", compiled(base), compiled(head), NOW)


def step(name: str, *after: str, **settings: Any) -> TaskNode:
    function = settings.pop("step", f"clv.{name}.{name}")
    line = 3 + sum(map(ord, name)) % 300
    settings.setdefault("spans", {"": Span.of("specs/clv/job_config.yaml", line, 3, line, 9)})
    arguments = settings.pop("arguments", {})
    run_on = settings.pop("run_on", WAREHOUSE)
    return TaskNode(name, StepBody(function, arguments), run_on, tuple(sorted(after)), **settings)


def graph_of(tasks: Iterable[TaskNode], **settings: Any) -> TaskGraph:
    return TaskGraph(
        settings.pop("pipeline", "clv"),
        "specs/clv.yaml",
        settings.pop("target", TARGET),
        settings.pop("settings", GraphSettings(CronSchedule("0 0 * * 0", "UTC"), retries=1, timeout=21600)),
        tuple(tasks),
        settings.pop("finalizer", step("cleanup", is_finalizer=True)),
        settings.pop("description", "Weekly customer lifetime value retraining"),
        **settings,
    )


def branch(name: str, after: str, *arms: str, **settings: Any) -> TaskNode:
    return step(name, after, outcomes={arm: (arm,) for arm in arms}, **settings)


def alert(name: str, *after: str) -> TaskNode:
    return TaskNode(name, NotifyBody("ML_ALERTS", "CLV model below threshold"), WAREHOUSE, tuple(after))


def six() -> TaskGraph:
    return graph_of(
        (
            step("prepare_data", arguments={"source": "CDNOW_TRANSACTIONS"}),
            step("train_model", "prepare_data", run_on=OnPool("ML_POOL"), timeout=14400),
            branch(
                "check_model_quality",
                "train_model",
                "promote_model",
                "send_alert",
                arguments={"at_least": 0.3},
            ),
            step("promote_model", "check_model_quality"),
            alert("send_alert", "check_model_quality"),
        )
    )


def sixty() -> TaskGraph:
    """Nine segments of six tasks, from one load to one report."""
    return of_segments(
        [f"segment_{at}" for at in range(1, 10)],
        before=(TaskNode("load_transactions", SqlBody("insert into T select * from RAW"), WAREHOUSE),),
        after=("report", "publish_dashboard", "notify_team"),
    )


def six_hundred() -> TaskGraph:
    """Ninety-nine segments of six tasks."""
    return of_segments(
        [f"customers_of_region_{at:02}" for at in range(1, 100)],
        before=(TaskNode("load_transactions", SqlBody("insert into T select * from RAW"), WAREHOUSE),),
        after=("report", "publish_dashboard", "notify_team"),
    )


def of_segments(
    segments: Iterable[str], *, before: tuple[TaskNode, ...], after: tuple[str, ...]
) -> TaskGraph:
    names = [*segments]
    tasks = [*before]
    for one in names:
        tasks += (
            step(f"features_{one}", before[-1].name, run_on=Serverless("SMALL")),
            step(f"train_{one}", f"features_{one}", run_on=OnPool("GPU_POOL", 2), timeout=7200),
            branch(f"check_{one}", f"train_{one}", f"promote_{one}", f"alert_{one}"),
            step(f"promote_{one}", f"check_{one}"),
            alert(f"alert_{one}", f"check_{one}"),
            TaskNode(f"score_{one}", CallBody("ML.SCORE", (one,)), WAREHOUSE, (f"promote_{one}",)),
        )
    tasks.append(step(after[0], *(f"score_{one}" for one in names), run_if="none_failed_min_one_succeeded"))
    for above, name in pairwise(after):
        tasks.append(step(name, above))
    return graph_of(tasks)


def review_of(base: TaskGraph) -> TargetDiff:
    """A pull request with something of everything: added, removed, changed, renamed, wired anew."""
    return changed(base, edited(base))


def edited(base: TaskGraph) -> TaskGraph:
    nodes: dict[str, TaskNode] = {node.name: node for node in base.tasks}
    checks = [node for node in base.tasks if node.is_branch]
    check = checks[0]
    trained, (promoted, alerted) = check.after[0], (check.outcomes or {}).keys()
    nodes[trained] = replace(nodes[trained], timeout=21600)
    assert isinstance(check.body, StepBody)
    nodes[check.name] = replace(
        check,
        body=replace(check.body, arguments={"at_least": 0.2}),
        outcomes={promoted: (promoted,), "same": ()},
    )
    del nodes[alerted]
    nodes["compare_with_baseline"] = step("compare_with_baseline", trained, run_on=Serverless("SMALL"))
    moved: Mapping[str, str] = {}
    if promoted == "promote_model":
        nodes["publish_model"] = replace(nodes.pop(promoted), name="publish_model")
        nodes[check.name] = replace(
            nodes[check.name], outcomes={"publish_model": ("publish_model",), "same": ()}
        )
        moved = {"publish_model": "promote_model"}
    return replace(base, tasks=tuple(nodes.values()), moved=moved)
