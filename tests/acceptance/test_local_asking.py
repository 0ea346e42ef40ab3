"""`sfml local sql|logs|connection` as a person uses them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT, Done, Project


def valid(done: Done, name: str) -> dict:  # type: ignore[type-arg]
    schema = json.loads((ROOT / "schemas" / "output" / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(done.json, schema)
    return done.json


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose local Snowflake runs."""
    made = Project(tmp_path_factory.mktemp("asking"))
    made.write("sfml.yaml", "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n")
    made.sfml("local", "start")
    try:
        yield made
    finally:
        made.sfml("local", "stop", ok=None)


def test_sql_prints_what_each_statement_answers(project: Project) -> None:
    text = (
        "create or replace table t (a int, b text); insert into t values (1, 'x;y'), (2, null);"
        " select * from t order by a"
    )
    assert project.sfml("local", "sql", text).out.splitlines() == [
        "Table T successfully created.",
        "",
        "number of rows inserted",
        "-----------------------",
        "                      2",
        "(1 row)",
        "",
        "A  B",
        "-  ----",
        "1  x;y",
        "2  NULL",
        "(2 rows)",
    ]


def test_sql_as_json_keeps_numbers_and_writes_the_rest_as_text(project: Project) -> None:
    done = project.sfml(
        "local", "sql", "-o", "json", "select 1.5 x, 7 n, '2026-01-02'::date d, null z, true b"
    )
    assert valid(done, "local_sql")["results"] == [
        {"columns": ["X", "N", "D", "Z", "B"], "rows": [[1.5, 7, "2026-01-02", None, True]]}
    ]


def test_sql_stops_at_the_first_statement_that_fails_and_says_why(project: Project) -> None:
    done = project.sfml("local", "sql", "select 1 as before; select * from nope; select 2 as after", ok=False)
    assert "BEFORE" in done.out
    assert "AFTER" not in done.out
    assert "Object 'NOPE' does not exist or not authorized." in done.err


def test_sql_without_a_statement_is_wrong_usage(project: Project) -> None:
    assert project.sfml("local", "sql", " ; ", ok=None).code == 2


def test_logs_show_what_a_query_wrote(project: Project) -> None:
    procedure = (
        "with p as procedure () returns string language python runtime_version = '3.11'"
        " packages = ('snowflake-snowpark-python') handler = 'main' as $$\n"
        "def main(session):\n    for n in range(5):\n        print('line', n)\n    return 'done'\n$$ call p()"
    )
    project.sfml("local", "sql", procedure)
    [log] = (project.folder / ".sfml" / "local" / "logs").glob("*.log")
    done = project.sfml("local", "logs", log.stem, "-n", "2", "-o", "json")
    assert valid(done, "local_logs")["lines"] == ["line 3", "line 4"]
    assert "nothing" in project.sfml("local", "logs", "0" * 8, ok=False).err
    assert project.sfml("local", "logs", "../server", ok=None).code == 2


def test_logs_of_the_server_are_shown(project: Project) -> None:
    file = project.folder / ".sfml" / "local" / "server.log"
    assert valid(project.sfml("local", "logs", "-o", "json"), "local_logs")["file"] == str(file)


def test_a_written_connection_works_by_name_and_leaves_the_others(project: Project, tmp_path: Path) -> None:
    home = project.folder / ".snowflake"
    home.mkdir(exist_ok=True)
    file = home / "connections.toml"
    file.write_text('# mine\n[prod]\naccount = "A"  # kept\n', encoding="utf-8")
    project.sfml("local", "connection", "--write")
    project.sfml("local", "connection", "--write")
    text = file.read_text(encoding="utf-8")
    assert text.startswith('# mine\n[prod]\naccount = "A"  # kept\n')
    assert text.count("[local]") == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code = (
        "import snowflake.connector as s\n"
        "print(s.connect(connection_name='local').cursor().execute('select 41 + 1').fetchall())"
    )
    environment = {"HOME": str(project.folder), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stdout.strip() == "[(42,)]", ended.stderr


def test_an_account_of_that_name_is_not_overwritten(project: Project) -> None:
    home = project.folder / ".snowflake"
    home.mkdir(exist_ok=True)
    (home / "connections.toml").write_text('[prod]\naccount = "A"\n', encoding="utf-8")
    done = project.sfml("local", "connection", "--write", "--name", "prod", ok=False)
    assert "leads to an account" in done.err
    assert (home / "connections.toml").read_text(encoding="utf-8") == '[prod]\naccount = "A"\n'


def test_connections_in_the_config_file_are_not_hidden(project: Project) -> None:
    home = project.folder / ".snowflake"
    home.mkdir(exist_ok=True)
    (home / "connections.toml").unlink(missing_ok=True)
    config = home / "config.toml"
    config.write_text('[connections.prod]\naccount = "A"\n', encoding="utf-8")
    config.chmod(0o600)
    try:
        done = project.sfml("local", "connection", "--write", "-o", "json")
        assert valid(done, "local_connection")["file"] == str(config)
        assert not (home / "connections.toml").exists()
        assert "[connections.prod]" in config.read_text(encoding="utf-8")
        assert "[connections.local]" in config.read_text(encoding="utf-8")
    finally:
        config.unlink()


def test_a_printed_connection_is_toml(project: Project) -> None:
    import tomllib

    printed = tomllib.loads(project.sfml("local", "connection", "--name", "my laptop").out)
    info = project.sfml("local", "status", "-o", "json").json
    assert printed["my laptop"]["port"] == info["port"]
    assert printed["my laptop"]["password"] == info["password"]


def test_without_a_server_there_is_no_connection(tmp_path: Path) -> None:
    made = Project(tmp_path)
    made.write("sfml.yaml", "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n")
    assert "sfml local start" in made.sfml("local", "connection", ok=False).err
    assert "never started" in made.sfml("local", "logs", ok=False).err
