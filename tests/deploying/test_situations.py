"""Everything that keeps a graph from running as its spec says: `status` fails and says why, since when and what to do.

Off as intended, by mode, by `--no-resume` or for want of a schedule, is well and said as such.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pages import holds
from small import APPLY, PROJECT, SPEC, Small

from sfml.base.quoting import literal
from sfml.base.resources import schema
from sfml.operations.held_lease import new_lease
from sfml.plan.lease import lease_json
from sfml.testing.local_snowflake import LocalSnowflake

SPEC_PATH = "specs/small.yaml"
BESIDE = "beside.yaml"
"""A pipeline that is not deployed; with it, the status is read as that of a fleet."""
STATUS = Draft202012Validator(schema("output/status.schema.json"))
PLACE = "owner_role: SYSADMIN, database: DB, schema: SMALL, warehouse: LOCAL_WH"
ACCOUNT = f"connection: here, account: LOCAL-LOCAL, {PLACE}"
ACCOUNTS = f"""  dev: {{{ACCOUNT}, mode: development}}
  prod: {{{ACCOUNT}, mode: production}}
"""


@pytest.fixture
def world(
    local_snowflake: LocalSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Small]:
    """A project whose local target and accounts are one database of the shared server."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "steps").mkdir()
    database = local_snowflake.database
    project = PROJECT.replace("default: true", f"default: true, database: {database}")
    accounts = ACCOUNTS.replace("DB,", f"{database},")
    (tmp_path / "sfml.yaml").write_text(project + accounts, encoding="utf-8")
    (tmp_path / SPEC_PATH).write_text(SPEC, encoding="utf-8")
    (tmp_path / BESIDE).write_text(SPEC.replace("pipeline: small", "pipeline: beside"), encoding="utf-8")
    given = local_snowflake.connect_args()
    keys = ("account", "user", "password", "host", "protocol")
    lines = [f"{key} = {given[key]!r}" for key in keys if key in given]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[here]", *lines, f"port = {given['port']}"]))
    local_snowflake.sql(f"CREATE SCHEMA {database}.SMALL")
    with local_snowflake.serving(tmp_path):
        yield Small(tmp_path, local_snowflake)


def committed(world: Small) -> None:
    """A production target takes what is committed."""
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a@example.org commit -q -m a"):
        subprocess.run(("git", *command.split()), cwd=world.folder, check=True)


def sql(world: Small, statement: str) -> None:
    world.local.sql(statement.replace("SMALL", f"{world.local.database}.SMALL.SMALL"))


def status(world: Small, target: str = "local") -> tuple[int, dict[str, Any], str]:
    """The exit code, the pipeline's part of the JSON, and the text."""
    code, text = world.run("status", SPEC_PATH, "-t", target)
    json_code, printed = world.run("status", SPEC_PATH, "-t", target, "-o", "json")
    value = json.loads(printed)
    STATUS.validate(value)
    together = json.loads(world.run("status", SPEC_PATH, BESIDE, "-t", target, "-o", "json")[1])
    for one in (value, together):
        one["pipelines"][0]["schedule"] = None  # it says how long until the next run
    assert json_code == code and value["pipelines"] == together["pipelines"][:1]
    return code, value["pipelines"][0], text


def apply(world: Small, *more: str, target: str = "local") -> None:
    code, text = world.run("apply", SPEC_PATH, "--auto-approve", "-t", target, *more)
    assert code == 0, text


# -- what needs attention


def suspended_by_hand(world: Small) -> None:
    apply(world)
    sql(world, "ALTER TASK SMALL SUSPEND")


def suspended_after_failures(world: Small) -> None:
    world.edit(
        "schedule: {version: 1, schedule: {", "schedule: {version: 1, suspend_after_failures: 1, schedule: {"
    )
    world.edit("select 2", "select * from NOWHERE")
    apply(world)
    assert world.run("run", SPEC_PATH)[0] == 1


def by_snowflake(world: Small) -> None:
    apply(world)
    sql(world, "ALTER TASK SMALL SUSPEND")
    world.local.server.account.store.execute("UPDATE tasks SET last_suspended_reason = 'GRANT_OWNERSHIP'")


