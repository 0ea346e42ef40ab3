"""Schedules that are turned off and on, runs that are ended and retried."""

from __future__ import annotations

import json
import re
import signal
import subprocess

import pytest
from jsonschema import Draft202012Validator
from small import Small

from sfml.base.resources import schema
from sfml_local.http.faults import When

APPLY = ("apply", "specs/small.yaml", "--auto-approve", "--user", "ada")


def told(small: Small, *arguments: str) -> tuple[int, dict[str, object]]:
    code, text = small.run(arguments[0], "specs/small.yaml", *arguments[1:], "-o", "json")
    return code, json.loads(text)


def test_the_schedule_goes_off_and_on_and_an_apply_leaves_it(small: Small) -> None:
    code, text = small.run("suspend", "specs/small.yaml")
    assert code == 1 and "`small` is not deployed" in text
    assert small.run(*APPLY)[0] == 0
    code, value = told(small, "suspend")
    Draft202012Validator(schema("output/switch.schema.json")).validate(value)
    assert code == 0 and (value["changed"], value["schedule_on"]) == (True, False) and not small.is_on()
    small.edit("select 2", "select 22")
    assert small.run(*APPLY)[0] == 0 and not small.is_on()
    assert "was off already" in small.run("suspend", "specs/small.yaml")[1]
    code, text = small.run("resume", "specs/small.yaml")
    assert code == 0 and text.startswith("small is on: Sundays 00:00 UTC") and small.is_on()
    assert told(small, "resume")[1]["changed"] is False


