"""What a server holds after small runs and many statements: no more than after the ones before.

Counted are things, not megabytes: threads, descriptors, files, sessions, and the entries of every container that is
reachable from the account or lies in a module, so that a cache that nobody bounds is found without being named.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector

from sfml_local.core import deep, queries
from sfml_local.core.session import Session
from sfml_local.http.app import LocalServer
from sfml_local.services.tasks.execution import runner_of

FROM_NOTHING = True

TASKS, STATEMENTS = 60, 105
CONTAINERS = (dict, list, set, deque, OrderedDict, weakref.WeakKeyDictionary, weakref.WeakSet)
OURS = ("sfml_local", "fakesnow")
KINDS = (
    "CREATE OR REPLACE TABLE T AS SELECT SEQ8() AS A FROM TABLE(GENERATOR(ROWCOUNT => 100))",
    "SELECT * FROM T",
    "INSERT INTO T SELECT 1",
    "CREATE OR REPLACE TEMP TABLE OF_SESSION AS SELECT A, PARSE_JSON('{}') AS V FROM T",
    "SELECT V FROM OF_SESSION WHERE A = 1",
    "CREATE OR REPLACE STREAM S ON TABLE T",
    "SELECT * FROM S",
    "SET V = 1",
    "ALTER SESSION SET TIMEZONE = 'UTC'",
    "BEGIN",
    "INSERT INTO T SELECT $V",
    "ROLLBACK",
    "SHOW TASKS LIMIT 3",
    "CREATE OR REPLACE FUNCTION F(X INT) RETURNS INT AS 'X + 1'",
    "SELECT F(1)",
    "SELECT * FROM TABLE(RESULT_SCAN(LAST_QUERY_ID()))",
)


def work(server: LocalServer, schema: str) -> weakref.ref[Session]:
    """Run the graph once and statements in a session of its own; answers that session, which is closed."""
    account = server.account
    known = {session.id for session in account.sessions}
    with snowflake.connector.connect(**server.connect_args(schema=schema)) as connection:
        [session] = [weakref.ref(each) for each in account.sessions if each.id not in known]
        cursor = connection.cursor()
        cursor.execute("EXECUTE TASK T0")
        runner_of(account).settle(60)
        for number in range(STATEMENTS):
            cursor.execute(KINDS[number % len(KINDS)]).fetchall()
        cursor.execute("SHOW TASKS")
    return session


def holdings(server: LocalServer) -> dict[str, int]:
    """What the server holds, by name. Idle threads for statements come and go, up to a number."""
    gc.collect()
    threads = Counter(thread.name.partition("-")[0] for thread in threading.enumerate())
    threads["statements"] = max(threads["statements"], deep.IDLE)
    held = {f"threads {name}": count for name, count in threads.items()}
    links = (_target(link) for link in Path("/proc/self/fd").iterdir())
    held["descriptors"] = sum("sqlite" not in target and "socket" not in target for target in links)
    held["files"] = sum(len(files) for _, _, files in os.walk(server.account.folder))
    held["sessions"] = len(list(server.account.sessions))
    held |= {path: len(container) for path, container in containers(server.account, "account", set())}
    for name, module in list(sys.modules.items()):
        if name.startswith("sfml_local"):
            for variable, value in vars(module).items():
                held |= {path: len(found) for path, found in containers(value, f"{name}.{variable}", set())}
    return {
        path: count for path, count in held.items() if "thread" not in path or path.startswith("threads ")
    }


def containers(value: Any, path: str, seen: set[int], depth: int = 6) -> Iterator[tuple[str, Any]]:
    """The containers reachable from a value over objects of the server's own classes."""
    if id(value) in seen or not depth:
        return
    seen.add(id(value))
    if isinstance(value, CONTAINERS):
        yield path, value
        inner = list(value.values()) if hasattr(value, "values") else list(value)
        for number, each in enumerate(inner[:100]):
            yield from containers(each, f"{path}[{number}]", seen, depth - 1)
    elif type(value).__module__.startswith(OURS):
        for name, each in getattr(value, "__dict__", {}).items():
            yield from containers(each, f"{path}.{name}", seen, depth - 1)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def test_runs_and_statements_leave_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "KEPT", 50)  # the latest statements are kept, and are as many from then on
    monkeypatch.setattr(queries, "RESULTS_KEPT", 10)
    with LocalServer(folder) as server:
        account = server.account
        with snowflake.connector.connect(**server.connect_args()) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE SCHEMA GROWING")
            cursor.execute("CREATE TASK T0 AS SELECT 0")
            for number in range(1, TASKS):
                cursor.execute(f"CREATE TASK T{number} AFTER T{(number - 1) // 8} AS SELECT {number}")
            cursor.execute("SELECT SYSTEM$TASK_DEPENDENTS_ENABLE('T0')")
        sessions = [work(server, "GROWING") for _ in range(2)]
        after_two = holdings(server)
        # What leaks grows with each run; a file that DuckDB is just writing is gone after the next.
        for _ in range(3):
            sessions.append(work(server, "GROWING"))
            grown = {
                path: (after_two.get(path, 0), count)
                for path, count in holdings(server).items()
                if count > after_two.get(path, 0)
            }
            if not grown:
                break
        assert grown == {}
        # The thread that answered its last request may still hold the last one.
        assert [session() for session in sessions[:-1]] == [None] * (len(sessions) - 1)
        # A connection for each thread that lives, none for those that ended.
        assert len(account.store._connections) <= threading.active_count() + 1
        states = account.store.rows("SELECT state, COUNT(*) FROM task_runs GROUP BY state")
        assert [tuple(row) for row in states] == [("SUCCEEDED", len(sessions) * TASKS)]


def test_no_cache_of_a_function_is_without_bound() -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("sfml_local"):
            for variable, value in vars(module).items():
                if isinstance(value, _lru_cache_wrapper) and value.__wrapped__.__code__.co_argcount:
                    assert value.cache_info().maxsize is not None, f"{name}.{variable}"
