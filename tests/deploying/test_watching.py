"""A watching pipeline tells what no run can: that a pipeline is late, and that Snowflake suspended it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from small import Small
from test_alerts import Outbox, headline, shown

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SMALL = """version: 1
pipeline: small
graph:
  version: 1
  tasks:
    first: {sql: 'select * from LATER'}
schedule:
  version: 1
  schedule: {cron: '0 * * * *', timezone: UTC}
  suspend_after_failures: 3
  expect: {within: 20m}
  alerts:
    channels:
      slack: ML_SLACK
      email: {integration: ML_MAIL, to: [a@example.com, b@example.com], events: [late, recovered]}
    events: [late, suspended, recovered]
"""
WATCH = """version: 1
pipeline: watch
graph:
  tasks:
    look: {step: sfml_steps.alerting.watch.watch_pipelines}
schedule: {schedule: {every: 20m}}
"""


@pytest.fixture
def outbox(small: Small) -> Outbox:
    (small.folder / "specs" / "small.yaml").write_text(SMALL, encoding="utf-8")
    (small.folder / "specs" / "watch.yaml").write_text(WATCH, encoding="utf-8")
    return Outbox(small)


def apply(small: Small, *specs: str) -> None:
    for spec in specs:
        code, text = small.run("apply", f"specs/{spec}.yaml", "--auto-approve")
        assert code == 0, text


def told(outbox: Outbox) -> list[str]:
    return [f"{row['INTEGRATION']}: {headline(row)}" for row in outbox.new()]


def mend(small: Small) -> None:
    small.local.sql(f"CREATE TABLE {small.local.database}.SMALL.LATER AS SELECT 1 AS A")


def test_late_is_told_once_and_so_is_the_recovery(small: Small, outbox: Outbox) -> None:
    small.local.clock.hold(NOON + timedelta(minutes=5))
    apply(small, "small", "watch")
    small.local.clock.advance(to=NOON + timedelta(minutes=76))
    assert told(outbox) == []  # the run of 13:00 failed, and has until 13:20
    small.local.clock.advance(to=NOON + timedelta(minutes=96))
    reason = "no run has succeeded for 2026-11-02 13:00 UTC, expected within 20 min"
    rows = sorted(outbox.new(), key=lambda row: str(row["INTEGRATION"]))
    assert [f"{row['INTEGRATION']}: {headline(row)}" for row in rows] == [
        f"ML_MAIL: is late: {reason}",
        f"ML_SLACK: is late: {reason}",
    ]
    shown(rows[0]["MESSAGE"])
    mend(small)
    small.local.clock.advance(to=NOON + timedelta(minutes=116))
    assert told(outbox) == []
    small.local.clock.advance(to=NOON + timedelta(minutes=136))
    assert sorted(told(outbox)) == [
        "ML_MAIL: recovered: it was late, since 2026-11-02 13:00 UTC",
        "ML_SLACK: recovered: it was late, since 2026-11-02 13:00 UTC",
    ]
    small.local.clock.advance(to=NOON + timedelta(minutes=176))
    assert told(outbox) == []


def test_a_schedule_that_snowflake_suspends_is_told(small: Small, outbox: Outbox) -> None:
    small.local.clock.hold(NOON + timedelta(minutes=5))
    apply(small, "small", "watch")
    small.local.clock.advance(to=NOON + timedelta(minutes=196))
    (row,) = [row for row in outbox.new() if "suspended" in row["MESSAGE"].partition("\\n")[0]]
    assert (row["INTEGRATION"], headline(row)) == ("ML_SLACK", "is suspended after failures in a row")
    assert "sfml resume specs/small.yaml -t local" in row["MESSAGE"]
    small.local.clock.advance(to=NOON + timedelta(minutes=300))
    assert told(outbox) == []
    mend(small)
    assert small.run("resume", "specs/small.yaml")[0] == 0
    small.local.clock.advance(to=NOON + timedelta(minutes=380))
    texts = told(outbox)
    assert any(text.startswith("ML_SLACK: recovered: it was suspended, since ") for text in texts), texts


def test_what_a_user_suspends_is_no_alert_and_who_is_not_watched_is_not_looked_at(
    small: Small, outbox: Outbox
) -> None:
    apply(small, "small", "watch")
    assert small.run("suspend", "specs/small.yaml")[0] == 0
    _, text = small.run("run", "specs/watch.yaml", "-o", "json")
    assert json.loads(text)["tasks"][0]["return_value"] == {
        "pipelines": 1,
        "late": [],
        "suspended": [],
        "unread": [],
    }
    assert outbox.new() == []
    small.edit("    events: [late, suspended, recovered]\n", "    events: [failure]\n")
    small.edit("events: [late, recovered]", "events: [failure]")
    apply(small, "small")
    _, text = small.run("run", "specs/watch.yaml", "-o", "json")
    assert json.loads(text)["tasks"][0]["return_value"]["pipelines"] == 0


def test_a_plan_shows_what_is_watched_and_leaves_the_rest(small: Small, outbox: Outbox) -> None:
    apply(small, "small")
    plan = ("plan", "specs/small.yaml", "--detailed-exitcode")
    assert small.run(*plan)[0] == 0
    small.edit("within: 20m", "within: 40m")
    code, text = small.run(*plan)
    assert code == 2 and "watch.within" in text and "1200" in text and "2400" in text, text
    apply(small, "small")
    assert small.run(*plan)[0] == 0
    small.edit("slack: ML_SLACK", "slack: ML_OTHER")
    code, text = small.run(*plan)
    assert code == 2 and "watch.slack ML_OTHER" in text, text
    code, text = small.run("drift", "specs/small.yaml")
    assert "watch" not in text, text
    assert small.run("rollback", "specs/small.yaml", "--to", "1", "--auto-approve")[0] == 0
    code, text = small.run(*plan)
    assert code == 2 and "watch.within" in text, text


def test_a_recovery_by_a_part_ends_lateness(small: Small, outbox: Outbox) -> None:
    # Commands take the machine's time, so the clock is held near it.
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    small.local.clock.hold(hour + timedelta(minutes=5))
    apply(small, "small", "watch")
    small.local.clock.advance(to=hour + timedelta(minutes=96))
    assert len(told(outbox)) == 2
    mend(small)
    code, text = small.run("run", "specs/small.yaml", "--recover", "last", "--auto-approve")
    assert code == 0, text
    small.local.clock.advance(to=hour + timedelta(minutes=106))
    texts = told(outbox)
    assert len(texts) == 2 and all("recovered: it was late" in text for text in texts), texts


def test_what_cannot_be_looked_at_is_said(small: Small, outbox: Outbox) -> None:
    apply(small, "small", "watch")
    root = f"{small.local.database}.SMALL.SMALL"
    (row,) = small.local.sql(f"SHOW TASKS LIKE 'SMALL' IN SCHEMA {small.local.database}.SMALL")
    edited = row["comment"].replace('"within":1200', f'"within":{10**30}')
    assert edited != row["comment"]
    small.local.sql(f"ALTER TASK {root} SUSPEND")
    small.local.sql(f"ALTER TASK {root} SET COMMENT = $${edited}$$")
    small.local.sql(f"ALTER TASK {root} RESUME")
    _, text = small.run("run", "specs/watch.yaml", "-o", "json")
    assert json.loads(text)["tasks"][0]["return_value"]["unread"] == [root]
    watch = small.folder / "specs" / "watch.yaml"
    watch.write_text(WATCH.replace("pipelines}", "pipelines, with: {schemas: [A.B.C]}}"), encoding="utf-8")
    apply(small, "watch")
    code, text = small.run("run", "specs/watch.yaml")
    assert code == 1 and "`A.B.C` in `schemas` is not the name of a database or a schema" in text, text