def child_suspended(world: Small) -> None:
    apply(world)
    for statement in (
        "ALTER TASK SMALL SUSPEND",
        "ALTER TASK SMALL$SECOND SUSPEND",
        "ALTER TASK SMALL RESUME",
    ):
        sql(world, statement)


def cut_loose(world: Small) -> None:
    apply(world)
    sql(world, "ALTER TASK SMALL SUSPEND")
    sql(world, "ALTER TASK SMALL$SECOND REMOVE AFTER SMALL$FIRST")
    sql(world, "ALTER TASK SMALL RESUME")


def dropped(world: Small) -> None:
    apply(world)
    for statement in ("ALTER TASK SMALL SUSPEND", "DROP TASK SMALL$SECOND", "ALTER TASK SMALL RESUME"):
        sql(world, statement)


def changed_by_hand(world: Small) -> None:
    apply(world)
    sql(world, "ALTER TASK SMALL SUSPEND")
    sql(world, "ALTER TASK SMALL SET SCHEDULE = '60 MINUTES'")
    sql(world, "ALTER TASK SMALL$SECOND MODIFY AS SELECT 22")
    sql(world, "ALTER TASK SMALL RESUME")


def half_applied(world: Small) -> None:
    apply(world)
    world.edit("select 2", "select 22")
    code, _ = world.apply_meeting("PUT /tasks/SMALL$SECOND", signal.SIGINT)
    assert code == 130


def failed(world: Small) -> None:
    world.edit("select 2", "select * from NOWHERE")
    apply(world)
    assert world.run("run", SPEC_PATH)[0] == 1


def nothing_ran(world: Small) -> None:
    apply(world)
    for statement in ("SMALL SUSPEND", "SMALL$FIRST SUSPEND", "SMALL$SECOND SUSPEND", "SMALL RESUME"):
        sql(world, f"ALTER TASK {statement}")
    code, text = world.run("run", SPEC_PATH)
    assert code == 1 and "nothing ran: first and second are suspended" in text and "succeeded" not in text
    holds("running.md", text, "sfml run specs/shop.yaml")


def made_by_others(world: Small) -> None:
    sql(world, "CREATE TASK SMALL WAREHOUSE = LOCAL_WH AS SELECT 1")


SITUATIONS: tuple[tuple[Callable[[Small], None], tuple[str, ...], str, str], ...] = (
    (suspended_by_hand, ("schedule_off",), "suspended by hand", "sfml resume specs/small.yaml -t local"),
    (
        suspended_after_failures,
        ("schedule_off", "last_run"),
        "suspended by Snowflake after failures in a row",
        "sfml resume specs/small.yaml -t local",
    ),
    (by_snowflake, ("schedule_off",), "suspended because its owner changed", "sfml resume"),
    (
        child_suspended,
        ("tasks_suspended",),
        "second is suspended since",
        "sfml apply specs/small.yaml -t local",
    ),
    (cut_loose, ("cut_loose",), "second is cut loose from the graph", "sfml plan specs/small.yaml -t local"),
    (dropped, ("tasks_gone",), "second is gone from the account", "sfml plan specs/small.yaml -t local"),
    (
        changed_by_hand,
        ("tasks_changed",),
        "changed in the account since the last apply: the root (schedule), second (definition)",
        "sfml drift specs/small.yaml -t local",
    ),
    (half_applied, ("half_applied",), "half applied: an apply of small by", "finishes it"),
    (failed, ("last_run",), "second: SQL compilation error: Object 'NOWHERE' does not exist", "sfml logs"),
    (
        nothing_ran,
        ("tasks_suspended", "last_run"),
        "nothing ran: first and second are suspended",
        "sfml logs",
    ),
    (
        made_by_others,
        ("not_ours",),
        "task SMALL was not made by sfml",
        "sfml apply specs/small.yaml -t local --adopt",
    ),
)


