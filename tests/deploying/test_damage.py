"""Journals, records and archives that are not whole: each stops only what it must, and says how to go on."""

from __future__ import annotations

import errno
import itertools
import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from small import APPLY, Small

from sfml.base.full_disk import is_disk_full
from sfml.base.resources import schema
from sfml.cli import output
from sfml_local.services.stages.locations import local_path

STEP = "from sfml_steps import Context, step\n\n\n@step\ndef work(ctx: Context) -> None:\n    {}\n"
RESTORE = ("apply", "specs/small.yaml", "--restore", "--auto-approve")
ROLLBACK = ("rollback", "specs/small.yaml", "--auto-approve")
DAMAGE = {
    "empty": b"",
    "half": b'{"format_version": 1, "header": {"number',
    "null": b"null",
    "list": b"[]",
    "no graph": b'{"format_version": 1, "header": {"number": 1}}',
    "not a text": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
}
NEWER = b'{"format_version": 99, "written_by": "9.0.0"}'


def stage_of(small: Small) -> Path:
    """The folder of the pipeline's stage."""
    account = small.local.server.account
    session = account.sessions.open()
    folder = local_path(account, session, f"@{small.local.database}.SMALL.SFML")
    account.sessions.close(session)
    return Path(folder) / "small"


def deployed_twice(small: Small) -> Path:
    """Two deployments are kept, and the spec says something third."""
    assert small.run(*APPLY)[0] == 0
    small.edit("select 2", "select 22")
    assert small.run(*APPLY)[0] == 0
    small.edit("select 22", "select 222")
    return stage_of(small) / "state"


def cut_off(small: Small, damage: bytes) -> Path:
    """An apply that began and did not finish, with its journal damaged."""
    small.local.faults.fail(
        "PUT /tasks/SMALL$SECOND", status=403, code="003001", sentence="Insufficient privileges"
    )
    assert small.run(*APPLY)[0] == 1 and not small.is_on()
    small.local.faults.clear()
    journal = stage_of(small) / "state" / "apply.json"
    assert journal.exists()
    journal.write_bytes(damage)
    return journal


def test_a_damaged_journal_is_told_by_each_command_and_apply_goes_on_without_it(small: Small) -> None:
    state = deployed_twice(small)
    for number, kind in enumerate(("half", "no graph")):
        damage = DAMAGE[kind]
        journal = cut_off(small, damage)
        for words in (RESTORE, ("drift", "specs/small.yaml"), ("resume", "specs/small.yaml"), ROLLBACK):
            code, text = small.run(*words)
            assert code == 1 and "cannot be read" in text and "small/state/apply.json" in text, (kind, text)
            assert "sfml apply specs/small.yaml -t local" in text and "bug" not in text
        code, text = small.run("status", "specs/small.yaml")
        assert code == 1 and "cannot be read" in text and "sfml rollback --to N" in text, text
        code, text = small.run("status", "specs/small.yaml", "-o", "json")
        Draft202012Validator(schema("output/status.schema.json")).validate(json.loads(text))
        code, text = small.run("history", "specs/small.yaml", "--deployments")
        assert code == 0 and "small/state/apply.json" in text and "select" not in text
        code, text = small.run("plan", "specs/small.yaml")
        assert code == 0 and "the schedule will be on" in text, text
        assert journal.read_bytes() == damage and not small.is_on()
        code, text = small.run(*APPLY)
        assert code == 0, text
        assert small.is_on() and small.bodies()["SMALL$SECOND"].endswith("222")
        aside = {file.read_bytes() for file in state.glob("unreadable-*")}
        assert damage in aside and len(aside) == number + 1
        assert not journal.exists() and small.run("status", "specs/small.yaml")[0] == 0
        small.edit("select 222", "select 22")
        assert small.run(*APPLY)[0] == 0
        small.edit("select 22", "select 222")