def test_switching_tells_the_schedule_that_is_deployed(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    small.edit("0 0 * * 0", "0 5 * * 1")
    code, text = small.run("resume", "specs/small.yaml")
    assert code == 0 and text.startswith("small is on: Sundays 00:00 UTC"), text


def test_a_pipeline_without_a_schedule_is_not_said_to_be_off_or_on(small: Small) -> None:
    small.edit("{cron: '0 0 * * 0', timezone: UTC}", "manual")
    assert small.run(*APPLY)[0] == 0
    for command in ("suspend", "resume", "suspend"):
        code, text = small.run(command, "specs/small.yaml")
        assert code == 0 and text.startswith("small has no schedule"), text
        assert "sfml run specs/small.yaml -t local" in text
        assert told(small, command)[1]["schedule_on"] is False


def test_nothing_is_switched_while_an_apply_is_unfinished(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    small.edit("select 2", "select 22")
    small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT)
    code, text = small.run("resume", "specs/small.yaml")
    assert code == 1 and "did not finish, so its schedule is off" in text and not small.is_on()


def test_a_failed_run_is_retried_from_what_failed(small: Small) -> None:
    small.edit("select 2", "select * from LATER")
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("retry", "specs/small.yaml")
    assert code == 1 and "has no run in target `local` to be retried" in text
    assert small.run("run", "specs/small.yaml")[0] == 1
    code, text = small.run("retry", "specs/small.yaml")
    assert code == 1 and "small failed at second" in text
    small.local.sql(f"CREATE TABLE {small.local.database}.SMALL.LATER AS SELECT 1 AS A")
    code, value = told(small, "retry")
    assert code == 0 and (value["state"], value["attempt"]) == ("SUCCEEDED", 3)
    first, second = value["tasks"]  # type: ignore[misc]
    assert first["state"] == second["state"] == "SUCCEEDED"
    code, text = small.run("retry", "specs/small.yaml")
    assert code == 1 and "Cannot perform retry" in text


def test_a_run_that_executes_is_ended_and_can_be_retried(small: Small) -> None:
    small.edit("select 1", "call system$wait(3)")
    assert small.run(*APPLY)[0] == 0
    assert "No run of small is executing." in small.run("cancel", "specs/small.yaml")[1]
    running = small.start("run", "specs/small.yaml")
    try:
        small.begun(running)
        assert told(small, "cancel")[1]["runs"]
        text, _ = running.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        running.kill()
        raise
    assert running.returncode == 1 and "cancelled" in text
    code, value = told(small, "retry")
    assert code == 0 and (value["state"], value["attempt"]) == ("SUCCEEDED", 2)


def test_a_run_whose_root_is_skipped_ends_and_says_so(small: Small) -> None:
    place = f"{small.local.database}.SMALL"
    small.edit("{cron: '0 0 * * 0', timezone: UTC}", "{on_stream: [NEW_ORDERS]}")
    code, text = small.run(*APPLY)
    assert code == 1 and f"stream {place}.NEW_ORDERS" in text and "nothing was changed" in text, text
    assert small.bodies() == {}
    small.local.sql(f"CREATE TABLE {place}.ORDERS (A INT)")
    small.local.sql(f"CREATE STREAM {place}.NEW_ORDERS ON TABLE {place}.ORDERS")
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("run", "specs/small.yaml")
    assert code == 1 and "small was skipped: the condition of its root was false" in text
    small.local.sql(f"INSERT INTO {place}.ORDERS VALUES (1)")
    assert small.run("run", "specs/small.yaml")[0] == 0


@pytest.mark.parametrize(
    ("words", "when", "code", "is_on"),
    [
        ("CREATE STAGE SFML_LEASE", "after", 130, True),
        ("DROP STAGE SFML_LEASE", "before", 0, False),
        ("DROP STAGE SFML_LEASE", "after", 0, False),
    ],
    ids=["as the lease is taken", "before the lease is given back", "after it"],
)
def test_a_signal_leaves_no_lease(small: Small, words: str, when: When, code: int, is_on: bool) -> None:
    small.run(*APPLY)
    started: list[subprocess.Popen[str]] = []
    small.local.faults.do(lambda call: started[0].send_signal(signal.SIGINT), words, when=when)
    started.append(small.start("suspend", "small"))
    text, _ = started[0].communicate(timeout=120)
    small.local.faults.clear()
    assert (started[0].returncode, small.is_on()) == (code, is_on), text
    left = small.local.sql(f"SHOW STAGES LIKE 'SFML_LEASE%' IN DATABASE {small.local.database}")
    assert [row["name"] for row in left] == []


@pytest.mark.parametrize("command", ["run", "retry", "logs", "cancel", "suspend", "resume"])
def test_what_is_not_deployed_is_to_be_applied_first(small: Small, command: str) -> None:
    code, text = small.run(command, "small")
    assert code == 1 and "pipeline `small` is not deployed in target `local`" in text
    assert "help: sfml apply specs/small.yaml -t local\n" in text


def test_a_run_whose_place_another_takes_is_not_waited_for(small: Small) -> None:
    """EXECUTE TASK takes the place of a run that waits for one that executes; nobody would ever end it."""
    small.edit("select 1", "call system$wait(120)")
    assert small.run(*APPLY)[0] == 0
    execute = f"EXECUTE TASK {small.local.database}.SMALL.SMALL"
    small.local.sql(execute)
    waiting = small.start("run", "specs/small.yaml")
    assert waiting.stdout is not None
    while "· run " not in waiting.stdout.readline():
        assert waiting.poll() is None
    small.local.sql(execute)
    text, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 1 and "is gone from the history" in text, text
    assert small.run("cancel", "specs/small.yaml")[0] == 0


def test_a_run_prints_its_config_without_secrets(small: Small) -> None:
    small.edit("  version: 1\n  tasks:", "  config: {api_token: hunter2, region: eu, on: true}\n  tasks:")
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("run", "specs/small.yaml", "--config", "api_token=hunter3")
    assert code == 0 and "config  api_token ****, region eu, on true\n" in text, text
    assert "hunter" not in text
    small.edit("region: eu, on: true", "region: us, more: 1, on: false")
    code, text = small.run("plan", "specs/small.yaml")
    assert code == 0 and re.search(r"config\.on +true → false ", text), text
    code, text = small.run("run", "specs/small.yaml")
    assert code == 0 and "config  api_token ****, region eu, on true\n" in text, "what is deployed runs"
