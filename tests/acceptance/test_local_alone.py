"""The local Snowflake used alone: in a folder without a project, in one that is named, and in the foreground."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import snowflake.connector
from conftest import ROOT, Project

TOKEN = "a token of twenty-odd letters"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A folder that belongs to no project, of a user whose data is below it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    made = Project(tmp_path / "work")
    try:
        yield made
    finally:
        made.sfml("local", "stop", ok=None)
        for folder in (tmp_path / "work").iterdir():
            if (folder / "server.lock").exists():
                made.sfml("local", "stop", "--folder", str(folder), ok=None)


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one_value(arguments: Mapping[str, object], sql: str) -> object:
    with (
        contextlib.closing(snowflake.connector.connect(**arguments)) as connection,  # type: ignore[arg-type]
        connection.cursor() as cursor,
    ):
        row = cursor.execute(sql).fetchone()  # type: ignore[union-attr]
    return row[0] if isinstance(row, tuple) else None


def test_it_needs_no_project(alone: Project) -> None:
    alone = replace(alone, from_nothing=True)  # once as users start it
    port = free_port()
    alone.write("setup.sql", "CREATE TABLE orders (id INT);\nINSERT INTO orders VALUES (1), (2);\n")
    place = ("--port", str(port), "--database", "shop", "--schema", '"Raw data"')
    started = alone.sfml("local", "start", *place, "-f", "setup.sql")
    assert f"http://127.0.0.1:{port} " in started.out
    assert "2 statements of setup.sql carried out" in started.out
    assert (alone.folder.parent / "data" / "sfml" / "local" / "account.sqlite").exists()
    assert not (alone.folder / ".sfml").exists()
    answer = alone.sfml(
        "local", "sql", "-o", "json", "SELECT COUNT(*), CURRENT_DATABASE(), CURRENT_SCHEMA() FROM orders"
    )
    assert answer.json["results"][0]["rows"] == [[2, "SHOP", "Raw data"]]
    # Once more with the same place is no other server; another place is refused.
    assert "was running already" in alone.sfml("local", "start", "--database", "SHOP").out
    refused = alone.sfml("local", "start", "--schema", "other", ok=False)
    assert refused.err.splitlines() == [
        "error: the local Snowflake runs already, with schema Raw data",
        "help: stop it first:  sfml local stop",
    ]


@pytest.mark.parametrize("form", ["toml", "env", "uri"])
def test_a_client_connects_with_each_form(alone: Project, form: str) -> None:
    shown = alone.sfml("local", "start", "--schema", "odd$1", "--format", form).out
    assert one_value(arguments_of(form, shown), "SELECT CURRENT_SCHEMA()") == "ODD$1"
    assert arguments_of(form, alone.sfml("local", "connection", "--format", form).out) == arguments_of(
        form, shown
    )


def arguments_of(form: str, text: str) -> dict[str, object]:
    if form == "toml":
        return dict(tomllib.loads(text)["local"])
    if form == "env":
        done = subprocess.run(("sh", "-c", f"{text}\nenv"), capture_output=True, text=True, check=True)
        found = dict(re.findall(r"^SNOWFLAKE_(\w+)=(.*)$", done.stdout, re.M))
        return {key.lower(): int(value) if key == "PORT" else value for key, value in found.items()}
    parts = urlsplit(text.strip())
    database, schema = map(unquote, parts.path.strip("/").split("/"))
    more = {key: value for key, [value] in parse_qs(parts.query).items()}
    login = {"user": unquote(parts.username or ""), "password": unquote(parts.password or "")}
    return {
        **more,
        **login,
        "host": parts.hostname,
        "port": parts.port,
        "database": database,
        "schema": schema,
    }


def test_a_folder_that_holds_something_else_is_left_alone(alone: Project) -> None:
    alone.write("photos/summer.txt", "sea")
    for words in (("start",), ("reset", "--auto-approve"), ("sql", "SELECT 1")):
        refused = alone.sfml("local", words[0], "--folder", "photos", *words[1:], ok=False)
        assert "is not empty and holds no local Snowflake" in refused.err
    assert [path.name for path in (alone.folder / "photos").iterdir()] == ["summer.txt"]


def test_two_folders_are_two_accounts(alone: Project) -> None:
    alone.sfml("local", "sql", "--folder", "one", "CREATE TABLE T (A INT)")
    missing = alone.sfml("local", "sql", "--folder", "two", "SELECT * FROM T", ok=False)
    assert "'T' does not exist" in missing.err
    alone.sfml("local", "sql", "--folder", "one", "SELECT * FROM T")
    alone.sfml("local", "reset", "--folder", "one", "--auto-approve")
    assert alone.sfml("local", "sql", "--folder", "one", "SELECT * FROM T", ok=False).code == 1


def test_a_statement_that_fails_is_told_with_its_file(alone: Project) -> None:
    alone.write("good.sql", "CREATE TABLE T (A INT)")
    alone.write("bad.sql", "INSERT INTO T VALUES (1);\nSELECT * FROM nowhere;\nINSERT INTO T VALUES (2)")
    failed = alone.sfml("local", "start", "-f", "good.sql", "-f", "bad.sql", ok=False)
    assert failed.err.startswith("error: bad.sql: ")
    # It runs, with what was carried out before.
    rows = alone.sfml("local", "sql", "-o", "json", "SELECT A FROM T").json["results"][0]["rows"]
    assert rows == [[1]]
    alone.write("ask.sql", "INSERT INTO T VALUES (2);\nSELECT COUNT(*) AS N FROM T")
    asked = alone.sfml("local", "sql", "-o", "json", "-f", "ask.sql", "SELECT MAX(A) FROM T")
    assert [result["rows"] for result in asked.json["results"]] == [[[1]], [[2]], [[2]]]
    assert "(1 row)" in alone.sfml("local", "sql", "-f", "ask.sql").out


def test_a_port_that_is_taken_is_told(alone: Project) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = alone.sfml("local", "start", "--port", str(port), ok=False)
    assert (
        f"it cannot listen at 127.0.0.1:{port}: Address already in use; another --port may be free"
        in refused.err
    )


def test_statements_that_nobody_cares_about_do_nothing(alone: Project) -> None:
    bad = alone.sfml("local", "start", "--ignore", "(", ok=False)
    assert "`(` is not a regular expression" in bad.err
    alone.sfml("local", "start", "--ignore", "create (or replace )?alert", "--ignore", "create database")
    done = alone.sfml(
        "local", "sql", "CREATE OR REPLACE ALERT a IF (EXISTS (SELECT 1)) THEN SELECT 1; CREATE DATABASE mine"
    )
    assert done.out.splitlines() == [
        "Statement executed successfully.",
        "",
        "Statement executed successfully.",
    ]
    assert (
        alone.sfml("local", "sql", "-o", "json", "SHOW DATABASES LIKE 'mine'").json["results"][0]["rows"]
        == []
    )
    assert alone.sfml("local", "sql", "CREATE SCHEMA mine; USE SCHEMA mine").code == 0


# -- in the foreground


@contextlib.contextmanager
def foreground(folder: Path, *words: str, token: str | None = None) -> Iterator[subprocess.Popen[str]]:
    environment = {key: value for key, value in os.environ.items() if key != "SFML_LOCAL_TOKEN"}
    process = subprocess.Popen(
        (sys.executable, "-m", "sfml_local", "--folder", str(folder), *words),
        env=environment | ({"SFML_LOCAL_TOKEN": token} if token else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_in_the_foreground_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "setup.sql").write_text("CREATE TABLE T AS SELECT 7 AS A;", encoding="utf-8")
    words = ("--host", "0.0.0.0", "--schema", "raw", "-f", str(tmp_path / "setup.sql"))
    with foreground(tmp_path / "data", *words, token=TOKEN) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = int(re.fullmatch(r"The local Snowflake is running at http://0\.0\.0\.0:(\d+)\n", line)[1])  # type: ignore[index]
        login = {"account": "LOCAL", "user": "SFML", "host": "127.0.0.1", "port": port, "protocol": "http"}
        place = {"database": "SFML", "schema": "RAW"}
        assert one_value({**login, **place, "password": TOKEN}, "SELECT A FROM T") == 7
        with pytest.raises(snowflake.connector.errors.DatabaseError):
            one_value({**login, **place, "password": "guessed", "login_timeout": 5}, "SELECT 1")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("token", [None, "short"])
def test_others_reach_it_only_with_a_token_that_was_chosen(tmp_path: Path, token: str | None) -> None:
    with foreground(tmp_path / "data", "--host", "0.0.0.0", token=token) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (
        said
        == "error: at 0.0.0.0 others can reach it: SFML_LOCAL_TOKEN has to hold a token of 16 characters or more\n"
    )


def test_in_the_foreground_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "summer.txt").write_text("sea", encoding="utf-8")
    with foreground(tmp_path) as process:
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (1, f"error: {tmp_path} is not empty and holds no local Snowflake\n")
    assert [path.name for path in tmp_path.iterdir()] == ["summer.txt"]


# -- in a container

CONTAINER = ROOT / "templates" / "local"


def test_the_container_files_are_what_their_linters_want() -> None:
    tools = Path(sys.executable).parent
    subprocess.run((tools / "hadolint", CONTAINER / "Dockerfile"), check=True)
    schema = ("--builtin-schema", "vendor.compose-spec")
    subprocess.run((tools / "check-jsonschema", *schema, CONTAINER / "compose.yaml"), check=True)


def test_the_container_starts_what_is_tried_here() -> None:
    text = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
    assert '"python", "-m", "sfml_local", "--folder", "/data", "--host", "0.0.0.0"' in text
    assert "--require-hashes -r requirements/local.txt" in text
