"""Parts of runs: `sfml run --only`, `--from` and `--recover`, with the installed command where it is killed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from small import SFML, Held, Small

from sfml.base.resources import schema

SPEC = """version: 1
pipeline: small
graph:
  version: 1
  config: {factor: 2}
  tasks:
    load: {step: shop.tasks.load}
    train: {step: shop.tasks.train, after: [load], with: {rows: "${load.rows}", factor: "${config.factor}"}}
    gate: {step: shop.tasks.gate, after: [train], with: {score: "${train.score}"}, outcomes: [good, bad]}
    good: {sql: "call system$set_return_value('\\"fine\\"')"}
    bad: {sql: "call system$set_return_value('bad')"}
    report:
      step: shop.tasks.report
      after: [good, bad]
      run_if: none_failed_min_one_succeeded
      with: {good: "${good}", bad: "${bad}", score: "${train.score}", run: "${run.id}", at: "${run.scheduled_at}"}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""
BAD = """{sql: "call system$set_return_value('bad')"}"""
STEPS = """from typing import Literal
from sfml_steps import Context, step


def note(ctx, name):
    ctx.session.sql("CREATE TABLE IF NOT EXISTS NOTES (NAME STRING, RUN STRING)").collect()
    ctx.session.sql(f"INSERT INTO NOTES VALUES ('{name}', '{ctx.run.id}')").collect()


@step
def load(ctx: Context) -> dict:
    note(ctx, "load")
    return {"rows": 3}


@step
def train(ctx: Context, rows: int, factor: int) -> dict:
    note(ctx, "train")
    return {"score": rows * factor}


@step
def gate(ctx: Context, score: int) -> Literal["good", "bad"]:
    note(ctx, "gate")
    return "good"


@step
def report(ctx: Context, good: str | None, bad: str | None, score: int, run: str, at: str) -> dict:
    note(ctx, "report")
    assert ctx.result("bad") is None
    raise ValueError("a bug")


@step
def slow(ctx: Context) -> str:
    ctx.session.sql("SELECT 'slow'").collect()
    return "bad"
"""
MENDED = 'return {"good": good, "bad": bad, "score": score, "run": run, "at": at, "id": ctx.run.id}'
BUG = 'raise ValueError("a bug")'
HERE = "specs/small.yaml"
APPLY = ("apply", HERE, "--auto-approve", "--user", "ada")


