"""What graphs do, in one table; every row is built and run through REST and again through SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from doors import Door

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
