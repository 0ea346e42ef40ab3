"""Tasks read by plain GETs are what Snowflake's own client makes of the same answers, and errors are told alike."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.core.exceptions import APIError, NotFoundError
from snowflake.core.task import Task, TaskCollection

from sfml.base.errors import (
    AccountBusy,
    AccountError,
    AnswerLost,
    ConnectionFailed,
    MissingPrivilege,
    SfmlError,
)
from sfml.base.quoting import folded
from sfml.base.retry_policy import RetryPolicy
from sfml.graph.model import Target
from sfml.plan.observed_graph import observed_task
from sfml.snowflake.client_root import QuietRoot
from sfml.snowflake.connection import open_local
from sfml.snowflake.objects import use_schema
from sfml.snowflake.refusals import translated
from sfml.snowflake.rest import RestReader
from sfml.snowflake.sql import rows
from sfml.snowflake.task_answers import task_values
from sfml.snowflake.tasks import Tasks
from sfml_local.core import rest_call
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Faults

TARGET = Target("local", "local", "SFML", "READING", "LOCAL_WH")
PLACE = ("databases", "SFML", "schemas", "READING", "tasks")

AS_THEY_ARE = (
    *("name", "id", "state", "definition", "owner", "comment", "predecessors", "finalize", "condition"),
    *("warehouse", "config", "session_parameters", "error_integration", "success_integration"),
    *("execute_as_user", "task_auto_retry_attempts", "suspend_task_after_num_failures"),
    *("user_task_timeout_ms", "user_task_managed_initial_warehouse_size"),
    *("serverless_task_min_statement_size", "serverless_task_max_statement_size"),
)

STATEMENTS = (
    """CREATE TASK EVERYTHING
         SCHEDULE = 'USING CRON */5 6-18 * JAN-MAR MON-FRI Europe/Berlin'
         CONFIG = $${"text": "it's \\\\ \\"odd\\"", "number": 0.4, "flag": true, "deep": {"list": [1, null]}}$$
         OVERLAP_POLICY = 'ALLOW_CHILD_OVERLAP' TASK_AUTO_RETRY_ATTEMPTS = 2 SUSPEND_TASK_AFTER_NUM_FAILURES = 0
         USER_TASK_TIMEOUT_MS = 7200000 ERROR_INTEGRATION = READING_ERRORS SUCCESS_INTEGRATION = READING_ERRORS
         WAREHOUSE = LOCAL_WH TIMEZONE = 'Europe/Berlin' LOCK_TIMEOUT = 5
         COMMENT = 'two\nlines of "it''s"' WHEN 1 = 1 AS SELECT '$$', "a;b" -- end""",
    """CREATE TASK SERVERLESS SCHEDULE = '90 SECONDS' USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'SMALL'
         SERVERLESS_TASK_MIN_STATEMENT_SIZE = 'XSMALL' SERVERLESS_TASK_MAX_STATEMENT_SIZE = 'LARGE'
         TARGET_COMPLETION_INTERVAL = '10 MINUTES' AS SELECT 1""",
    "CREATE TASK ROOT WAREHOUSE = LOCAL_WH SCHEDULE = '10 MINUTE' AS SELECT 1",
    "CREATE TASK LEFT_ONE WAREHOUSE = LOCAL_WH AFTER ROOT AS SELECT 2",
    'CREATE TASK "right one" WAREHOUSE = LOCAL_WH AFTER ROOT, LEFT_ONE AS BEGIN SELECT 3; END',
    "CREATE TASK CLEAN WAREHOUSE = LOCAL_WH FINALIZE = ROOT AS SELECT 4",
    "CREATE TASK BARE AS SELECT 1",
)

HOSTILE = (
    "../../../escaped",
    "a/b",
    "..",
    ".",
    "with space",
    "it's",
    'say "hi"',
    "semi;colon -- ?a=b#c",
    "Ünïcødé 漢字 🎄",
    "%2e%2e%2f",
    "100%",
    "lower",
    "tasks:execute",
    "$dollar$",
    "x" * 255,
)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("local"), faults=faults) as server:
        yield server


@pytest.fixture(scope="module")
def connection(server: LocalServer) -> Iterator[SnowflakeConnection]:
    connection = open_local(server.connect_args(), TARGET)
    use_schema(connection, TARGET)
    rows(connection, "CREATE NOTIFICATION INTEGRATION READING_ERRORS ENABLED = TRUE TYPE = QUEUE")
    for statement in STATEMENTS:
        rows(connection, statement)
    yield connection
    connection.close()


@pytest.fixture(autouse=True)
def _without_rules(faults: Faults) -> Iterator[None]:
    faults.clear()
    yield
    faults.clear()


@pytest.fixture
def reader(connection: SnowflakeConnection) -> RestReader:
    return RestReader(connection, RetryPolicy(longest=1, first_pause=0.01))


@pytest.fixture
def client(connection: SnowflakeConnection, monkeypatch: pytest.MonkeyPatch) -> TaskCollection:
    """Snowflake's own client, which tells an error at once."""
    monkeypatch.setenv("_SNOWFLAKE_ENABLE_RETRY_REQUEST_QUERY", "false")
    return QuietRoot(connection).databases["SFML"].schemas["READING"].tasks