@pytest.fixture
def shop(small: Small) -> Small:
    (small.folder / "steps" / "shop").mkdir()
    (small.folder / "steps" / "shop" / "__init__.py").touch()
    (small.folder / "steps" / "shop" / "tasks.py").write_text(STEPS, encoding="utf-8")
    (small.folder / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    code, text = small.run(*APPLY)
    assert code == 0, text
    return small


def mend(shop: Small, old: str = BUG, new: str = MENDED) -> None:
    file = shop.folder / "steps" / "shop" / "tasks.py"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(shop: Small, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, text = shop.run("run", HERE, *arguments, "-o", "json")
    value = json.loads(text)
    if "error" not in value:
        name = "part" if "--dry-run" in arguments else "run"
        Draft202012Validator(schema(f"output/{name}.schema.json")).validate(value)
    return code, value


def tasks(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["name"]: task for task in value["tasks"]}


def notes(shop: Small) -> list[str]:
    rows = shop.local.sql(f"SELECT NAME FROM {shop.local.database}.SMALL.NOTES")
    return [row["name"] if "name" in row else row["NAME"] for row in rows]


def task_names(shop: Small) -> list[str]:
    rows = shop.local.sql(f"SHOW TASKS IN SCHEMA {shop.local.database}.SMALL")
    return sorted(row["name"] for row in rows)


DEPLOYED = [
    "SMALL",
    *(f"SMALL${name}" for name in ("BAD", "GATE", "GOOD", "LOAD", "REPORT", "TRAIN")),
]


def test_a_run_is_recovered_with_mended_code(shop: Small) -> None:
    code, failed = run(shop)
    assert code == 1 and failed["part"] is None
    mend(shop)
    code, plan = run(shop, "--recover", failed["run_id"][:8], "--dry-run")
    assert code == 0 and plan["recovers"] == failed["run_id"]
    actions = {task["task"]: (task["action"], task["run_id"]) for task in plan["tasks"]}
    assert actions["train"] == ("reuse", failed["run_id"])
    assert actions["report"] == ("run", None) and actions["bad"] == ("leave", None)
    assert plan["retryable_run"] == failed["run_id"] and plan["forfeits"] == []
    assert notes(shop) == ["load", "train", "gate", "report"]
    code, value = run(shop, "--recover", failed["run_id"])
    assert code == 0 and value["state"] == "SUCCEEDED" and value["run_id"] != failed["run_id"]
    assert notes(shop) == ["load", "train", "gate", "report", "report"]
    told = tasks(value)
    assert told["report"]["return_value"] == {
        "good": "fine",
        "bad": None,
        "score": 6,
        "run": failed["run_id"],
        "id": failed["run_id"],
        "at": told["report"]["return_value"]["at"],
    }
    assert told["report"]["return_value"]["at"][:16].replace("T", " ") == failed["tasks"][0]["started_at"][
        :16
    ].replace("T", " ")
    assert told["train"]["reused_from"] == failed["run_id"]
    assert told["train"]["return_value"] == {"score": 6} and told["train"]["started_at"] is None
    assert (told["bad"]["state"], told["gate"]["arm"]) == (None, "good")
    assert value["part"]["recovers"] == failed["run_id"] and value["part"]["runs"] == ["report"]
    assert task_names(shop) == DEPLOYED
    code, text = shop.run("history", HERE)
    assert code == 0 and f"{value['run_id']}" in text and f"part of {failed['run_id']}" in text
    history = json.loads(shop.run("history", HERE, "-o", "json")[1])
    Draft202012Validator(schema("output/history.schema.json")).validate(history)
    assert [one["run_id"] for one in history["runs"]] == [value["run_id"], failed["run_id"]]
    code, text = shop.run("status", HERE)
    assert code == 0 and "a part" in text
    status = json.loads(shop.run("status", HERE, "-o", "json")[1])
    Draft202012Validator(schema("output/status.schema.json")).validate(status)
    code, value = run(shop, "--recover", "last")
    assert code == 1 and "every run that failed was recovered since" in value["error"]["message"]


def test_a_run_that_is_retried_after_a_part_of_it_stands_for_itself(shop: Small) -> None:
    failed = run(shop)[1]
    mend(shop)
    assert run(shop, "--recover", "last")[0] == 0
    assert shop.run("status", HERE)[0] == 0
    assert shop.run("retry", HERE)[0] == 1, "it runs what is deployed"
    code, text = shop.run("status", HERE)
    assert code == 1 and "ValueError: a bug" in text and "a part" not in text, text
    for words in ((), ("--run", "last")):  # what the status names is what the log shows
        code, text = shop.run("logs", HERE, "report", *words)
        assert code == 0 and "── report  FAILED" in text and "ValueError: a bug" in text, text
    code, value = run(shop, "--recover", "last")
    assert code == 0 and value["part"]["recovers"] == failed["run_id"]
    assert shop.run("status", HERE)[0] == 0


def test_from_takes_several_tasks_as_only_does(shop: Small) -> None:
    run(shop)
    for words in (("--from", "train,good"), ("--from", "good", "--from", "train+")):
        code, plan = run(shop, *words, "--dry-run")
        fates = {task["task"]: task["action"] for task in plan["tasks"]}
        assert code == 0 and fates == {"load": "reuse", **dict.fromkeys(list(fates)[1:], "run")}, plan
    code, plan = run(shop, "--from", "good,load", "--dry-run")
    assert {task["action"] for task in plan["tasks"]} == {"run"}
    code, text = shop.run("run", HERE, "--from", " , ")
    assert code == 2 and "not a selector" in text


def test_a_part_that_fails_is_recovered_itself(shop: Small) -> None:
    mend(shop, 'return {"score": rows * factor}', BUG)
    shop.run(*APPLY)
    failed = run(shop)[1]
    mend(shop, BUG, 'return {"score": rows * factor}')  # mends both
    mend(shop, 'assert ctx.result("bad") is None\n', 'assert 1 == 2, "not yet"\n')
    code, second = run(shop, "--recover", failed["run_id"])
    assert code == 1 and second["reason"]["task"] == "report"
    assert second["part"]["runs"] == ["train", "gate", "good", "bad", "report"]
    mend(shop, 'assert 1 == 2, "not yet"\n', "return {}\n")
    code, third = run(shop, "--recover", "last")
    assert code == 0 and third["part"]["recovers"] == second["run_id"]
    assert third["part"]["runs"] == ["report"]
    reused = {name: task["reused_from"] for name, task in tasks(third).items()}
    assert (reused["load"], reused["train"]) == (failed["run_id"], second["run_id"])
    assert notes(shop) == ["load", "train", "train", "gate", "report", "report"]


def test_only_one_task_runs_with_the_latest_results(shop: Small) -> None:
    mend(shop)
    shop.run(*APPLY)
    first = run(shop, "--config", "factor=5")[1]
    assert first["state"] == "SUCCEEDED"
    code, value = run(shop, "--only", "load")
    assert code == 0 and {name: task["state"] for name, task in tasks(value).items()} == {
        "load": "SUCCEEDED",
        **dict.fromkeys(("train", "gate", "good", "bad", "report")),
    }
    assert value["part"]["run_of_steps"] is None
    again = run(shop, "--only", "train")[1]
    assert tasks(again)["train"]["return_value"] == {"score": 6}
    assert tasks(again)["load"]["reused_from"] == value["run_id"]
    plan = run(shop, "--only", "report", "--config", "factor=9", "--dry-run")[1]
    assert "reused results of train were made with factor 2" in plan["notes"], plan["notes"]
    assert any(note.endswith("were made with factor 5") for note in plan["notes"])
    code, last = run(shop, "--only", "report", "--config", "factor=9")
    told = tasks(last)
    assert code == 0 and told["report"]["return_value"]["score"] == 6
    assert told["train"]["reused_from"] == again["run_id"] and told["gate"]["reused_from"] == first["run_id"]
    assert notes(shop) == ["load", "train", "gate", "report", "load", "train", "report"]
    code, value = run(shop, "--only", "bad")
    assert code == 1 and "`bad` would not run: gate chose good" in value["error"]["message"]
    code, value = run(shop, "--from", "gate", "--dry-run")
    assert value["selectors"] == ["gate+"] and value["runs"] == ["gate", "good", "bad", "report"]
    assert task_names(shop) == DEPLOYED


def test_a_result_that_is_gone_is_said_before_anything_runs(shop: Small) -> None:
    code, value = run(shop, "--only", "train")
    assert (
        code == 1
        and "`train` reads the result of `load`, and no run of it is kept" in (value["error"]["message"])
    )
    assert value["error"]["help"] == "run it as well:  --only 'load,train'"
    assert task_names(shop) == DEPLOYED


USE = """

@step
def use(ctx: Context, path: str) -> str:
    return ctx.read_file(path).decode()
"""
USES = """    by_sql: {sql: "select SYSTEM$GET_PREDECESSOR_RETURN_VALUE('SMALL$LOAD')", after: [load]}
    by_step: {step: shop.tasks.use, after: [load], with: {path: "${load.file}"}}
"""


def test_a_file_that_was_removed_is_said_before_anything_runs(shop: Small) -> None:
    mend(shop)
    mend(shop, 'return {"rows": 3}', 'return {"rows": 3, "file": ctx.write_file("a.txt", b"1")}')
    mend(shop, "\n\n@step\ndef train", f"{USE}\n\n@step\ndef train")
    shop.edit("    bad:", f"{USES}    bad:")
    assert shop.run(*APPLY)[0] == 0
    assert run(shop)[0] == 0 and run(shop, "--only", "by_*")[0] == 0
    shop.local.sql(f"REMOVE @{shop.local.database}.SMALL.SFML/small/runs/")
    for name in ("by_sql", "by_step"):
        code, value = run(shop, "--only", name)
        assert code == 1 and f"`{name}` reads the file small/runs/" in value["error"]["message"], value
        assert "which `load` wrote and which has been removed since" in value["error"]["message"]
        assert value["error"]["help"] == f"run it as well:  --only 'load,{name}'"
    assert run(shop, "--only", "report")[0] == 0, "it does not read the file"
    assert run(shop, "--only", "load,by_step")[0] == 0
    assert task_names(shop) == sorted([*DEPLOYED, "SMALL$BY_SQL", "SMALL$BY_STEP"])


def test_the_code_of_a_deployment_runs(shop: Small) -> None:
    run(shop)
    mend(shop)
    shop.edit("config: {factor: 2}", "config: {factor: 2, later: 1}")
    shop.run(*APPLY)
    run(shop)
    code, text = shop.run("run", HERE, "--only", "report", "--deployment", "1", "--config", "later=2")
    assert code == 2 and "`later` is not a key" in text, "the deployment has no such key"
    code, old = run(shop, "--only", "report", "--deployment", "1")
    assert code == 1 and old["reason"]["line"] == "report: ValueError: a bug"
    assert old["part"]["deployment"] == 1
    code, text = shop.run("logs", HERE, "report")
    assert code == 0 and "ValueError: a bug" in text and "tasks.py" in text, text
    assert run(shop, "--only", "report", "--deployment", "2")[0] == 0
    code, value = run(shop, "--only", "report", "--deployment", "7")
    assert code == 1 and "deployment 7 of small is not kept" in value["error"]["message"]


def test_wrong_arguments_are_refused_once_the_deployment_is_known(shop: Small) -> None:
    """The keys and tasks are those of the deployment, not of the files."""
    run(shop)
    mend(shop)
    shop.edit("config: {factor: 2}", "config: {later: 1}")
    shop.edit('factor: "${config.factor}"', 'factor: "${config.later}"')
    before = noted(shop)
    for words, message in (
        (("--recover", "last", "--config", "nope=1"), "`nope` is not a key"),
        (("--recover", "last", "--config", "later=1"), "`later` is not a key"),
        (("--recover", "last", "--config", "factor=much"), "`factor` is a number"),
        (("--only", "report", "--config", "factor=true"), "`factor` is a number"),
        (("--only", "reprot"), "no task is called `reprot`"),
    ):
        code, text = shop.run("run", HERE, *words, "--deployment", "1")
        assert code == 2 and message in text, text
    assert noted(shop) == before
    assert run(shop, "--recover", "last", "--deployment", "1", "--config", "factor=3")[0] == 1, "the old code"
    code, text = shop.run("run", HERE, "--recover", "last", "--config", "factor=3")
    assert code == 2 and "`factor` is not a key" in text, "the files have no such key any more"


def test_the_config_of_the_recovered_run_is_kept(shop: Small) -> None:
    mend(shop, 'return {"score": rows * factor}', BUG)
    shop.run(*APPLY)
    failed = run(shop, "--config", "factor=7")[1]
    mend(shop, BUG, 'return {"score": rows * factor}')
    value = run(shop, "--recover", failed["run_id"])[1]
    assert tasks(value)["train"]["return_value"] == {"score": 21}
    value = run(shop, "--recover", failed["run_id"], "--config", "factor=10")[1]
    assert tasks(value)["train"]["return_value"] == {"score": 30}


def test_a_part_forfeits_no_retry_and_an_apply_says_which(shop: Small) -> None:
    failed = run(shop)[1]
    mend(shop)
    assert run(shop, "--recover", failed["run_id"])[0] == 0
    code, text = shop.run("plan", HERE)
    assert code == 0 and "forfeits RETRY LAST of the failed run" in text and failed["run_id"] in text
    plan = run(shop, "--only", "train", "--dry-run")[1]
    assert {task["task"]: task["changed"] for task in plan["tasks"]} == {"load": "code", "train": None}
    assert plan["retryable_run"] == failed["run_id"]
    code, text = shop.run("retry", HERE, "-o", "json")
    assert code == 1 and json.loads(text)["run_id"] == failed["run_id"]
    assert shop.run(*APPLY)[0] == 0
    plan = run(shop, "--only", "train", "--dry-run")[1]
    assert plan["retryable_run"] is None, "the apply has forfeited it already"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--only", "loda"), "no task is called `loda`"),
        (("--only", ""), "names no task"),
        (("--dry-run",), "--dry-run goes with a part"),
        (("--deployment", "1"), "--deployment goes with a part"),
        (("--beside",), "--beside goes with a part"),
        (("--only", "load", "--config", "nope=1"), "`nope` is not a key"),
    ],
)
def test_wrong_arguments_are_refused(shop: Small, arguments: tuple[str, ...], words: str) -> None:
    code, text = shop.run("run", HERE, *arguments)
    assert code == 2 and words in text


