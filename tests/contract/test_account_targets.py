"""Targets that are accounts, on a real server that a connection entry leads to: where they lead, what must be there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from snowflake.connector import SnowflakeConnection

from sfml.base.errors import ConflictingState, ConnectionFailed, MissingPrivilege
from sfml.graph.model import (
    GraphSettings,
    NewPool,
    NotifyBody,
    OnPool,
    OnWarehouse,
    SqlBody,
    StepBody,
    StreamSchedule,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.graph.needs import Kind, needs_of
from sfml.snowflake.connection import open_account, open_local
from sfml.snowflake.environment import create, environment_of
from sfml.snowflake.objects import use_schema
from sfml.snowflake.sql import rows
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

TARGET = Target(
    "dev",
    "account",
    "ML_DEV",
    "CLV",
    "ML_WH",
    connection="dev",
    account="LOCAL-LOCAL",
    owner_role="ML_OWNER",
    compute_pool="ML_POOL",
    new_pool=NewPool("GPU_NV_S", max_nodes=3),
)
GRAPH = TaskGraph(
    "clv",
    "specs/clv.yaml",
    TARGET,
    GraphSettings(schedule=StreamSchedule(("RAW.ORDERS_STREAM",)), on_error="ML_ERRORS"),
    (
        TaskNode(
            "prepare",
            StepBody("mine.steps.one", {}),
            OnWarehouse("ML_WH"),
            packages=("pytest", "pandas==0.0.1", "no-such-package"),
            external_access=("WEB",),
            secrets={"key": "RAW.API_KEY"},
        ),
        TaskNode("train", StepBody("mine.steps.two", {}), OnPool("ML_POOL", instances=2), after=("prepare",)),
        TaskNode("tell", NotifyBody("ML_MAIL", "done", email=("a@example.org",)), OnWarehouse("OTHER_WH")),
        TaskNode(
            "count", SqlBody("select 1"), OnWarehouse("ML_WH"), reads=("RAW.ORDERS",), writes=("COUNTS",)
        ),
    ),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local")) as server:
        yield server


@pytest.fixture
def admin(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SnowflakeConnection]:
    arguments = server.connect_args()
    lines = [
        f"{key} = {value!r}" for key, value in arguments.items() if key in ("account", "user", "password")
    ]
    place = f'host = "{arguments["host"]}"\nport = {arguments["port"]}\nprotocol = "http"'
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[dev]", *lines, place]))
    connection = open_local(arguments, TARGET)
    yield connection
    connection.close()


@pytest.fixture
def there(admin: SnowflakeConnection) -> Iterator[SnowflakeConnection]:
    """The target's connection, with its database and schema made."""
    rows(admin, "CREATE DATABASE IF NOT EXISTS ML_DEV")
    rows(admin, "CREATE SCHEMA IF NOT EXISTS ML_DEV.CLV")
    connection = open_account(TARGET)
    yield connection
    connection.close()
    rows(admin, "DROP DATABASE ML_DEV")


def test_a_connection_stands_in_the_targets_role_database_and_schema(there: SnowflakeConnection) -> None:
    use_schema(there, TARGET)
    place = "SELECT CURRENT_ROLE(), CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_WAREHOUSE()"
    assert rows(there, place) == [("ML_OWNER", "ML_DEV", "CLV", "ML_WH")]


def test_another_account_is_refused_before_anything_is_done(admin: SnowflakeConnection) -> None:
    with pytest.raises(
        ConflictingState, match="leads to account LOCAL-LOCAL, target `dev` names MYORG-PROD"
    ) as told:
        open_account(replace(TARGET, account="MYORG-PROD"))
    assert told.value.help is not None
    assert "nothing was changed" in told.value.help


def test_an_entry_that_is_not_there_and_a_wrong_password(
    admin: SnowflakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConnectionFailed, match="no connection `prod`; SNOWFLAKE_CONNECTIONS has `dev`"):
        open_account(replace(TARGET, connection="prod"))
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS_DEV_PASSWORD", "hunter2")
    with pytest.raises(ConnectionFailed, match="Incorrect username or password") as told:
        open_account(TARGET)
    assert "hunter2" not in f"{told.value.message} {told.value.help}"


