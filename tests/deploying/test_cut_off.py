"""What a user sees of an apply that is killed, stopped, refused or met by another."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfml.cli import entry
from sfml.local.faults import Call, When
from sfml.testing.local_snowflake import LocalSnowflake

SFML = Path(sys.executable).parent / "sfml"
PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
SPEC = """version: 1
pipeline: small
graph:
  version: 1
  tasks:
    first: {sql: 'select 1'}
    second: {sql: 'select 2', after: [first]}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}}
"""


@dataclass
class Small:
    """A project on a server of the test, and the commands in it."""

    folder: Path
    local: LocalSnowflake

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "HOME": str(self.folder)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return subprocess.Popen(
            (str(SFML), *arguments),
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """A command that nobody interrupts, in this process: the installed one would load the clients each time."""
        with chdir(self.folder), redirect_stdout(io.StringIO()) as text, redirect_stderr(text):
            code = entry.run(list(arguments))
        return code, text.getvalue()

    def edit(self, old: str, new: str) -> None:
        file = self.folder / "specs" / "small.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def apply_meeting(self, words: str, send: signal.Signals, when: When = "after") -> tuple[int, str]:
        """An apply that gets a signal while a call with these words waits."""
        started: list[subprocess.Popen[str]] = []

        def hit(call: Call) -> None:
            started[0].send_signal(send)

        self.local.faults.do(hit, words, when=when)
        started.append(self.start("apply", "specs/small.yaml", "--auto-approve", "--user", "ada"))
        text, _ = started[0].communicate(timeout=120)
        self.local.faults.clear()
        return started[0].returncode, text

    def bodies(self) -> dict[str, str]:
        rows = self.local.sql(f"SHOW TASKS IN SCHEMA {self.local.database}.SMALL")
        return {row["name"]: row["definition"] for row in rows if row["name"] != "SMALL"}

    def is_on(self) -> bool:
        rows = self.local.sql(f"SHOW TASKS LIKE 'SMALL' IN SCHEMA {self.local.database}.SMALL")
        return bool(rows and rows[0]["state"] == "started")


@pytest.fixture
def small(local_snowflake: LocalSnowflake, tmp_path: Path) -> Iterator[Small]:
    (tmp_path / "specs").mkdir()
    (tmp_path / "steps").mkdir()
    (tmp_path / "sfml.yaml").write_text(
        PROJECT.replace("default: true", f"default: true, database: {local_snowflake.database}"),
        encoding="utf-8",
    )
    (tmp_path / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    with local_snowflake.serving(tmp_path):
        yield Small(tmp_path, local_snowflake)


def test_a_killed_apply_is_told_refused_and_finished(small: Small) -> None:
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    small.edit("select 2", "select 22")
    code, _ = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGKILL)
    assert code == -signal.SIGKILL and not small.is_on()

    code, text = small.run("status", "specs/small.yaml")
    assert code == 1
    assert "schedule is off: an apply of small by ada, begun " in text and "did not finish" in text
    assert "sfml apply specs/small.yaml -t local   finishes it;  --restore puts back" in text
    assert "add --force-unlock" in text

    code, text = small.run(
        "apply", "specs/small.yaml", "--auto-approve", "--user", "ada", "--lock-timeout", "0"
    )
    assert code == 1
    assert "error: your command that began to change SMALL at " in text and "was cut off" in text
    assert "--force-unlock finishes what it began, --restore --force-unlock goes back" in text
    code, text = small.run(
        "apply", "specs/small.yaml", "--auto-approve", "--user", "eve", "--lock-timeout", "0"
    )
    assert code == 1 and "ada on " in text and "is changing SMALL since" in text

    code, text = small.run("apply", "specs/small.yaml", "--auto-approve", "--user", "ada", "--force-unlock")
    assert code == 0, text
    assert "warning: the lease was broken" in text and "cannot be called back" in text
    assert "Deployment 2 of small" in text
    assert small.is_on() and small.bodies()["SMALL$SECOND"].endswith("22")


def test_an_apply_that_is_asked_to_stop_ends_its_call_and_says_where_it_stands(small: Small) -> None:
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    small.edit("select 2", "select 22")
    code, text = small.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT, "before")
    assert code == 130, text
    assert "stopping after the call that is under way" in text
    assert "sfml apply specs/small.yaml -t local             finishes it" in text
    assert small.bodies()["SMALL$SECOND"].endswith("22") and not small.is_on()

    # The spec need not compile any more to go back.
    small.edit("after: [first]", "after: [nobody]")
    code, text = small.run("apply", "specs/small.yaml", "--restore", "--auto-approve")
    assert code == 0, text
    assert "did not finish." in text and "small is as it was" in text
    assert small.is_on() and small.bodies()["SMALL$SECOND"].endswith("select 2")


def test_a_connection_that_is_lost_is_told_with_how_to_go_on(small: Small) -> None:
    small.local.faults.fail(
        "PUT /tasks/SMALL$SECOND", status=403, code="003001", sentence="Insufficient privileges"
    )
    code, text = small.run("apply", "specs/small.yaml", "--auto-approve")
    assert code == 1 and "error: Insufficient privileges" in text
    assert "what it began is recorded on the stage" in text
    # Nor does it need the spec at all.
    (small.folder / "specs" / "small.yaml").unlink()
    code, text = small.run("apply", "small", "--restore", "--auto-approve", "-o", "json")
    assert code == 0 and '"restored": true' in text
    assert small.local.sql(f"SHOW TASKS IN SCHEMA {small.local.database}.SMALL") == []