def test_a_run_that_is_not_kept_is_named(shop: Small) -> None:
    code, text = shop.run("run", HERE, "--recover", "01J8")
    assert code == 1 and "run `01J8` of small is not kept" in text
    assert "not those of a backfill" in text


def slow(shop: Small) -> Held:
    """Let the second arm be chosen, and take as long as the test wants."""
    shop.edit(BAD, "{step: shop.tasks.slow}")
    mend(shop, 'return "good"', 'return "bad"')
    assert shop.run(*APPLY)[0] == 0
    return shop.hold("SELECT slow")


def test_a_part_waits_for_the_deployed_graph_unless_beside(shop: Small) -> None:
    mend(shop)
    held = slow(shop)
    running = shop.start("run", HERE)
    try:
        held.wait()
        code, value = run(shop, "--only", "load")
        assert code == 1 and "is executing" in value["error"]["message"]
        assert value["error"]["help"].endswith("--beside")
        assert run(shop, "--only", "load", "--beside")[0] == 0
        assert running.poll() is None
        held.let_go()
        running.communicate(timeout=60)
    except BaseException:
        running.kill()
        raise


def noted(shop: Small) -> list[str]:
    try:
        return notes(shop)
    except Exception:  # the table is not there yet
        return []


def slow_part(shop: Small) -> tuple[subprocess.Popen[str], Held]:
    """A part whose last task goes on until it is let go."""
    held = slow(shop)
    started = shop.start("run", HERE, "--only", "load,train,gate,bad", "--user", "ada")
    held.wait()
    return started, held


