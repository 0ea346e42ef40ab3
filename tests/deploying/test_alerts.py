"""Alerts of runs on a real server: once a streak, around the user's finalizer, and nothing fails because of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import DOCS, masked
from small import APPLY, Small

from sfml_local.http.faults import Call

SPEC = """version: 1
pipeline: small
graph:
  version: 1
  tasks:
    first: {sql: 'select 1'}
    second: {sql: 'select * from LATER', after: [first]}
schedule:
  version: 1
  schedule: {cron: '0 0 * * 0', timezone: UTC}
  alerts:
    channels:
      email: {integration: ML_MAIL, to: [oncall@example.com]}
      slack: ML_SLACK
      queue: ML_QUEUE
"""


class Outbox:
    """What was sent since it was last looked at."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self.seen = 0
        self.new()

    def new(self) -> list[dict[str, Any]]:
        rows = self.small.local.sql(
            f"SELECT * FROM SNOWFLAKE.LOCAL.NOTIFICATIONS WHERE NUMBER > {self.seen} ORDER BY NUMBER"
        )
        self.seen = max((row["NUMBER"] for row in rows), default=self.seen)
        return rows

    def headlines(self) -> list[str]:
        """The integration and the first line of each new message, without the name of the pipeline."""
        return [f"{row['INTEGRATION']}: {headline(row)}" for row in self.new()]


def headline(row: dict[str, Any]) -> str:
    text = row["MESSAGE"]
    if row["CONTENT_TYPE"] == "application/json":
        text = json.loads(text)["message"]
    elif row["SUBJECT"] is None:
        text = json.loads(f'"{text}"')
    return str(text.splitlines()[0].removeprefix("small on local "))


@pytest.fixture
def outbox(small: Small) -> Outbox:
    write(small, SPEC)
    return Outbox(small)


def shown(message: str) -> None:
    """Assert that docs/operating.md shows this message."""
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert without_times(message) in [without_times(block) for block in blocks], message


def without_times(text: str) -> str:
    return masked(re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "<moment>", text))


def write(small: Small, spec: str) -> None:
    (small.folder / "specs" / "small.yaml").write_text(spec, encoding="utf-8")


def only_slack(spec: str = SPEC) -> str:
    head = spec.partition("      email:")[0]
    return f"{head}      slack: ML_SLACK\n"


def apply(small: Small) -> None:
    code, text = small.run(*APPLY)
    assert code == 0, text


def run(small: Small) -> dict[str, Any]:
    _, text = small.run("run", "specs/small.yaml", "-o", "json")
    value: dict[str, Any] = json.loads(text)
    return value


def mend(small: Small) -> None:
    small.local.sql(f"CREATE TABLE {small.local.database}.SMALL.LATER AS SELECT 1 AS A")


def files(small: Small) -> list[str]:
    rows = small.local.sql(f"LIST @{small.local.database}.SMALL.SFML/small/state/")
    return [row["name"].rpartition("/")[2] for row in rows]


OTHERS = "      teams: ML_TEAMS\n      webhook: ML_HOOK\n      pagerduty: ML_PAGER\n"