@pytest.mark.parametrize(
    ("make", "kinds", "words", "command"), SITUATIONS, ids=[make.__name__ for make, *_ in SITUATIONS]
)
def test_status_fails_and_says_why_and_what_to_do(
    world: Small, make: Callable[[Small], None], kinds: tuple[str, ...], words: str, command: str
) -> None:
    make(world)
    code, value, text = status(world)
    holds("running.md", text, "sfml status specs/shop.yaml")
    assert code == 1 and text.splitlines()[-1] == "1 pipeline, 1 needs attention", text
    assert (tuple(one["kind"] for one in value["problems"]), value["well"]) == (kinds, False)
    assert words in text and command in text, text
    since = {one["kind"]: one["since"] for one in value["problems"]}
    for kind in {"schedule_off", "tasks_suspended", "half_applied", "last_run"} & set(kinds):
        assert abs(datetime.now(UTC) - datetime.fromisoformat(since[kind])) < timedelta(minutes=10), kind


JOINED = """    first:
      sql: "select 1"
    beside: {sql: "select 1"}
    second: {sql: "select 2", after: [first, beside], when: "SYSTEM$STREAM_HAS_DATA('ROWS')"}
"""
SET_UP = """  config: {rows: 1}
"""
WRITTEN = "version: 1, schedule: {"
ALERTED = "version: 1, alerts: {on_error: BELL, on_success: CHEER}, schedule: {"


@pytest.fixture
def joined(world: Small) -> Small:
    """A deployed graph with a join, a condition, a config and integrations, which is well."""
    place = f"{world.local.database}.SMALL"
    world.local.sql(f"CREATE TABLE {place}.OLD (A INT)")
    world.local.sql(f"CREATE STREAM {place}.ROWS ON TABLE {place}.OLD")
    for name in ("BELL", "CHEER"):
        world.local.sql(f"CREATE OR REPLACE NOTIFICATION INTEGRATION {name} {QUEUE}")
    world.edit(SPEC[SPEC.index("    first:") : SPEC.index("schedule:")], JOINED + SET_UP)
    world.edit(WRITTEN, ALERTED)
    apply(world)
    assert status(world)[0] == 0
    return world


QUEUE = (
    "ENABLED = TRUE TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = AWS_SNS"
    " AWS_SNS_TOPIC_ARN = 'arn:aws:sns:us-east-2:111122223333:t' AWS_SNS_ROLE_ARN = 'arn:aws:iam::111122223333:role/r'"
)


@pytest.mark.parametrize(
    ("change", "said", "tasks"),
    [
        ("SMALL SET CONFIG = '{\"rows\": 2}'", "the root (config)", []),
        ("SMALL UNSET CONFIG", "the root (config)", []),
        ("SMALL UNSET SCHEDULE", "the root (schedule)", []),
        ("SMALL UNSET ERROR_INTEGRATION", "the root (on_error)", []),
        ("SMALL SET SUCCESS_INTEGRATION = BELL", "the root (on_success)", []),
        ("SMALL MODIFY WHEN FALSE", "the root (when)", []),
        ("SMALL$SECOND REMOVE WHEN", "second (when)", ["second"]),
        ("SMALL$SECOND REMOVE AFTER SMALL$BESIDE", "second (after)", ["second"]),
        ("SMALL$BESIDE ADD AFTER SMALL$FIRST", "beside (after)", ["beside"]),
        ("SMALL$FIRST SET WAREHOUSE = OTHER_WH", "first (warehouse)", ["first"]),
        ("SMALL$FIRST UNSET WAREHOUSE", "first (warehouse)", ["first"]),
    ],
)
def test_a_setting_that_was_changed_in_the_account_is_told(
    joined: Small, change: str, said: str, tasks: list[str]
) -> None:
    sql(joined, "ALTER TASK SMALL SUSPEND")
    joined.local.sql("CREATE WAREHOUSE IF NOT EXISTS OTHER_WH")
    place = f"{joined.local.database}.SMALL."
    words = (f"{place}{word}" if word.startswith("SMALL") else word for word in change.split())
    joined.local.sql(f"ALTER TASK {' '.join(words)}")
    code, text = joined.run("run", SPEC_PATH)
    assert f"changed in the account since the last apply: {said};" in text, text
    sql(joined, "ALTER TASK SMALL RESUME")
    code, value, text = status(joined)
    changed = [one for one in value["problems"] if one["kind"] == "tasks_changed"]
    assert code == 1 and f"changed in the account since the last apply: {said}" in text, text
    assert [one["tasks"] for one in changed] == [tasks]
    apply(joined, "--resume")
    assert [one["kind"] for one in status(joined)[1]["problems"] if one["kind"] == "tasks_changed"] == []