def test_a_damaged_journal_does_not_keep_from_going_back_or_from_removing(small: Small) -> None:
    deployed_twice(small)
    cut_off(small, DAMAGE["half"])
    code, text = small.run(*ROLLBACK, "--to", "1")
    assert code == 0, text
    assert small.is_on() and small.bodies()["SMALL$SECOND"].endswith("select 2")
    cut_off(small, DAMAGE["empty"])
    code, text = small.run("destroy", "specs/small.yaml", "--auto-approve")
    assert code == 0, text
    assert small.local.sql(f"SHOW TASKS IN SCHEMA {small.local.database}.SMALL") == []
    assert not stage_of(small).exists()


def test_what_a_later_version_began_is_left_to_it(small: Small) -> None:
    deployed_twice(small)
    journal = cut_off(small, NEWER)
    for words in (
        APPLY,
        RESTORE,
        (*ROLLBACK, "--to", "1"),
        ("destroy", "specs/small.yaml", "--auto-approve"),
    ):
        code, text = small.run(*words)
        assert code == 1 and "a later version of sfml wrote it, sfml 9.0.0" in text, text
        assert "finish or restore with that version" in text
    for words in (("status", "specs/small.yaml"), ("plan", "specs/small.yaml")):
        assert "a later version of sfml wrote it" in small.run(*words)[1]
    assert small.run("history", "specs/small.yaml", "--deployments")[0] == 0
    assert journal.read_bytes() == NEWER and not small.is_on()


def test_a_damaged_record_stops_only_what_needs_that_one(small: Small) -> None:
    state = deployed_twice(small)
    first, second = state / "deployment-000001.json", state / "deployment-000002.json"
    good = first.read_bytes()
    for damage in (*DAMAGE.values(), NEWER, second.read_bytes()):
        first.write_bytes(damage)
        code, text = small.run("history", "specs/small.yaml", "--deployments", "-o", "json")
        value = json.loads(text)
        Draft202012Validator(schema("output/history.schema.json")).validate(value)
        assert code == 0 and [one["number"] for one in value["deployments"]] == [2]
        assert [one["path"] for one in value["unreadable"]] == ["small/state/deployment-000001.json"]
        assert "deployment-000001.json" in small.run("history", "specs/small.yaml", "--deployments")[1]
        assert small.run("drift", "specs/small.yaml")[0] == 0
        assert small.run("plan", "specs/small.yaml")[0] == 0
        code, text = small.run(*ROLLBACK, "--to", "1")
        assert code == 1 and "deployment-000001.json" in text and "the file stays" in text, text
        assert first.read_bytes() == damage
    assert small.run(*APPLY)[0] == 0
    code, text = small.run(*ROLLBACK)
    assert code == 0 and "deployment 2 again" in text, text
    # The newest one damaged: what was applied last is not known, and everything else goes on.
    newest = max(state.glob("deployment-*.json"))
    newest.write_bytes(b"")
    first.write_bytes(good)
    for words in (("drift", "specs/small.yaml"), ROLLBACK):
        code, text = small.run(*words)
        assert code == 1 and newest.name in text and "sfml " in text, text
    code, text = small.run("plan", "specs/small.yaml")
    assert code == 0 and "why something differs cannot be told" in text and newest.name in text
    assert small.run(*ROLLBACK, "--to", "1")[0] == 0
    assert small.run(*APPLY)[0] == 0 and newest.read_bytes() == b""
    assert small.run("destroy", "specs/small.yaml", "--auto-approve")[0] == 0 and not state.exists()


def with_step(small: Small, body: str = "pass") -> None:
    (small.folder / "steps" / "work.py").write_text(STEP.format(body))
    spec = small.folder / "specs" / "small.yaml"
    spec.write_text(spec.read_text().replace("second: {sql: 'select 2'", "second: {step: work.work"))


