"""What a test has in hand: a database of its own on a local Snowflake, connections, the clock, faults, the log."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.local.account import DATABASE
from sfml.local.app import LocalServer
from sfml.local.faults import Call, Faults
from sfml.local.process import ServerInfo, lock, write_info
from sfml.local.session import DEFAULT_USER
from sfml.local.tasks.service import runner_of
from sfml.testing import open_clients
from sfml.testing.clock import SteeredClock

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.ml.registry import Registry
    from snowflake.snowpark import Session

    from sfml.testing.commands import Done
    from sfml.testing.pipelines import PipelineRun

SCHEMA = "PUBLIC"
HISTORY = ("task_runs", "graph_runs", "task_failures", "notifications")
"""The account's own tables of what happened in tasks."""


class SharedServer:
    """The server of a test session, in threads of its process: nothing of it outlives the process."""

    def __init__(self, folder: Path) -> None:
        self.clock = SteeredClock()
        self.faults = Faults()
        self.local = LocalServer(folder, faults=self.faults, clock=self.clock)
        self._databases = 0

    def start(self) -> SharedServer:
        self.local.start()
        return self

    def stop(self) -> None:
        open_clients.close_left_open(self.is_client)
        self.local.stop()

    def is_client(self, connection: SnowflakeConnection) -> bool:
        """Whether a connection leads here, open or closed."""
        return (connection.host, int(connection.port)) == (self.local.host, self.local.port)

    def client_sessions(self) -> dict[int, str | None]:
        """The sessions of clients by their ids, with the database that each is in."""
        sessions = self.local.account.sessions
        return {session.id: session.database for session in sessions if session.last_request is not None}

    def new_database(self) -> str:
        self._databases += 1
        name = f"TEST_{self._databases}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def clean(self) -> None:
        """Drop every database but the account's own, and end the runs that go on: the test is over."""
        account = self.local.account
        for name in account.engine.databases():
            if name != DATABASE:
                self.execute(f'DROP DATABASE IF EXISTS "{name}"')
        runner = runner_of(account)
        for running in list(runner.running.values()):
            running.cancel()
        runner.settle()
        # What ran is remembered after the tasks are gone: the next test begins with an empty history.
        for table in HISTORY:
            account.store.execute(f"DELETE FROM {table}")

    def execute(self, statement: str) -> None:
        """Run a statement beside HTTP: no fault hits it, no log holds it."""
        account = self.local.account
        session = account.sessions.open()
        try:
            account.execute(session, statement)
        finally:
            account.sessions.close(session)