def made_of(task: Task) -> Mapping[str, object]:
    """What Snowflake's client makes of a task, in the API's words."""
    overlap, schedule, interval = task.overlap_policy, task.schedule, task.target_completion_interval
    if isinstance(schedule, timedelta):
        regular: object = {"seconds": int(schedule.total_seconds())}
    else:
        regular = schedule and {"cron_expr": schedule.expr, "timezone": schedule.timezone}
    return {
        **{name: getattr(task, name) for name in AS_THEY_ARE},
        "overlap_policy": None if overlap is None else overlap.value,
        "schedule": regular,
        "target_completion_interval": None if interval is None else int(interval.total_seconds()),
    }


# -- what is read


@pytest.mark.parametrize("name", ["EVERYTHING", "SERVERLESS", "BARE", "ROOT", '"right one"', "CLEAN"])
def test_a_task_is_what_the_client_makes_of_it(reader: RestReader, client: TaskCollection, name: str) -> None:
    theirs = made_of(client[name].fetch())
    ours = task_values(reader.get(*PLACE, name))
    assert ours == theirs
    assert observed_task(ours) == observed_task(theirs)


def test_every_setting_is_there_once(reader: RestReader) -> None:
    """Else the test above would compare nothing with nothing."""
    every = [
        task_values(reader.get(*PLACE, name)) for name in ("EVERYTHING", "SERVERLESS", "CLEAN", "LEFT_ONE")
    ]
    for setting in every[0]:
        told = [values[setting] for values in every if values[setting] not in (None, [], {})]
        assert told or setting in ("execute_as_user",), setting


