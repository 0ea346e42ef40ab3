"""`sfml conformance` against the local server, found over a connections.toml as an account is."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import fork_server
import jsonschema
import pytest
import snowflake.connector

from sfml.base.resources import schema
from sfml.snowflake import conformance
from sfml.snowflake.conformance import Do, Scenario, ScenarioRun, Shows
from sfml.snowflake.conformance_scenarios import SCENARIOS
from sfml_local.evidence.behaviours import behaviours
from sfml_local.http.app import LocalServer

if TYPE_CHECKING:
    from sfml.testing.local_snowflake import LocalSnowflake


@pytest.fixture(scope="module")
def environment(server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the connection `here` leads to the local server."""
    home = tmp_path_factory.mktemp("home")
    file = home / "connections.toml"
    file.write_text(
        f'[here]\naccount = "LOCAL"\nuser = "SFML"\npassword = "{server.token}"\n'
        f'host = "{server.host}"\nport = {server.port}\nprotocol = "http"\nrole = "SYSADMIN"\n'
    )
    file.chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SNOWFLAKE_")}
    return {**kept, "SNOWFLAKE_HOME": str(home), "HOME": str(home)}


def sfml(*arguments: str) -> list[str]:
    return [
        *(str(Path(sys.executable).with_name("sfml")), "conformance"),
        *("--connection", "here", "--database", "SFML"),
        *("--settle", "2", *arguments),
    ]


@pytest.fixture
def schemas(server: LocalServer) -> Iterator[list[str]]:
    """The schemas of the database; a test leaves no others."""
    with snowflake.connector.connect(**server.connect_args()) as connection:

        def names() -> list[str]:
            rows = connection.cursor().execute("SHOW SCHEMAS IN DATABASE SFML").fetchall()
            return [row[1] for row in rows]

        before = names()
        yield before
        assert names() == before


def test_every_scenario_stands_for_rows_of_the_evidence() -> None:
    known = {behaviour.what for behaviour in behaviours()}
    claimed = {what for scenario in SCENARIOS for what in scenario.behaviours}
    assert claimed <= known, "a row was reworded: tell its scenario"
    assert len(claimed) >= 25
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    assert all(scenario.behaviours and scenario.steps for scenario in SCENARIOS)


def test_the_local_server_does_what_its_evidence_says(
    environment: dict[str, str], schemas: list[str]
) -> None:
    done = fork_server.run(sfml("--output", "json"), cwd=Path.cwd(), env=environment, timeout=300)
    told = json.loads(done.stdout)
    jsonschema.validate(told, schema("output/conformance.schema.json"))
    different = {one["name"]: one["differences"] for one in told["scenarios"] if one["differences"]}
    assert different == {}
    assert (done.returncode, told["differences"]) == (0, 0)
    assert [one["name"] for one in told["scenarios"]] == [scenario.name for scenario in SCENARIOS]
    print(f"\n{len(SCENARIOS)} scenarios, {len({w for s in SCENARIOS for w in s.behaviours})} behaviours")


def test_a_difference_is_told(server: LocalServer, schemas: list[str]) -> None:
    """With a scenario that expects what the server does not do."""
    wrong = Scenario(
        "wrong",
        ("A new, cloned or replaced task is suspended",),
        (
            Do("CREATE TASK R AS SELECT 1"),
            Shows("SHOW TASKS IN SCHEMA {schema}", ({"name": "R", "state": "started"},)),
            conformance.RefusedStatement("CREATE TASK A AFTER R AS SELECT 1", "some sentence", 42),
            conformance.RefusedStatement("CREATE TASK A AFTER R AS SELECT 1", "already exists", 42),
            conformance.HasColumns("SHOW TASKS IN SCHEMA {schema}", ("name", "nothing")),
            conformance.Replaces("SELECT 1", "SHOW TASKS LIKE 'R' IN SCHEMA {schema}", "id"),
            conformance.Put("P", {"definition": "SELECT 1"}, {"definition": "SELECT 2"}),
            ScenarioRun("R", {"R": "FAILED"}, graph="FAILED"),
            Do("CREATE TASK NEVER AS SELECT 1"),
        ),
    )
    with (
        snowflake.connector.connect(**server.connect_args()) as connection,
        conformance.scratch(connection, "SFML", settling=0.1) as place,
    ):
        found = conformance.outcome(place, wrong).differences
        assert place.ask("SHOW TASKS IN SCHEMA {schema}") == []
    told = [(one.expected, one.observed) for one in found]
    assert told == [
        ("(name R, state started)", "(name R, state suspended)"),
        ("000042: some sentence", "it is carried out"),
        ("000042: already exists", told[2][1]),
        ("columns nothing", told[3][1]),
        ("another id", "the same"),
        ("(definition SELECT 2)", "(definition SELECT 1)"),
        ("R FAILED; graph FAILED", "R SUCCEEDED; graph SUCCEEDED"),
    ]
    assert told[2][1].startswith("002002: SQL compilation error: ")