class LocalSnowflake:
    """A database with an empty schema PUBLIC, which `close` drops with all that was made in it."""

    def __init__(self, server: SharedServer) -> None:
        self._server = server
        self._closing = contextlib.ExitStack()
        self._served: set[Path] = set()
        self.faults.clear()
        self.faults.forget_calls()
        self._others = frozenset(server.client_sessions())
        """Sessions that were there before the test, as those of fixtures that several tests share."""
        self.database = server.new_database()
        self.schema = SCHEMA

    @property
    def server(self) -> LocalServer:
        """The server, which is the whole test session's."""
        return self._server.local

    @property
    def clock(self) -> SteeredClock:
        """The account's time; a test that moved it leaves the machine's time behind."""
        return self._server.clock

    @property
    def faults(self) -> Faults:
        """Rules for what goes wrong; a test begins without any."""
        return self._server.faults

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls since the test began; `faults.count(…)` counts those that fit."""
        return self.faults.calls

    # -- clients

    def connect_args(self, **more: Any) -> dict[str, Any]:
        """What `snowflake.connector.connect` and `Session.builder.configs` take."""
        return self.server.connect_args(**{"database": self.database, "schema": self.schema, **more})

    def connection(self, **more: Any) -> SnowflakeConnection:
        """A new connection of `snowflake.connector`; closed after the test."""
        import snowflake.connector

        connection = snowflake.connector.connect(**self.connect_args(**more))
        self._closing.callback(connection.close)
        return connection

    def session(self, **more: Any) -> Session:
        """A new Snowpark session; closed after the test."""
        from snowflake.snowpark import Session

        session: Session = Session.builder.configs(self.connect_args(**more)).create()
        self._closing.callback(session.close)
        return session

    def registry(self) -> Registry:
        """The model registry of the test's schema."""
        from snowflake.ml.registry import Registry

        return Registry(self.session(), database_name=self.database, schema_name=self.schema)

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """The rows of one statement as mappings, asked beside HTTP: no fault hits it, no log holds it."""
        account = self.server.account
        session = account.sessions.open(database=self.database, schema=self.schema)
        try:
            return account.execute(session, statement).dicts()
        finally:
            account.sessions.close(session)

    # -- whole pipelines

    def apply(
        self, spec: Path | str, *, target: str | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """Make the database hold what the spec says, as `sfml apply` does."""
        from sfml.testing import pipelines

        pipelines.apply(pipelines.opened(spec, self.database, target, variables), self.connect_args())

    def seed(
        self, spec: Path | str, *, target: str | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """Load the seed tables of the spec, as `sfml seed` does."""
        from sfml.testing import pipelines

        pipelines.seed(pipelines.opened(spec, self.database, target, variables), self.connect_args())

    def run(
        self,
        spec: Path | str,
        *,
        config: Mapping[str, str] | None = None,
        target: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> PipelineRun:
        """Run the deployed pipeline once, to its end; `.state`, `.states` and `.result(task)` tell what happened."""
        from sfml.testing import pipelines

        found = pipelines.opened(spec, self.database, target, variables)
        return pipelines.run(found, self.connect_args(), config or {}, self.clock)

    # -- commands

    def sfml(self, *words: str, project: Path | str, connection: str = "local") -> Done:
        """Run `sfml WORDS` in a process of its own, in that project; `.code`, `.out`, `.err` and `.json` tell its end.

        Faults hit its calls as they hit anyone's. A target of kind `local` finds this server until the test ends, as
        in `serving`; for one of an account, `connection` is the name of the connection that leads here.
        """
        from sfml.testing import commands

        folder = Path(project).resolve()
        if folder not in self._served:
            self._closing.enter_context(self.serving(folder))
        return commands.run(words, folder, self.environment(connection))

    def environment(self, connection: str = "local") -> dict[str, str]:
        """Variables for a process whose only Snowflake connection, of that name, leads to this server."""
        from sfml.testing import commands

        home = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="sfml-home-"))
        entry = {key: value for key, value in self.connect_args().items() if key != "session_parameters"}
        return commands.environment(Path(home), connection, entry)

    @contextlib.contextmanager
    def serving(self, project: Path | str) -> Iterator[None]:
        """Let `sfml` commands in that project's folder find this server as their local Snowflake.

        They work in the database that `sfml.yaml` names; the account's own is emptied afterwards.
        """
        root = Path(project).resolve()
        folder = root / ".sfml" / "local"
        held = lock(folder)
        if held is None:
            raise RuntimeError(f"another local Snowflake serves {folder}")
        server = self.server
        # Without a process id nobody ends us: `sfml local stop` only takes the card away.
        info = ServerInfo(
            running=True,
            host=server.host,
            port=server.port,
            protocol="http",
            account=server.account.name,
            user=DEFAULT_USER,
            password=server.token,
            database=self.database,
            schema=self.schema,
        )
        try:
            write_info(folder, info)
            self._served.add(root)
            yield
        finally:
            self._served.discard(root)
            os.close(held)
            # A target's database is that of sfml.yaml, by default the account's own: the next test finds it empty.
            self._server.execute(f"CREATE OR REPLACE DATABASE {DATABASE}")

    def _close_left_open(self) -> None:
        """Close the clients that the test opened in its database, and Snowpark sessions without a connection."""
        sessions = self._server.client_sessions()
        mine = {
            id for id, database in sessions.items() if id not in self._others and database == self.database
        }

        def is_over(connection: SnowflakeConnection) -> bool:
            return self._server.is_client(connection) and (
                connection.session_id in mine or connection.is_closed()
            )

        open_clients.close_left_open(is_over, sessions_alone=not mine)

    def close(self) -> None:
        """End the test's connections, drop its databases, and leave no rule and no moved clock behind."""
        self.faults.clear()
        try:
            self._close_left_open()
            self._closing.close()
        finally:
            self._server.clean()
            self.clock.release()
