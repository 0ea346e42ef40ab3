"""Commands on several pipelines: those that share nothing are applied and run at the same time."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from small import Small, printed_by

from sfml_local.http.faults import Call

NAMES = ("apple", "bread", "cheese")
STEPS = """import time

from sfml_steps import Context, step


@step
def meet(ctx: Context, mine: str, other: str) -> None:
    ctx.session.sql(f"CREATE OR REPLACE TABLE IDENTIFIER('{mine}') (A INT)").collect()
    schema, table = other.rsplit(".", 1)
    deadline = time.monotonic() + 60
    while not ctx.session.sql(f"SHOW TABLES LIKE '{table}' IN SCHEMA {schema}").collect():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{other} did not come")
        time.sleep(0.05)
"""


def spec(name: str, task: str = "{sql: select 1}") -> str:
    return (
        f"version: 1\npipeline: {name}\ngraph:\n  version: 1\n  tasks:\n    first: {task}\n"
        "    second: {sql: select 2, after: [first]}\nschedule: {version: 1, schedule: manual}\n"
    )


@pytest.fixture
def shop(small: Small) -> Iterator[Small]:
    """A project of three pipelines that share nothing, none of them deployed."""
    (small.folder / "specs" / "small.yaml").unlink()
    (small.folder / "steps" / "s.py").write_text(STEPS, encoding="utf-8")
    for name in NAMES:
        write(small, name)
    yield small


def write(shop: Small, name: str, task: str = "{sql: select 1}") -> None:
    (shop.folder / "specs" / f"{name}.yaml").write_text(spec(name, task), encoding="utf-8")


def meeting(shop: Small, mine: str, other: str, *, shared: str = "") -> None:
    """A pipeline whose first step ends only when the other's is under way."""
    database = shop.local.database
    arguments = f"{{mine: {database}.{mine.upper()}.MET, other: {database}.{other.upper()}.MET}}"
    write(shop, mine, f"{{step: s.meet, with: {arguments}{shared}}}")


def times(run: Any) -> tuple[datetime, datetime]:
    """When the first task of a run began, and when its last one ended."""
    began = [datetime.fromisoformat(task["started_at"]) for task in run["tasks"]]
    ended = [
        at + timedelta(milliseconds=task["duration_ms"]) for at, task in zip(began, run["tasks"], strict=True)
    ]
    return min(began), max(ended)


def met(shop: Small, one: str, other: str, words: str = "PUT /tasks/{}$FIRST") -> list[bool]:
    """Make each call wait for the other one; answers, once they were made, whether it came."""
    came: list[bool] = []
    seen = {one: threading.Event(), other: threading.Event()}

    def wait_for(mine: str, others: str) -> None:
        def hit(call: Call) -> None:
            seen[mine].set()
            came.append(seen[others].wait(20))

        shop.local.faults.do(hit, words.format(mine.upper()), when="before")

    wait_for(one, other)
    wait_for(other, one)
    return came


def test_runs_of_pipelines_that_share_nothing_overlap(shop: Small) -> None:
    meeting(shop, "apple", "bread")
    meeting(shop, "bread", "apple")
    assert shop.run("apply", "--auto-approve", "-q")[0] == 0
    code, text = shop.run("run", "apple", "bread", "-o", "json")
    assert code == 0, text
    apple, bread = map(times, json.loads(text)["pipelines"])
    assert max(apple[0], bread[0]) < min(apple[1], bread[1])


def test_runs_of_pipelines_that_share_a_table_do_not(shop: Small) -> None:
    write(shop, "apple", "{sql: select 1, writes: [RAW.PUBLIC.ORDERS]}")
    write(shop, "bread", '{sql: "select * from (select 1) x /* from raw.public.orders */"}')
    assert shop.run("apply", "--auto-approve", "-q")[0] == 0
    code, text = shop.run("run", "bread", "apple", "cheese", "-o", "json")
    assert code == 0, text
    bread, apple, _ = map(times, json.loads(text)["pipelines"])
    assert bread[1] <= apple[0]