def test_what_is_written_otherwise_and_means_the_same_is_no_change(joined: Small) -> None:
    sql(joined, "ALTER TASK SMALL SUSPEND")
    sql(joined, "ALTER TASK SMALL SET CONFIG = '{ \"rows\" : 1.0 }'")
    sql(joined, "ALTER TASK SMALL SET SCHEDULE = 'using cron  0 0 * * 0 utc'")
    place = f"{joined.local.database}.SMALL"
    joined.local.sql(
        f"ALTER TASK {place}.SMALL$SECOND MODIFY WHEN system$stream_has_data( 'ROWS' ) -- as before"
    )
    sql(joined, "ALTER TASK SMALL$FIRST MODIFY AS select 1 ;")
    sql(joined, "ALTER TASK SMALL RESUME")
    code, value, text = status(joined)
    assert (code, value["problems"]) == (0, []), text


def test_quoted_names_of_objects_are_applied_restored_and_well(joined: Small) -> None:
    """However they are shown: without their quotes they would be other names."""
    joined.local.sql(f'CREATE OR REPLACE NOTIFICATION INTEGRATION "Bell" {QUEUE}')
    joined.edit("alerts: {on_error: BELL", "execute_as_user: '\"Robot\"', alerts: {on_error: '\"Bell\"'")
    joined.edit('beside: {sql: "select 1"}', """beside: {sql: "select 1", execute_as_user: '"Robot"'}""")
    apply(joined)
    assert status(joined)[0] == 0 and "no changes" in joined.run("plan", SPEC_PATH)[1]
    joined.edit('beside: {sql: "select 1"', 'beside: {sql: "select 11"')
    assert joined.apply_meeting("PUT /tasks/SMALL$BESIDE", signal.SIGINT)[0] == 130
    code, text = joined.run("apply", SPEC_PATH, "--restore", "--auto-approve")
    assert code == 0, text
    (shown,) = joined.local.sql(f"SHOW TASKS LIKE 'SMALL$BESIDE' IN SCHEMA {joined.local.database}.SMALL")
    assert shown["execute_as_user"] == "Robot"
    joined.edit('"select 11"', '"select 1"')
    assert status(joined)[0] == 0


def test_settings_are_not_compared_with_files_that_were_not_applied(joined: Small) -> None:
    joined.edit("select 1", "select 11")
    sql(joined, "ALTER TASK SMALL SUSPEND")
    sql(joined, "ALTER TASK SMALL$FIRST MODIFY AS select 12")
    sql(joined, "ALTER TASK SMALL RESUME")
    assert status(joined)[1]["problems"] == []


def test_a_run_that_was_due_and_did_not_begin_is_late(world: Small) -> None:
    world.edit("{cron: '0 0 * * 0', timezone: UTC}", "{every: 1h}")
    committed(world)
    apply(world, target="prod")
    assert status(world, "prod")[0] == 0
    two_hours_ago = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    world.local.server.account.store.execute(f"UPDATE tasks SET last_committed_on = '{two_hours_ago}'")
    code, value, text = status(world, "prod")
    assert code == 1 and [one["kind"] for one in value["problems"]] == ["late"]
    holds("running.md", text, "sfml status specs/shop.yaml -t prod")
    assert "late: a run was due" in text and "sfml history specs/small.yaml -t prod" in text
    assert world.run("run", SPEC_PATH, "-t", "prod")[0] == 0
    assert status(world, "prod")[0] == 0


def test_a_run_that_did_not_succeed_in_time_is_late_until_one_does(world: Small) -> None:
    world.edit("{cron: '0 0 * * 0', timezone: UTC}}", "{every: 2h}, expect: {within: 1h}}")
    world.edit("select 2", "select * from LATER")
    committed(world)
    apply(world, target="prod")
    hours_ago = (datetime.now(UTC) - timedelta(hours=3, minutes=10)).isoformat()
    columns = ("last_committed_on", "created_on")
    old = ", ".join(f"{column} = '{hours_ago}'" for column in columns)
    world.local.server.account.store.execute(f"UPDATE tasks SET {old}, last_suspended_on = NULL")
    assert world.run("run", SPEC_PATH, "-t", "prod")[0] == 1
    code, value, text = status(world, "prod")
    assert code == 1 and [one["kind"] for one in value["problems"]] == ["last_run", "late"]
    assert "late: no run has succeeded for " in text and "expected within 1h" in text, text
    world.local.sql(f"CREATE TABLE {world.local.database}.SMALL.LATER AS SELECT 1 AS A")
    code, text = world.run("run", SPEC_PATH, "-t", "prod", "--recover", "last", "--auto-approve")
    assert code == 0, text
    code, _, text = status(world, "prod")
    assert code == 0, text


