"""The adapter on a real server: what is written reads back as it was meant, through Snowflake's own clients.

Run against the local Snowflake; the same tests hold for an account.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from sfml.account.run_reason import TaskFailure
from sfml.base.errors import AccountError, ConflictingState
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    OnPool,
    OnWarehouse,
    Serverless,
    SqlBody,
    StepBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.lower.desired import DesiredGraph, MLJobDefinitionSpec
from sfml.lower.lower import lower
from sfml.operations.runs import follow, start
from sfml.operations.target_account import TargetAccount
from sfml.plan.diff import make_plan
from sfml.plan.model import Action
from sfml.plan.stages import Group
from sfml.snowflake.objects import has_stage
from sfml.testing.pipelines import apply_graph, connected_to
from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    pass

TARGET = Target("local", "local", "SFML", "CONTRACT", "LOCAL_WH", compute_pool="LOCAL_POOL")
ON_WH = OnWarehouse("LOCAL_WH")


@dataclass(frozen=True)
class File:
    path: str
    content: bytes


def closure(step: str) -> Iterable[File]:
    return (File("sfml_steps/__init__.py", b""), File("mine/steps.py", b"X = 1\n"))


Adapter = TargetAccount


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture(scope="module")
def adapter(server: LocalServer) -> Iterator[Adapter]:
    with connected_to(TARGET, server.connect_args()) as connected:
        yield connected


def compiled(
    name: str, *tasks: TaskNode, settings: GraphSettings | None = None, **more: object
) -> DesiredGraph:
    graph = TaskGraph(name, f"specs/{name}.yaml", TARGET, settings or GraphSettings(), tasks, **more)  # type: ignore[arg-type]
    return lower(graph, closure, "0.1.0")


def sql(name: str, text: str = "select 1", **settings: object) -> TaskNode:
    run_on = settings.pop("run_on", ON_WH)
    return TaskNode(name, SqlBody(text), run_on, **settings)  # type: ignore[arg-type]


def applied(adapter: Adapter, graph: DesiredGraph, *, resume: bool | None = None) -> tuple[Group, ...]:
    return apply_graph(graph, adapter, resume=resume, provenance={"user": "somebody"}).groups


BRANCH = {"good": ("left", "right"), "fine": ("left",), "same": ()}
GRAPHS = {
    "minimal": compiled("minimal", sql("only")),
    "cron": compiled(
        "cron",
        sql("only", timeout=90),
        settings=GraphSettings(
            schedule=CronSchedule("*/5 6-18 * jan-mar mon-fri", "Europe/Berlin"),
            retries=2,
            timeout=7200,
            suspend_after_failures=0,
            on_error="ML_ERRORS",
        ),
        config={"text": 'it\'s \\ "odd"\n', "number": 0.4, "flag": True, "count": 3},
        description="two\nlines and a ; -- $$ 'quote'",
    ),
    "interval": compiled("interval", sql("only"), settings=GraphSettings(schedule=IntervalSchedule(90))),
    "serverless": compiled(
        "serverless",
        sql("only", run_on=Serverless("SMALL", "XSMALL", "LARGE", 600)),
        sql("sized", run_on=Serverless()),
    ),
    "branch": compiled(
        "branch",
        sql("check", outcomes=BRANCH),
        sql("left", after=("check",), when="1 = 1"),
        sql("right", after=("check",), session_parameters={"TIMEZONE": "UTC"}, comment="it's right"),
        sql("join", after=("left", "right"), run_if="none_failed_min_one_succeeded"),
        finalizer=sql("clean", is_finalizer=True),
    ),
    "steps": compiled(
        "steps",
        TaskNode(
            "one", StepBody("mine.steps.one", {"text": 'it\'s \\n "odd" ${}'}), ON_WH, packages=("pandas",)
        ),
        TaskNode("job", StepBody("mine.steps.job", {"n": 1}), OnPool("LOCAL_POOL"), after=("one",)),
    ),
    "odd_sql": compiled(
        "odd_sql", sql("only", "select 'it''s', '$$', \"Odd\" from (select 1 as \"Odd\") -- end")
    ),
    "wide": compiled("wide", *(sql(f"t{n}", after=(f"t{n - 1}",) if n else ()) for n in range(40))),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_what_was_applied_is_what_was_meant(adapter: Adapter, name: str) -> None:
    graph = GRAPHS[name]
    assert applied(adapter, graph)
    plan = make_plan(graph, adapter.tasks.observed(graph.root.name))
    assert plan.is_empty, [change for change in plan.changes if change.action is not Action.UNCHANGED]
    assert applied(adapter, graph) == ()


def test_identity_survives_a_change_and_the_schedule_stays(adapter: Adapter) -> None:
    settings = GraphSettings(schedule=CronSchedule("0 0 * * 0", "UTC"))
    before = compiled("same", sql("one"), sql("two", after=("one",)), settings=settings)
    applied(adapter, before)
    first = adapter.tasks.observed("SAME")
    after = compiled("same", sql("one", "select 2"), sql("three", after=("one",)), settings=settings)
    applied(adapter, after)
    second = adapter.tasks.observed("SAME")
    assert first is not None and second is not None
    assert second.root.started
    assert set(second.by_name) == {"SAME", "SAME$ONE", "SAME$THREE"}
    for name in ("SAME", "SAME$ONE"):
        assert first.by_name[name].id == second.by_name[name].id


def test_the_record_names_the_graph_and_who_applied_it(adapter: Adapter) -> None:
    graph = GRAPHS["minimal"]
    applied(adapter, graph)
    observed = adapter.tasks.observed("MINIMAL")
    assert observed is not None and observed.record is not None
    assert observed.record["fingerprint"] == graph.fingerprint
    assert observed.record["user"] == "somebody"


def test_a_task_that_is_not_ours_is_left_alone(adapter: Adapter) -> None:
    with adapter.connection.cursor() as cursor:
        cursor.execute("CREATE TASK FOREIGN_ROOT WAREHOUSE = LOCAL_WH AS SELECT 1")
    with pytest.raises(ConflictingState, match="not made by sfml"):
        applied(adapter, compiled("foreign_root", sql("only")))


def test_a_registered_job_is_what_the_preview_says(adapter: Adapter) -> None:
    graph = GRAPHS["steps"]
    definition = graph.task("STEPS$JOB").definition
    assert isinstance(definition, MLJobDefinitionSpec)
    written, preview = _arguments(adapter.stage.register_job(definition)), _arguments(definition.preview_sql)
    assert written[2].pop("RUNTIME"), "the server names an image"
    preview[2].pop("RUNTIME")
    assert written == preview


def _arguments(sql: str) -> list:  # type: ignore[type-arg]
    from sfml.plan.bodies import literals

    name, pool, spec, options = literals(sql)
    return [name, pool, json.loads(spec), json.loads(options)]


def test_a_run_is_found_and_followed_to_its_end(adapter: Adapter) -> None:
    graph = compiled("followed", sql("one"), sql("two", "select * from nowhere", after=("one",)))
    applied(adapter, graph)
    states = list(follow(graph, adapter.history, start(graph, adapter.history, {}), interval=0.05))
    last = states[-1]
    assert (last.state, last.attempt) == ("FAILED", 1)
    assert [task.state for task in last.tasks] == ["SUCCEEDED", "FAILED"]
    assert isinstance(last.reason, TaskFailure) and last.reason.task == "two"


def test_refusals_carry_snowflakes_code(adapter: Adapter) -> None:
    graph = compiled("refused", sql("only"), settings=GraphSettings(schedule=IntervalSchedule(90)))
    applied(adapter, graph, resume=True)
    with pytest.raises(AccountError, match="not suspended") as caught:
        adapter.tasks.put(graph.task("REFUSED$ONLY"), "select 2", None)
    assert caught.value.code == "091421"


def test_a_stage_is_seen_only_when_it_is_there(adapter: Adapter) -> None:
    assert has_stage(adapter.connection, TARGET)
    assert not has_stage(adapter.connection, replace(TARGET, stage="SF_L"))


def test_files_of_one_name_are_fetched_each_from_its_folder(adapter: Adapter) -> None:
    """The connector writes what one GET brings into one folder, and fails where names meet."""
    folders = ("x/code/one", "x/code/two", "x/jobs/three")
    adapter.stage.create()
    for folder in folders:
        adapter.stage._put(folder, {"steps.zip": folder.encode()})
    adapter.stage._put("x/state", {"last.json": b"{}"})
    paths = (*(f"{folder}/steps.zip" for folder in folders), "x/state/last.json", "x/state/none.json")
    assert adapter.stage.contents(paths) == {
        **{f"{folder}/steps.zip": folder.encode() for folder in folders},
        "x/state/last.json": b"{}",
    }