def test_each_line_of_a_run_says_whose_it_is(shop: Small) -> None:
    write(shop, "bread", "{sql: select nothing}")
    shop.run("apply", "--auto-approve", "-q")
    code, text = shop.run("run")
    assert code == 1
    assert text.endswith("\n3 pipelines: 2 succeeded, bread failed\n")
    lines = text.splitlines()
    for name, of in zip(NAMES, ("succeeded in", "failed at first", "succeeded in"), strict=True):
        own = [line for line in lines if line.startswith(f"{name:<6}  ")]
        assert re.match(rf"{name:<6}  {name} on local . run ", own[0])
        assert any(line.startswith(f"{name:<6}  {name} {of}") for line in own)
    assert "\n\n\n" not in text


def test_what_cannot_be_run_hides_no_other(shop: Small) -> None:
    shop.run("apply", "apple", "cheese", "--auto-approve", "-q")
    code, text = shop.run("run")
    assert code == 1 and "error: bread: pipeline `bread` is not deployed" in text
    assert text.endswith("3 pipelines: 2 succeeded, bread could not be run\n")
    code, text = shop.run("run", "-o", "json")
    entries = json.loads(text)["pipelines"]
    assert [one.get("state") for one in entries] == ["SUCCEEDED", None, "SUCCEEDED"]
    assert entries[1]["error"]["message"].startswith("pipeline `bread` is not deployed")


def test_pipelines_that_share_nothing_are_applied_at_once(shop: Small) -> None:
    came = met(shop, "apple", "bread")
    code, text = shop.run("apply", "--auto-approve")
    assert code == 0 and came == [True, True]
    turns = [text.index(f"\n{name} → local\n\n  ✓ ") for name in NAMES]
    assert turns == sorted(turns) and "\n\n\n" not in text
    for name, after in zip(NAMES, (*turns[1:], len(text)), strict=True):
        block = text[turns[NAMES.index(name)] : after]
        assert block.count(" → local") == 1 and f"Deployment 1 of {name}" in block


@pytest.mark.parametrize("schema", ["{{ pipeline }}", "ONE"], ids=["a schema each", "one schema"])
def test_all_of_many_arrive(shop: Small, schema: str) -> None:
    file = shop.folder / "sfml.yaml"
    file.write_text(file.read_text().replace("kind: local,", f'kind: local, schema: "{schema}",'))
    for number in range(7):
        write(shop, f"more_{number}")
    code, text = shop.run("apply", "--auto-approve", "--run", "-o", "json")
    entries = json.loads(text)["pipelines"]
    assert code == 0 and len(entries) == 10
    assert {(one["applied"], one["run"]["state"]) for one in entries} == {(True, "SUCCEEDED")}
    code, text = shop.run("plan", "--detailed-exitcode", "-q")
    assert code == 0, text


def test_pipelines_that_share_a_table_are_applied_in_their_order(shop: Small) -> None:
    for name in ("apple", "bread"):
        write(shop, name, "{sql: select 1, reads: [RAW.PUBLIC.ORDERS]}")
    order: list[str] = []
    for words in ("CREATE STAGE SFML_LEASE", "DROP STAGE SFML_LEASE"):
        shop.local.faults.do(
            lambda call: order.append(call.statement or ""), words, when="before", times=None
        )
    assert shop.run("apply", "--auto-approve")[0] == 0
    shop.local.faults.clear()
    leases = [(text.split()[0], name) for text in order for name in NAMES[:2] if f"${name.upper()}" in text]
    assert leases == [("CREATE", "apple"), ("DROP", "apple"), ("CREATE", "bread"), ("DROP", "bread")]


def test_one_that_fails_hides_no_other(shop: Small) -> None:
    came = met(shop, "apple", "cheese")
    shop.local.faults.fail("PUT /tasks/BREAD$SECOND", status=400, times=50)
    code, text = shop.run("apply", "--auto-approve")
    assert code == 1 and came == [True, True]
    assert "error: bread: " in text and "sfml apply specs/bread.yaml -t local --restore" in text
    assert "3 pipelines: 2 applied, 0 as in the spec, 1 failed: bread" in text
    shop.local.faults.clear()
    code, text = shop.run("apply", "--auto-approve")
    assert code == 0 and "3 pipelines: 1 applied, 2 as in the spec" in text