def test_differences_are_the_exit_code_and_the_text(environment: dict[str, str], schemas: list[str]) -> None:
    """The account does something else: here, a table of that name is in the way of nothing but the wish."""
    done = fork_server.run(
        sfml("--only", "columns_of_show_tasks"), cwd=Path.cwd(), env=environment, timeout=120
    )
    assert (done.returncode, done.stderr.split()[:2]) == (0, ["working", "in"])
    assert "checked     Columns of SHOW TASKS" in done.stdout
    assert done.stdout.endswith("1 scenarios, 1 behaviours, 0 differences\n")
    unknown = fork_server.run(
        sfml("--only", "columns_of_show_task"), cwd=Path.cwd(), env=environment, timeout=120
    )
    assert unknown.returncode == 2
    assert "columns_of_show_tasks" in unknown.stderr


def test_the_schema_is_dropped_after_an_interrupt(environment: dict[str, str], schemas: list[str]) -> None:
    running = subprocess.Popen(
        sfml("--only", "timeouts"), env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    assert "working in SFML.SFML_CONFORMANCE_" in running.stderr.readline()
    # The connector takes the signal while a statement runs, and loses it when that ends just then: people press again.
    while running.poll() is None:
        running.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.wait(timeout=1)
    # Where every press was lost, it came to its own end; what it made is gone all the same.
    assert running.returncode in (130, 0), running.communicate()


def test_further_interrupts_change_nothing(environment: dict[str, str], schemas: list[str]) -> None:
    """Python takes a while to end, and people press again: the exit code is that of the first one, and no traceback."""
    running = subprocess.Popen(
        sfml("--only", "timeouts"), env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    assert "working in SFML.SFML_CONFORMANCE_" in running.stderr.readline()
    is_told = False
    while not is_told:
        running.send_signal(signal.SIGINT)
        is_told = bool(select.select([running.stderr], [], [], 1)[0])
    while running.poll() is None:
        running.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.wait(timeout=0.005)
    assert running.returncode in (130, 0)
    assert "Traceback" not in running.stderr.read()


def test_an_interrupt_does_not_reach_the_drop_of_the_schema(local_snowflake: LocalSnowflake) -> None:
    """The connector listens for Ctrl-C itself while the main thread runs a statement."""
    rule = local_snowflake.faults.do(lambda _: os.kill(os.getpid(), signal.SIGINT), "DROP SCHEMA")
    with (
        pytest.raises(KeyboardInterrupt, match="the first one"),
        conformance.scratch(local_snowflake.connection(), local_snowflake.database),
    ):
        raise KeyboardInterrupt("the first one")
    assert rule.fired == 1
    schemas = {row["name"] for row in local_snowflake.sql("SHOW SCHEMAS")}
    assert not any(name.startswith(conformance.PREFIX) for name in schemas)


def test_nothing_but_the_scratch_schema_is_touched(environment: dict[str, str], server: LocalServer) -> None:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        for statement in (
            "CREATE TASK R COMMENT = 'mine' AS SELECT 1",
            "CREATE TABLE T AS SELECT 'mine' AS V",
        ):
            cursor.execute(statement)
        done = fork_server.run(sfml("--only", "retries", "-q"), cwd=Path.cwd(), env=environment, timeout=120)
        assert done.returncode == 0, done.stderr
        tasks = cursor.execute("SHOW TASKS IN SCHEMA SFML.PUBLIC").fetchall()
        comment = [column[0] for column in cursor.description].index("comment")
        assert [(row[1], row[comment]) for row in tasks] == [("R", "mine")]
        assert cursor.execute("SELECT V FROM SFML.PUBLIC.T").fetchall() == [("mine",)]
        for statement in ("DROP TASK R", "DROP TABLE T"):
            cursor.execute(statement)


def test_an_account_that_cannot_be_reached_is_told_in_words(tmp_path: Path) -> None:
    done = subprocess.run(
        sfml(),
        env={**os.environ, "SNOWFLAKE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "here" in done.stderr
    assert "Traceback" not in done.stderr
