"""A hundred clients at once, in processes and threads of their own."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import snowflake.connector

from sfml_local import control
from sfml_local.control import ServerInfo

CLIENTS = 100
MOST_MEMORY = 1500 * 2**20


def settings(info: ServerInfo) -> dict[str, Any]:
    keys = ("host", "port", "protocol", "account", "user", "password", "database", "schema")
    return {key: getattr(info, key) for key in keys}


def memory_of(pid: int) -> int:
    """The bytes of memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the process is gone")


def test_a_hundred_clients_at_once(folder: Path) -> None:
    info = control.start(folder)
    try:
        assert info.pid is not None
        with snowflake.connector.connect(**settings(info)) as connection:
            connection.cursor().execute("CREATE TABLE SEEN (CLIENT INT)")
        ready = threading.Barrier(CLIENTS)
        failures: list[tuple[int, BaseException]] = []
        done: list[int] = []

        def client(number: int) -> None:
            try:
                ready.wait(60)
                with snowflake.connector.connect(**settings(info)) as connection:
                    cursor = connection.cursor()
                    assert cursor.execute("SELECT %s + 1", (number,)).fetchone() == (number + 1,)
                    cursor.execute("INSERT INTO SEEN VALUES (%s)", (number,))
                    cursor.execute(f"CREATE TASK T{number} AS SELECT {number}")
                    cursor.execute(f"SHOW TASKS LIKE 'T{number}'")
                    assert [row[1] for row in cursor.fetchall()] == [f"T{number}"]
                done.append(number)
            except BaseException as error:
                failures.append((number, error))

        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert failures == []
        assert sorted(done) == list(range(CLIENTS))
        with snowflake.connector.connect(**settings(info)) as connection:
            cursor = connection.cursor()
            assert cursor.execute("SELECT COUNT(DISTINCT CLIENT) FROM SEEN").fetchone() == (CLIENTS,)
        assert memory_of(info.pid) < MOST_MEMORY
        print(f"\n{CLIENTS} clients at once: {len(done)} done, server holds {memory_of(info.pid) >> 20} MiB")
    finally:
        control.stop(folder)
