"""What graphs do, in one table; every row is built and run through REST and again through SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from doors import Door, Refused

OK, FAILED, SKIPPED = "SUCCEEDED", "FAILED", "SKIPPED"
FAIL = "select no_such_column from nowhere"
CHOOSE = "call system$set_return_value('P')"
CHOSEN = "SYSTEM$GET_PREDECESSOR_RETURN_VALUE('B') = '{}'"
STATE = "SYSTEM$PREDECESSORS_STATE('{}')"


def task(name: str, *after: str, **settings: Any) -> dict[str, Any]:
    return {"name": name, **({"predecessors": list(after)} if after else {}), **settings}


@dataclass(frozen=True)
class Scenario:
    title: str
    tasks: list[dict[str, Any]]
    states: dict[str, str]
    state: str | None = OK
    suspended: tuple[str, ...] = ()
    first_error: str | None = None
    retry: bool = False
    attempts: int = 1
    values: dict[str, str] = field(default_factory=dict)


R = task("r")
SCENARIOS = [
    Scenario("a standalone task", [R], {"R": OK}),
    Scenario(
        "children run after their predecessors",
        [R, task("a", "r"), task("b", "r"), task("j", "a", "b")],
        {"R": OK, "A": OK, "B": OK, "J": OK},
    ),
    Scenario(
        "nothing runs below a failure",
        [R, task("a", "r", definition=FAIL), task("b", "a"), task("c", "r")],
        {"R": OK, "A": FAILED, "C": OK},
        FAILED,
        first_error="A",
    ),
    Scenario(
        "a failed root", [task("r", definition=FAIL), task("a", "r")], {"R": FAILED}, FAILED, first_error="R"
    ),
    Scenario(
        "the finalizer runs after a failure",
        [R, task("a", "r", definition=FAIL), task("f", finalize="r")],
        {"R": OK, "A": FAILED, "F": OK},
        FAILED,
        first_error="A",
    ),
    Scenario(
        "a failing finalizer fails the graph",
        [R, task("a", "r"), task("f", finalize="r", definition=FAIL)],
        {"R": OK, "A": OK, "F": FAILED},
        FAILED,
        first_error="F",
    ),
    Scenario(
        "a suspended finalizer does not run",
        [R, task("f", finalize="r")],
        {"R": OK},
        suspended=("f",),
    ),
    Scenario(
        "a skipped root starts nothing and is no graph run",
        [task("r", condition="1 = 2"), task("a", "r"), task("f", finalize="r")],
        {"R": SKIPPED},
        None,
    ),
    Scenario(
        "WHEN false skips the task and all below",
        [R, task("a", "r", condition="1 = 2"), task("b", "a"), task("c", "r")],
        {"R": OK, "A": SKIPPED, "C": OK},
    ),
    Scenario(
        "a branch chooses; a plain join below it does not run, one that asks for the states does",
        [
            R,
            task("b", "r", definition=CHOOSE),
            task("p", "b", condition=CHOSEN.format("P")),
            task("q", "b", condition=CHOSEN.format("Q")),
            task("plain", "p", "q"),
            task("joined", "p", "q", condition=STATE.format("NONE_FAILED_MIN_ONE_SUCCEEDED")),
        ],
        {"R": OK, "B": OK, "P": OK, "Q": SKIPPED, "JOINED": OK},
        values={"B": "P"},
    ),
    Scenario(
        "a suspended predecessor counts as succeeded beside a resumed one",
        [R, task("a", "r"), task("b", "r"), task("j", "a", "b")],
        {"R": OK, "B": OK, "J": OK},
        suspended=("a",),
    ),
    Scenario(
        "a task all of whose predecessors are suspended never runs",
        [R, task("a", "r"), task("b", "a"), task("c", "r")],
        {"R": OK, "C": OK},
        suspended=("a",),
    ),
    Scenario(
        "tasks that ask for their predecessors' states",
        [
            R,
            task("bad", "r", definition=FAIL),
            task("good", "r"),
            task("skip", "r", condition="1 = 2"),
            task("all_done", "bad", "good", "skip", condition=STATE.format("ALL_DONE")),
            task("one_failed", "bad", "good", condition=STATE.format("AT_LEAST_ONE_FAILED")),
            task("none_failed", "good", "skip", condition=STATE.format("NONE_FAILED")),
            task("all_skipped", "skip", condition=STATE.format("ALL_SKIPPED")),
            task("none_skipped", "good", "skip", condition=STATE.format("NONE_SKIPPED")),
            task("all_succeeded", "bad", "good", condition=STATE.format("ALL_SUCCEEDED")),
        ],
        {
            "R": OK,
            "BAD": FAILED,
            "GOOD": OK,
            "SKIP": SKIPPED,
            "ALL_DONE": OK,
            "ONE_FAILED": OK,
            "NONE_FAILED": OK,
            "ALL_SKIPPED": OK,
            "NONE_SKIPPED": SKIPPED,
            "ALL_SUCCEEDED": SKIPPED,
        },
        FAILED,
        first_error="BAD",
    ),
    Scenario(
        "a task that asks how another one ended",
        [
            R,
            task("bad", "r", definition=FAIL),
            task("alarm", "bad", condition="SYSTEM$TASK_COMPLETION_STATE('BAD') = 'FAILED'"),
        ],
        {"R": OK, "BAD": FAILED, "ALARM": OK},
        FAILED,
        first_error="BAD",
    ),
    Scenario(
        "values of all ancestors can be read",
        [
            task("r", definition="call system$set_return_value('from the root')"),
            task("a", "r"),
            task(
                "b",
                "a",
                definition="call system$set_return_value(system$get_predecessor_return_value('R') || '!')",
            ),
        ],
        {"R": OK, "A": OK, "B": OK},
        values={"R": "from the root", "B": "from the root!"},
    ),
    Scenario(
        "a value of no ancestor fails the task",
        [R, task("a", "r"), task("b", "r", definition="select system$get_predecessor_return_value('A')")],
        {"R": OK, "A": OK, "B": FAILED},
        FAILED,
        first_error="B",
    ),
    Scenario(
        "every task reads the graph's configuration",
        [
            task("r", config={"threshold": "0.4"}),
            task(
                "a", "r", definition="call system$set_return_value(system$get_task_graph_config('threshold'))"
            ),
        ],
        {"R": OK, "A": OK},
        values={"A": "0.4"},
    ),
    Scenario(
        "automatic retries run what failed and what is below",
        [
            task("r", task_auto_retry_attempts=2),
            task("a", "r", definition=FAIL),
            task("b", "r"),
            task("c", "a"),
        ],
        {"A": FAILED},
        FAILED,
        first_error="A",
        attempts=3,
    ),
    Scenario(
        "a retry by hand is another attempt of what failed",
        [R, task("a", "r", definition=FAIL), task("b", "r"), task("f", finalize="r")],
        {"A": FAILED, "F": OK},
        FAILED,
        first_error="A",
        retry=True,
        attempts=2,
    ),
    Scenario(
        "a child's own timeout fails it",
        [R, task("a", "r", definition="call system$wait(20)", user_task_timeout_ms=200), task("b", "a")],
        {"R": OK, "A": FAILED},
        FAILED,
        first_error="A",
    ),
    Scenario(
        "a task waits as long as it is told",
        [R, task("a", "r", definition="call system$wait(20, 'MILLISECONDS')")],
        {"R": OK, "A": OK},
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.title)
def test_graph(door: Door, scenario: Scenario) -> None:
    for settings in scenario.tasks:
        door.create(**settings)
    for settings in scenario.tasks[1:]:
        if settings["name"] not in scenario.suspended:
            door.resume(settings["name"])
    door.execute("r")
    door.settled("r")
    if scenario.retry:
        door.execute("r", retry_last=True)
        door.settled("r")
    assert door.states("r") == scenario.states
    runs = door.runs("r", complete=True)
    errors = door.runs("r", complete=True, error_only=True)
    if scenario.state is None:
        assert runs == errors == []
        return
    assert [run.state for run in runs] == [scenario.state] * scenario.attempts
    assert errors == (runs if scenario.state == FAILED else [])
    assert {run.first_error_task_name for run in runs} == {scenario.first_error}
    assert len({run.run_id for run in runs}) == 1, "attempts are of one run"
    assert {run.graph_version for run in runs} == {1}
    assert door.runs("r", complete=False) == []
    assert door.fetch("r")["state"] == "suspended", "executing does not resume"
    values = {
        row["NAME"]: row["RETURN_VALUE"] for row in door.history("r") if row["RETURN_VALUE"] is not None
    }
    assert values.items() >= scenario.values.items()


# -- a task's life


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
        ({"predecessors": ["nope"]}, "Invalid predecessor SFML.PUBLIC.NOPE was specified."),
        ({"predecessors": ["x"]}, "Task X cannot use itself as its predecessor."),
        (
            {"predecessors": ["r"], "every_minutes": 5},
            "Task X cannot have both a schedule and a predecessor.",
        ),
        ({"predecessors": ["r"], "config": {"a": 1}}, "cannot both be a non-root task and have a config."),
        (
            {"predecessors": ["r"], "overlap_policy": "NO_OVERLAP"},
            "Cannot set overlap policy on non-root task",
        ),
        (
            {"predecessors": ["r"], "task_auto_retry_attempts": 1},
            "Cannot set parameter TASK_AUTO_RETRY_ATTEMPTS",
        ),
        ({"finalize": "nope"}, "Invalid finalized root task SFML.PUBLIC.NOPE was specified."),
        ({"finalize": "a"}, "Task X cannot finalize a non-root task A"),
        ({"finalize": "r"}, "Finalize target R already have finalizer."),
        ({"predecessors": ["f"]}, "Task F cannot have children as a finalizer task."),
        ({"every_minutes": 11521}, "Cannot set schedule greater than 11,520 minutes."),
        ({"every_minutes": 0}, "Cannot set schedule less than 10 seconds."),
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
    actions = (door.fetch, door.resume, door.suspend, door.execute, door.drop, door.dependents)
    for action in actions:
        with pytest.raises(
            Refused, match=r"Task 'SFML\.PUBLIC\.NOPE' does not exist or not authorized"
        ) as refused:
            action("nope")
        assert (refused.value.code, refused.value.status) in {("002003", 404), ("002003", None)}
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
