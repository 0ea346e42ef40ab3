"""A task's life through REST and again through SQL: made, changed, refused, found, dropped."""

from __future__ import annotations

from typing import Any

import pytest
from doors import Door, Refused


def test_a_task_comes_back_as_it_was_made(door: Door) -> None:
    door.create(
        "t", definition="select 'it''s'", every_minutes=90, comment="a comment", warehouse="LOCAL_WH",
        config={"k": "v"}, condition="1 = 1", overlap_policy="ALLOW_CHILD_OVERLAP",
    )  # fmt: skip
    found = door.fetch("t")
    assert found["id"]
    assert {key: found[key] for key in found if key != "id"} == {
        "state": "suspended",
        "definition": "select 'it''s'",
        "comment": "a comment",
        "condition": "1 = 1",
        "warehouse": "LOCAL_WH",
        "config": {"k": "v"},
        "predecessors": [],
        "overlap_policy": "ALLOW_CHILD_OVERLAP",
        "minutes": 90,
        "cron": None,
        "relations": {"Predecessors": []},
        "committed": False,
    }


def test_create_modes(door: Door) -> None:
    door.create("t", comment="first")
    before = door.fetch("t")
    with pytest.raises(Refused, match="already exists") as refused:
        door.create("t", comment="second")
    assert (refused.value.code, refused.value.status) in {("002002", 409), ("002002", None)}
    door.create("t", "ifNotExists", comment="third")
    assert door.fetch("t") == before
    door.create("t", "orReplace", comment="fourth")
    after = door.fetch("t")
    assert (after["comment"], after["id"] == before["id"]) == ("fourth", False)


def test_create_or_alter_is_a_full_replacement(door: Door) -> None:
    door.create("t", comment="x", every_minutes=5, config={"a": 1}, condition="1 = 1")
    before = door.fetch("t")
    door.put("t", definition="select 2", cron="0 3 * * * Europe/Berlin")
    after = door.fetch("t")
    assert after["id"] == before["id"]
    assert (after["definition"], after["cron"]) == ("select 2", "0 3 * * * Europe/Berlin")
    assert [after[key] for key in ("comment", "minutes", "config", "condition")] == [None] * 4
    door.put("u", comment="new")
    assert door.fetch("u")["comment"] == "new"


