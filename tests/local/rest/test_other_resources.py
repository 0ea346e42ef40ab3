"""What the client of the REST API lists and fetches beside tasks, and what the API answers without a word."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
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
    "CREATE STREAM SV ON VIEW V",
    "CREATE STAGE SD DIRECTORY = (ENABLE = TRUE)",
    "CREATE STREAM SS ON STAGE SD",
    "CREATE ROLE IF NOT EXISTS LISTED_ROLE COMMENT = 'rr'",
    "CREATE PROCEDURE P(X INT, Y VARCHAR DEFAULT 'y') RETURNS VARCHAR LANGUAGE SQL AS $$ BEGIN RETURN 'x'; END $$",
    "CREATE FUNCTION F(X INT) RETURNS INT AS $$ X + 1 $$",
    "CREATE SECURE FUNCTION M(X INT) RETURNS INT NOT NULL MEMOIZABLE AS $$ X + 1 $$",
    "CREATE DYNAMIC TABLE D (ID COMMENT 'cc') TARGET_LAG = '2 minutes' WAREHOUSE = W CLUSTER BY (ID) COMMENT = 'dd'"
    " AS SELECT ID FROM T",
    "CREATE IMAGE REPOSITORY R1",
    "CREATE IMAGE REPOSITORY R2",
    "CREATE OR REPLACE NOTIFICATION INTEGRATION LISTED_NI TYPE = EMAIL ENABLED = FALSE COMMENT = 'nn'"
    " ALLOWED_RECIPIENTS = ('a@example.com')",
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
    assert [table.name for table in schema.tables.iter()] == ["D", "T", "TR"]
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
    assert [stream.name for stream in schema.streams.iter()] == ["S", "SS", "SV"]
    stream = schema.streams["S"].fetch()
    assert (stream.mode, stream.comment, stream.stale) == ("APPEND_ONLY", "ss", False)
    assert (type(stream.stream_source).__name__, stream.stream_source.name) == ("StreamSourceTable", "T")
    staged = schema.streams["SS"].fetch().stream_source
    assert (type(staged).__name__, staged.name, staged.schema_name) == ("StreamSourceStage", "SD", "LISTED")
    source = schema.streams["SV"].fetch().stream_source
    assert (type(source).__name__, source.name, source.append_only) == ("StreamSourceView", "V", False)


def test_routines_are_listed_and_fetched(schema: Any) -> None:
    [procedure] = schema.procedures.iter()
    assert (procedure.name, [one.name for one in procedure.arguments]) == ("P", ["X", "Y"])
    assert schema.procedures["P(INT,VARCHAR)"].fetch().body.strip().startswith("BEGIN")
    assert [function.name for function in schema.user_defined_functions.iter()] == ["F", "M"]


def test_tags_roles_and_users_are_listed(schema: Any) -> None:
    [tag] = schema.tags.iter()
    assert (tag.name, tag.allowed_values) == ("G", ["a", "b"])
    roles = {role.name: role for role in schema.root.roles.iter()}
    assert roles["LISTED_ROLE"].comment == "rr"
    assert "ACCOUNTADMIN" in roles
    assert [user.name for user in schema.root.users.iter(like="SFML")] == ["SFML"]


def test_of_what_there_is_none_there_is_an_empty_list(schema: Any) -> None:
    from snowflake.core.exceptions import NotFoundError

    assert list(schema.pipes.iter()) == []
    with pytest.raises(NotFoundError):
        schema.pipes["NOPE"].fetch()


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


def test_dynamic_tables_are_listed_fetched_and_changed(schema: Any) -> None:
    assert [one.name for one in schema.dynamic_tables.iter(starts_with="D", show_limit=1)] == ["D"]
    assert [one.name for one in schema.dynamic_tables.iter(like="x%")] == []
    table = schema.dynamic_tables["D"].fetch()
    assert (table.kind, table.comment, table.warehouse, table.cluster_by) == ("PERMANENT", "dd", "W", ["ID"])
    assert (table.target_lag.to_dict(), table.query) == (
        {"type": "USER_DEFINED", "seconds": 120},
        "SELECT ID FROM T",
    )
    assert [(one.name, one.datatype, one.comment) for one in table.columns] == [("ID", "NUMBER(38,0)", "cc")]
    schema.dynamic_tables["D"].refresh()
    schema.dynamic_tables["D"].suspend()
    assert schema.dynamic_tables["D"].fetch().scheduling_state == "SUSPENDED"
    schema.dynamic_tables["D"].resume()
    assert schema.dynamic_tables["D"].fetch().scheduling_state == "RUNNING"


def test_functions_tell_how_they_were_created(schema: Any) -> None:
    one = schema.user_defined_functions["M(NUMBER)"].fetch()
    assert (one.is_secure, one.is_memoizable, one.return_type.nullable) == (True, True, False)
    other = schema.user_defined_functions["F(NUMBER)"].fetch()
    assert (other.is_secure, other.is_memoizable, other.return_type.nullable) == (False, False, True)


def test_image_repositories_come_and_go(schema: Any) -> None:
    from snowflake.core.exceptions import ConflictError
    from snowflake.core.image_repository import ImageRepository

    assert [one.name for one in schema.image_repositories.iter()] == ["R1", "R2"]
    assert schema.image_repositories["R1"].fetch().repository_url.endswith("/sfml/listed/r1")
    schema.image_repositories.create(ImageRepository(name="R3"))
    with pytest.raises(ConflictError):
        schema.image_repositories.create(ImageRepository(name="R3"))
    schema.image_repositories["R3"].drop()
    schema.image_repositories["R3"].drop(if_exists=True)
    assert [one.name for one in schema.image_repositories.iter(like="R3")] == []


def test_notification_integrations_come_and_go(schema: Any) -> None:
    from snowflake.core.notification_integration import NotificationEmail, NotificationIntegration

    integrations = schema.root.notification_integrations
    one = integrations["LISTED_NI"].fetch()
    assert (one.enabled, one.comment, one.notification_hook.allowed_recipients) == (
        False,
        "nn",
        ["a@example.com"],
    )
    hook = NotificationEmail(allowed_recipients=["b@example.com"], default_subject="s")
    integrations.create(NotificationIntegration(name="LISTED_2", notification_hook=hook, enabled=True))
    made = integrations["LISTED_2"].fetch().notification_hook
    assert (made.allowed_recipients, made.default_subject) == (["b@example.com"], "s")
    integrations["LISTED_2"].drop()
    assert [one.name for one in integrations.iter(like="LISTED%")] == ["LISTED_NI"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("dynamic_tables", "NOPE"),
        ("image_repositories", "NOPE"),
        ("procedures", "NOPE()"),
        ("user_defined_functions", "NOPE(NUMBER)"),
        ("streams", "NOPE"),
        ("stages", "NOPE"),
    ],
)
def test_what_is_not_there_is_not_found(schema: Any, kind: str, name: str) -> None:
    from snowflake.core.exceptions import NotFoundError

    with pytest.raises(NotFoundError):
        getattr(schema, kind)[name].fetch()
    with pytest.raises(NotFoundError):
        getattr(schema, kind)[name].drop()
    getattr(schema, kind)[name].drop(if_exists=True)


@pytest.mark.parametrize(
    "ask",
    [
        lambda schema: list(schema.services.iter()),
        lambda schema: schema.services["S"].fetch(),
        lambda schema: list(schema.secrets.iter()),
        lambda schema: list(schema.sequences.iter()),
        lambda schema: list(schema.database.database_roles.iter()),
        lambda schema: list(schema.root.api_integrations.iter()),
        lambda schema: schema.tables["T"].swap_with("TR"),
        lambda schema: list(schema.root.roles["LISTED_ROLE"].iter_grants_to()),
    ],
)
def test_what_is_not_emulated_is_not_said_to_be_missing(schema: Any, ask: Any) -> None:
    from snowflake.core.exceptions import APIError, NotFoundError

    with pytest.raises(APIError, match="not emulated by the local server") as refused:
        ask(schema)
    assert refused.value.status == 405
    assert not isinstance(refused.value, NotFoundError)


def operations_of_the_client() -> set[tuple[str, str]]:
    """Method and path of each operation that snowflake.core can ask for, from its generated code."""
    import snowflake.core

    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in Path(snowflake.core.__file__).parent.glob("*/_generated/api/*.py")
    )
    return {
        (m[2], m[1])
        for m in re.finditer(r"['\"](/api/v2/[^'\"]*)['\"]\s*,\s*['\"](GET|POST|PUT|DELETE)['\"]", code)
    }


def test_each_operation_of_the_client_is_served_or_refused_by_name(server: LocalServer) -> None:
    """An empty body, and the name `x` for all: what is served has its own answer to them."""
    operations = operations_of_the_client()
    assert len(operations) > 300, "the client's code is written otherwise now"
    wordless = []
    for method, path in sorted(operations):
        address = f"http://{server.host}:{server.port}" + re.sub(r"{\w+}", "x", path)
        headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
        body = b"{}" if method in ("POST", "PUT") else None
        try:
            urllib.request.urlopen(urllib.request.Request(address, body, headers, method=method)).close()
        except urllib.error.HTTPError as error:
            told = error.read().decode()
            if "No such operation" in told or not told:
                wordless.append(f"{method} {path}: {error.code}")
    assert wordless == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "users"), ("DELETE", "users/x"), ("POST", "databases/SFML/schemas/LISTED/tags")],
)
def test_what_is_listed_and_not_changed_says_so(
    schema: Any, server: LocalServer, method: str, path: str
) -> None:
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    address = f"http://{server.host}:{server.port}/api/v2/{path}"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, b"{}", headers, method=method))
    told = json.loads(refused.value.read())
    assert (refused.value.code, "GET" in refused.value.headers["Allow"]) == (405, True)
    assert f"not emulated by the local server: {method} /api/v2/{path}" in told["message"]


def test_alerts_live_over_rest(schema: Any) -> None:
    from snowflake.core.alert import Alert, CronSchedule, MinutesSchedule
    from snowflake.core.exceptions import ConflictError, NotFoundError
    from snowflake.core.tag import TagValue

    cron = CronSchedule(cron_expr="0 6 * * *", timezone="UTC")
    wanted = Alert(
        name="al", condition="SELECT 1", action="SELECT 2", schedule=cron, warehouse="w", comment="c"
    )
    made = schema.alerts.create(wanted)
    found = made.fetch()
    assert (found.condition, found.action, found.schedule) == ("SELECT 1", "SELECT 2", cron)
    assert (found.name, found.warehouse, found.comment, found.state) == ("AL", "W", "c", "suspended")
    assert (found.database_name, found.schema_name, found.owner_role_type) == ("SFML", "LISTED", "ROLE")
    with pytest.raises(ConflictError):
        schema.alerts.create(wanted)
    schema.alerts.create(wanted, mode="if_not_exists")
    wanted.schedule, wanted.warehouse = MinutesSchedule(minutes=5), None
    schema.alerts.create(wanted, mode="or_replace")
    assert (made.fetch().schedule.minutes, made.fetch().warehouse) == (5, None)
    clone = schema.alerts.create("other", clone_alert="al")
    assert [one.name for one in schema.alerts.iter()] == ["AL", "OTHER"]
    assert [one.comment for one in schema.alerts.iter(like="o%")] == ["c"]
    tag = schema.tags["G"]
    clone.set_tags({tag: TagValue("a")})
    assert [one.value for one in clone.get_tags().values()] == ["a"]
    clone.unset_tags({tag})
    assert clone.get_tags() == {}
    clone.execute()
    clone.drop()
    made.drop()
    made.drop(if_exists=True)
    for gone in (made.fetch, made.execute, made.drop):
        with pytest.raises(NotFoundError):
            gone()