def test_a_graph_is_what_the_client_makes_of_it(
    connection: SnowflakeConnection, reader: RestReader, client: TaskCollection
) -> None:
    theirs = [made_of(task) for task in client["ROOT"].fetch_task_dependents()]
    assert [task_values(one) for one in reader.get(*PLACE, "ROOT", "dependents")] == theirs
    observed = Tasks(connection, TARGET).below("ROOT")
    assert observed is not None and set(observed.by_name) == {"ROOT", "LEFT_ONE", '"right one"', "CLEAN"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_part_of_the_path_for_both(
    connection: SnowflakeConnection, client: TaskCollection, faults: Faults, name: str
) -> None:
    rows(connection, f"CREATE OR REPLACE TASK {quoted(name)} AS SELECT 1")
    faults.forget_calls()
    theirs = made_of(client[folded(quoted(name))].fetch())
    ours = Tasks(connection, TARGET).task(quoted(name))
    assert ours == observed_task(theirs)
    assert len({call.text for call in faults.calls if call.kind == "rest"}) == 1
    assert faults.count(kind="rest") == 2
    assert Tasks(connection, TARGET).below(quoted(name)) is not None


def test_a_task_or_schema_that_is_not_there_is_none(connection: SnowflakeConnection) -> None:
    for target in (TARGET, Target("local", "local", "SFML", "NOWHERE", "LOCAL_WH")):
        assert Tasks(connection, target).task("NOTHING") is None
        assert Tasks(connection, target).below("NOTHING") is None


@pytest.mark.parametrize("size", [1, 7, 60, 61, 200])
def test_the_pages_of_a_long_list_are_one_list(
    server: LocalServer,
    connection: SnowflakeConnection,
    reader: RestReader,
    client: TaskCollection,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    rows(connection, "CREATE OR REPLACE TASK WIDE WAREHOUSE = LOCAL_WH AS SELECT 1")
    children = "".join(f"CREATE OR REPLACE TASK WIDE_{at} AFTER WIDE AS SELECT {at};\n" for at in range(60))
    rows(connection, f"BEGIN\n{children}END")
    monkeypatch.setattr(server.account, "settings", replace(server.account.settings, rest_page=size))
    faults.forget_calls()
    ours = [task_values(one) for one in reader.get(*PLACE, "WIDE", "dependents")]
    assert len(ours) == 61
    assert faults.count(kind="rest") == -(-61 // size), "the first page comes with the answer"
    assert ours == [made_of(task) for task in client["WIDE"].fetch_task_dependents()]


def test_a_page_that_is_gone_is_an_error_and_no_end_of_the_list(
    server: LocalServer, connection: SnowflakeConnection, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.account, "settings", replace(server.account.settings, rest_page=2))
    faults.fail("GET /results/", status=404, code="002043", sentence="Result does not exist.")
    with pytest.raises(AccountError):
        Tasks(connection, TARGET).below("ROOT")


# -- errors


@pytest.mark.parametrize("action", [(), ("dependents",)])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "391920", AccountError),
        (401, "390318", MissingPrivilege),
        (403, "003001", MissingPrivilege),
        (405, "000002", AccountError),
        (408, "000603", AccountError),
        (409, "091423", AccountBusy),
        (429, "390500", AccountBusy),
        (500, "000603", AccountError),
        (501, "000603", AccountError),
        (503, "000603", AccountBusy),
        (504, "000603", AnswerLost),
    ],
)
def test_a_refusal_is_told_as_the_clients_is(
    reader: RestReader,
    client: TaskCollection,
    faults: Faults,
    status: int,
    code: str,
    kind: type[SfmlError],
    action: tuple[str, ...],
) -> None:
    faults.fail("GET /tasks/", status=status, code=code, sentence="Because.", times=None)
    task = client["ROOT"]
    theirs = error_of(task.fetch_task_dependents if action else task.fetch)
    ours = error_of(lambda: reader.get(*PLACE, "ROOT", *action))
    assert type(ours) is type(theirs) is kind
    assert (ours.message, ours.help, getattr(ours, "code", None)) == (
        theirs.message,
        theirs.help,
        getattr(theirs, "code", None),
    )


def error_of(call: Callable[[], Any]) -> SfmlError:
    with pytest.raises(SfmlError) as caught, translated():
        call()
    return caught.value


def test_what_is_not_there_is_no_error_and_the_clients_is(reader: RestReader, client: TaskCollection) -> None:
    assert reader.get(*PLACE, "NOTHING") is None
    with pytest.raises(NotFoundError):
        client["NOTHING"].fetch()


@pytest.mark.parametrize("status", [429, 503, 504])
def test_a_busy_account_is_asked_again(reader: RestReader, faults: Faults, status: int) -> None:
    faults.fail("GET /tasks/ROOT", status=status, times=3)
    faults.forget_calls()
    assert reader.get(*PLACE, "ROOT")["name"] == "ROOT"
    assert faults.count("GET /tasks/ROOT") == 4


def test_a_connection_that_breaks_is_tried_again_and_then_told(reader: RestReader, faults: Faults) -> None:
    rule = faults.drop("GET /tasks/ROOT", times=3)
    assert reader.get(*PLACE, "ROOT")["name"] == "ROOT"
    assert rule.fired == 3
    faults.drop("GET /tasks/ROOT", times=None)
    assert isinstance(error_of(lambda: reader.get(*PLACE, "ROOT")), AnswerLost)