def by_channel(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Integration → its message; each has one."""
    assert len({row["INTEGRATION"] for row in rows}) == len(rows), rows
    return {row["INTEGRATION"]: row for row in rows}


def in_body(row: dict[str, Any]) -> str:
    """The text of a webhook in the JSON that its template makes."""
    value: dict[str, str] = json.loads('{"text": "%"}'.replace("%", row["MESSAGE"]))
    assert list(value) == ["text"]
    return value["text"]


def test_three_failures_are_told_once_and_so_is_the_recovery(small: Small, outbox: Outbox) -> None:
    write(small, SPEC + OTHERS)
    apply(small)
    first = run(small)
    assert first["state"] == "FAILED"
    told = by_channel(outbox.new())
    assert set(told) == {"ML_MAIL", "ML_SLACK", "ML_QUEUE", "ML_TEAMS", "ML_HOOK", "ML_PAGER"}
    email, slack, queue = told["ML_MAIL"], told["ML_SLACK"], told["ML_QUEUE"]
    assert (email["INTEGRATION"], email["RECIPIENTS"]) == ("ML_MAIL", '["oncall@example.com"]')
    reason = "SQL compilation error: Object 'LATER' does not exist or not authorized."
    assert email["SUBJECT"] == f"small on local failed: second: {reason}"
    assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "(time)", email["MESSAGE"]).splitlines() == [
        f"small on local failed: second: {reason}",
        "",
        f"run      {first['run_id']} of (time) UTC",
        "task     second",
        f"reason   {reason}",
        "look     sfml logs specs/small.yaml second -t local",
        "         sfml history specs/small.yaml -t local",
        "",
        "You are told once, and again when it has recovered.",
    ]
    assert in_body(slack) == in_body(told["ML_HOOK"]) == email["MESSAGE"]
    assert in_body(told["ML_TEAMS"]) == email["MESSAGE"].replace("\n", "\n\n")
    assert in_body(told["ML_PAGER"]) == (
        f"small on local failed: second: {reason} | sfml logs specs/small.yaml second -t local"
    )
    shown(email["MESSAGE"])
    data = json.loads(queue["MESSAGE"])
    assert (data["event"], data["run"], data["task"], data["runs"]) == (
        "failure",
        first["run_id"],
        "second",
        1,
    )
    for _ in range(2):
        assert run(small)["state"] == "FAILED"
    assert outbox.new() == []
    mend(small)
    assert run(small)["state"] == "SUCCEEDED"
    told = by_channel(outbox.new())
    assert set(told) == {"ML_MAIL", "ML_SLACK", "ML_QUEUE", "ML_TEAMS", "ML_HOOK"}, "the pager closes by hand"
    email, queue = told["ML_MAIL"], told["ML_QUEUE"]
    assert in_body(told["ML_SLACK"]) == in_body(told["ML_HOOK"]) == email["MESSAGE"]
    shown(email["MESSAGE"])
    assert email["SUBJECT"].startswith("small on local recovered: it failed, since ")
    assert email["SUBJECT"].endswith(" UTC, 3 runs")
    data = json.loads(queue["MESSAGE"])
    assert (data["event"], data["recovered_from"], data["runs"]) == ("recovered", ["failure"], 3)
    assert data["since"] == json.loads(queue["MESSAGE"])["since"]
    assert run(small)["state"] == "SUCCEEDED" and outbox.new() == []


def test_a_graph_gets_a_finalizer_of_its_own_and_nothing_is_left_to_plan(
    small: Small, outbox: Outbox
) -> None:
    apply(small)
    assert "SMALL$SFML_ALERTS" in small.bodies()
    assert small.run("plan", "specs/small.yaml", "--detailed-exitcode")[0] == 0
    assert [task["name"] for task in run(small)["tasks"]] == ["first", "second", "sfml_alerts"]
    small.edit("      slack: ML_SLACK\n", "      teams: ML_TEAMS\n")
    code, text = small.run("plan", "specs/small.yaml", "--detailed-exitcode")
    assert code == 2 and "alerts.channels.teams.ML_TEAMS" in text and "failure, recovered" in text, text
    assert re.search(r"alerts.channels.teams.*specs/small.yaml:1\d", text), text
    write(small, SPEC.partition("  alerts:")[0])
    code, text = small.run("plan", "specs/small.yaml", "--detailed-exitcode")
    assert code == 2 and "- sfml_alerts" in text, text


GATE = """version: 1
pipeline: small
graph:
  tasks:
    first: {sql: 'select 1'}
    check:
      step: sfml_steps.gate.check_metric
      after: [first]
      with: {value: 0.1, at_least: 0.2}
      outcomes: {passed: good, failed: bad}
    good: {sql: 'select 2'}
    bad: {sql: 'select 3'}
schedule: {schedule: {every: 1d}, alerts: {channels: {slack: ML_SLACK}}}
"""


@pytest.mark.parametrize("outcomes", ["{passed: good, failed: bad}", "{passed: [good], failed: []}"])
def test_a_gate_that_does_not_pass_is_told_until_it_passes(
    small: Small, outbox: Outbox, outcomes: str
) -> None:
    spec = GATE.replace("{passed: good, failed: bad}", outcomes)
    write(
        small, spec if "failed: bad" in outcomes else spec.replace("bad: {sql", "bad: {after: [first], sql")
    )
    apply(small)
    assert run(small)["state"] == "SUCCEEDED"
    assert outbox.headlines() == ["ML_SLACK: did not pass its gate: check: it did not pass: failed"]
    assert run(small)["state"] == "SUCCEEDED" and outbox.new() == []
    small.edit("value: 0.1", "value: 0.3")
    apply(small)
    assert run(small)["state"] == "SUCCEEDED"
    (text,) = outbox.headlines()
    assert text.startswith("ML_SLACK: recovered: check did not pass, since ") and text.endswith(", 2 runs")


SLOW = """first: {sql: "call system$wait(1100, 'MILLISECONDS')", expect: {takes: 1s}}"""


def test_a_task_is_slow_when_it_takes_longer_than_expected(small: Small, outbox: Outbox) -> None:
    write(
        small,
        only_slack().replace("first: {sql: 'select 1'}", SLOW).replace("select * from LATER", "select 2"),
    )
    apply(small)
    assert run(small)["state"] == "SUCCEEDED"
    (text,) = outbox.headlines()
    assert re.fullmatch(
        r"ML_SLACK: was slow: first: it took (a little more than )?\d s, at most 1 s is expected", text
    )
    small.edit("wait(1100,", "wait(0,")
    apply(small)
    run(small)
    (text,) = outbox.headlines()
    assert text.startswith("ML_SLACK: recovered: first was slow, since ")


BY_STEP = """from sfml_steps import Context, StepError, step

@step
def tidy(ctx: Context, fails: bool) -> dict[str, str]:
    if fails:
        raise StepError("cannot tidy: it's \\\\ \\"broken\\"")
    return {"tidied": "all"}
"""


def with_step(small: Small, spec: str, fails: str) -> str:
    (small.folder / "steps" / "own").mkdir()
    (small.folder / "steps" / "own" / "__init__.py").write_text("", encoding="utf-8")
    (small.folder / "steps" / "own" / "last.py").write_text(BY_STEP, encoding="utf-8")
    last = f"  finalizer:\n    last: {{step: own.last.tidy, with: {{fails: {fails}}}}}\n"
    return spec.replace("schedule:\n  version", f"{last}schedule:\n  version", 1)


def test_a_finalizer_that_fails_is_told_and_fails_as_it_did(small: Small, outbox: Outbox) -> None:
    write(small, with_step(small, only_slack(), "true"))
    apply(small)
    assert run(small)["tasks"][-1]["state"] == "FAILED"
    (text,) = outbox.headlines()
    assert text.startswith(
        "ML_SLACK: failed: second: "
    )  # told before the finalizer failed, and not again after it
    mend(small)
    value = run(small)
    assert value["state"] == "FAILED" and outbox.new() == []
    error = value["tasks"][-1]["error"]
    assert 'cannot tidy: it\'s \\ "broken"' in error, error
    small.edit("fails: true", "fails: false")
    apply(small)
    value = run(small)
    assert (value["state"], value["tasks"][-1]["return_value"]) == ("SUCCEEDED", {"tidied": "all"})
    (text,) = outbox.headlines()
    assert text.startswith("ML_SLACK: recovered: it failed, since ") and text.endswith(", 2 runs")
    small.edit("fails: false", "fails: true")
    apply(small)
    run(small)
    assert outbox.headlines() == ['ML_SLACK: failed: last: StepError: cannot tidy: it\'s \\ "broken"']


@pytest.mark.parametrize(
    "last",
    [
        "{sql: \"select 'it''s :SFML_CALL; $$ and \\\\ ' as A\"}",
        "{sql: 'begin select 1; end;'}",
        "{notify: {integration: ML_MAIL, message: over, email: [a@example.com]}}",
        "{call: {procedure: SYSTEM$WAIT, args: [0]}}",
    ],
    ids=["sql", "block", "notify", "call"],
)
def test_every_kind_of_finalizer_runs_inside_its_alerts(small: Small, outbox: Outbox, last: str) -> None:
    small.edit("schedule:\n  version", f"  finalizer:\n    last: {last}\nschedule:\n  version")
    apply(small)
    value = run(small)
    assert value["tasks"][-1]["state"] == "SUCCEEDED", value["tasks"][-1]
    told = [row["INTEGRATION"] for row in outbox.new()]
    assert told[:3] == ["ML_MAIL", "ML_SLACK", "ML_QUEUE"]
    assert len(told) == (4 if "notify" in last else 3)
    assert small.run("plan", "specs/small.yaml", "--detailed-exitcode")[0] == 0


TWICE = (
    "declare early exception (-20001, ''too early''); begin insert into SEEN values (1); let n int := 0;"
    " select count(*) into :n from SEEN; if (n < {n}) then raise early; end if; end"
)


def test_only_the_last_attempt_of_a_run_is_told(small: Small, outbox: Outbox) -> None:
    place = f"{small.local.database}.SMALL"
    spec = only_slack().replace("select * from LATER", TWICE.format(n=2))
    write(small, spec.replace("  alerts:", "  retries: 1\n  alerts:"))
    apply(small)
    small.local.sql(f"CREATE TABLE {place}.SEEN (A INT)")
    value = run(small)
    assert (value["state"], value["attempt"]) == ("SUCCEEDED", 2) and outbox.new() == []
    small.edit("n < 2", "n < 99")
    apply(small)
    value = run(small)
    assert (value["state"], value["attempt"]) == ("FAILED", 2)
    (row,) = outbox.new()
    assert "too early" in row["MESSAGE"] and ", attempt 2" in row["MESSAGE"]


def test_a_channel_that_cannot_be_reached_fails_nothing_and_is_told_later(
    small: Small, outbox: Outbox
) -> None:
    apply(small)
    small.local.faults.fail(
        "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION", status=None, code="390000", sentence="no way", inside=True
    )
    value = run(small)
    assert value["tasks"][-1]["state"] == "SUCCEEDED"
    assert [row["INTEGRATION"] for row in outbox.new()] == ["ML_SLACK", "ML_QUEUE"]
    _, text = small.run("logs", "specs/small.yaml", "sfml_alerts")
    assert "the alert `failure` was not sent to email ML_MAIL oncall@example.com" in text, text
    run(small)
    assert [row["INTEGRATION"] for row in outbox.new()] == ["ML_MAIL"]
    mend(small)
    small.local.faults.fail(
        "SYSTEM$SEND_SNOWFLAKE_NOTIFICATION",
        status=None,
        code="390000",
        sentence="no way",
        nth=3,
        inside=True,
    )
    run(small)
    assert [row["INTEGRATION"] for row in outbox.new()] == ["ML_MAIL", "ML_SLACK"]
    run(small)
    assert [headline(row)[:10] for row in outbox.new()] == ["recovered:"]
    run(small)
    assert outbox.new() == []


def test_a_lost_latch_tells_again_and_a_lost_archive_is_noted(small: Small, outbox: Outbox) -> None:
    write(small, with_step(small, only_slack(), "false"))
    apply(small)
    run(small)
    assert len(outbox.new()) == 1 and "alerts.json" in files(small)
    stage = f"@{small.local.database}.SMALL.SFML/small"
    small.local.sql(f"REMOVE {stage}/state/alerts.json")
    run(small)
    assert len(outbox.new()) == 1
    archives = set(re.findall(r"code/([0-9a-f]{64})/", small.bodies()["SMALL$LAST"]))
    own = re.findall(r"SFML_STEP.*?code/([0-9a-f]{64})/", small.bodies()["SMALL$LAST"], re.DOTALL)[0]
    (alerts,) = archives - {own}
    small.local.sql(f"REMOVE {stage}/code/{alerts}/")
    last = run(small)["tasks"][-1]
    assert last["state"] == "SUCCEEDED" and outbox.new() == []
    assert "alerts were not sent" in str(last["return_value"])


def test_destroy_leaves_nothing_of_alerts(small: Small, outbox: Outbox) -> None:
    apply(small)
    run(small)
    code, text = small.run("destroy", "specs/small.yaml", "--auto-approve")
    assert code == 0, text
    assert files(small) == [] and small.bodies() == {}


@pytest.fixture
def sent(small: Small) -> Iterator[list[Call]]:
    calls: list[Call] = []
    small.local.faults.do(calls.append, "TASK_HISTORY", inside=True, times=None)
    yield calls


def test_a_run_that_goes_well_asks_once(small: Small, outbox: Outbox, sent: list[Call]) -> None:
    """Nothing is wrong and nothing was: the procedure starts once, and the user's finalizer runs."""
    write(small, with_step(small, only_slack(), "false").replace("select * from LATER", "select 2"))
    apply(small)
    run(small)
    assert len(sent) == 1 and outbox.new() == [] and "alerts.json" not in files(small)


def test_names_of_the_project_are_plain(tmp_path: Path) -> None:
    """A command in an alert can be pasted whatever the path of the spec is."""
    from sfml_steps.alerting.telling import Teller

    teller = Teller(None, {"spec": "my specs/it's.yaml", "target": "prod"}, None, None)  # type: ignore[arg-type]
    assert teller.command("logs", "a") == "sfml logs 'my specs/it'\"'\"'s.yaml' a -t prod"


def test_a_finalizer_that_is_cut_off_takes_no_alert_with_it(small: Small, outbox: Outbox) -> None:
    last = "{call: {procedure: SYSTEM$WAIT, args: [60]}, timeout: 5s}"
    write(
        small,
        only_slack().replace("schedule:\n  version", f"  finalizer:\n    last: {last}\nschedule:\n  version"),
    )
    apply(small)
    value = run(small)
    assert "timeout" in value["tasks"][-1]["error"]
    (text,) = outbox.headlines()
    assert text.startswith("ML_SLACK: failed: second: ")


def test_a_success_that_nobody_told_ends_a_streak(small: Small, outbox: Outbox) -> None:
    write(small, only_slack())
    apply(small)
    run(small)
    assert len(outbox.new()) == 1
    write(small, SPEC.partition("  alerts:")[0])
    apply(small)
    mend(small)
    assert run(small)["state"] == "SUCCEEDED" and outbox.new() == []
    small.local.sql(f"DROP TABLE {small.local.database}.SMALL.LATER")
    write(small, only_slack())
    apply(small)
    run(small)
    (row,) = outbox.new()
    assert headline(row).startswith("failed: second") and "streak" not in row["MESSAGE"]


HOSTILE = "it's \"quoted\" \\ \n<!channel> SNOWFLAKE_WEBHOOK_SECRET [here](http://x) $$ :SFML_CALL '); DROP TABLE T; --"


def test_hostile_words_of_an_error_arrive_as_words(small: Small, outbox: Outbox) -> None:
    everything = OTHERS.replace("ML_PAGER", "{integration: ML_PAGER, events: [failure, recovered]}")
    spec = with_step(small, SPEC + everything, "false").replace(
        "{sql: 'select * from LATER'", "{step: own.bad.fail"
    )
    head = "from sfml_steps import Context, StepError, step\n\n@step\ndef fail(ctx: Context) -> None:\n"
    code = f"{head}    raise StepError({HOSTILE!r})\n"
    (small.folder / "steps" / "own" / "bad.py").write_text(code, encoding="utf-8")
    write(small, spec)
    apply(small)
    assert run(small)["tasks"][-1]["state"] == "SUCCEEDED"
    failed = by_channel(outbox.new())
    words = " ".join(HOSTILE.split())
    assert words in failed["ML_MAIL"]["SUBJECT"]
    assert words in json.loads(failed["ML_QUEUE"]["MESSAGE"])["reason"]
    # The recovery tells the same words again.
    (small.folder / "steps" / "own" / "bad.py").write_text(f"{head}    pass\n", encoding="utf-8")
    apply(small)
    assert run(small)["state"] == "SUCCEEDED"
    for messages in (failed, by_channel(outbox.new())):
        assert set(messages) == {"ML_MAIL", "ML_SLACK", "ML_TEAMS", "ML_HOOK", "ML_PAGER", "ML_QUEUE"}
        assert words in messages["ML_MAIL"]["MESSAGE"]
        for name in ("ML_SLACK", "ML_TEAMS", "ML_HOOK", "ML_PAGER"):
            text = in_body(messages[name])
            assert "SNOWFLAKE_WEBHOOK" not in text
            assert "DROP TABLE T" in text or (name == "ML_PAGER" and messages is not failed)
        slack = messages["ML_SLACK"]["MESSAGE"]
        assert "<" not in slack and "&lt;!channel&gt;" in slack
        assert "](" not in messages["ML_TEAMS"]["MESSAGE"] and "\n" not in messages["ML_PAGER"]["MESSAGE"]


def test_a_part_of_a_run_with_mended_files_tells_that_it_recovered(small: Small, outbox: Outbox) -> None:
    write(small, with_step(small, only_slack(), "false"))
    apply(small)
    failed = run(small)
    assert len(outbox.new()) == 1
    # Neither the mended statement nor the code of the alerts is deployed: a part brings what it needs.
    small.edit("select * from LATER", "select 2")
    small.local.sql(f"REMOVE @{small.local.database}.SMALL.SFML/small/code/")
    code, text = small.run("run", "specs/small.yaml", "--recover", failed["run_id"], "--auto-approve")
    assert code == 0, text
    (told,) = outbox.headlines()
    assert told.startswith("ML_SLACK: recovered: it failed, since ")


def test_a_part_ends_only_what_it_runs(small: Small, outbox: Outbox) -> None:
    tasks = f"{SLOW}\n    other: {{sql: select 3}}"
    write(small, with_step(small, only_slack(), "false").replace("first: {sql: 'select 1'}", tasks))
    apply(small)
    failed = run(small)
    assert [text.partition(": ")[2].partition(":")[0] for text in outbox.headlines()] == [
        "failed",
        "was slow",
    ]
    part = ("run", "specs/small.yaml", "--auto-approve")
    code, text = small.run(*part, "--only", "second,last", "-o", "json")
    assert code == 1, text
    small.edit("select * from LATER", "select 2")
    for again in (("--only", "second,last"), ("--recover", json.loads(text)["run_id"])):
        code, text = small.run(*part, *again)
        assert code == 0 and outbox.headlines() == [], text  # `other` may be what failed
    code, text = small.run(*part, "--recover", failed["run_id"])
    assert code == 0, text
    (told,) = outbox.headlines()
    assert told.startswith("ML_SLACK: recovered: it failed, since ") and "slow" not in told
    code, text = small.run(*part, "--only", "first,last")
    assert code == 0 and outbox.headlines() == [], text  # it took its time again
    small.edit("wait(1100,", "wait(0,")
    code, text = small.run(*part, "--only", "first,last")
    (told,) = outbox.headlines()
    assert code == 0 and told.startswith("ML_SLACK: recovered: first was slow, since "), text
