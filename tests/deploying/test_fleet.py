"""The status of many pipelines: few calls, the same as of each alone, and a question mark for what was not read."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from small import SPEC, Small

from sfml.frontend.reading import Reading
from sfml.operations.fleet_status import MANY, FleetStatus
from sfml.snowflake import fleet

JOB = "{job: {folder: ../job, entrypoint: main.py}, run_on: {pool: P}}"


def with_pipelines(small: Small, count: int, schema: str = "") -> None:
    for number in range(count):
        text = SPEC.replace("pipeline: small", f"pipeline: p{number}")
        (small.folder / "specs" / f"p{number}.yaml").write_text(text, encoding="utf-8")
    (small.folder / "specs" / "small.yaml").unlink(missing_ok=True)
    if schema:
        file = small.folder / "sfml.yaml"
        file.write_text(
            file.read_text(encoding="utf-8").replace("kind: local", f"kind: local, schema: {schema}"),
            encoding="utf-8",
        )


def statuses(small: Small, *specs: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(small.run("status", *specs, "-o", "json")[1])["pipelines"]
    for one in found:
        one["schedule"] = None  # it says how long until the next run
    return found


def calls(small: Small, *words: str) -> list[str]:
    small.local.faults.forget_calls()
    small.run(*words)
    return [call.text for call in small.local.calls if call.kind != "session"]


@pytest.fixture
def many(small: Small) -> Small:
    """Five pipelines in one schema: one failed, one off, one with a part that was left over, one not deployed."""
    with_pipelines(small, 5, "FLEET")
    broken = small.folder / "specs" / "p1.yaml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("select 2", "select * from NOWHERE"))
    code, text = small.run("apply", *(f"specs/p{at}.yaml" for at in range(4)), "--auto-approve")
    assert code == 0, text
    for at in range(4):
        small.run("run", f"specs/p{at}.yaml")
    assert small.run("suspend", "specs/p2.yaml")[0] == 0
    assert small.run("run", "specs/p3.yaml", "--only", "first")[0] == 0
    return small


def test_many_are_read_with_a_few_calls_and_as_each_alone(
    many: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [status for at in range(5) for status in statuses(many, f"specs/p{at}.yaml")]
    assert [one["well"] for one in alone] == [True, False, False, True, True]
    assert statuses(many, "specs") == alone
    few, all_ = calls(many, "status", "specs/p0.yaml", "specs/p1.yaml"), calls(many, "status", "specs")
    assert len(few) == 6, "\n".join(few)
    assert [one for one in all_ if one not in few and "GET " not in one] == [], "\n".join(all_)
    # With more rows than one call returns, the graphs that they leave in doubt are read again, all with one call.
    for limit in ("NEWEST", "SHOWN_AT_MOST"):
        monkeypatch.setattr(fleet, limit, 2)
    assert statuses(many, "specs") == alone
    again = calls(many, "status", "specs")
    assert len([one for one in again if "TASK_HISTORY(" in one]) == 2, "\n".join(again)


def test_what_could_not_be_read_is_unknown_and_not_well(many: Small) -> None:
    for words in ("SHOW TASKS IN DATABASE", "TASK_HISTORY(", "COMPLETE_TASK_GRAPHS(", "LIST"):
        rule = many.local.faults.fail(words, times=None)
        code, text = many.run("status", "specs")
        found = statuses(many, "specs")
        many.local.faults.remove(rule)
        unknown = [one for one in found if one["unknown"]]
        # One that is not deployed has no runs to be read.
        assert code == 1 and len(unknown) == (4 if "TASK" in words and "SHOW" not in words else 5), (
            words,
            text,
        )
        assert {(one["deployed"], one["schedule_on"], one["well"]) for one in unknown} == {
            (None, None, False)
        }
        assert text.count("? a fault set by a test") == len(unknown), text


def test_one_database_that_is_not_read_hides_no_other(small: Small) -> None:
    with_pipelines(small, 2)
    project = small.folder / "sfml.yaml"
    named = project.read_text(encoding="utf-8").replace(
        f"database: {small.local.database}", f'database: "{small.local.database}_{{{{ pipeline }}}}"'
    )
    project.write_text(named, encoding="utf-8")
    code, text = small.run("apply", "specs", "--auto-approve")
    assert code == 0, text
    second = f"{small.local.database}_P1"
    small.local.faults.fail(f"SHOW TASKS IN DATABASE {second}", times=None)
    found = [(one["deployed"], one["well"]) for one in statuses(small, "specs")]
    small.local.faults.clear()
    assert found == [(True, True), (None, False)]
    shown = [one for one in calls(small, "status", "specs") if one.startswith("SHOW TASKS")]
    assert len(shown) == 2, "one a database"
    small.local.sql(f"DROP DATABASE {second}")
    assert [one["deployed"] for one in statuses(small, "specs")] == [True, False]


def test_it_is_watched_until_it_is_interrupted(small: Small) -> None:
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    for words in (("--watch", "-o", "json"), ("--every", "5"), ("--watch", "--every", "0.5")):
        assert small.run("status", "specs/small.yaml", *words)[0] == 2
    small.local.faults.forget_calls()
    process = small.start("status", "specs/small.yaml", "--watch", "--every", "1")
    assert process.stdout is not None
    shown = 0
    while shown < 2:
        line = process.stdout.readline()
        assert line, "it goes on until it is interrupted"
        shown += line.startswith("1 pipeline, all well")
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "stopped" in text and "Traceback" not in text
    looks = [call for call in small.local.calls if call.text.startswith("SHOW TASKS")]
    logins = [call for call in small.local.calls if "login-request" in call.path]
    assert len(looks) in (2, 3) and len(logins) == 1


def test_outlines_that_are_kept_change_no_status(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pipelines(small, MANY, "FLEET")
    code, text = small.run("apply", "specs", "--auto-approve", "--quiet")
    assert code == 0, text
    compiled: list[str] = []
    compile_spec = FleetStatus._compile

    def noted(fleet: FleetStatus, file: str, *, checked: bool) -> Reading:
        compiled.append(f"{Path(file).stem} checked" if checked else Path(file).stem)
        return compile_spec(fleet, file, checked=checked)

    monkeypatch.setattr(FleetStatus, "_compile", noted)
    before = statuses(small, "specs")
    assert len(compiled) == MANY and all(one["well"] for one in before)
    compiled.clear()
    assert statuses(small, "specs") == before and not compiled

    changed = small.folder / "specs" / "p3.yaml"
    changed.write_text(changed.read_text(encoding="utf-8").replace("select 2", "select 3"), encoding="utf-8")
    after = statuses(small, "specs")
    assert [one["pipeline"] for one in after if one["files_differ"]] == ["p3"]
    assert compiled == ["p3", "p3 checked"], "only what differs from the account has to be checked"
    compiled.clear()
    assert statuses(small, "specs") == after and not compiled
    assert json.loads(small.run("status", "specs/p3.yaml", "-o", "json")[1])["pipelines"][0]["files_differ"]


def test_a_spec_that_does_not_compile_is_never_well(small: Small) -> None:
    with_pipelines(small, MANY, "FLEET")
    code, text = small.run("apply", "specs", "--auto-approve", "--quiet")
    assert code == 0, text
    assert small.run("status", "specs")[0] == 0
    specs = small.folder / "specs"
    text = (specs / "p1.yaml").read_text(encoding="utf-8")
    (specs / "p1.yaml").write_text(text.replace("after: [first]", "after: [nowhere]"), encoding="utf-8")
    (specs / "p2.yaml").write_text("pipeline: p2\ngraph: [", encoding="utf-8")
    (specs / "p4.yaml").write_text(
        text.replace("p1", "p4").replace("{sql: 'select 1'}", JOB), encoding="utf-8"
    )
    (small.folder / "job").mkdir()
    (small.folder / "job" / "main.py").write_text("print(1)\n", encoding="utf-8")
    (small.folder / "job" / "linked.py").symlink_to("/etc/hostname")
    for _ in range(2):
        code, text = small.run("status", "specs")
        assert code == 1 and "Traceback" not in text, text
        assert "20 pipelines, 3 need attention" in text, text
        assert "error[SF203]" in text and "`nowhere`" in text
        found = statuses(small, "specs")
        assert [one["pipeline"] for one in found if one["unknown"]] == ["p1", "p2", "p4"]
        assert {one["well"] for one in found if one["unknown"]} == {False}


def test_what_no_pipeline_knows_is_not_blamed_on_the_history(small: Small) -> None:
    with_pipelines(small, 2)
    code, text = small.run("trace", "NOPE@V1")
    assert code == 1 and "the schemas of 2 pipelines have no model version `NOPE@V1`" in text
    assert "sfml models list SPEC" in text and "seven days" not in text
    code, text = small.run("trace", "01J8")
    assert code == 1 and "none of 2 pipelines knows `01J8`" in text and "sfml history SPEC" in text
