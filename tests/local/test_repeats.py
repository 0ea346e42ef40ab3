"""A statement that comes again under its request id is answered with its first outcome."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import snowflake.connector
from cutting_proxy import CuttingProxy
from snowflake.connector import SnowflakeConnection
from snowflake.connector.backoff_policies import linear_backoff

from sfml_local.core import outcomes
from sfml_local.core.outcomes import Outcome, Outcomes
from sfml_local.http.app import LocalServer

CUTS = 2


@pytest.fixture
def proxy(server: LocalServer) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(server.host, server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def through_proxy(server: LocalServer, proxy: CuttingProxy) -> Iterator[SnowflakeConnection]:
    at_once = linear_backoff(factor=0, base=0, cap=0)
    with snowflake.connector.connect(
        **server.connect_args(port=proxy.port), backoff_policy=at_once
    ) as connection:
        yield connection


SLOW = (
    "CREATE TABLE {name} AS SELECT COUNT(*) AS N FROM TABLE(GENERATOR(ROWCOUNT => 6000)) a"
    " CROSS JOIN TABLE(GENERATOR(ROWCOUNT => 6000)) b"
)


@pytest.mark.parametrize("early", [False, True], ids=["after the effect", "while it runs"])
def test_the_connector_learns_the_first_outcome(
    through_proxy: SnowflakeConnection, proxy: CuttingProxy, early: bool
) -> None:
    name = f"T{uuid.uuid4().hex}".upper()
    cursor = through_proxy.cursor()
    for statement in (
        f"CREATE SCHEMA {name}",
        SLOW.format(name=name),
        f"INSERT INTO {name} VALUES (-1)",
        f"CREATE TASK {name} AS SELECT 1",
        f"EXECUTE TASK {name}",
        f"DROP TABLE {name}_ABSENT",
    ):
        proxy.cut(CUTS, early=early)
        if "ABSENT" in statement:  # a refusal is an outcome like any other
            with pytest.raises(snowflake.connector.ProgrammingError, match="does not exist"):
                cursor.execute(statement)
        else:
            cursor.execute(statement)
        assert (proxy.dropped, proxy.statements) == (CUTS, CUTS + 1), statement
    proxy.cut(0)
    assert cursor.execute(f"SELECT COUNT(*) FROM {name} WHERE N = -1").fetchone() == (1,)
    runs = f"TABLE(INFORMATION_SCHEMA.TASK_HISTORY(TASK_NAME => '{name}'))"
    assert cursor.execute(f"SELECT COUNT(DISTINCT GRAPH_RUN_GROUP_ID) FROM {runs}").fetchone() == (1,)


def test_repeats_at_the_same_time_wait_for_the_first(server: LocalServer) -> None:
    session = server.account.sessions.open(database="SFML", schema="PUBLIC")
    name, answers = f"T{uuid.uuid4().hex}", []
    path = f"/queries/v1/query-request?requestId={uuid.uuid4()}"
    body = json.dumps({"sqlText": SLOW.format(name=name)})

    def ask() -> None:
        client = http.client.HTTPConnection(server.host, server.port, timeout=60)
        client.request("POST", path, body, {"Authorization": f'Snowflake Token="{session.token}"'})
        answers.append(json.loads(client.getresponse().read()))
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(answer["success"] for answer in answers)
    assert len({answer["data"]["queryId"] for answer in answers}) == 1


def test_the_same_id_in_another_session_is_another_request() -> None:
    async def work() -> None:
        ran = []

        async def run() -> Outcome:
            ran.append(1)
            return Outcome(b"{}")

        first, second = Outcomes(), Outcomes()
        await asyncio.gather(
            first.start("id", "q1", run), second.start("id", "q2", run), first.start("id", "q3", run)
        )
        assert len(ran) == 2
        await first.start(None, "q4", run)
        await first.start(None, "q5", run)
        assert len(ran) == 4

    asyncio.run(work())


def test_what_is_kept_for_repeats_is_bounded() -> None:
    async def work() -> None:
        kept = Outcomes()
        runs: dict[str, int] = {}

        async def ask(request: str, size: int) -> Outcome:
            async def run() -> Outcome:
                runs[request] = runs.get(request, 0) + 1
                return Outcome(b"x" * size)

            outcome = await kept.start(request, f"q-{request}-{runs.get(request, 0)}", run)
            await asyncio.sleep(0)
            return outcome

        for number in range(1000):
            await ask(f"small-{number}", 100)
        assert len(kept._by_request) == outcomes.KEPT
        await ask("small-999", 100)
        assert runs["small-999"] == 1
        for number in range(20):
            await ask(f"large-{number}", outcomes.KEPT_BYTES // 2)
        sizes: list[Any] = [len(task.result().body) for task in kept._by_request.values()]
        assert sum(sizes) <= outcomes.KEPT_BYTES
        await ask("huge", outcomes.KEPT_BYTES * 2)
        await ask("huge", 0)
        assert runs["huge"] == 1
        assert not kept.is_busy and not kept._query_ids

    asyncio.run(work())
