"""Deployments that are kept, listed, put back, and collected when nothing needs them any more."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from jsonschema import Draft202012Validator
from small import Small

from sfml.base.resources import schema
from sfml_local.services.stages.locations import local_path

APPLY = ("apply", "specs/small.yaml", "--auto-approve", "--user", "ada")
ROLLBACK = ("rollback", "specs/small.yaml", "--auto-approve")
LIST = ("history", "specs/small.yaml", "--deployments")
STEP = "from sfml_steps import Context, step\n\n\n@step\ndef work(ctx: Context) -> None:\n    {}\n"


def listed(small: Small) -> dict[int, dict[str, object]]:
    code, text = small.run(*LIST, "-o", "json")
    assert code == 0, text
    return {one["number"]: one for one in json.loads(text)["deployments"]}


def archives(small: Small) -> set[str]:
    rows = small.local.sql(f"LIST @{small.local.database}.SMALL.SFML PATTERN = '.*/code/.*'")
    return {str(row["name"]).split("/")[3] for row in rows}


def with_step(small: Small, body: str) -> None:
    folder = small.folder / "steps" / "own"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / "work.py").write_text(STEP.format(body))
    spec = small.folder / "specs" / "small.yaml"
    spec.write_text(spec.read_text().replace("second: {sql: 'select 2'", "second: {step: own.work.work"))


def aged(small: Small, days: float) -> None:
    """Everything on the stage becomes older."""
    account = small.local.server.account
    session = account.sessions.open()
    folder = local_path(account, session, f"@{small.local.database}.SMALL.SFML")
    account.sessions.close(session)
    for file in Path(folder).rglob("*"):
        then = file.stat().st_mtime - days * 86_400
        os.utime(file, (then, then))


def test_status_tells_the_schedule_that_is_deployed(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    small.edit("cron: '0 0 * * 0'", "cron: '0 4 * * 1'")
    for schedule in ("Sundays 00:00 UTC", "Mondays 04:00 UTC", "Sundays 00:00 UTC"):
        text = small.run("status", "specs/small.yaml")[1]
        assert f"✓ {schedule}, next {schedule[:3]} " in text, "the files are not applied"
        command = ("rollback", "specs/small.yaml", "--to", "1", "--auto-approve")
        assert small.run(*(APPLY if schedule == "Sundays 00:00 UTC" else command))[0] == 0


def test_an_earlier_deployment_is_put_back_without_its_yaml(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    before = small.bodies()
    small.edit("second: {sql: 'select 2', after: [first]}", "third: {sql: 'select 33', after: [first]}")
    assert small.run(*APPLY, "--reason", "another task")[0] == 0
    code, text = small.run(*LIST)
    assert code == 0 and "small on local: 2 deployments" in text
    assert '"another task"' in text and "deployed now" in text
    assert "Go back with:  sfml rollback specs/small.yaml -t local --to 1" in text

    code, text = small.run("rollback", "specs/small.yaml")
    assert code == 2 and "Back to deployment 1 of small" in text and "no terminal to ask" in text
    code, text = small.run(*ROLLBACK)
    assert (
        code == 0
        and "deployment 3 of small is deployment 1 again. Models and tables are as they were." in text
    )
    assert small.bodies() == before and small.is_on()
    kept = listed(small)
    assert [kept[number]["work"] for number in (1, 2, 3)] == ["apply", "apply", "rollback"]
    assert kept[3]["fingerprint"] == kept[1]["fingerprint"] and kept[3]["current"]

    code, text = small.run("plan", "specs/small.yaml", "-o", "json")
    summary = json.loads(text)["summary"]
    assert (summary["create"], summary["drop"]) == (1, 1)
    # The spec need not compile for it; and what is there already takes no change.
    (small.folder / "specs" / "small.yaml").write_text("version: 1\npipeline: small\ngraph: {tasks: [}\n")
    code, text = small.run("rollback", "small", "--to", "1", "--auto-approve")
    assert code == 0 and "no changes" in text
    assert (
        len(json.loads(small.run("history", "small", "--deployments", "-o", "json")[1])["deployments"]) == 3
    )


def test_what_is_not_kept_or_has_no_code_is_refused(small: Small) -> None:
    with_step(small, "pass")
    assert small.run(*APPLY)[0] == 0
    code, text = small.run(*ROLLBACK)
    assert code == 1 and "no deployment of small is kept that differs" in text
    code, text = small.run(*ROLLBACK, "--to", "7")
    assert code == 1 and "deployment 7 of small is not kept" in text and "kept are: 1" in text
    (first,) = archives(small)
    with_step(small, "print(1)")
    assert small.run(*APPLY)[0] == 0
    small.local.sql(f"REMOVE @{small.local.database}.SMALL.SFML/small/code/{first}/")
    assert [listed(small)[number]["code_kept"] for number in (1, 2)] == [False, True]
    code, text = small.run(*ROLLBACK)
    assert code == 1 and "the code of deployment 1 of small is not on the stage any more" in text
    assert small.is_on()


def test_a_rollback_that_was_cut_off_is_finished_by_the_next(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    before = small.bodies()
    small.edit("select 2", "select 22")
    assert small.run(*APPLY)[0] == 0
    small.local.faults.fail(
        "PUT /tasks/SMALL$SECOND", status=403, code="003001", sentence="Insufficient privileges"
    )
    code, text = small.run(*ROLLBACK)
    assert code == 1 and "sfml rollback specs/small.yaml -t local " in text and not small.is_on()
    assert "half applied: a rollback of small by" in small.run("status", "specs/small.yaml")[1]
    code, text = small.run(*ROLLBACK)
    assert code == 0 and "deployment 3 of small is deployment 1 again" in text, text
    assert small.bodies() == before and small.is_on()

    small.edit("select 22", "select 222")
    code, _ = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT)
    code, text = small.run(*ROLLBACK)
    assert code == 1 and "an unfinished apply of small comes first" in text


def test_old_deployments_and_their_code_are_collected_but_not_what_a_run_could_need(small: Small) -> None:
    project = small.folder / "sfml.yaml"
    project.write_text(project.read_text().replace("kind: local", "kind: local, keep_deployments: 2"))
    made: list[set[str]] = []
    for number in range(3):
        with_step(small, f"print({number})")
        code, text = small.run(*APPLY)
        assert code == 0 and "nothing needs any more" not in text
        made.append(archives(small))
    # All three are young: a run of the first could still be retried.
    assert len(made[2]) == 3
    aged(small, 16)
    others = f"@{small.local.database}.SMALL.SFML/other/code/{'0' * 64}"
    small.local.sql(f"COPY FILES INTO {others} FROM @{small.local.database}.SMALL.SFML/small/state")
    with_step(small, "print(3)")
    dry = (*APPLY, "--dry-run")
    assert "nothing needs any more" in small.run(*dry)[1]
    assert "nothing needs any more" not in small.run(*dry, "--no-collect")[1]
    # What cannot be removed is no reason to fail: the graph is deployed, and the next apply tries again.
    small.local.faults.fail("REMOVE code", code="003001", sentence="Insufficient privileges")
    code, text = small.run(*APPLY)
    assert (
        code == 0
        and "note: old archives were not removed; the next apply removes them: Insufficient privileges"
        in text
    )
    assert small.is_on() and len(archives(small)) == 5
    with_step(small, "print(4)")
    small.local.faults.clear()
    small.local.faults.forget_calls()
    code, text = small.run(*APPLY)
    assert code == 0 and "of the archives and records that nothing needs any more removed" in text
    assert small.local.faults.count("REMOVE code") == 1
    kept = listed(small)
    assert sorted(kept) == [3, 4, 5] and all(one["code_kept"] for one in kept.values())
    left = archives(small)
    assert not left & made[1] and len(left) == 4, "the other pipeline's folder stays"
    assert small.run(*ROLLBACK)[0] == 0


def test_the_last_runs_are_listed_with_what_went_wrong(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("history", "specs/small.yaml")
    assert code == 0 and text == "small on local: no run in the last seven days\n"
    assert small.run("run", "specs/small.yaml")[0] == 0
    small.edit("select 2", "select * from nowhere")
    assert small.run(*APPLY)[0] == 0
    assert small.run("run", "specs/small.yaml")[0] == 1
    code, text = small.run("history", "specs/small.yaml")
    assert code == 0 and text.startswith("small on local: the last 2 runs\n") and "second: " in text
    code, text = small.run("history", "specs/small.yaml", "-n", "1", "-o", "json")
    (run,) = json.loads(text)["runs"]
    assert (run["state"], run["failed_task"], run["attempt"]) == ("FAILED", "second", 1)
    value = json.loads(text)
    Draft202012Validator(schema("output/history.schema.json")).validate(value)
    Draft202012Validator(schema("output/history.schema.json")).validate(
        json.loads(small.run(*LIST, "-o", "json")[1])
    )


def test_a_removal_is_undone_as_long_as_the_code_is_there(small: Small) -> None:
    destroy = ("destroy", "specs/small.yaml", "--auto-approve")
    restore = ("apply", "specs/small.yaml", "--restore", "--auto-approve")
    with_step(small, "pass")
    assert small.run(*APPLY)[0] == 0
    before, code_before = small.bodies(), archives(small)
    small.local.faults.fail("REMOVE runs", code="003001", sentence="Insufficient privileges")
    assert small.run(*destroy)[0] == 1 and small.bodies() == {}
    small.local.faults.clear()
    code, text = small.run(*restore)
    assert code == 0 and small.bodies() == before and archives(small) == code_before and small.is_on(), text
    assert small.run("run", "specs/small.yaml", "-q")[0] == 0

    small.local.faults.fail("REMOVE apply", code="003001", sentence="Insufficient privileges")
    assert small.run(*destroy)[0] == 1
    small.local.faults.clear()
    code, text = small.run(*restore)
    assert code == 1 and "the destroy removed its code already" in text and small.bodies() == {}
    # The spec brings it back nevertheless, with its code, and leaves nothing unfinished.
    assert small.run(*APPLY)[0] == 0
    assert small.bodies() == before and archives(small) == code_before and small.is_on()
    assert small.run("status", "specs/small.yaml")[0] == 0