def test_a_part_whose_command_was_killed_goes_on_and_is_tidied_up(shop: Small) -> None:
    started, held = slow_part(shop)
    started.kill()
    started.wait()
    code, text = shop.run("status", HERE)
    assert "a part, running" in text, text
    code, value = run(shop, "--only", "load")
    assert code == 1 and "a part of a run of small is executing" in value["error"]["message"]
    held.let_go()
    shop.settled()
    code, text = shop.run("status", HERE)
    assert (
        code == 1 and "a part, running" not in text and "left over from a part of a run: SMALL$$PART_" in text
    )
    assert "left over from a part of a run" in shop.run("drift", HERE)[1]
    code, text = shop.run(*APPLY)
    assert code == 0 and "removed what an earlier part of a run left over" in text
    assert task_names(shop) == DEPLOYED
    history = json.loads(shop.run("history", HERE, "-o", "json")[1])
    assert [(one["state"], one["part"]["runs"]) for one in history["runs"]] == [
        ("SUCCEEDED", ["load", "train", "gate", "bad"])
    ]
    assert shop.run("status", HERE)[0] == 0


def test_a_part_that_executes_is_cancelled(shop: Small) -> None:
    started, _ = slow_part(shop)
    code, text = shop.run("cancel", HERE)
    assert code == 0 and "--recover last" in text
    text, _ = started.communicate(timeout=60)
    assert started.returncode == 1 and "cancelled" in text
    assert task_names(shop) == DEPLOYED
    code, value = run(shop, "--recover", "last", "--dry-run")
    assert code == 0 and value["runs"] == ["bad"]


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_a_part_that_executes_is_a_run_that_is_active(shop: Small, command: str) -> None:
    started, _ = slow_part(shop)
    mend(shop, 'return "bad"', 'return "good"')
    code, text = shop.run(command, HERE, "--auto-approve", "--fail-on-active-runs")
    assert code == 1 and "is executing; nothing was changed" in text, text
    started.kill()
    started.wait()