def test_an_expired_session_is_renewed_once_for_all_threads(reader: RestReader, faults: Faults) -> None:
    gate = threading.Barrier(6)
    faults.do(lambda call: gate.wait(), "GET /tasks/ROOT", times=6)
    faults.fail("GET /tasks/ROOT", status=401, code="390112", sentence="Your session has expired.", times=6)
    renewed = Tokens(reader)
    faults.forget_calls()
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(reader.get(*PLACE, "ROOT"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one["name"] for one in found] == ["ROOT"] * 6
    assert sum("token-request" in call.path for call in faults.calls) == renewed.count == 1


class Tokens:
    """The local server's tokens do not expire and are renewed as they were: each renewal here brings another one.

    What is written after the token is no part of it to the server, and it is another one to its reader.
    """

    def __init__(self, reader: RestReader) -> None:
        self.count = 0
        self._rest: Any = reader._connection.rest
        renew = self._rest._renew_session

        def renewed() -> Any:
            self.count += 1
            answer = renew()
            self._rest._token = Token(self._rest._token)
            return answer

        self._rest._renew_session = renewed


class Token(str):
    """A text that is no other one."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def test_a_session_that_cannot_be_renewed_is_told_as_the_connector_tells_it(
    tmp_path: Path, faults: Faults
) -> None:
    with LocalServer(tmp_path, faults=faults) as server:
        connection = open_local(server.connect_args(), TARGET)
        client: Any = connection
        # Signed out elsewhere: neither token is known any more.
        client.rest.delete_session()
        told = error_of(lambda: RestReader(connection).get(*PLACE, "ROOT"))
        assert isinstance(told, AccountError | ConnectionFailed)
        assert "expired" in told.message
        with pytest.raises(ConnectionFailed, match="closed"):
            connection.close()
            RestReader(connection).get(*PLACE, "ROOT")


def test_what_answers_and_is_not_snowflake_is_no_missing_task(
    connection: SnowflakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway's own page for 404 must not read as a graph that is not there yet."""
    import http.server

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path.rpartition("/")[2]))
            body = b"<html>nothing here</html>"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            return None

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        rest: Any = connection.rest
        monkeypatch.setattr(rest, "_port", gateway.server_address[1])
        reader = RestReader(connection)
        for status in ("404", "200"):
            with pytest.raises(ConnectionFailed, match="not Snowflake"):
                reader.get(status)
        gateway.shutdown()


def test_a_netrc_does_not_replace_the_session(
    reader: RestReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert reader.get(*PLACE, "ROOT")["name"] == "ROOT"


def test_an_answer_that_is_given_later_is_waited_for(
    reader: RestReader, connection: SnowflakeConnection, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202, and where the result will be: an account answers so what takes longer."""
    from sfml_local.http import rest

    graph = reader.get(*PLACE, "ROOT", "dependents")
    monkeypatch.setattr(rest, "_answer", later(rest._answer, rest))
    faults.forget_calls()
    assert reader.get(*PLACE, "ROOT", "dependents") == graph
    assert [call.status for call in faults.calls if call.kind == "rest"] == [202, 200]


def later(answer: Callable[..., Any], rest: Any) -> Callable[..., Any]:
    """Each first answer for dependents as one that is accepted."""

    def accepted(known: Any, request: Any, session: Any, body: bytes) -> Any:
        given = answer(known, request, session, body)
        if not request.url.path.endswith("/dependents"):
            return given
        return rest._response(rest.account_of(request), rest_call.Accepted(json.loads(given.body)))

    return accepted


def test_refusals_of_the_client_are_still_told(client: TaskCollection, faults: Faults) -> None:
    """Writing stays with the client, whose errors go the same way."""
    faults.fail("POST :suspend", status=403, code="003001", sentence="Insufficient privileges.")
    with pytest.raises(APIError):
        client["ROOT"].suspend()
    faults.fail("POST :suspend", status=403, code="003001", sentence="Insufficient privileges.")
    assert isinstance(error_of(client["ROOT"].suspend), MissingPrivilege)
