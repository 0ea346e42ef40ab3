"""What a watching pipeline makes of records in comments, which anybody can edit, and of history."""

from __future__ import annotations

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfml.graph.alerts import Alerts, Channel
from sfml.graph.model import CronSchedule, GraphSettings, OnWarehouse, SqlBody, Target, TaskGraph, TaskNode
from sfml.lower.lower import lower
from sfml_steps.alerting.watch import (
    channels_in,
    database_of,
    overdue,
    record_in,
    recovered_by,
    watch_in,
    watched_root,
)

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def row(group: str, at: datetime.datetime, state: str = "SUCCEEDED", **more: object) -> dict[str, object]:
    return {
        "NAME": "P$ONE",
        "STATE": state,
        "ATTEMPT_NUMBER": 1,
        "SCHEDULED_TIME": at,
        "QUERY_START_TIME": at,
        "GRAPH_RUN_GROUP_ID": group,
        "SCHEDULED_FROM": "SCHEDULE",
        **more,
    }


@pytest.mark.parametrize(
    ("rows", "due"),
    [
        ([], None),
        ([row("a", NOON)], None),
        ([row("a", NOON, "FAILED")], NOON),
        ([row("a", NOON, "EXECUTING")], NOON),
        ([row("a", NOON, "SCHEDULED")], NOON),
        ([row("a", NOON + 2 * HOUR, "SCHEDULED")], None),
        ([row("a", NOON, "FAILED", SCHEDULED_FROM="EXECUTE TASK")], None),
        ([row("a", NOON, "FAILED"), row("b", NOON + HOUR, SCHEDULED_FROM="EXECUTE TASK")], None),
        ([row("a", NOON, "FAILED"), row("a", NOON + HOUR, ATTEMPT_NUMBER=2)], None),
        ([row("a", NOON - HOUR), row("b", NOON, "CANCELLED")], NOON),
        ([row("a", NOON, "SKIPPED", NAME="P")], None),
        ([row("a", NOON, "SKIPPED"), row("a", NOON, NAME="P")], None),
    ],
)
def test_what_is_overdue(rows: list[dict[str, object]], due: datetime.datetime | None) -> None:
    assert overdue(rows, "P", HOUR, NOON + HOUR) == due


def test_a_part_recovers_its_run_and_what_that_was_a_part_of() -> None:
    def part(run: str, recovers: str | None, state: str = "SUCCEEDED", *selectors: str) -> dict[str, object]:
        return {
            "recovers": recovers,
            "selectors": list(selectors),
            "outcome": {"run_id": run, "state": state},
        }

    assert recovered_by([part("p", "r")]) == {"r"}
    assert recovered_by([part("q", "p"), part("p", "r", "FAILED")]) == {"p", "r"}
    assert (
        recovered_by([part("p", "r", "FAILED"), part("s", None), part("t", "u", "SUCCEEDED", "train")])
        == set()
    )
    assert recovered_by([{"recovers": "r", "selectors": [], "outcome": None}]) == set()
    rows = [row("a", NOON, "FAILED")]
    assert overdue(rows, "P", HOUR, NOON + HOUR, frozenset({"a"})) is None


def test_what_lowering_writes_is_what_the_watcher_reads() -> None:
    channels = (
        Channel("email", '"my ""mail"""', ("a@b.de", "c@d.de"), ("late", "failure", "recovered")),
        Channel("slack", "ml_slack", events=("suspended",)),
        Channel("queue", "Q", events=("failure", "recovered")),
    )
    settings = GraphSettings(schedule=CronSchedule("0 0 * * *", "UTC"), within=60, alerts=Alerts(channels))
    task = TaskNode("one", SqlBody("select 1"), OnWarehouse("WH"))
    graph = lower(
        TaskGraph("p", "p.yaml", Target("prod", "account", "DB", "S", "WH"), settings, (task,)),
        lambda s: (),
        "0",
    )
    root = watched_root(
        {"name": "P", "database_name": "DB", "schema_name": "S", "comment": graph.root.comment}
    )
    assert root is not None and root.record["spec"] == "p.yaml" and not root.started
    assert (root.watch["pipeline"], root.watch["target"], root.watch["within"]) == ("p", "prod", 60)
    assert channels_in(root.watch) == [
        {
            "kind": "email",
            "integration": '"my ""mail"""',
            "to": ["a@b.de", "c@d.de"],
            "events": ["late", "recovered"],
        },
        {"kind": "slack", "integration": "ML_SLACK", "to": [], "events": ["suspended"]},
    ]


@given(
    st.text()
    | st.builds(
        lambda value: "sfml:" + json.dumps(value),
        st.recursive(
            st.none() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["beyond", "set", "watch", "within", "slack S", "spec"]), inner
                )
            ),
        ),
    )
)
def test_any_comment_is_read_without_an_error(comment: str) -> None:
    record = record_in(comment)
    assert isinstance(channels_in(watch_in(record)), list)
    watched_root({"NAME": "X", "COMMENT": comment})


@pytest.mark.parametrize(
    ("stage", "database"),
    [
        ("@ML.SHOP.SFML", "ML"),
        ('@"a.b".S.SFML', '"a.b"'),
        ('@"x""y"."s.t".SFML', '"x""y"'),
        ("@SFML", "SFML"),
    ],
)
def test_the_database_of_a_stage(stage: str, database: str) -> None:
    assert database_of(stage) == database