def test_a_lease_that_is_lost_is_told_of_its_pipeline(shop: Small) -> None:
    came = met(shop, "apple", "cheese")

    def steal(call: Call) -> None:
        lease = f'{shop.local.database}.BREAD."SFML_LEASE$BREAD"'
        shop.local.sql(f"CREATE OR REPLACE STAGE {lease} COMMENT = 'somebody'")

    shop.local.faults.do(steal, "PUT /tasks/BREAD$FIRST", when="before")
    shop.local.faults.fail("PUT /tasks/BREAD$SECOND", status=400, times=50)
    code, text = shop.run("apply", "--auto-approve")
    shop.local.faults.clear()
    assert code == 1 and came == [True, True]
    assert "error: bread: the lease was taken away" in text and text.count("taken away") == 1
    assert "3 pipelines: 2 applied, 0 as in the spec, 1 failed: bread" in text


def test_a_signal_stops_all_that_are_under_way(shop: Small) -> None:
    started: list[subprocess.Popen[str]] = []
    seen = {"apple": threading.Event(), "bread": threading.Event(), "cheese": threading.Event()}

    def hold(name: str) -> None:
        def hit(call: Call) -> None:
            seen[name].set()
            assert all(one.wait(20) for one in seen.values())
            if name == "bread":
                started[0].send_signal(signal.SIGINT)
            assert noticed.wait(60)

        shop.local.faults.do(hit, f"PUT /tasks/{name.upper()}$FIRST", when="before")

    noticed = threading.Event()
    for name in NAMES:
        hold(name)
    started.append(shop.start("apply", "--auto-approve"))
    text = printed_by(started[0], noticed)
    shop.local.faults.clear()
    assert started[0].returncode == 130, text
    assert "stopped in the middle: apple, bread, cheese" in text
    for name in NAMES:
        assert f"sfml apply specs/{name}.yaml -t local             finishes it" in text, text
    assert not shop.local.sql(f"SHOW STAGES LIKE 'SFML_LEASE%' IN DATABASE {shop.local.database}")
    code, text = shop.run("apply", "--auto-approve")
    assert code == 0 and "3 pipelines: 3 applied" in text
    assert shop.run("plan", "--detailed-exitcode", "-q")[0] == 0


def test_a_killed_apply_of_several_is_finished_by_the_next(shop: Small) -> None:
    started: list[subprocess.Popen[str]] = []
    shop.local.faults.do(lambda call: started[0].kill(), "PUT /tasks/BREAD$FIRST", when="after")
    started.append(shop.start("apply", "--auto-approve"))
    started[0].communicate(timeout=120)
    shop.local.faults.clear()
    assert started[0].returncode == -signal.SIGKILL
    code, text = shop.run("apply", "--auto-approve", "--force-unlock", "--run")
    assert code == 0 and re.search(r"3 pipelines: \d applied, \d as in the spec\n", text), text
    assert shop.run("plan", "--detailed-exitcode", "-q")[0] == 0


def test_a_signal_while_runs_are_followed(shop: Small) -> None:
    meeting(shop, "apple", "nobody")
    meeting(shop, "bread", "nobody")
    shop.local.sql(f"CREATE SCHEMA {shop.local.database}.NOBODY")
    assert shop.run("apply", "--auto-approve", "-q")[0] == 0
    process = shop.start("run", "apple", "bread")
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    seen = [next(line for line in lines if "first" in line)]
    seen.append(next(line for line in lines if "first" in line))
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=120)[0]
    assert process.returncode == 130
    assert "not followed any more: apple, bread" in text
    shop.local.sql(f"CREATE TABLE {shop.local.database}.NOBODY.MET (A INT)")