@pytest.mark.parametrize(("keep", "fill"), [(0, 0), (100, 0), (100, 1)])
def test_an_archive_that_is_not_whole_is_written_anew_by_the_next_apply(
    small: Small, keep: int, fill: int
) -> None:
    """Cut off, or as long as it should be with nothing in the rest, as the connector leaves it on a full disk."""
    with_step(small)
    # An upload was cut off under its final name before anything was deployed.
    assert small.run(*APPLY)[0] == 0
    (archive,) = (stage_of(small) / "code").rglob("*.zip")
    whole = archive.read_bytes()
    cut = whole[:keep] + bytes(len(whole) - keep) * fill
    assert small.run("destroy", "specs/small.yaml", "--auto-approve")[0] == 0
    archive.parent.mkdir(parents=True)
    archive.write_bytes(cut)
    assert small.run(*APPLY)[0] == 0 and archive.read_bytes() == whole
    # One that is deployed is damaged, or gone, and the graph is as the spec says.
    for damage in (lambda: archive.write_bytes(cut), archive.unlink):
        damage()
        code, text = small.run("plan", "specs/small.yaml")
        assert code == 0 and "deployed code is incomplete on the stage" in text and archive.name in text
        assert small.run(*APPLY)[0] == 0 and archive.read_bytes() == whole
        assert "incomplete" not in small.run("plan", "specs/small.yaml")[1]
    # Nor is one put back whose code is not what it was, be it of the same size.
    with_step(small, "print(1)")
    assert small.run(*APPLY)[0] == 0
    archive.write_bytes(whole[:-1] + b"x")
    code, text = small.run(*ROLLBACK)
    assert code == 1 and "is incomplete on the stage" in text and archive.parent.name in text, text
    assert small.is_on()


def test_a_signal_after_the_last_call_ends_a_command_that_is_done(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    for number, (words, send) in enumerate(
        (("REMOVE apply.json", signal.SIGINT), ("DROP STAGE SFML_LEASE", signal.SIGTERM)), 3
    ):
        small.edit("select 2", f"select {number}2")
        code, text = small.apply_meeting(words, send)
        assert code == 0 and "Applied in" in text, text
        assert small.is_on() and small.run("status", "specs/small.yaml")[0] == 0
        small.edit(f"select {number}2", "select 2")
        assert small.run(*APPLY)[0] == 0


@pytest.mark.parametrize("command", ["suspend", "resume"])
def test_a_signal_after_a_switch_ends_a_command_that_is_done(small: Small, command: str) -> None:
    assert small.run(*APPLY)[0] == 0
    assert small.run("suspend" if command == "resume" else "resume", "specs/small.yaml")[0] == 0
    started: list[subprocess.Popen[str]] = []
    small.local.faults.do(
        lambda call: started[0].send_signal(signal.SIGINT), "DROP STAGE SFML_LEASE", when="before"
    )
    started.append(small.start(command, "specs/small.yaml"))
    text, _ = started[0].communicate(timeout=120)
    assert started[0].returncode == 0 and "the work is already done" in text, text
    assert small.is_on() is (command == "resume")


def test_two_signals_after_the_last_call_say_done(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    small.edit("select 2", "select 22")
    started: list[subprocess.Popen[str]] = []
    told: list[str] = []
    heard = threading.Event()

    def twice(call: object) -> None:
        started[0].send_signal(signal.SIGINT)
        # Signals of one kind that come together count once: the second is sent when the first was heard.
        lines = iter(started[0].stdout or ())
        told.extend(itertools.takewhile(lambda line: "the work is already done" not in line, lines))
        started[0].send_signal(signal.SIGINT)
        heard.set()

    small.local.faults.do(twice, "DROP STAGE SFML_LEASE", when="before")
    started.append(small.start(*APPLY))
    assert heard.wait(120)  # only one may read what it prints
    text, _ = started[0].communicate(timeout=120)
    assert started[0].returncode == 0 and told, text
    assert text.rstrip().endswith("done") and "nothing more" not in text
    assert small.is_on()


def test_a_full_disk_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/somewhere/steps.zip")
    assert is_disk_full(full) and is_disk_full(OSError(errno.EDQUOT, "quota"))
    try:
        raise RuntimeError("while writing") from full
    except RuntimeError as error:
        assert is_disk_full(error)
    assert is_disk_full(RuntimeError(f"While putting file(s) there was an error: '{full!r}'"))
    assert not is_disk_full(OSError(errno.EACCES, "denied")) and not is_disk_full(ValueError("full"))
    own_cause = ValueError("full")
    own_cause.__cause__ = own_cause
    assert not is_disk_full(own_cause)
    assert output.report(full) == 1
    assert "the disk is full where `/somewhere/steps.zip` is to be written" in capsys.readouterr().err