def test_a_part_of_a_pipeline_that_is_destroyed_meanwhile_leaves_nothing(shop: Small) -> None:
    assert run(shop, "--only", "load")[0] == 0
    started, held = slow_part(shop)
    code, text = shop.run("destroy", HERE, "--auto-approve", "--user", "bob")
    assert code == 0, text
    held.let_go()
    started.communicate(timeout=60)
    assert task_names(shop) == []
    assert shop.local.sql(f"LIST @{shop.local.database}.SMALL.SFML") == []


@pytest.mark.parametrize("next_command", ["run", "destroy", "suspend", "part"])
def test_a_part_that_was_cut_off_while_it_was_made_is_removed(shop: Small, next_command: str) -> None:
    started: list[subprocess.Popen[str]] = []
    shop.local.faults.do(
        lambda call: started[0].send_signal(signal.SIGKILL),
        lambda call: call.method == "PUT" and call.text.endswith("$TRAIN"),
    )
    started.append(shop.start("run", HERE, "--only", "load,train", "--user", "ada"))
    started[0].communicate(timeout=120)
    shop.local.faults.clear()
    assert any("$$PART_" in name for name in task_names(shop))
    match next_command:
        case "run":
            shop.local.sql(f"DROP STAGE IF EXISTS {shop.local.database}.SMALL.SFML_LEASE$SMALL")
            text = shop.run("run", HERE)[1]
        case "destroy":
            code, text = shop.run("destroy", HERE, "--auto-approve", "--force-unlock", "--user", "ada")
            assert code == 0 and task_names(shop) == [], text
            return
        case "suspend":
            text = shop.run("suspend", HERE, "--force-unlock", "--user", "ada")[1]
        case _:
            text = shop.run("run", HERE, "--only", "load", "--force-unlock", "--user", "ada")[1]
    assert "removed what an earlier part of a run left over" in text
    assert task_names(shop) == DEPLOYED


def test_a_question_is_asked_on_a_terminal_only(shop: Small) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HOME": str(shop.folder)}
    asked = subprocess.Popen(
        (str(SFML), "run", HERE, "--only", "load"),
        cwd=shop.folder,
        env=environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(ours, b"n\n")
    text, _ = asked.communicate(timeout=120)
    assert asked.returncode != 0 and "Run this? [y/N]" in text
    assert task_names(shop) == DEPLOYED and noted(shop) == []
