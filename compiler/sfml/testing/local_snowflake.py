"""The object of the fixture `local_snowflake`: a test's database, connections, clock, fault rules and calls."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.base.errors import SfmlError
from sfml.testing import open_clients
from sfml.testing.clock import SteeredClock
from sfml_local.control import ServerInfo, lock, write_info
from sfml_local.core.defaults import DATABASE
from sfml_local.core.session import DEFAULT_USER
from sfml_local.core.settings import read
from sfml_local.http.app import LocalServer
from sfml_local.http.faults import Call, Faults
from sfml_local.services.tasks.execution import runner_of

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.ml.registry import Registry
    from snowflake.snowpark import Session

    from sfml.testing.commands import CommandResult
    from sfml.testing.pipelines import PipelineRun

SCHEMA = "PUBLIC"
_BESIDE_ENTRIES = (
    "session_parameters",
    "log_imported_packages_in_telemetry",
    "platform_detection_timeout_seconds",
)
"""Arguments of a connection that no file of connections has."""
NAMES = 4
"""Names for the databases of tests; more than eight would not be made as copies."""
HISTORY = ("task_runs", "graph_runs", "task_failures", "notifications")
"""The local account's own tables with the history of tasks, which are emptied between tests."""


class SharedServer:
    """The local Snowflake of a test session, in threads of the test process, so that it ends with the process."""

    def __init__(self, folder: Path) -> None:
        self.clock = SteeredClock()
        self.faults = Faults()
        settings = replace(read(), durable=0)
        self.local = LocalServer(folder, faults=self.faults, clock=self.clock, settings=settings)
        self._databases = 0

    def start(self) -> SharedServer:
        self.local.start()
        return self

    def stop(self) -> None:
        open_clients.close_left_open(self.is_client)
        self.local.stop()

    def is_client(self, connection: SnowflakeConnection) -> bool:
        """Whether a connection, open or closed, belongs to this server."""
        return (connection.host, int(connection.port)) == (self.local.host, self.local.port)

    def client_sessions(self) -> dict[int, str | None]:
        """Session id → current database, for the sessions of clients."""
        sessions = self.local.account.sessions
        return {session.id: session.database for session in sessions if session.last_request is not None}

    def new_database(self) -> str:
        """The name of a database with nothing in it but the schema PUBLIC.

        Names come again after some tests: what has been made under the same name is made as a copy, in a third of the
        time. They do not come again at once, so that what a test left running does not meet the next test's.
        """
        self._databases = self._databases % NAMES + 1
        while self.local.account.engine.has_database(f"TEST_{self._databases}"):
            self._databases += 1
        name = f"TEST_{self._databases}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def clean(self) -> None:
        """Drop every database except the account's own, cancel running tasks, and empty the history after a test."""
        account = self.local.account
        for name in account.engine.databases():
            if name != DATABASE:
                self.execute(f'DROP DATABASE IF EXISTS "{name}"')
        runner = runner_of(account)
        for running in list(runner.running.values()):
            running.cancel()
        runner.settle()
        # The history outlives its tasks; the next test must begin with an empty one.
        for table in HISTORY:
            account.store.execute(f"DELETE FROM {table}")

    def execute(self, statement: str) -> None:
        """Run a statement inside the server, not over HTTP: no fault rule applies, and `calls` does not contain it."""
        account = self.local.account
        session = account.sessions.open()
        try:
            account.execute(session, statement)
        finally:
            account.sessions.close(session)


