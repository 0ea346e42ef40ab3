"""Backfills by the installed command: resumed, stopped, killed, and asked for by two people at once."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from small import Held, Small

from sfml.base.resources import schema
from sfml_local.http.faults import Call
from sfml_local.services.tasks.execution import current_runs

SPEC = """version: 1
pipeline: small
graph:
  version: 1
  config: {day: '2026-01-01', segment: a, wait: 0}
  tasks:
    load: {step: shop.days.load, with: {day: "${config.day}", segment: "${config.segment}"}}
    wait: {sql: "call system$wait(SYSTEM$GET_TASK_GRAPH_CONFIG('wait')::NUMBER)", after: [load]}
    score: {step: shop.days.score, after: [wait], with: {day: "${load.day}"}}
schedule: {version: 1, suspend_after_failures: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""
STEPS = """from sfml_steps import Context, step


@step
def load(ctx: Context, day: str, segment: str) -> dict:
    ctx.session.sql(f"INSERT INTO DAYS VALUES ('{day}{segment}', '{ctx.run.root}')").collect()
    return {"day": day}


@step
def score(ctx: Context, day: str) -> str:
    if day == "2026-01-03":
        raise ValueError("no data on that day")
    return day
"""
HERE = "specs/small.yaml"
APPLY = ("apply", HERE, "--auto-approve", "--user", "ada")
DEPLOYED = ["SMALL", "SMALL$LOAD", "SMALL$SCORE", "SMALL$WAIT"]


@pytest.fixture
def shop(small: Small) -> Small:
    (small.folder / "steps" / "shop").mkdir()
    (small.folder / "steps" / "shop" / "__init__.py").touch()
    (small.folder / "steps" / "shop" / "days.py").write_text(STEPS, encoding="utf-8")
    (small.folder / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    code, text = small.run(*APPLY)
    assert code == 0, text
    small.local.sql(f"CREATE TABLE {small.local.database}.SMALL.DAYS (DAY STRING, ROOT STRING)")
    return small


def backfill(shop: Small, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, text = shop.run("backfill", HERE, *arguments, "-o", "json")
    value = json.loads(text)
    if "error" not in value:
        Draft202012Validator(schema("output/backfill.schema.json")).validate(value)
    return code, value


def days(shop: Small) -> list[str]:
    rows = shop.local.sql(f"SELECT DAY FROM {shop.local.database}.SMALL.DAYS ORDER BY 1")
    return [row["DAY"] if "DAY" in row else row["day"] for row in rows]


def task_names(shop: Small) -> list[str]:
    rows = shop.local.sql(f"SHOW TASKS IN SCHEMA {shop.local.database}.SMALL")
    return sorted(row["name"] for row in rows)


def states(value: dict[str, Any]) -> list[str]:
    return [one["state"] for one in value["values"]]


def test_every_value_runs_once_and_the_same_command_skips_them(shop: Small) -> None:
    over = ("--over", "day=2026-01-01..2026-01-04", "--over", "segment=a,b", "--at-once", "3")
    code, value = backfill(shop, *over)
    assert code == 1 and value["summary"] == {
        "values": 8,
        "succeeded": 6,
        "failed": 2,
        "cancelled": 0,
        "running": 0,
        "pending": 0,
    }
    assert value["ran"] == 8
    assert days(shop) == [f"2026-01-0{day}{segment}" for day in range(1, 5) for segment in "ab"]
    assert task_names(shop) == DEPLOYED and shop.is_on()
    failed = [one for one in value["values"] if one["state"] == "failed"]
    assert [one["config"] for one in failed] == [
        {"day": "2026-01-03", "segment": "a"},
        {"day": "2026-01-03", "segment": "b"},
    ]
    assert failed[0]["error"] == "score: ValueError: no data on that day"
    its_runs_are_told(shop, failed[0]["run_id"])
    code, text = shop.run("backfill", HERE, *over)
    assert code == 1 and "6 succeeded, 2 failed" in text and "--retry-failed" in text
    assert len(days(shop)) == 8
    code, text = shop.run("backfill", HERE, "--over", "day=2026-01-01..2026-01-02", "--over", "segment=b,a")
    assert code == 0 and "all 4 values have run: 4 succeeded. --again repeats them" in text
    code, value = backfill(shop, "--over", "day=2026-01-01", "--over", "segment=a", "--again")
    assert code == 0 and value["ran"] == 1 and len(days(shop)) == 9
    file = shop.folder / "steps" / "shop" / "days.py"
    file.write_text(STEPS.replace('"2026-01-03"', '"never"'), encoding="utf-8")
    assert shop.run(*APPLY)[0] == 0
    code, value = backfill(shop, *over, "--retry-failed")
    assert code == 0 and value["ran"] == 2 and states(value) == ["succeeded"] * 8
    assert "6 of these ran on another version of the graph; --again repeats them" in value["notes"]
    code, text = shop.run("backfill", HERE, "--status")
    assert code == 0 and "8 values: 8 succeeded" in text and "✓ day 2026-01-03, segment b" in text
    code, value = backfill(shop, "--over", "day=2026-01-04..2026-01-05", "--over", "segment=a", "--status")
    assert code == 0 and states(value) == ["succeeded", "pending"] and value["is_going_on"] is False


def its_runs_are_told(shop: Small, failed: str) -> None:
    """History, logs and traces know the runs of values although their lanes are gone."""
    assert shop.run("run", HERE, "--only", "wait")[0] == 0
    code, text = shop.run("history", HERE)
    assert code == 0 and "the last run\n" in text, text
    assert "✗ backfill, 8 values, from " in text and "6 succeeded, 2 failed;  sfml backfill" in text, text
    found = json.loads(shop.run("history", HERE, "-n", "1", "-o", "json")[1])
    Draft202012Validator(schema("output/history.schema.json")).validate(found)
    runs = found["runs"]
    assert [run["backfill"] is None for run in runs] == [True] + [False] * 8
    (value,) = (run for run in runs if run["run_id"] == failed)
    assert value["backfill"]["config"] == {"day": "2026-01-03", "segment": "a"}
    assert (value["outcome"], value["failed_task"], value["deployment"]) == ("failed", "score", 1)
    code, text = shop.run("logs", HERE, "score", "--run", failed)
    assert code == 0 and "steps/shop/days.py" in text and "ValueError: no data on that day" in text, text
    told = json.loads(shop.run("logs", HERE, "--run", failed, "-o", "json")[1])
    assert [task["name"] for task in told["tasks"]] == ["load", "wait", "score"]
    assert told["backfill"]["config"]["segment"] == "a"
    code, text = shop.run("trace", failed, HERE)
    assert code == 0 and "backfill day 2026-01-03, segment a" in text and "day: 2026-01-03" in text, text
    code, text = shop.run("logs", HERE)
    assert code == 0 and failed not in text, "the last run is not one of a backfill"


def test_a_dry_run_runs_nothing(shop: Small) -> None:
    code, text = shop.run("backfill", HERE, "--over", "day=2026-01-01..2026-01-31/1w", "--dry-run")
    assert code == 0 and "backfill of 5 values, 5 to run" in text
    assert days(shop) == [] and task_names(shop) == DEPLOYED


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no values to run over"),
        (("--over", "dya=2026-01-01"), "`dya` is not a key"),
        (("--over", "wait=soon"), "the config's `wait` is a number"),
        (("--over", "wait=NaN"), "the config's `wait` is a number"),
        (("--over", "wait=1e999"), "the config's `wait` is a number"),
        (("--over", f"wait={'[' * 100_000}"), "the config's `wait` is a number"),
        (("--over", "day=2026-01-01", "--config", "day=2026-01-02"), "by --over and by --config"),
        (("--over", "day=2026-01-09..2026-01-01"), "ends before it begins"),
        (("--status", "--config", "day=2026-01-02"), "--config tells values of --over apart"),
    ],
)
def test_wrong_arguments_run_nothing(shop: Small, arguments: tuple[str, ...], words: str) -> None:
    code, text = shop.run("backfill", HERE, *arguments)
    assert code == 2 and words in text
    assert days(shop) == []


def test_a_stream_has_no_past(shop: Small) -> None:
    place = f"{shop.local.database}.SMALL"
    shop.local.sql(f"CREATE TABLE {place}.ORDERS (A INT)")
    shop.local.sql(f"CREATE STREAM {place}.NEW_ORDERS ON TABLE {place}.ORDERS")
    shop.edit("{cron: '0 0 * * 0', timezone: UTC}", "{on_stream: [NEW_ORDERS]}")
    assert shop.run(*APPLY)[0] == 0
    code, text = shop.run("backfill", HERE, "--over", "day=2026-01-01")
    assert code == 1 and "is started by a stream, which has no past to be filled" in text


OVER = ("--over", "day=2026-02-01..2026-02-06", "--at-once", "2")


def begun(shop: Small) -> tuple[subprocess.Popen[str], Held]:
    """A backfill of six values, two at once, of which two have run, and the next two run until they are let go."""
    held = shop.hold("INSERT DAYS", nth=3)
    started = shop.start("backfill", HERE, *OVER, "--user", "ada")
    held.wait(2)
    return started, held


def problems(shop: Small) -> list[str]:
    """The kinds of problems that `status` tells."""
    _, text = shop.run("status", HERE, "-o", "json")
    value = json.loads(text)
    Draft202012Validator(schema("output/status.schema.json")).validate(value)
    return [problem["kind"] for pipeline in value["pipelines"] for problem in pipeline["problems"]]


def test_what_was_killed_goes_on_where_it_stopped(shop: Small) -> None:
    started, held = begun(shop)
    started.kill()
    started.wait()
    assert any("$$LANE_" in name for name in task_names(shop))
    assert problems(shop) == ["backfill_stopped"]
    code, text = shop.run("status", HERE)
    assert "a backfill was stopped before its end; left over: SMALL$$LANE_1" in text, text
    assert "a backfill was stopped" in shop.run("drift", HERE)[1]
    assert states(backfill(shop, *OVER, "--status")[1]).count("running") == 2, (
        "the runs that were begun go on"
    )
    held.let_go()
    shop.settled()
    shown = backfill(shop, *OVER, "--status")[1]
    assert shown["is_going_on"] is False and states(shown).count("succeeded") == 4, shown
    assert "No command works on it now" in shop.run("backfill", HERE, "--status")[1]
    code, value = backfill(shop, *OVER)
    assert code == 0 and states(value) == ["succeeded"] * 6, value
    assert days(shop) == [f"2026-02-0{day}a" for day in range(1, 7)], "each value ran once"
    assert task_names(shop) == DEPLOYED and problems(shop) == []


def test_ctrl_c_begins_no_other_run_and_the_rest_comes_later(shop: Small) -> None:
    started, held = begun(shop)
    started.send_signal(signal.SIGINT)
    held.let_go()
    text, _ = started.communicate(timeout=120)
    assert started.returncode == 130 and "The same command goes on where this one stopped" in text, text
    left = shop.local.sql(f"SHOW STAGES LIKE 'SFML_LEASE%' IN DATABASE {shop.local.database}")
    assert left == []
    code, value = backfill(shop, "--status")
    assert "pending" not in states(value) and value["summary"]["values"] < 6
    code, value = backfill(shop, *OVER)
    assert code == 0 and days(shop) == [f"2026-02-0{day}a" for day in range(1, 7)]
    assert task_names(shop) == DEPLOYED


def test_two_people_do_not_run_a_value_twice(shop: Small) -> None:
    started, held = begun(shop)
    assert problems(shop) == [], "somebody is at it"
    code, text = shop.run("backfill", HERE, *OVER, "--user", "bob")
    assert code == 1 and "a backfill of small is going on: ada" in text, text
    assert "is going on: ada" in shop.run("backfill", HERE, "--status", "--user", "bob")[1]
    held.let_go()
    code, value = backfill(shop, *OVER, "--user", "bob", "--lock-timeout", "5m")
    assert code == 0 and states(value) == ["succeeded"] * 6, value
    started.communicate(timeout=120)
    assert started.returncode == 0
    assert days(shop) == [f"2026-02-0{day}a" for day in range(1, 7)]


def test_a_task_of_somebody_else_is_no_lane(shop: Small) -> None:
    theirs = f'{shop.local.database}.SMALL."SMALL$$LANE_1"'
    shop.local.sql(f"CREATE TASK {theirs} SCHEDULE = '60 minutes' COMMENT = 'theirs' AS SELECT 1")
    assert problems(shop) == []
    code, value = backfill(shop, "--over", "day=2026-02-01")
    assert code == 0 and states(value) == ["succeeded"], value
    assert task_names(shop) == [*DEPLOYED[:1], "SMALL$$LANE_1", *DEPLOYED[1:]]
    code, text = shop.run("destroy", HERE, "--auto-approve")
    assert code == 0 and task_names(shop) == ["SMALL$$LANE_1"], text


def test_lanes_never_have_two_runs_at_once(shop: Small) -> None:
    """Looked at with every call of the command and of its runs, each of which waits for another one beside it."""
    both = threading.Barrier(2)
    looks: list[list[str]] = []

    def look(call: Call) -> None:
        runs = current_runs(shop.local.server.account)
        looks.append([run.root.name for run in runs if "LANE" in run.root.name])

    shop.local.faults.do(lambda call: both.wait(60), "INSERT DAYS", inside=True, times=None)
    shop.local.faults.do(look, inside=None, when="after", times=None)
    started = shop.start("backfill", HERE, *OVER, "--user", "ada")
    text, _ = started.communicate(timeout=120)
    assert started.returncode == 0, text
    assert all(len(set(roots)) == len(roots) <= 2 for roots in looks), looks
    assert max(map(len, looks)) == 2


def test_destroy_takes_lanes_that_were_left_and_what_is_known_of_values(shop: Small) -> None:
    started, _ = begun(shop)
    started.kill()
    started.wait()
    assert backfill(shop, "--status")[1]["values"] != []
    code, text = shop.run("destroy", HERE, "--auto-approve")
    assert code == 0 and task_names(shop) == [], text
    assert shop.local.sql(f"LIST @{shop.local.database}.SMALL.SFML") == []
    assert backfill(shop, "--status")[1]["values"] == [], "a new deployment has to fill them in anew"


def test_a_pipeline_that_is_destroyed_under_a_backfill_is_said_by_both(shop: Small) -> None:
    held = shop.hold("INSERT DAYS", nth=2)
    started = shop.start("backfill", HERE, "--over", "wait=0", "--over", "day=2026-02-01..2026-02-28")
    held.wait()
    code, text = shop.run("destroy", HERE, "--auto-approve")
    assert code == 0 and "A backfill is going on, and loses the values that run: " in text, text
    held.let_go()
    text, _ = started.communicate(timeout=120)
    said = text.rpartition("error: ")[2]
    assert started.returncode == 1 and said.startswith("small was destroyed while its backfill ran"), text
    assert "sfml apply specs/small.yaml -t local" in said and task_names(shop) == []


def test_values_of_copies_that_are_gone_run_again_and_that_is_said(shop: Small) -> None:
    started, held = begun(shop)
    started.kill()
    started.wait()
    shop.local.sql(f'DROP TASK {shop.local.database}.SMALL."SMALL$$LANE_1"')
    notes = backfill(shop, *OVER, "--dry-run")[1]["notes"]
    assert any(note.startswith("1 of these began on copies of the graph that are gone") for note in notes)
    held.let_go()
    code, value = backfill(shop, *OVER)
    assert code == 0 and states(value) == ["succeeded"] * 6, value
    assert task_names(shop) == DEPLOYED
