"""A graph as it was deployed: written down, read back, and written again it is the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sfml.base.errors import RecordUnreadable
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, StreamSchedule, Target
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.plan.artefact import (
    Artefact,
    artefact_from,
    artefact_value,
    depths_of,
    intended_artefact,
    observed_artefact,
)
from sfml.plan.diff import make_plan
from sfml.plan.journal import (
    Deployment,
    Header,
    Journal,
    deployment_from,
    deployment_json,
    deployment_name,
    deployment_number,
    journal_from,
    journal_json,
)
from sfml.plan.model import ObservedGraph
from sfml.plan.observed_graph import observed_task, record_of

TARGET = Target("prod", "account", "DB", "S", "WH")
RECORD = 'What it does\nsfml:{"fingerprint":"f1","spec":"specs/x.yaml","user":"ada"}'
ROOT = DesiredTask(
    "X",
    None,
    SqlDefinition("select 1"),
    kind="root",
    warehouse="WH",
    schedule=CronSchedule("0 0 * * SUN", "Europe/Berlin"),
    config={"k": 1, "flag": True},
    overlap_policy="NO_OVERLAP",
    comment=RECORD,
)
CHILD = DesiredTask(
    "X$A",
    "a",
    SqlDefinition("call p('x/code/" + "0" * 64 + "/steps.zip')"),
    warehouse="WH",
    predecessors=("X",),
    session_parameters={"QUERY_TAG": "t"},
    user_task_timeout_ms=5000,
    log_level="INFO",
    tags={"COST": "ml"},
)
LAST = DesiredTask("X$B", "b", SqlDefinition("select 3"), predecessors=("X$A",), target_completion_seconds=60)
CLEAN = DesiredTask("X$CLEAN", "clean", SqlDefinition("select 4"), warehouse="WH", finalize="X")
GRAPH = DesiredGraph("x", "specs/x.yaml", TARGET, ROOT, (CHILD, LAST), CLEAN, (), fingerprint="f1")


def meant(graph: DesiredGraph = GRAPH) -> Artefact:
    bodies = {task.name: task.definition.sql for task in graph.all_tasks}  # type: ignore[union-attr]
    return intended_artefact(
        graph, bodies, {task.name: task.comment for task in graph.all_tasks}, started=True
    )


def answered(name: str, **values: object) -> dict[str, object]:
    """A task as REST answers it."""
    given = {"name": name, "id": "1", "state": "started", "definition": "select 1", "warehouse": "WH"}
    return {**given, **values}


OBSERVED_ROOT = answered(
    "X",
    comment=RECORD,
    schedule={"cron_expr": "0 0 * * SUN", "timezone": "Europe/Berlin"},
    config={"k": 1},
    suspend_task_after_num_failures=3,
)
OBSERVED = ObservedGraph(
    observed_task(OBSERVED_ROOT),
    (
        observed_task(answered("X$CLEAN", finalize="DB.S.X")),
        observed_task(answered("X$B", predecessors=["DB.S.X$A"], state="suspended")),
        observed_task(answered("X$A", predecessors=["DB.S.X"], session_parameters={"TIMEZONE": "UTC"})),
    ),
    record_of(OBSERVED_ROOT),
)


def test_an_artefact_comes_back_from_its_json() -> None:
    artefact = meant()
    assert artefact_from(json.loads(json.dumps(artefact_value(artefact)))) == artefact
    assert artefact.archives == ("x/code/" + "0" * 64,)
    assert artefact.fingerprint == "f1"


@pytest.mark.parametrize(
    "schedule",
    [Manual(), IntervalSchedule(90), StreamSchedule(("RAW.S",), 60), CronSchedule("* * * * *", "UTC")],
)
def test_every_kind_of_schedule_comes_back(schedule: object) -> None:
    artefact = meant(replace(GRAPH, root=replace(ROOT, schedule=schedule)))
    assert artefact_from(artefact_value(artefact)).root.schedule == schedule


def test_the_graph_of_an_artefact_is_the_one_it_was_made_of() -> None:
    graph = meant().graph(TARGET)
    assert [task.name for task in graph.all_tasks] == ["X", "X$A", "X$B", "X$CLEAN"]
    assert graph.finalizer is not None and graph.finalizer.name == "X$CLEAN"


def test_what_was_observed_can_be_written_again() -> None:
    was = observed_artefact("x", TARGET, OBSERVED)
    assert was is not None
    assert was.names == ("X", "X$A", "X$B", "X$CLEAN")
    assert was.suspended == ("X$B",) and was.root_started
    assert was.root.schedule == CronSchedule("0 0 * * SUN", "Europe/Berlin")
    assert was.root.comment == RECORD and was.record["user"] == "ada"
    left = make_plan(was.graph(TARGET), OBSERVED, resume=True)
    changed = {(change.name, field.path) for change in left.changes for field in change.fields}
    assert changed == {("X$B", "state")}


def test_nothing_deployed_is_no_artefact() -> None:
    assert observed_artefact("x", TARGET, None) is None


def test_a_journal_and_a_deployment_come_back() -> None:
    header = Header(14, "ada", "2026-01-02T03:04:05+00:00", "n", "retrain")
    journal = Journal(header, None, meant())
    content = journal_json(journal).encode()
    assert journal_from(content) == journal
    assert journal_json(journal_from(content)).encode() == content
    deployment = Deployment(header, meant())
    assert deployment_from(deployment_json(deployment).encode(), 14) == deployment
    assert deployment_number(f"sfml/x/state/{deployment_name(14)}") == 14
    assert deployment_number("apply.json") is None


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b" ", b"{}", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"format_version": 1}', b'{"format_version": 1, "header": {}, "artefact": {}}'),
        b'{"format_version": 1, "header": [], "was": {"tasks": []}}',
    ],
)
def test_what_is_damaged_is_told_in_one_way(content: bytes) -> None:
    for read in (journal_from, deployment_from):
        with pytest.raises(RecordUnreadable, match="cannot be read") as caught:
            read(content)
        assert not caught.value.is_newer


def test_a_record_cut_off_anywhere_or_of_another_number_is_unreadable() -> None:
    header = Header(14, "ada", "2026-01-02T03:04:05+00:00", "n", "retrain")
    content = deployment_json(Deployment(header, meant())).encode().rstrip()
    for end in range(0, len(content), 7):
        with pytest.raises(RecordUnreadable):
            deployment_from(content[:end])
    with pytest.raises(RecordUnreadable, match="it says that it is deployment 14"):
        deployment_from(content, 13)


def test_what_a_later_version_wrote_is_told_with_which() -> None:
    for content in (b'{"format_version": 99, "written_by": "9.1.0"}', b'{"version": 2}'):
        with pytest.raises(RecordUnreadable, match="a later version of sfml wrote it") as caught:
            journal_from(content)
        assert caught.value.is_newer


def test_a_chain_may_be_as_long_as_a_graph() -> None:
    chain = {
        f"T{at}": replace(CHILD, name=f"T{at}", predecessors=(f"T{at - 1}",) if at else ())
        for at in range(1500)
    }
    chain["END"] = replace(CLEAN, name="END", finalize="T0")
    depths = depths_of(chain)
    assert (depths["T0"], depths["T1499"], depths["END"]) == (0, 1499, 1500)