class LocalSnowflake:
    """A database with an empty schema PUBLIC; `close` drops it with all its content."""

    def __init__(self, server: SharedServer) -> None:
        self._server = server
        self._closing = contextlib.ExitStack()
        self._served: set[Path] = set()
        self.faults.clear()
        self.faults.forget_calls()
        self._others = frozenset(server.client_sessions())
        """Ids of sessions from before the test, such as those of fixtures that several tests share."""
        self.database = server.new_database()
        self.schema = SCHEMA

    @property
    def server(self) -> LocalServer:
        """The server, which all tests of the session share."""
        return self._server.local

    @property
    def clock(self) -> SteeredClock:
        """The account's clock. After a test that moved it, it follows the machine's time again."""
        return self._server.clock

    @property
    def faults(self) -> Faults:
        """The fault rules; each test begins without any."""
        return self._server.faults

    @property
    def calls(self) -> tuple[Call, ...]:
        """The HTTP calls since the test began; `faults.count(…)` counts the ones that match a rule."""
        return self.faults.calls

    def ignore(self, *patterns: str) -> None:
        """Let statements that begin with what these regular expressions match succeed and do nothing in this test."""
        self.server.account.ignored.add(*patterns)

    # -- clients

    def connect_args(self, **more: Any) -> dict[str, Any]:
        """The arguments for `snowflake.connector.connect` and `Session.builder.configs`; `more` overrides them."""
        return self.server.connect_args(**{"database": self.database, "schema": self.schema, **more})

    def connection(self, **more: Any) -> SnowflakeConnection:
        """A new connection of `snowflake.connector`; closed after the test."""
        import snowflake.connector

        connection = snowflake.connector.connect(**self.connect_args(**more))
        self._closing.callback(connection.close, retry=False)
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
        """The rows of one statement as mappings. It runs inside the server: no fault rule applies to it.

        PUT and GET are refused: the client of a connection carries them out.
        """
        account = self.server.account
        session = account.sessions.open(database=self.database, schema=self.schema)
        try:
            result = account.execute(session, statement)
        finally:
            account.sessions.close(session)
        if result.transfer is not None:
            raise _not_transferred("PUT" if result.transfer["command"] == "UPLOAD" else "GET")
        return result.dicts()

    # -- whole pipelines

    def apply(
        self, spec: Path | str, *, target: str | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """Deploy the spec into the test's database, as `sfml apply` does."""
        from sfml.testing import pipelines

        pipelines.apply(pipelines.compile_spec(spec, self.database, target, variables), self.connect_args())

    def seed(
        self, spec: Path | str, *, target: str | None = None, variables: Mapping[str, str] | None = None
    ) -> None:
        """Load the seed tables of the spec, as `sfml seed` does."""
        from sfml.testing import pipelines

        pipelines.seed(pipelines.compile_spec(spec, self.database, target, variables), self.connect_args())

    def run(
        self,
        spec: Path | str,
        *,
        config: Mapping[str, str] | None = None,
        target: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> PipelineRun:
        """Run the deployed pipeline once, and wait for its end; see `.state`, `.states` and `.result(task)`."""
        from sfml.testing import pipelines

        compiled = pipelines.compile_spec(spec, self.database, target, variables)
        return pipelines.run(compiled, self.connect_args(), config or {}, self.clock)

    # -- commands

    def sfml(self, *words: str, project: Path | str, connection: str = "local") -> CommandResult:
        """Run `sfml WORDS` in a process of its own, in the folder of a project; see `.code`, `.out`, `.err`, `.json`.

        Fault rules apply to its calls. A target of kind `local` uses this server until the test ends, as in `serving`.
        For a target of kind `account`, `connection` is the name of its connection, which then leads to this server.
        """
        from sfml.testing import commands

        folder = Path(project).resolve()
        if folder not in self._served:
            self._closing.enter_context(self.serving(folder))
        return commands.run(words, folder, self.environment(connection))

    def environment(self, connection: str = "local") -> dict[str, str]:
        """Environment variables for a process; its only Snowflake connection, with this name, leads to this server."""
        from sfml.testing import commands

        home = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="sfml-home-"))
        entry = {key: value for key, value in self.connect_args().items() if key not in _BESIDE_ENTRIES}
        return commands.environment(Path(home), connection, entry)

    @contextlib.contextmanager
    def serving(self, project: Path | str) -> Iterator[None]:
        """Make this server the local Snowflake of `sfml` commands in the project's folder, for the block.

        They use the database that `sfml.yaml` names; the account's own database is emptied afterwards. Raises
        `RuntimeError` if another local Snowflake serves the project.
        """
        root = Path(project).resolve()
        folder = root / ".sfml" / "local"
        lock_file = lock(folder)
        if lock_file is None:
            raise RuntimeError(f"another local Snowflake serves {folder}")
        server = self.server
        # Without a process id, `sfml local stop` does not kill this process; it only removes the file with this data.
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
            os.close(lock_file)
            # The database of sfml.yaml is by default the account's own; the next test must find it empty.
            self._server.execute(f"CREATE OR REPLACE DATABASE {DATABASE}")

    def _close_clients(self) -> None:
        """Close the connections that the test opened in its database, and Snowpark sessions with closed connections."""
        own_sessions = self._own_sessions()

        def is_over(connection: SnowflakeConnection) -> bool:
            return self._server.is_client(connection) and (
                connection.session_id in own_sessions or connection.is_closed()
            )

        open_clients.close_left_open(is_over, sessions_alone=True)
        self._closing.close()
        own_sessions = self._own_sessions()
        if own_sessions:
            open_clients.close_left_open(is_over)

    def _own_sessions(self) -> set[int]:
        """Ids of the client sessions in the test's database that are younger than the test."""
        sessions = self._server.client_sessions()
        return {
            id for id, database in sessions.items() if id not in self._others and database == self.database
        }

    def close(self) -> None:
        """Close the test's connections, drop its databases, remove its fault rules, and release the clock."""
        self.faults.clear()
        self.server.account.ignored.clear()
        try:
            self._close_clients()
        finally:
            self._server.clean()
            self.clock.release()


def _not_transferred(command: str) -> SfmlError:
    return SfmlError(
        f"{command} transferred nothing: a client carries it out, and `local_snowflake.sql` runs inside the server",
        help="Run it on a connection, `local_snowflake.connection().cursor().execute(…)`, or use `session().file`.",
    )
