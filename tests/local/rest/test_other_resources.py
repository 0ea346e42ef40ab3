"""What the client of the REST API lists and fetches beside tasks, and what the API answers without a word."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from sfml_local.http.app import LocalServer

STATEMENTS = (
    "CREATE OR REPLACE SCHEMA SFML.LISTED",
    "CREATE TABLE T (ID INT PRIMARY KEY, TXT VARCHAR(9) NOT NULL DEFAULT 'x', U INT UNIQUE) COMMENT = 'tt'",
    "CREATE TRANSIENT TABLE TR (A INT) CLUSTER BY (A)",
    "CREATE SECURE VIEW V (A) COMMENT = 'vv' AS SELECT ID FROM T",
    "CREATE STREAM S ON TABLE T APPEND_ONLY = TRUE COMMENT = 'ss'",
    "CREATE TAG G ALLOWED_VALUES 'a', 'b'",
    "CREATE ROLE IF NOT EXISTS LISTED_ROLE COMMENT = 'rr'",
    "CREATE PROCEDURE P(X INT, Y VARCHAR DEFAULT 'y') RETURNS VARCHAR LANGUAGE SQL AS $$ BEGIN RETURN 'x'; END $$",
    "CREATE FUNCTION F(X INT) RETURNS INT AS $$ X + 1 $$",
)


@pytest.fixture(scope="module")
def schema(server: LocalServer) -> Iterator[Any]:
    """The client's view of a schema with one object of each kind."""
    import snowflake.connector
    from snowflake.core import Root

    with snowflake.connector.connect(**server.connect_args()) as connection:
        cursor = connection.cursor()
        for statement in STATEMENTS:
            cursor.execute(statement)
        yield Root(connection).databases["SFML"].schemas["LISTED"]


def test_tables_are_listed_and_fetched(schema: Any) -> None:
    assert [table.name for table in schema.tables.iter()] == ["T", "TR"]
    table = schema.tables["T"].fetch()
    assert (table.kind, table.comment, table.rows, table.change_tracking) == ("PERMANENT", "tt", 0, True)
    assert [(one.name, one.datatype, one.nullable) for one in table.columns] == [
        ("ID", "NUMBER(38,0)", False),
        ("TXT", "VARCHAR(9)", False),
        ("U", "NUMBER(38,0)", True),
    ]
    assert [type(one).__name__ for one in table.constraints] == ["PrimaryKey", "UniqueKey"]
    transient = schema.tables["TR"].fetch()
    assert (transient.kind, transient.cluster_by) == ("TRANSIENT", ["A"])


def test_views_are_listed_and_fetched(schema: Any) -> None:
    assert [view.name for view in schema.views.iter()] == ["V"]
    view = schema.views["V"].fetch()
    assert (view.secure, view.comment, view.query) == (True, "vv", STATEMENTS[3])
    assert [one.name for one in view.columns] == ["A"]


def test_streams_are_listed_and_fetched(schema: Any) -> None:
    assert [stream.name for stream in schema.streams.iter()] == ["S"]
    stream = schema.streams["S"].fetch()
    assert (stream.mode, stream.comment, stream.stale) == ("APPEND_ONLY", "ss", False)
    assert stream.stream_source.name == "T"


def test_routines_are_listed_and_fetched(schema: Any) -> None:
    [procedure] = schema.procedures.iter()
    assert (procedure.name, [one.name for one in procedure.arguments]) == ("P", ["X", "Y"])
    assert schema.procedures["P(INT,VARCHAR)"].fetch().body.strip().startswith("BEGIN")
    [function] = schema.user_defined_functions.iter()
    assert function.name == "F"


def test_tags_roles_and_users_are_listed(schema: Any) -> None:
    [tag] = schema.tags.iter()
    assert (tag.name, tag.allowed_values) == ("G", ["a", "b"])
    roles = {role.name: role for role in schema.root.roles.iter()}
    assert roles["LISTED_ROLE"].comment == "rr"
    assert "ACCOUNTADMIN" in roles
    assert [user.name for user in schema.root.users.iter(like="SFML")] == ["SFML"]


def test_of_what_there_is_none_there_is_an_empty_list(schema: Any) -> None:
    from snowflake.core.exceptions import NotFoundError

    assert list(schema.dynamic_tables.iter()) == []
    with pytest.raises(NotFoundError):
        schema.dynamic_tables["NOPE"].fetch()


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("PATCH", "tasks", {"name": "rt", "definition": "SELECT 1"}, {}, 404),
        ("POST", "tasks/rt", {"name": "rt", "definition": "SELECT 1"}, {}, 405),
        ("POST", "tasks", "{bad json", {}, 400),
        ("POST", "tasks", "x", {"Content-Type": "text/plain"}, 415),
    ],
)
def test_some_refusals_have_no_body(
    server: LocalServer, schema: Any, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    """As recorded: mlorek/frostlake docs/rest-api.md @58fc77f1."""
    assert ask(server, method, path, body, headers) == (status, "")


def test_work_goes_on_when_asked_to(server: LocalServer, schema: Any) -> None:
    """As recorded: mlorek/frostlake docs/rest-api.md @58fc77f1."""
    body = {"name": "rt", "definition": "SELECT 1"}
    status, text = ask(server, "POST", "tasks?asyncExec=true", body, {})
    answer = json.loads(text)
    assert (status, answer["code"]) == (202, "392604")
    status, text = ask(server, "GET", f"/api/v2/results/{answer['result_handler']}", None, {})
    assert (status, json.loads(text)) == (200, {"status": "Task RT successfully created."})


def ask(server: LocalServer, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, str]:
    arguments = server.connect_args()
    place = path if path.startswith("/") else f"/api/v2/databases/SFML/schemas/LISTED/{path}"
    every = {
        "Authorization": f"Bearer {arguments['password']}",
        "Content-Type": "application/json",
        **headers,
    }
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    url = f"http://{arguments['host']}:{arguments['port']}{place}"
    request = urllib.request.Request(url, data=data, method=method, headers=every)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