# -- off as intended


def test_a_development_target_leaves_the_schedule_off_and_is_well(world: Small) -> None:
    apply(world, target="dev")
    code, value, text = status(world, "dev")
    assert code == 0 and (value["well"], value["schedule_off"]["reason"]) == (True, "development")
    assert "off: a development target leaves it off (Sundays 00:00 UTC" in text
    assert text.splitlines()[-1] == "1 pipeline, all well, 1 off as intended"


def test_no_resume_is_remembered_until_the_schedule_goes_on(world: Small) -> None:
    def reason() -> str | None:
        code, value, _ = status(world)
        off = value["schedule_off"]
        assert (code, value["well"]) == ((0, True) if off is None or off["intended"] else (1, False))
        return None if off is None else str(off["reason"])

    apply(world, "--no-resume")
    assert reason() == "no_resume" and not world.is_on()
    assert world.run("plan", SPEC_PATH, "--detailed-exitcode")[0] == 0
    world.edit("select 2", "select 22")
    apply(world)
    assert reason() == "no_resume", "an apply that says nothing leaves it as it is"
    assert world.run("resume", SPEC_PATH)[0] == 0 and reason() is None
    assert world.run("suspend", SPEC_PATH)[0] == 0
    assert reason() == "by_hand", "what turned the schedule on took the note away"
    code, text = world.run("plan", SPEC_PATH)
    assert code == 0 and "the schedule is off since" in text and "suspended by hand" in text
    apply(world, "--no-resume")
    assert reason() == "no_resume", "nothing but the note was to be changed"
    code, text = world.run("drift", SPEC_PATH)
    assert code == 0 and "no drift" in text
    apply(world, "--resume")
    assert reason() is None and world.is_on()
    sql(world, "ALTER TASK SMALL SUSPEND")
    assert reason() == "by_hand"


def test_no_schedule_is_well(world: Small) -> None:
    world.edit("{cron: '0 0 * * 0', timezone: UTC}", "manual")
    apply(world)
    code, _, text = status(world)
    assert code == 0 and " manual" in text and text.splitlines()[-1] == "1 pipeline, all well"


# -- several, and what is not known


def test_what_is_not_there_hides_nothing(world: Small) -> None:
    committed(world)
    apply(world, target="prod")
    other = SPEC.replace("pipeline: small", "pipeline: other")
    (world.folder / "specs" / "other.yaml").write_text(other, encoding="utf-8")
    (world.folder / "specs" / "wrong.yaml").write_text(
        other.replace("other", "wrong").replace("[first]", "[ah]")
    )
    code, text = world.run("status", "specs/other.yaml", SPEC_PATH, "-t", "prod")
    assert code == 0 and text.splitlines()[-1] == "2 pipelines, the others well, 1 not deployed"
    project = world.folder / "sfml.yaml"
    project.write_text(
        project.read_text()
        .replace("mode: production", "mode: production")
        .replace(
            "schema: SMALL, warehouse: LOCAL_WH, mode: production",
            'schema: "{{ pipeline }}", warehouse: LOCAL_WH, mode: production',
        )
    )
    code, text = world.run("status", "specs/other.yaml", SPEC_PATH, "-t", "prod")
    assert code == 0 and "not deployed: schema" in text and "✓ Sundays 00:00 UTC" in text
    code, text = world.run("status", "specs", "-t", "prod")
    assert code == 1 and "? its spec has errors" in text and "✓ Sundays 00:00 UTC" in text
    code, printed = world.run("status", "specs", "-t", "prod", "-o", "json")
    value = json.loads(printed)
    STATUS.validate(value)
    assert [(one["deployed"], one["well"]) for one in value["pipelines"]] == [
        (False, True),
        (True, True),
        (None, False),
    ]