def test_nothing_changes_under_a_started_root(door: Door) -> None:
    door.create("r", every_minutes=600)
    door.create("a", predecessors=["r"])
    door.resume("a")
    door.resume("r")
    assert (door.fetch("r")["state"], door.fetch("r")["committed"]) == ("started", True)
    changes = (
        lambda: door.create("b", predecessors=["r"]),
        lambda: door.create("r", "orReplace"),
        lambda: door.put("r", comment="x"),
        lambda: door.put("a", predecessors=["r"], comment="x"),
        lambda: door.suspend("a"),
        lambda: door.drop("a"),
        lambda: door.create("f", finalize="r"),
    )
    for change in changes:
        with pytest.raises(
            Refused, match=r"root task SFML\.PUBLIC\.R since that root task is not"
        ) as refused:
            change()
        assert refused.value.code == "091421"
        assert refused.value.status in (400, None)
    assert door.names() == ["A", "R"]
    door.suspend("r")
    assert door.fetch("r")["state"] == "suspended"
    assert door.fetch("a")["state"] == "started", "children keep their own state"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"predecessors": ["nope"]}, "Invalid predecessor NOPE was specified."),
        ({"predecessors": ["x"]}, "Task X cannot use itself as its predecessor."),
        (
            {"predecessors": ["r"], "every_minutes": 5},
            "Task X cannot have both a schedule and a predecessor.",
        ),
        ({"predecessors": ["r"], "config": {"a": 1}}, "cannot both be a non-root task and have a config."),
        (
            {"predecessors": ["r"], "overlap_policy": "NO_OVERLAP"},
            "Cannot set overlap policy on non-root task SFML.PUBLIC.X.",
        ),
        (
            {"predecessors": ["r"], "task_auto_retry_attempts": 1},
            "Cannot set parameter TASK_AUTO_RETRY_ATTEMPTS",
        ),
        ({"finalize": "nope"}, "Invalid finalized root task NOPE was specified."),
        ({"finalize": "a"}, "Task SFML.PUBLIC.X cannot finalize a non-root task SFML.PUBLIC.A."),
        ({"finalize": "r"}, "Finalize target R already have finalizer."),
        ({"predecessors": ["f"]}, "Task SFML.PUBLIC.F cannot have children as a finalizer task."),
        ({"every_minutes": 11521}, "Cannot set schedule greater than 11,520 minutes."),
        ({"every_minutes": 0}, "Invalid schedule was specified."),
        ({"cron": "* * * * ? * UTC"}, "Invalid schedule was specified."),
        ({"cron": "0 3 * * * PST"}, '"PST" is not a recognized time zone.'),
        (
            {"user_task_timeout_ms": 604800001},
            "invalid value [604,800,001] for parameter 'USER_TASK_TIMEOUT_MS'",
        ),
        ({"task_auto_retry_attempts": 31}, "invalid value [31] for parameter 'TASK_AUTO_RETRY_ATTEMPTS'"),
        (
            {"warehouse": "LOCAL_WH", "serverless_task_min_statement_size": "SMALL"},
            "Cannot set SERVERLESS_TASK_MIN_STATEMENT_SIZE on a non-serverless task.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refusals(door: Door, settings: dict[str, Any], sentence: str) -> None:
    door.create("r")
    door.create("a", predecessors=["r"])
    door.create("f", finalize="r")
    with pytest.raises(Refused) as refused:
        door.create("x", **settings)
    assert sentence in refused.value.message
    assert refused.value.status in (400, None)
    assert door.names() == ["A", "F", "R"]


def test_missing_tasks(door: Door) -> None:
    actions = (door.fetch, door.resume, door.suspend, door.execute, door.drop)
    for action in actions:
        with pytest.raises(
            Refused, match=r"Task 'SFML\.PUBLIC\.NOPE' does not exist or not authorized"
        ) as refused:
            action("nope")
        assert (refused.value.code, refused.value.status) in {("002003", 404), ("002003", None)}
    # The table function has words of its own.
    with pytest.raises(Refused, match=r"(?i)nope.*(does not exist|must be a valid task name)"):
        door.dependents("nope")
    door.drop("nope", if_exists=True)


def test_children_are_not_executed(door: Door) -> None:
    door.create("r")
    door.create("a", predecessors=["r"])
    with pytest.raises(Refused, match=r"Execute task cannot be called on non-root task SFML\.PUBLIC\.A\."):
        door.execute("a")
    with pytest.raises(Refused, match="Cannot perform retry"):
        door.execute("r", retry_last=True)


def test_cycles_pass_until_the_root_is_resumed(door: Door) -> None:
    door.create("r")
    door.create("a", predecessors=["r"])
    door.create("b", predecessors=["a"])
    door.put("a", predecessors=["r", "b"])
    for action in (door.resume, door.execute):
        with pytest.raises(Refused, match="Graph has at least one cycle containing task"):
            action("r")


def test_filters(door: Door) -> None:
    for name in ("a1", "a2", "b1", "b2"):
        door.create(name, **({"predecessors": ["a1"]} if name in ("a2", "b2") else {}))
    assert door.names() == ["A1", "A2", "B1", "B2"]
    assert door.names(like="a%") == door.names(like="A_") == ["A1", "A2"]
    assert (door.names(starts_with="B"), door.names(starts_with="b")) == (["B1", "B2"], [])
    assert door.names(root_only=True) == ["A1", "B1"]
    assert door.names(limit=2) == ["A1", "A2"]
    assert door.names(from_name="A2") == ["B1", "B2"]
    assert door.names(from_name="B", limit=5) == ["B2"], "FROM skips the first name that begins so"
    assert door.names(from_name="A3") == ["B1", "B2"]


def test_dependents_begin_with_the_task(door: Door) -> None:
    door.create("r")
    door.create("a", predecessors=["r"])
    door.create("b", predecessors=["a"])
    door.create("f", finalize="r")
    assert door.dependents("r") == ["R", "A", "B", "F"]
    assert door.dependents("r", recursive=False) == ["R", "A", "F"]
    assert door.dependents("a") == ["A", "B"]
    assert door.fetch("r")["relations"] == {"Predecessors": [], "FinalizerTask": "SFML.PUBLIC.F"}
    assert door.fetch("f")["relations"] == {"Predecessors": [], "FinalizedRootTask": "SFML.PUBLIC.R"}


def test_a_run_keeps_the_version_it_began_with(door: Door) -> None:
    door.create("r", definition="call system$wait(600, 'MILLISECONDS')")
    door.create("a", predecessors=["r"], definition="call system$set_return_value('old')")
    door.resume("a")
    door.execute("r")
    door.put("a", predecessors=["r"], definition="call system$set_return_value('new')")
    door.settled("r")
    door.execute("r")
    door.settled("r")
    rows = [row for row in door.history("r") if row["NAME"] == "A"]
    assert [(row["RETURN_VALUE"], row["GRAPH_VERSION"]) for row in rows] == [("new", 2), ("old", 1)]


def test_dropping_makes_suspended_roots_of_what_was_below(door: Door) -> None:
    door.create("r")
    door.create("a", predecessors=["r"])
    door.create("f", finalize="r")
    door.resume("a")
    door.drop("r")
    assert (door.fetch("a")["state"], door.fetch("a")["predecessors"]) == ("suspended", [])
    reasons = {
        row["name"]: row["last_suspended_reason"] for row in door.query("SHOW TASKS IN SCHEMA sfml.public")
    }
    assert reasons == {"A": "CHILD_BECAME_ROOT", "F": "FINALIZER_BECAME_ROOT"}
