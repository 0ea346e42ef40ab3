"""No word of an account, a lease or a log reaches a terminal with what moves its cursor, hides or turns around."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from carrying import account
from small import APPLY, Small

from sfml.account.registered import ModelVersion
from sfml.graph.model import Target
from sfml.operations.held_lease import new_lease
from sfml.render.models import models_text
from sfml.render.printable import printable, printable_json, printable_lines
from sfml.render.symbols import Symbols
from sfml.snowflake.leases import Leases

ROOT = "SMALL"
EVIL = "ev\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2066\rl\u200b\x7f"
"""Sets the title, clears the screen, colours, turns the line around, begins it anew, hides."""

SPEC = "specs/small.yaml"


def harmless(text: str) -> str:
    """The text, which obeys nobody."""
    wrong = {char for char in text if not (char.isprintable() or char in "\n\t")}
    assert not wrong, f"{sorted(wrong)!r} in {text!r}"
    return text


@pytest.fixture
def deployed(small: Small) -> Small:
    code, text = small.run(*APPLY, "--reason", EVIL)
    assert code == 0, text
    harmless(text)
    return small


@pytest.fixture
def changed(deployed: Small) -> Iterator[Small]:
    """Somebody changed a task in the account to one that fails with words of theirs, and it ran."""
    schema = f"{deployed.local.database}.SMALL"
    deployed.local.sql(f"ALTER TASK {schema}.SMALL SUSPEND")
    deployed.local.sql(f"""ALTER TASK {schema}."SMALL$SECOND" MODIFY AS SELECT * FROM "{EVIL}" """)
    (root,) = deployed.local.sql(f"SHOW TASKS LIKE 'SMALL' IN SCHEMA {schema}")
    deployed.local.sql(f"ALTER TASK {schema}.SMALL SET COMMENT = $${EVIL}{root['comment']}$$")
    deployed.local.sql(f"ALTER TASK {schema}.SMALL RESUME")
    yield deployed


def test_what_somebody_changed_and_what_failed(changed: Small) -> None:
    names = [row["name"] for row in changed.local.sql(f"SHOW TASKS IN DATABASE {changed.local.database}")]
    assert len(names) == 3
    shown = {
        words: harmless(changed.run(*words.split())[1])
        for words in (
            f"run {SPEC}",
            f"status {SPEC}",
            f"history {SPEC}",
            f"history {SPEC} --deployments",
            f"logs {SPEC}",
            f"drift {SPEC}",
            f"plan {SPEC}",
            f"plan {SPEC} -o json",
            f"status {SPEC} -o json",
            f"history {SPEC} -o json",
            f"logs {SPEC} -o json",
            f"drift {SPEC} -o json",
        )
    }
    for command in ("run", "status", "history", "logs", "drift"):
        assert "\\x1b]0;title" in shown[f"{command} {SPEC}"], command
    assert "\\x1b]0;title" in shown[f"history {SPEC} --deployments"]
    logs = json.loads(shown[f"logs {SPEC} -o json"])
    assert any(EVIL in (task["error"] or "") for task in logs["tasks"])


@pytest.mark.usefixtures("settles_at_once")
def test_a_lease(deployed: Small) -> None:
    small = deployed
    target = Target("local", "local", small.local.database, "SMALL", "LOCAL_WH")
    with account(small.local.connect_args()) as connected:
        lease = replace(new_lease(EVIL, f"{EVIL}\nerror: forged"), host=EVIL)
        Leases(connected.connection, target).take(ROOT, lease)
        _, text = small.run(*APPLY, "--lock-timeout", "0")
        assert "\\x1b]0;title" in harmless(text)
        assert "\nerror: forged" not in text
        code, text = small.run(*APPLY, "--force-unlock")
        assert (code, "\nerror: forged" in harmless(text)) == (0, False)
        assert "\\x1b]0;title" in text


def test_what_people_ask_of_the_local_server(small: Small) -> None:
    _, text = small.run("local", "sql", f"""SELECT '{EVIL}' AS "{EVIL}" """)
    assert harmless(text).count("\\x1b]0;title") == 2
    _, text = small.run("local", "sql", f"""SELECT * FROM "{EVIL}" """)
    assert "\\x1b]0;title" in harmless(text)
    _, text = small.run("local", "sql", "-o", "json", f"SELECT '{EVIL}' AS A")
    assert json.loads(harmless(text))["results"][0]["rows"] == [[EVIL]]
    folder = small.folder / ".sfml" / "local"
    written(folder / "server.log")
    written(folder / "logs" / "01234567.log")
    for words in (("local", "logs"), ("local", "logs", "01234567")):
        _, text = small.run(*words)
        assert "\\x1b]0;title" in harmless(text)
        _, text = small.run(*words, "-o", "json")
        assert "\x1b]0;title" in json.loads(harmless(text))["lines"][0]


def written(file: Path) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{EVIL} and more\n", encoding="utf-8")


def test_models() -> None:
    version = ModelVersion(EVIL, datetime(2026, 1, 1, tzinfo=UTC), True, EVIL, (EVIL,), {EVIL: 1.0})
    text = harmless(models_text({"M": (version,)}, Symbols()))
    assert text.count("\\x1b]0;title") == 3


@pytest.mark.parametrize(
    "text", ["plain", "a\nb", f"{EVIL}\n{EVIL}", "\U000e0041 \u2028 \ud800", "日本語 ✓ é 👍"]
)
def test_text_stays_what_it_is_where_it_is_harmless(text: str) -> None:
    assert harmless(printable_lines(text))
    assert "\n" not in printable(text)
    document = json.dumps({text: text}, indent=1, ensure_ascii=False)
    assert json.loads(harmless(printable_json(document))) == {text: text}
    if text.isprintable():
        assert printable(text) == printable_lines(text) == text