def test_an_account_that_does_not_answer_is_unknown_and_not_well(
    world: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_HERE_PASSWORD", "wrong")
    code, value, text = status(world, "prod")
    assert code == 1 and value["deployed"] is None and not value["well"] and value["unknown"]
    assert text.splitlines()[1].count("?") == 3


# -- running


def test_a_half_applied_graph_is_not_run(world: Small) -> None:
    half_applied(world)
    for command in ("run", "retry"):
        code, text = world.run(command, SPEC_PATH)
        assert code == 1 and "small is half applied: an apply of small by ada" in text, text
        if command == "run":
            holds("running.md", text, "sfml run specs/shop.yaml")
        assert "finish it:  sfml apply specs/small.yaml -t local" in text and "--restore" in text
    assert world.run(*APPLY)[0] == 0 and world.run("run", SPEC_PATH)[0] == 0


def test_a_run_says_what_it_will_not_do_as_the_files_say(world: Small) -> None:
    apply(world)
    world.edit("select 1", "select 11")
    code, text = world.run("run", SPEC_PATH)
    assert code == 0 and "what is deployed differs from the files" in text
    code, text = world.run("status", SPEC_PATH)
    assert code == 0 and "what is deployed differs from the files:  sfml plan specs/small.yaml" in text
    apply(world)
    for statement in ("SMALL SUSPEND", "SMALL$SECOND SUSPEND", "SMALL RESUME"):
        sql(world, f"ALTER TASK {statement}")
    code, text = world.run("run", SPEC_PATH)
    assert "note: second is suspended since" in text and "– second" in text
    assert "never ran: it is suspended" in text and "succeeded in" in text and "but second never ran" in text


def test_drift_is_told_right_where_the_mark_on_the_root_is_gone(small: Small) -> None:
    small.edit("{sql: 'select 1'}", "{sql: 'select 1', log_level: ERROR}")
    assert small.run(*APPLY)[0] == 0
    small.local.sql(f"ALTER TASK {small.local.database}.SMALL.SMALL SUSPEND")
    small.local.sql(f"ALTER TASK {small.local.database}.SMALL.SMALL SET COMMENT = 'mine'")
    code, text = small.run("drift", "specs/small.yaml")
    assert code == 0 and "the mark of sfml is gone" in text and "log_level" not in text, text


def test_the_lease_of_a_command_that_was_killed_is_told(small: Small) -> None:
    (small.folder / "specs" / BESIDE).write_text(SPEC.replace("pipeline: small", "pipeline: beside"))
    assert small.run(*APPLY)[0] == 0
    ended = subprocess.Popen((sys.executable, "-c", ""))
    ended.wait()
    place = f"{small.local.database}.SMALL"
    for process, code in ((os.getpid(), 0), (ended.pid, 1)):
        lease = replace(new_lease("ada", "night shift"), process=process)
        small.local.sql(
            f"CREATE OR REPLACE STAGE {place}.SFML_LEASE$SMALL COMMENT = {literal(lease_json(lease))}"
        )
        for specs in ((SPEC_PATH,), (SPEC_PATH, f"specs/{BESIDE}")):
            told = small.run("status", *specs, "-o", "json")
            assert told[0] == code, told
            STATUS.validate(json.loads(told[1]))
            problems = json.loads(told[1])["pipelines"][0]["problems"]
            assert [one["kind"] for one in problems] == ["lease_left"] * code
    code, text = small.run("status", SPEC_PATH)
    assert code == 1 and "a command of ada was cut off and left its lease" in text and "night shift" in text
    assert f"sfml apply {SPEC_PATH} -t local --force-unlock" in text
    assert small.run(*APPLY, "--force-unlock")[0] == 0
    assert small.run("status", SPEC_PATH)[0] == 0


STEP = "from sfml_steps import Context, step\n\n\n@step\ndef run(ctx: Context) -> int:\n    return 1\n"


def test_a_stage_that_was_dropped_is_told_where_steps_need_it(world: Small) -> None:
    stage = f"{world.local.database}.SMALL.SFML"
    apply(world)
    world.local.sql(f"DROP STAGE {stage}")
    assert status(world)[0] == 0  # statements need no code
    (world.folder / "steps" / "own.py").write_text(STEP, encoding="utf-8")
    world.edit("{sql: 'select 1'}", "{step: own.run}")
    apply(world)
    assert status(world)[0] == 0
    world.local.sql(f"DROP STAGE {stage}")
    code, value, text = status(world)
    assert code == 1 and [problem["kind"] for problem in value["problems"]] == ["stage_gone"]
    assert f"stage {stage} cannot be found" in text and "uploads the code again" in text
    apply(world)
    assert status(world)[0] == 0 and world.run("run", SPEC_PATH)[0] == 0


STAGED_TASKS = """    first: {step: own.run}
    second: {step: own.run, after: [first]}
    third: {sql: 'select 3', after: [second]}
    fourth: {step: jobs.run, after: [third], run_on: {pool: LOCAL_POOL}}
"""


@pytest.fixture(params=["SFML", '"it\'s mine"'], ids=["plain", "quoted"])
def stage(request: pytest.FixtureRequest) -> str:
    """The name of the stage of code."""
    name: str = request.param
    return name


@pytest.fixture
def staged(world: Small, stage: str) -> Small:
    """A deployed graph with two steps and a job."""
    name_stage(world, stage)
    (world.folder / "steps" / "own.py").write_text(STEP, encoding="utf-8")
    (world.folder / "steps" / "jobs.py").write_text(f"import json\n\n{STEP}", encoding="utf-8")
    world.edit(SPEC[SPEC.index("    first:") : SPEC.index("schedule:")], STAGED_TASKS)
    apply(world)
    assert status(world)[0] == 0
    return world


def name_stage(world: Small, stage: str, before: str | None = None) -> None:
    """Name the stage in sfml.yaml, which has none before, or this one."""
    settings = world.folder / "sfml.yaml"
    text = settings.read_text(encoding="utf-8")
    old = "" if before is None else f" stage: {json.dumps(before)},"
    new = f"default: true, stage: {json.dumps(stage)},"
    settings.write_text(text.replace(f"default: true,{old}", new), encoding="utf-8")


def files(world: Small, stage: str, part: str) -> list[str]:
    """The files of a kind on a stage, as `small/code/<sha256>/steps.zip`."""
    rows = world.local.sql(f"LIST {literal(f'@{world.local.database}.SMALL.{stage}/small/{part}')}")
    return [str(row["name"]).partition("/")[2] for row in rows]


def remove(world: Small, stage: str, paths: list[str]) -> None:
    for path in paths:
        world.local.sql(f"REMOVE {literal(f'@{world.local.database}.SMALL.{stage}/{path}')}")


@pytest.mark.parametrize(
    ("part", "tasks", "said"),
    [
        ("code/", ["first", "second"], "the code of first and second is missing"),
        ("jobs/", ["fourth"], "the code of fourth is missing"),
    ],
)
def test_code_that_is_missing_on_its_stage_is_told(
    staged: Small, stage: str, part: str, tasks: list[str], said: str
) -> None:
    assert files(staged, stage, part)
    remove(staged, stage, files(staged, stage, part))
    code, value, text = status(staged)
    (problem,) = value["problems"]
    assert (code, problem["kind"], problem["tasks"]) == (1, "code_gone", tasks)
    assert said in text and "uploads the code again" in text
    apply(staged)
    assert status(staged)[0] == 0


def test_code_that_no_deployed_task_runs_is_not_missed(staged: Small, stage: str) -> None:
    deployed = files(staged, stage, "code/")
    (staged.folder / "steps" / "own.py").write_text(STEP.replace("1", "2"), encoding="utf-8")
    assert status(staged)[0] == 0  # the files differ, and their code is not uploaded yet
    code, plan = staged.run("plan", SPEC_PATH)
    assert code == 0 and "own.py" in plan
    apply(staged)
    remove(staged, stage, deployed)
    assert status(staged)[0] == 0
    staged.local.sql(f"CREATE STAGE {staged.local.database}.SMALL.OTHER")
    name_stage(staged, "OTHER", before=stage)
    code, value, _ = status(staged)
    assert (code, value["problems"]) == (0, [])
