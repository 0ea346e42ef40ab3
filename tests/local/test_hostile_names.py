"""Names that try to be more than names: in SQL, in REST paths, in stages, as files."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from urllib.parse import quote

import pytest
import snowflake.connector

from sfml_local.http.app import LocalServer

NAMES = (
    "../../../escaped",
    "/etc/passwd",
    "a/b",
    "..",
    ".",
    "with space",
    "it's",
    'say "hi"',
    "semi;colon -- comment",
    "new\nline",
    "tab\t",
    "Ünïcødé 漢字 🎄",
    "%2e%2e%2f",
    "100%",
    "lower",
    "x" * 255,
    "é" * 255,
    "~",
    "$dollar$",
    "*?[a]",
)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def files_outside(folder: Path) -> list[Path]:
    """What a name led to above the account's folder: all below its parent, which is the test's own, and one above."""
    beside = [*folder.parent.rglob("*escaped*"), *folder.parent.parent.glob("*escaped*")]
    return [path for path in beside if not path.is_relative_to(folder)]


DATABASES = ("lower", "x" * 255, "é" * 255, "漢字", "a$1", "_", "Mixed_Case")


def test_databases_of_such_names_are_kept_in_their_folder_and_found_again(folder: Path) -> None:
    with LocalServer(folder) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        for number, name in enumerate(DATABASES):
            cursor.execute(f"CREATE DATABASE {quoted(name)}")
            cursor.execute(f"CREATE TABLE {quoted(name)}.PUBLIC.T (N INT)")
            cursor.execute(f"INSERT INTO {quoted(name)}.PUBLIC.T VALUES ({number})")
            cursor.execute(f"CREATE TASK {quoted(name)}.PUBLIC.{quoted(name)} AS SELECT 1")
    with LocalServer(folder) as server, snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        for number, name in enumerate(DATABASES):
            assert cursor.execute(f"SELECT N FROM {quoted(name)}.PUBLIC.T").fetchall() == [(number,)]
            assert name in [row[1] for row in cursor.execute("SHOW DATABASES").fetchall()]
            tasks = cursor.execute(f"SHOW TASKS IN SCHEMA {quoted(name)}.PUBLIC").fetchall()
            assert [row[1] for row in tasks] == [name]
            cursor.execute(f"DROP DATABASE {quoted(name)}")
            assert name not in [row[1] for row in cursor.execute("SHOW DATABASES").fetchall()]
    assert [file.name for file in (folder / "databases").glob("*.db")] == ["SFML.db"]


IMPOSSIBLE = [
    "memory",
    "TEMP",
    "System",
    "_fs_global",
    "sfml",
    "nul\0byte",
    "1a",
    "$a",
    *NAMES[:11],
    "a-b",
    "100%",
]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_database_that_the_engine_cannot_hold_is_refused_in_words(server: LocalServer, name: str) -> None:
    with snowflake.connector.connect(**server.connect_args()) as connection:
        before = sorted(server.account.folder.rglob("*"))
        with pytest.raises(snowflake.connector.ProgrammingError, match="not emulated by the local server"):
            connection.cursor().execute(f"CREATE DATABASE {quoted(name)}")
        assert [path for path in sorted(server.account.folder.rglob("*")) if path not in before] == []
    assert files_outside(server.account.folder) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_a_stage_and_a_table_of_any_name(server: LocalServer, name: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("content")
    with snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE SCHEMA {quoted(name)}")
        table = quoted(name).replace("'", "")  # fakesnow cannot tell of a table with an apostrophe
        cursor.execute(f"CREATE TABLE {quoted(name)}.{table} ({quoted(name)} INT)")
        cursor.execute(f"INSERT INTO {quoted(name)}.{table} VALUES (7)")
        assert cursor.execute(f"SELECT {quoted(name)} FROM {quoted(name)}.{table}").fetchone() == (7,)
        cursor.execute(f"CREATE STAGE {quoted(name)}")
        if "\n" not in name:
            cursor.execute(
                f"PUT 'file://{tmp_path}/file.txt' '@{quoted(name).replace(chr(39), chr(39) * 2)}'"
            )
            cursor.execute(f"LIST '@{quoted(name).replace(chr(39), chr(39) * 2)}'")
            assert len(cursor.fetchall()) == 1
        cursor.execute(f"DROP SCHEMA {quoted(name)}")
    assert files_outside(server.account.folder) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_model_and_a_version_of_any_name(server: LocalServer, name: str, tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.yml").write_text("manifest_version: '1.0'\nmethods: []\n")
    with snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE STAGE IF NOT EXISTS OF_MODELS")
        cursor.execute(
            f"PUT 'file://{tmp_path}/MANIFEST.yml' @OF_MODELS/m AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
        )
        cursor.execute(f"CREATE MODEL {quoted(name)} WITH VERSION {quoted(name)} FROM @OF_MODELS/m")
        assert [row[1] for row in cursor.execute("SHOW MODELS").fetchall()] == [name]
        shown = cursor.execute(f"SHOW VERSIONS IN MODEL {quoted(name)}").fetchall()
        assert [row[1] for row in shown] == [name]
        cursor.execute(f"DROP MODEL {quoted(name)}")
    assert files_outside(server.account.folder) == []


@pytest.mark.parametrize("path", ["../x", "a/../../x", "..", "/../x", "a/../../../server.json"])
@pytest.mark.parametrize("stage", ["@PLACES", "@~", "@%PLACES"])
def test_no_path_leads_out_of_a_stage(server: LocalServer, tmp_path: Path, stage: str, path: str) -> None:
    (tmp_path / "file.txt").write_text("content")
    with snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE STAGE IF NOT EXISTS PLACES")
        cursor.execute("CREATE TABLE IF NOT EXISTS PLACES (N INT)")
        for statement in (
            f"PUT 'file://{tmp_path}/file.txt' '{stage}/{path}'",
            f"GET '{stage}/{path}' 'file://{tmp_path}/'",
            f"LIST '{stage}/{path}'",
            f"REMOVE '{stage}/{path}'",
            f"COPY FILES INTO @PLACES/ok FROM '{stage}/{path}'",
            f"COPY FILES INTO '{stage}/{path}' FROM @PLACES",
        ):
            with pytest.raises(snowflake.connector.Error, match="leaves the stage"):
                cursor.execute(statement)


@pytest.mark.parametrize("name", [name for name in NAMES if "\n" not in name])
def test_a_task_of_any_name_over_rest(server: LocalServer, name: str) -> None:
    token = server.account.sessions.open(database="SFML", schema="PUBLIC").token
    headers = {"Authorization": f'Snowflake Token="{token}"', "Content-Type": "application/json"}
    base = "/api/v2/databases/SFML/schemas/PUBLIC/tasks"

    def ask(method: str, path: str, body: object = None) -> tuple[int, object]:
        client = http.client.HTTPConnection(server.host, server.port, timeout=30)
        client.request(method, base + path, json.dumps(body) if body else None, headers)
        response = client.getresponse()
        answer = json.loads(response.read())
        client.close()
        return response.status, answer

    path = "/" + quote(quoted(name), safe="")
    assert ask("POST", "", {"name": quoted(name), "definition": "SELECT 1"})[0] == 200
    status, task = ask("GET", path)
    assert status == 200
    assert isinstance(task, dict)
    assert task["definition"] == "SELECT 1"
    assert ask("DELETE", path)[0] == 200
    assert ask("GET", path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/v2/databases/../../server.json",
        "/api/v2/databases/%2e%2e/schemas/PUBLIC/tasks",
        "/api/v2/databases/SFML/schemas/PUBLIC/tasks/%00",
        "/api/v2/databases/SFML/schemas/PUBLIC/tasks/%22%00%22",
        "/api/v2/databases/SFML/schemas/PUBLIC/tasks/%ff%fe",
        "/api/v2/databases/SFML/schemas/PUBLIC/tasks/" + "x" * 10_000,
        "/api/v2//////",
        "/../../etc/passwd",
    ],
)
def test_a_strange_path_is_answered_in_words(server: LocalServer, path: str) -> None:
    token = server.account.sessions.open(database="SFML", schema="PUBLIC").token
    client = http.client.HTTPConnection(server.host, server.port, timeout=30)
    client.request("GET", path, headers={"Authorization": f'Snowflake Token="{token}"'})
    response = client.getresponse()
    text = response.read()
    assert 400 <= response.status < 500
    assert b"Traceback" not in text
    client.close()