def test_a_schema_that_is_missing_is_named_with_its_statement(there: SnowflakeConnection) -> None:
    with pytest.raises(ConflictingState, match=r"schema ML_DEV\.NOPE does not exist") as told:
        use_schema(there, replace(TARGET, schema="NOPE"))
    assert told.value.help == "CREATE SCHEMA ML_DEV.NOPE"
    with pytest.raises(ConflictingState, match="database NOPE of target `dev` does not exist"):
        use_schema(there, replace(TARGET, database="NOPE"))


def test_every_need_is_known_with_the_tasks_that_have_it() -> None:
    found = {(need.kind, need.name): (need.by, need.usage) for need in needs_of(GRAPH)}
    assert found[Kind.WAREHOUSE, "ML_WH"] == (("prepare", "train", "count"), "")
    assert found[Kind.NOTIFICATION, "ML_ERRORS"] == ((), "queue")
    assert found[Kind.NOTIFICATION, "ML_MAIL"] == (("tell",), "email")
    assert found[Kind.SECRET, "ML_DEV.RAW.API_KEY"] == (("prepare",), "")
    assert found[Kind.TABLE, "ML_DEV.CLV.COUNTS"] == (("count",), "write")


def test_each_missing_thing_comes_with_the_statement_that_makes_it(
    server: LocalServer, there: SnowflakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(server.account.settings, unknown_compute="refuse")
    monkeypatch.setattr(server.account, "settings", settings)
    environment = environment_of(there, GRAPH)
    told = {one.text: one.statement for one in environment.missing}
    [pin] = [
        text
        for text in told
        if text.startswith("package pandas==0.0.1, for prepare: not in this version; the newest")
    ]
    del told[pin]
    assert told == {
        "stage ML_DEV.CLV.SFML": "CREATE STAGE ML_DEV.CLV.SFML ENCRYPTION = (TYPE = 'SNOWFLAKE_SSE')",
        "warehouse ML_WH, for prepare, train, count": (
            "CREATE WAREHOUSE ML_WH WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60"
        ),
        "warehouse OTHER_WH, for tell": "CREATE WAREHOUSE OTHER_WH WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60",
        "compute pool ML_POOL, for train": (
            "CREATE COMPUTE POOL ML_POOL MIN_NODES = 1 MAX_NODES = 3 INSTANCE_FAMILY = GPU_NV_S"
            " AUTO_SUSPEND_SECS = 600"
        ),
        "notification integration ML_ERRORS": (
            "CREATE NOTIFICATION INTEGRATION ML_ERRORS ENABLED = TRUE"
            " TYPE = QUEUE DIRECTION = OUTBOUND NOTIFICATION_PROVIDER = …"
        ),
        "notification integration ML_MAIL, for tell": (
            "CREATE NOTIFICATION INTEGRATION ML_MAIL ENABLED = TRUE TYPE = EMAIL"
        ),
        "external access integration WEB, for prepare": (
            "CREATE EXTERNAL ACCESS INTEGRATION WEB ALLOWED_NETWORK_RULES = (…) ENABLED = TRUE"
        ),
        "secret ML_DEV.RAW.API_KEY, for prepare": (
            "CREATE SECRET ML_DEV.RAW.API_KEY TYPE = GENERIC_STRING SECRET_STRING = '…'"
        ),
        "stream ML_DEV.RAW.ORDERS_STREAM": "CREATE STREAM ML_DEV.RAW.ORDERS_STREAM ON TABLE …",
        "image repository any, for train": "CREATE IMAGE REPOSITORY ML_DEV.CLV.IMAGES",
        "package no-such-package, for prepare: not in Snowflake's channel for Python 3.11": (
            "SELECT VERSION FROM INFORMATION_SCHEMA.PACKAGES WHERE PACKAGE_NAME = 'no-such-package'"
        ),
    }
    assert environment.unknown == ()


def test_what_was_made_is_not_missing_any_more(
    admin: SnowflakeConnection, there: SnowflakeConnection
) -> None:
    rows(admin, "CREATE SCHEMA ML_DEV.RAW")
    for statement in (
        "CREATE WAREHOUSE ML_WH",
        "CREATE WAREHOUSE OTHER_WH",
        "CREATE COMPUTE POOL ML_POOL MIN_NODES = 1 MAX_NODES = 2 INSTANCE_FAMILY = CPU_X64_S",
        "CREATE NOTIFICATION INTEGRATION ML_ERRORS ENABLED = TRUE TYPE = QUEUE",
        "CREATE NOTIFICATION INTEGRATION ML_MAIL ENABLED = TRUE TYPE = EMAIL",
        "CREATE NETWORK RULE ML_DEV.RAW.R TYPE = HOST_PORT MODE = EGRESS VALUE_LIST = ('example.org')",
        "CREATE EXTERNAL ACCESS INTEGRATION WEB ALLOWED_NETWORK_RULES = (ML_DEV.RAW.R) ENABLED = TRUE",
        "CREATE SECRET ML_DEV.RAW.API_KEY TYPE = GENERIC_STRING SECRET_STRING = 'hunter2'",
        "CREATE IMAGE REPOSITORY ML_DEV.CLV.IMAGES",
        "CREATE TABLE ML_DEV.RAW.ORDERS (A INT)",
        "CREATE STREAM ML_DEV.RAW.ORDERS_STREAM ON TABLE ML_DEV.RAW.ORDERS",
        "CREATE STAGE ML_DEV.CLV.SFML",
    ):
        rows(admin, statement)
    left = environment_of(there, GRAPH).missing
    assert {one.need.kind for one in left} == {Kind.PACKAGE}
    rows(admin, "DROP WAREHOUSE OTHER_WH")
    rows(admin, "DROP INTEGRATION WEB")
    gone = {one.need.name for one in environment_of(there, GRAPH).missing} - {one.need.name for one in left}
    assert gone == {"OTHER_WH", "WEB"}
    for statement in (
        "WAREHOUSE ML_WH",
        "COMPUTE POOL ML_POOL",
        "INTEGRATION ML_ERRORS",
        "INTEGRATION ML_MAIL",
    ):
        rows(admin, f"DROP {statement}")


def test_only_what_may_be_made_is_made(admin: SnowflakeConnection) -> None:
    """Without a database nothing in it is asked for: all of it is missing."""
    connection = open_account(TARGET)
    try:
        found = environment_of(connection, GRAPH)
        assert [one.need.kind for one in found.creatable] == [Kind.DATABASE, Kind.SCHEMA, Kind.STAGE]
        rows(admin, "CREATE WAREHOUSE IF NOT EXISTS ML_WH")
        create(connection, TARGET, found.creatable)
        use_schema(connection, TARGET)
        kinds = {one.need.kind for one in environment_of(connection, GRAPH).missing}
        assert not kinds & {Kind.DATABASE, Kind.SCHEMA, Kind.STAGE}
        assert Kind.NOTIFICATION in kinds
    finally:
        connection.close()
        rows(admin, "DROP DATABASE ML_DEV")
        rows(admin, "DROP WAREHOUSE ML_WH")


def test_a_pool_is_made_as_the_target_says_and_another_as_its_jobs_need(there: SnowflakeConnection) -> None:
    from sfml.graph.needs import Need
    from sfml.snowflake.environment import statement_for

    assert statement_for(Need(Kind.POOL, "ML_POOL"), GRAPH) == (
        "CREATE COMPUTE POOL ML_POOL MIN_NODES = 1 MAX_NODES = 3 INSTANCE_FAMILY = GPU_NV_S AUTO_SUSPEND_SECS = 600"
    )
    other = replace(GRAPH, target=replace(TARGET, compute_pool=None, new_pool=None))
    assert statement_for(Need(Kind.POOL, "ML_POOL"), other) == (
        "CREATE COMPUTE POOL ML_POOL MIN_NODES = 1 MAX_NODES = 2 INSTANCE_FAMILY = CPU_X64_S AUTO_SUSPEND_SECS = 600"
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of private keys: one in the clear, one behind `open sesame`, one that is none."""
    folder = tmp_path_factory.mktemp("keys")
    made = rsa.generate_private_key(65537, 2048)
    for name, cipher in (("plain", NoEncryption()), ("closed", BestAvailableEncryption(b"open sesame"))):
        (folder / name).write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher))
    (folder / "none").write_text("no key")
    for file in folder.iterdir():
        file.chmod(0o600)
    return folder


@pytest.mark.parametrize("kind", ["oauth", "PROGRAMMATIC_ACCESS_TOKEN"])
@pytest.mark.parametrize("place", ["token", "token_file_path"])
def test_tokens_reach_the_server(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    token = str(server.connect_args()["password"])
    file = tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)
    entry_is(server, monkeypatch, authenticator=kind, **{place: token if place == "token" else str(file)})
    connection = open_account(replace(TARGET, database="SFML", schema="PUBLIC"))
    assert connection.role == "ML_OWNER"
    connection.close()


def entry_is(server: LocalServer, monkeypatch: pytest.MonkeyPatch, **more: object) -> None:
    place = server.connect_args()
    values = {key: place[key] for key in ("account", "user", "host", "port", "protocol")} | more
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    monkeypatch.setenv("SNOWFLAKE_CONNECTIONS", "\n".join(["[dev]", *lines]))


@pytest.mark.parametrize(
    ("more", "passphrase", "message"),
    [
        ({"private_key_file": "plain"}, None, "Incorrect username or password"),
        ({"private_key_file": "closed"}, "open sesame", "Incorrect username or password"),
        ({"private_key_file": "closed"}, None, "the private key of connection `dev` is encrypted"),
        ({"private_key_file": "closed"}, "hunter2", "the passphrase does not open the private key"),
        ({"private_key_file": "none"}, None, "the private key of connection `dev` cannot be read"),
        ({"authenticator": "oauth", "token": "hunter2"}, None, "Incorrect username or password"),
        ({"authenticator": "palmreading", "password": "hunter2"}, None, "Unknown authenticator"),
        ({"password": "hunter2", "login_timeout": "soon"}, None, "has a value of a wrong kind"),
        ({}, None, "Password is empty"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_and_never_shown(
    server: LocalServer,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    more: dict[str, str],
    passphrase: str | None,
    message: str,
) -> None:
    """The local server takes no key; one that could be read got as far as its login."""
    if passphrase is not None:
        monkeypatch.setenv("PRIVATE_KEY_PASSPHRASE", passphrase)
    if "private_key_file" in more:
        more = {"private_key_file": str(keys / more["private_key_file"])}
    entry_is(server, monkeypatch, **more)
    with pytest.raises(ConnectionFailed, match=message) as told:
        open_account(TARGET)
    assert told.value.help
    assert "hunter2" not in f"{told.value.message} {told.value.help}"


def test_a_role_that_is_not_granted_changes_nothing() -> None:
    """What the connector raises at login, with Snowflake's own sentence."""
    from snowflake.connector.errors import DatabaseError

    from sfml.snowflake.refusals import translated

    sentence = "Role 'ML_OWNER' specified in the connect string is not granted to this user."
    with pytest.raises(MissingPrivilege, match="is not granted to this user") as told, translated():
        raise DatabaseError(msg=sentence, errno=250001)
    assert told.value.help is not None
    assert "nothing was changed" in told.value.help


def test_what_must_be_there_is_looked_for_at_once_and_each_list_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eleven names of seven kinds: every list is asked for while all others are under way, or the gate breaks."""
    monkeypatch.setenv("SFML_LOCAL_UNKNOWN_COMPUTE", "refuse")
    faults = Faults()
    with LocalServer(tmp_path / "server", faults=faults) as server:
        connection = open_local(server.connect_args(), replace(TARGET, kind="local"))
        use_schema(connection, replace(TARGET, kind="local"))
        gate = threading.Barrier(7)
        faults.do(
            lambda call: gate.wait(30), lambda call: "SHOW SCHEMAS" not in call.text, kind="sql", times=7
        )
        faults.forget_calls()
        inner = [
            need for need in needs_of(GRAPH) if need.kind not in (Kind.DATABASE, Kind.SCHEMA, Kind.STAGE)
        ]
        found = environment_of(connection, GRAPH, needs=inner)
        connection.close()
    asked = sorted(call.text.partition(" WHERE")[0] for call in faults.calls if call.kind == "sql")
    assert asked == [
        "SELECT PACKAGE_NAME, VERSION FROM ML_DEV.INFORMATION_SCHEMA.PACKAGES",
        "SHOW COMPUTE POOLS LIKE 'ML_POOL'",
        "SHOW IMAGE REPOSITORIES IN ACCOUNT",
        "SHOW INTEGRATIONS",
        "SHOW SECRETS LIKE 'API_KEY' IN SCHEMA ML_DEV.RAW",
        "SHOW STREAMS LIKE 'ORDERS_STREAM' IN SCHEMA ML_DEV.RAW",
        "SHOW WAREHOUSES",
    ]
    assert not found.unknown
    assert len(found.missing) == 11


@pytest.mark.parametrize("refused", ["SHOW INTEGRATIONS", "SHOW SECRETS", "SHOW COMPUTE POOLS", "PACKAGES"])
def test_what_may_not_be_looked_at_is_neither_missing_nor_there(tmp_path: Path, refused: str) -> None:
    faults = Faults()
    kinds = {
        "SHOW INTEGRATIONS": {Kind.NOTIFICATION, Kind.ACCESS},
        "SHOW SECRETS": {Kind.SECRET},
        "SHOW COMPUTE POOLS": {Kind.POOL},
        "PACKAGES": {Kind.PACKAGE},
    }[refused]
    with LocalServer(tmp_path / "server", faults=faults) as server:
        connection = open_local(server.connect_args(), replace(TARGET, kind="local"))
        use_schema(connection, replace(TARGET, kind="local"))
        faults.fail(refused, code="003001", sentence="Insufficient privileges to operate", times=None)
        found = environment_of(connection, GRAPH)
        connection.close()
    assert not kinds & {one.need.kind for one in found.missing}
    told = [text for text in found.unknown if "Insufficient privileges" in text]
    named = {text.partition(":")[0] for text in told} - {"sizes of compute pools"}
    assert named == {str(kind) for kind in kinds}, found.unknown
    assert found.looked_at == sum(
        need.kind in LOOKED_FOR and need.kind not in kinds for need in needs_of(GRAPH)
    )


LOOKED_FOR = set(Kind) - {Kind.TABLE, Kind.PROCEDURE}


def test_a_list_that_is_full_is_not_the_whole(
    admin: SnowflakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SHOW ends after so many objects: what is not among them is asked for by its name."""
    from sfml.snowflake import shown

    monkeypatch.setattr(shown, "MOST_ROWS", 1)
    rows(admin, "CREATE WAREHOUSE IF NOT EXISTS SHOWN_FIRST")
    asked: list[str] = []
    monkeypatch.setattr(shown, "records", lambda connection, sql, role: listed(admin, sql, asked))
    warehouses = shown.Listing("WAREHOUSES", ("name",))
    objects = shown.ShownObjects(admin, TARGET, [(warehouses, "SHOWN_FIRST"), (warehouses, "NOT_THERE")])
    assert objects.row(warehouses, "SHOWN_FIRST") is not None
    assert objects.row(warehouses, "NOT_THERE") is None
    assert asked == [
        "SHOW WAREHOUSES",
        "SHOW WAREHOUSES LIKE 'SHOWN_FIRST'",
        "SHOW WAREHOUSES LIKE 'NOT_THERE'",
    ]
    rows(admin, "DROP WAREHOUSE SHOWN_FIRST")


def listed(connection: SnowflakeConnection, sql: str, asked: list[str]) -> list[dict[str, Any]]:
    """The answer, of a whole list the first row alone that is not the one that was made."""
    from sfml.snowflake.sql import records

    asked.append(sql)
    found = records(connection, sql)
    return found if "LIKE" in sql else [row for row in found if row["name"] != "SHOWN_FIRST"][:1]
