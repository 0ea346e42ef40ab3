"""How few calls a target takes that is an account: where it leads and what must be there are looked at as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from small import Small

from sfml.testing.local_snowflake import LocalSnowflake
from sfml_local.http.faults import Call

PROJECT = """version: 1
steps: [steps]
targets:
  dev: {connection: work, account: LOCAL-LOCAL, owner_role: SYSADMIN, database: %s, schema: PUBLIC, warehouse: W}
"""
SPEC = """version: 1
pipeline: counted
graph:
  version: 1
  tasks:
    first: {step: one.run, packages: [pytest]}
    second: {step: two.run, after: [first], timeout: 1h}
    other: {sql: select 1, after: [first]}
    tell: {notify: {integration: MAIL, message: done, email: [a@example.org]}, after: [second]}
schedule: {version: 1, schedule: {cron: '0 0 * * 0', timezone: UTC}, alerts: {on_error: ERRORS}}
"""
STEP = "from sfml_steps import Context, step\n\n\n@step\ndef run(ctx: Context) -> int:\n    return 1\n"
APPLY = ("apply", "specs/small.yaml", "--auto-approve")


@pytest.fixture
def counted(
    local_snowflake: LocalSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Small]:
    """A deployed pipeline whose schedule is on."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "steps").mkdir()
    (tmp_path / "sfml.yaml").write_text(PROJECT % local_snowflake.database, encoding="utf-8")
    (tmp_path / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    for name in ("one", "two"):
        (tmp_path / "steps" / f"{name}.py").write_text(STEP, encoding="utf-8")
    place = local_snowflake.connect_args()
    keys = ("account", "user", "password", "host", "port", "protocol")
    entry = "\n".join(["[work]", *(f"{key} = {json.dumps(place[key])}" for key in keys)])
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", entry)
    for statement in (
        "CREATE WAREHOUSE IF NOT EXISTS W",
        "CREATE NOTIFICATION INTEGRATION IF NOT EXISTS MAIL ENABLED = TRUE TYPE = EMAIL",
        "CREATE NOTIFICATION INTEGRATION IF NOT EXISTS ERRORS ENABLED = TRUE TYPE = QUEUE",
    ):
        local_snowflake.sql(statement)
    small = Small(tmp_path, local_snowflake)
    code, text = small.run(*APPLY, "--resume")
    assert code == 0, text
    yield small
    for kind, name in (("WAREHOUSE", "W"), ("INTEGRATION", "MAIL"), ("INTEGRATION", "ERRORS")):
        local_snowflake.sql(f"DROP {kind} IF EXISTS {name}")


def calls_of(small: Small, *words: str) -> list[Call]:
    """Every call after the login of a command that succeeds."""
    small.local.faults.forget_calls()
    code, text = small.run(*words)
    assert code == 0, text
    return [call for call in small.local.calls if call.kind != "session"]


def told(calls: list[Call]) -> str:
    return "\n".join(f"{call.kind} {call.text[:100]}" for call in calls)


def test_a_first_apply_takes_little_more_than_a_call_a_task(counted: Small) -> None:
    """Both integrations stand in one list."""
    spec = counted.folder / "specs" / "second.yaml"
    spec.write_text(SPEC.replace("pipeline: counted", "pipeline: second"), encoding="utf-8")
    calls = calls_of(counted, "apply", "specs/second.yaml", "--auto-approve", "--resume")
    assert len(calls) <= 1.2 * 5 + 20, told(calls)
    looks = [call.text for call in calls if call.text.startswith("SHOW") and "LEASE" not in call.text]
    assert sorted(looks) == [
        "SHOW INTEGRATIONS",
        "SHOW TASKS IN ACCOUNT ROOT ONLY",
        "SHOW TERSE TASKS IN SCHEMA " + schema_of(counted),
        "SHOW WAREHOUSES LIKE 'W'",
    ]


def test_the_first_apply_in_a_schema_reads_no_graph_before_it_made_one(counted: Small) -> None:
    """The names of the schema's tasks say that there is none."""
    project = counted.folder / "sfml.yaml"
    project.write_text(project.read_text(encoding="utf-8").replace("PUBLIC", "FRESH"), encoding="utf-8")
    counted.local.sql(f"CREATE SCHEMA {counted.local.database}.FRESH")
    calls = calls_of(counted, *APPLY, "--resume")
    assert len(calls) <= 1.2 * 5 + 19, told(calls)
    assert sum(call.text.startswith("GET") for call in calls) == 1, "only to verify what was created"


def schema_of(small: Small) -> str:
    return f"{small.local.database}.PUBLIC"


def test_a_plan_without_a_change_takes_five_calls(counted: Small) -> None:
    calls = calls_of(counted, "plan", "specs/small.yaml")
    assert len(calls) <= 5, told(calls)
    calls = calls_of(counted, *APPLY)
    assert len(calls) <= 7, told(calls)


def test_a_changed_setting_takes_fifteen_calls(counted: Small) -> None:
    counted.edit("timeout: 1h", "timeout: 2h")
    calls = calls_of(counted, *APPLY)
    assert len(calls) <= 15, told(calls)
    looks = [call.text for call in calls if call.text.startswith("SHOW")]
    assert len(looks) == 1 and "SFML_LEASE" in looks[0], "nothing new is named"


def test_changed_code_takes_sixteen_calls(counted: Small) -> None:
    step = counted.folder / "steps" / "two.py"
    step.write_text(STEP.replace("return 1", "return 2"), encoding="utf-8")
    calls = calls_of(counted, *APPLY)
    assert [call.text for call in calls if call.text.startswith("PUT")], "code was uploaded"
    assert len(calls) <= 16, told(calls)


def test_what_a_change_names_anew_is_looked_for_and_nothing_else(counted: Small) -> None:
    counted.edit("{sql: select 1, after", "{sql: select 1, run_on: {warehouse: NEW_WH}, after")
    counted.local.faults.forget_calls()
    code, text = counted.run(*APPLY)
    assert code == 1 and "warehouse NEW_WH, for other" in text
    looks = [call.text for call in counted.local.calls if call.text.startswith("SHOW")]
    looks = [text for text in looks if "SFML_LEASE" not in text]
    assert len(looks) == 1 and "WAREHOUSES" in looks[0], looks
    counted.local.sql("CREATE WAREHOUSE NEW_WH")
    calls = calls_of(counted, *APPLY)
    assert len(calls) <= 17, told(calls)
    # What went away since is no finding of a change elsewhere; whoever wants to know asks for it.
    counted.local.sql("DROP INTEGRATION ERRORS")
    counted.edit("timeout: 1h", "timeout: 2h")
    calls_of(counted, *APPLY)
    code, text = counted.run("plan", "specs/small.yaml", "--check-environment")
    assert code == 1 and "notification integration ERRORS" in text
    counted.local.sql("DROP WAREHOUSE NEW_WH")
