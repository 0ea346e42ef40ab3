"""Sessions that create, replace and drop the same object at once: an account answers each as if they came in turn."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from sfml_local.core.errors import SqlError
from sfml_local.core.naming_locks import NamingLocks
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer

ROUNDS = 12
"""Without a lock, every second round fails for tables."""

OBJECTS = {
    "TABLE": "TABLE {0} (A INT, B VARCHAR(12))",
    "commented table": "TABLE {0} (A INT COMMENT 'one', B TEXT) COMMENT = 'two'",
    "selected table": "TABLE {0} AS SELECT 1 AS A",
    "DATABASE": "DATABASE {0}",
    "DATASET": "DATASET {0}",
    "DYNAMIC TABLE": "DYNAMIC TABLE {0} TARGET_LAG = '1 hour' WAREHOUSE = LOCAL_WH AS SELECT A FROM SOURCE",
    "FILE FORMAT": "FILE FORMAT {0} TYPE = CSV",
    "FUNCTION": "FUNCTION {0}() RETURNS INT AS '1'",
    "PROCEDURE": "PROCEDURE {0}() RETURNS INT LANGUAGE SQL AS 'BEGIN RETURN 1; END'",
    "ROLE": "ROLE {0}",
    "SCHEMA": "SCHEMA {0}",
    "SEQUENCE": "SEQUENCE {0}",
    "STAGE": "STAGE {0}",
    "STREAM": "STREAM {0} ON TABLE SOURCE",
    "TAG": "TAG {0}",
    "TASK": "TASK {0} AS SELECT 1",
    "VIEW": "VIEW {0} AS SELECT 1 AS A",
    "WAREHOUSE": "WAREHOUSE {0}",
}


def drop(name: str, condition: str = "") -> str:
    kind = name.removeprefix("commented ").removeprefix("selected ").upper()
    return f"DROP {kind} {condition} SFML_AT_ONCE{'()' if kind in ('FUNCTION', 'PROCEDURE') else ''}"


def create(name: str, how: str = "") -> str:
    if how == "OR REPLACE":
        return f"CREATE {how} {OBJECTS[name].format('SFML_AT_ONCE')}"
    return f"CREATE {OBJECTS[name].format(f'{how} SFML_AT_ONCE')}"


class Sessions:
    """Two sessions of an account in its schema PUBLIC."""

    def __init__(self, server: LocalServer) -> None:
        self.account = server.account
        self.both: tuple[Session, ...] = tuple(server.account.sessions.open() for _ in range(2))

    def run(self, statement: str, session: int = 0) -> list[tuple[object, ...]]:
        for one in self.both:  # creating schemas and databases uses them
            self.account.engine.use(one, "SFML", "PUBLIC")
        return [tuple(row) for row in self.account.execute(self.both[session], statement).rows]

    def at_once(self, statement: str) -> list[Exception]:
        """What the statement raised, begun by both at the same time."""
        return raised_at_once(
            *(lambda session=session: self.account.execute(session, statement) for session in self.both)
        )

    def ask(self, method: str, path: str, name: str | None = None) -> str:
        """The status that the REST API answers."""
        request = urllib.request.Request(
            f"http://{self.account.host}:{self.account.port}/api/v2/{path}",
            data=None if name is None else json.dumps({"name": name}).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.account.token}", "Content-Type": "application/json"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return str(json.load(answer)["status"])


def raised_at_once(*works: Callable[[], object]) -> list[Exception]:
    """What these raised, begun at the same time."""
    ready, raised = threading.Barrier(len(works)), list[Exception]()

    def run(work: Callable[[], object]) -> None:
        ready.wait(60)
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return raised


@pytest.fixture(scope="module")
def sessions(server: LocalServer) -> Iterator[Sessions]:
    sessions = Sessions(server)
    sessions.run("CREATE TABLE SOURCE (A INT)")
    yield sessions
    for session in sessions.both:
        server.account.sessions.close(session)


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("how", ["IF NOT EXISTS", "OR REPLACE"])
def test_both_create_it(sessions: Sessions, name: str, how: str) -> None:
    for _ in range(ROUNDS):
        assert sessions.at_once(create(name, how)) == []
        sessions.run(drop(name))


@pytest.mark.parametrize("name", OBJECTS)
def test_one_creates_it_and_the_other_is_told(sessions: Sessions, name: str) -> None:
    for _ in range(ROUNDS):
        (error,) = sessions.at_once(create(name))
        assert isinstance(error, SqlError)
        assert "already exists" in error.message
        sessions.run(drop(name))


@pytest.mark.parametrize("name", OBJECTS)
def test_both_drop_it(sessions: Sessions, name: str) -> None:
    for _ in range(ROUNDS):
        sessions.run(create(name))
        assert sessions.at_once(drop(name, "IF EXISTS")) == []


IN_SCHEMA = "databases/SFML/schemas/PUBLIC"

COLLECTIONS = {
    "DATABASE": "databases",
    "ROLE": "roles",
    "SCHEMA": "databases/SFML/schemas",
    "STAGE": f"{IN_SCHEMA}/stages",
    "STREAM": f"{IN_SCHEMA}/streams",
    "TABLE": f"{IN_SCHEMA}/tables",
    "TAG": f"{IN_SCHEMA}/tags",
    "TASK": f"{IN_SCHEMA}/tasks",
    "VIEW": f"{IN_SCHEMA}/views",
    "WAREHOUSE": "warehouses",
}


@pytest.mark.parametrize("name", COLLECTIONS)
def test_both_drop_it_by_rest(sessions: Sessions, name: str) -> None:
    path = f"{COLLECTIONS[name]}/SFML_AT_ONCE?ifExists=true"
    for _ in range(ROUNDS):
        sessions.run(create(name))
        assert raised_at_once(*[lambda: sessions.ask("DELETE", path)] * 3) == []


@pytest.mark.parametrize("name", COLLECTIONS)
def test_one_drops_it_by_rest_and_the_other_by_a_statement(sessions: Sessions, name: str) -> None:
    path = f"{COLLECTIONS[name]}/SFML_AT_ONCE?ifExists=true"
    for _ in range(ROUNDS):
        sessions.run(create(name))
        by_rest, by_statement = (
            lambda: sessions.ask("DELETE", path),
            lambda: sessions.account.execute(sessions.both[0], drop(name, "IF EXISTS")),
        )
        assert raised_at_once(by_rest, by_statement) == []


@pytest.mark.parametrize("name", ["DATABASE", "ROLE", "SCHEMA", "STAGE", "WAREHOUSE"])
@pytest.mark.parametrize("mode", ["ifNotExists", "orReplace"])
def test_both_create_it_by_rest(sessions: Sessions, name: str, mode: str) -> None:
    path = f"{COLLECTIONS[name]}?createMode={mode}"
    for _ in range(ROUNDS):
        assert raised_at_once(*[lambda: sessions.ask("POST", path, "SFML_AT_ONCE")] * 3) == []
        sessions.run(drop(name))


@pytest.mark.parametrize("name", ["DATABASE", "SCHEMA", "WAREHOUSE"])
def test_both_create_or_alter_it_by_rest(sessions: Sessions, name: str) -> None:
    path = f"{COLLECTIONS[name]}/SFML_AT_ONCE"
    for _ in range(ROUNDS):
        assert raised_at_once(*[lambda: sessions.ask("PUT", path, "SFML_AT_ONCE")] * 3) == []
        sessions.run(drop(name))


def test_if_not_exists_replaces_nothing(sessions: Sessions) -> None:
    statement = "CREATE TABLE IF NOT EXISTS SFML_AT_ONCE (A INT, B VARCHAR(12)) COMMENT = 'c'"
    assert sessions.at_once(statement) == []
    sessions.run("INSERT INTO SFML_AT_ONCE VALUES (1, 'b')")
    assert sessions.at_once(statement) == []
    assert sessions.run("SELECT * FROM SFML_AT_ONCE", session=1) == [(1, "b")]
    sessions.run("DROP TABLE SFML_AT_ONCE")


def test_a_sequence_is_told_like_a_table(sessions: Sessions) -> None:
    assert sessions.run("CREATE SEQUENCE TOLD") == [("Sequence TOLD successfully created.",)]
    assert sessions.run("CREATE SEQUENCE IF NOT EXISTS TOLD") == [
        ("TOLD already exists, statement succeeded.",)
    ]
    with pytest.raises(SqlError, match="already exists") as twice:
        sessions.run("CREATE SEQUENCE TOLD")
    assert twice.value.errno == 2002
    sessions.run("DROP SEQUENCE TOLD")
    with pytest.raises(SqlError, match=r"Sequence 'SFML\.PUBLIC\.TOLD' does not exist") as gone:
        sessions.run("DROP SEQUENCE TOLD")
    assert gone.value.errno == 2003
    (row,) = sessions.run("DROP SEQUENCE IF EXISTS TOLD")
    assert "already dropped" in str(row[0])


def test_names_are_not_kept(sessions: Sessions) -> None:
    """Locks are those of waiting statements alone."""
    locks = sessions.account.part(NamingLocks)
    with locks.holding("a"), locks.holding("b"), locks.holding("a"):
        assert len(locks) == 2
    assert len(locks) == 0
