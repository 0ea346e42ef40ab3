"""Why a field differs, which tasks move or are replaced, and what a change risks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from sfml.base.errors import ConflictingState
from sfml.base.source import Span
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    Mode,
    OnWarehouse,
    Reference,
    Source,
    SqlBody,
    StepBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.lower.desired import DesiredGraph, SqlDefinition
from sfml.lower.lower import lower
from sfml.plan.applied_graph import applied_graph
from sfml.plan.code import changed_files, changed_names
from sfml.plan.diff import make_plan
from sfml.plan.model import Action, Change, ObservedGraph, ObservedTask, Plan, Reason, RiskLabel
from sfml.plan.risks import graph_risks
from sfml.plan.run_activity import RunActivity, next_runs
from sfml.plan.settings import desired_settings, split_comment

TARGET = Target("prod", "account", "ML_PROD", "CLV", "ML_WH", mode=Mode.PRODUCTION)
ON_WH = OnWarehouse("ML_WH")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class File:
    path: str
    content: bytes


def closure(step: str) -> Iterable[File]:
    return (File("clv/steps.py", b"VERSION = 1\n"),)


def graph(*tasks: TaskNode, settings: GraphSettings | None = None, **more: object) -> DesiredGraph:
    settings = settings or GraphSettings(CronSchedule("0 0 * * 0", "Europe/Berlin"))
    made = TaskGraph("clv", "specs/clv.yaml", TARGET, settings, tasks, **more)  # type: ignore[arg-type]
    return lower(made, closure, "0.1.0")


def sql(name: str, text: str = "select 1", **settings: object) -> TaskNode:
    return TaskNode(name, SqlBody(text), settings.pop("run_on", ON_WH), **settings)  # type: ignore[arg-type]


def deployed(graph: DesiredGraph) -> ObservedGraph:
    tasks = []
    for task in graph.all_tasks:
        assert isinstance(task.definition, SqlDefinition)
        tasks.append(ObservedTask(task.name, "id", True, task.definition.sql, desired_settings(task)))
    return ObservedGraph(tasks[0], tuple(tasks[1:]), split_comment(graph.root.comment)[1])


def reasons(plan: Plan) -> dict[str, Reason]:
    return {f"{change.task}.{field.path}": field.reason for change in plan.changes for field in change.fields}


def change(plan: Plan, task: str) -> Change:
    return next(one for one in plan.changes if one.task == task)


def labels(change: Change) -> set[RiskLabel]:
    return {risk.label for risk in change.risks}


WAS = graph(sql("load", timeout=60), sql("score", after=("load",), comment="one"))


def test_a_spec_that_changed_since_it_was_applied_is_the_reason() -> None:
    now = graph(sql("load", timeout=90), sql("score", after=("load",), comment="one"))
    plan = make_plan(now, deployed(WAS), last_applied=applied_graph(WAS.all_tasks))
    assert reasons(plan) == {"load.timeout_ms": Reason.SPEC_CHANGED}


def test_an_account_that_changed_since_has_drifted() -> None:
    altered = graph(sql("load", "select 2", timeout=30), sql("score", after=("load",), comment="one"))
    plan = make_plan(WAS, deployed(altered), last_applied=applied_graph(WAS.all_tasks))
    assert reasons(plan) == {"load.timeout_ms": Reason.DRIFTED, "load.definition": Reason.DRIFTED}


def test_both_may_have_changed() -> None:
    altered = graph(sql("load", timeout=30), sql("score", after=("load",), comment="one"))
    now = graph(sql("load", timeout=90), sql("score", after=("load",), comment="two"))
    plan = make_plan(now, deployed(altered), last_applied=applied_graph(WAS.all_tasks))
    assert reasons(plan) == {
        "load.timeout_ms": Reason.BOTH_CHANGED,
        "score.comment": Reason.SPEC_CHANGED,
    }


def test_a_default_that_changed_is_told_from_a_tasks_own_setting() -> None:
    places = {"timeout": Span.of("sfml.yaml", 4, 12, 4, 14)}
    load = sql("load", timeout=90, spans=places, defaulted=frozenset({"timeout"}))
    now = graph(load, sql("score", after=("load",), comment="one"))
    (field,) = change(make_plan(now, deployed(WAS)), "load").fields
    assert (field.reason, field.place) == (Reason.DEFAULT_CHANGED, "sfml.yaml:4")


def test_a_move_is_a_create_and_a_drop_that_the_record_links() -> None:
    now = graph(
        sql("fetch", timeout=60), sql("score", after=("fetch",), comment="one"), moved={"fetch": "load"}
    )
    plan = make_plan(now, deployed(WAS))
    assert plan.summary["move"] == 1 and plan.summary["drop"] == 0
    moved = change(plan, "fetch")
    assert (moved.action, moved.moved_from) == (Action.MOVE, "CLV$LOAD")
    assert RiskLabel.DESTRUCTIVE in labels(moved)
    assert split_comment(now.root.comment)[1]["moved"] == {"CLV$FETCH": "CLV$LOAD"}  # type: ignore[index]


def test_a_move_that_was_made_is_no_change() -> None:
    now = graph(sql("fetch"), moved={"fetch": "load"})
    assert make_plan(now, deployed(now)).is_empty


def test_a_finalizer_that_becomes_a_task_is_replaced() -> None:
    was = graph(sql("load"), finalizer=sql("tidy", is_finalizer=True))
    plan = make_plan(graph(sql("load"), sql("tidy", after=("load",))), deployed(was))
    replaced = change(plan, "tidy")
    assert replaced.action is Action.REPLACE and replaced.why and "finalizer" in replaced.why
    assert RiskLabel.DESTRUCTIVE in labels(replaced)


def test_a_foreign_graph_is_taken_over_only_when_asked() -> None:
    foreign = dataclasses.replace(deployed(WAS), record=None)
    with pytest.raises(ConflictingState, match="not made by sfml"):
        make_plan(WAS, foreign)
    plan = make_plan(WAS, foreign, adopt=True)
    assert reasons(plan) == {"clv.record": Reason.ADOPTED}
    assert plan.resume_root, "it stays on"


def test_names_of_their_own_are_kept() -> None:
    own = graph(
        sql("load", own_name="load_orders"),
        sql("check", own_name='"check it"', after=("load",)),
        own_names={"load": "load_orders", "check": '"check it"'},
        root_name='"Nightly"',
        query_tag=False,
    )
    assert [task.name for task in own.all_tasks] == ['"Nightly"', "LOAD_ORDERS", '"check it"']
    assert own.task('"check it"').predecessors == ("LOAD_ORDERS",)
    assert all(not task.session_parameters for task in own.all_tasks)
    assert make_plan(own, deployed(own)).is_empty


def test_risks_of_a_gate_are_named() -> None:
    def gated(at_least: float, threshold: float) -> DesiredGraph:
        reads = {"at_least": at_least, "of": Reference(Source.CONFIG, None, ("threshold",))}
        gate = TaskNode("gate", StepBody("clv.steps.gate", reads), ON_WH, outcomes={"good": ("report",)})
        return graph(gate, sql("report", after=("gate",)), config={"threshold": threshold, "other": 1})

    plan = make_plan(gated(0.2, 0.3), deployed(gated(0.4, 0.4)))
    assert labels(change(plan, "gate")) == {RiskLabel.GATE}
    assert [risk.message for risk in change(plan, "clv").risks] == [
        "changes how the gate `gate` decides: it reads `threshold`"
    ]


@pytest.mark.parametrize(
    ("old", "new", "label"),
    [
        (sql("a"), sql("a", run_on=OnWarehouse("BIG_WH")), RiskLabel.COST),
        (sql("a", timeout=60), sql("a", timeout=90), RiskLabel.COST),
        (sql("a"), sql("a", execute_as_user="BATCH"), RiskLabel.PRIVILEGES),
    ],
)
def test_other_risks_have_labels(old: TaskNode, new: TaskNode, label: RiskLabel) -> None:
    assert labels(change(make_plan(graph(new), deployed(graph(old))), "a")) == {label}


def test_a_shorter_timeout_costs_nothing() -> None:
    plan = make_plan(graph(sql("a", timeout=60)), deployed(graph(sql("a", timeout=90))))
    assert labels(change(plan, "a")) == set()


def test_what_runs_or_failed_is_told() -> None:
    plan = make_plan(graph(sql("a", timeout=60)), deployed(graph(sql("a", timeout=90))))
    busy = RunActivity(NOW - timedelta(hours=1), NOW - timedelta(days=2))
    told = {risk.label for risk in graph_risks(plan, graph(sql("a")), busy, NOW)}
    assert told == {RiskLabel.RUNNING, RiskLabel.FORFEITS_RETRY}
    assert not list(graph_risks(make_plan(WAS, deployed(WAS)), WAS, busy, NOW))


def test_a_run_that_is_due_during_the_apply_may_be_missed() -> None:
    every = GraphSettings(CronSchedule("* * * * *", "UTC"))
    old, new = graph(sql("a"), settings=every), graph(sql("a", timeout=9), settings=every)
    plan = dataclasses.replace(make_plan(new, deployed(old)), next_runs=next_runs(new.root.schedule, NOW))
    assert {risk.label for risk in graph_risks(plan, new, RunActivity(), NOW)} == {RiskLabel.MISSES_RUN}


def test_resuming_shifts_an_interval() -> None:
    hourly = GraphSettings(IntervalSchedule(3600))
    old, new = graph(sql("a"), settings=hourly), graph(sql("a", timeout=9), settings=hourly)
    plan = make_plan(new, deployed(old))
    assert {risk.label for risk in graph_risks(plan, new, RunActivity(), NOW)} == {RiskLabel.SHIFTS_INTERVAL}


def test_the_next_five_runs_keep_to_the_clock_of_their_zone() -> None:
    runs = next_runs(CronSchedule("0 0 * * 0", "Europe/Berlin"), datetime(2026, 10, 11, tzinfo=UTC))
    assert [f"{at:%d %b %H:%M %Z}" for at in runs] == [
        "18 Oct 00:00 CEST",
        "25 Oct 00:00 CEST",
        "01 Nov 00:00 CET",
        "08 Nov 00:00 CET",
        "15 Nov 00:00 CET",
    ]


OLD = b"import os\n\ndef fit(x):\n    return x\n\ndef score(x):\n    return x\n\nclass Model: pass\n"


@pytest.mark.parametrize(
    ("new", "names"),
    [
        (OLD.replace(b"return x\n\ndef score", b"return x + 1\n\ndef score"), ("fit",)),
        (OLD.replace(b"class Model: pass", b"class Model: size = 1"), ("Model",)),
        (OLD.replace(b"import os", b"import sys"), ("(module)",)),
        (OLD + b"# a comment\n", ()),
        (OLD.replace(b"def score(x):\n    return x\n", b""), ("score",)),
        (b"def broken(:\n", ()),
    ],
)
def test_changed_functions_are_named(new: bytes, names: tuple[str, ...]) -> None:
    assert changed_names(OLD, new) == names


def test_changed_files_are_told_with_what_happened_to_them() -> None:
    found = changed_files(
        {"a.py": b"x = 1", "b.txt": b"1", "c.py": b""}, {"a.py": b"x = 2", "b.txt": b"2", "d.py": b""}
    )
    assert [(file.path, file.status, file.names) for file in found] == [
        ("a.py", "changed", ("(module)",)),
        ("b.txt", "changed", ()),
        ("c.py", "removed", ()),
        ("d.py", "added", ()),
    ]
