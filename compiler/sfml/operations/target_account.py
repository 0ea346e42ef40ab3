"""Connects to the target of a spec; gives access to its tasks, stage, history and leases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfml.base.errors import ConflictingState, ConnectionFailed
from sfml.base.record import record
from sfml.operations.local_server import server_for

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.frontend.compiled_spec import PlacedGraph
    from sfml.graph.model import Target
    from sfml.operations.target_watch import TargetWatch
    from sfml.snowflake.history import History
    from sfml.snowflake.leases import Leases
    from sfml.snowflake.stage import Stage
    from sfml.snowflake.tasks import Tasks


@record
class TargetAccount:
    """A connected target: its connection, and the implementations of the ports."""

    connection: SnowflakeConnection
    tasks: Tasks
    stage: Stage
    history: History
    leases: Leases


@contextmanager
def target_account(
    placed: PlacedGraph,
    watch: TargetWatch,
    *,
    on_missing: Callable[[SnowflakeConnection], None] | None = None,
) -> Iterator[TargetAccount]:
    """Connect to the target during the block. A local server is started if none runs, and stopped at the end.

    `on_missing` is called if the database or schema does not exist; it creates them, or raises.
    """
    with target_connection(placed, watch) as connection:
        yield account_on(connection, placed.desired.target, on_missing=on_missing)


@contextmanager
def target_connection(placed: PlacedGraph, watch: TargetWatch) -> Iterator[SnowflakeConnection]:
    """Connect to the target during the block, whether or not its database and schema exist."""
    from sfml.snowflake.light_connector import import_lightly

    target = placed.desired.target
    if watch.owns_process:
        import_lightly()
    with server_for(placed, watch) as server:
        if server is None:
            with account_connection(target, watch) as connection:
                yield connection
        else:
            with local_connection(server, target, watch) as connection:
                yield connection


def account_on(
    connection: SnowflakeConnection,
    target: Target,
    *,
    on_missing: Callable[[SnowflakeConnection], None] | None = None,
) -> TargetAccount:
    """The target on an open connection, which is switched to its schema; `on_missing` as in `target_account`."""
    from sfml.snowflake.objects import use_schema

    try:
        use_schema(connection, target)
    except ConflictingState:
        if on_missing is None:
            raise
        on_missing(connection)
        use_schema(connection, target)
    return ports_on(connection, target)


def ports_on(connection: SnowflakeConnection, target: Target) -> TargetAccount:
    """The target on an open connection, whose schema stays as it is: the ports name the target's schema themselves."""
    from sfml.snowflake.history import History
    from sfml.snowflake.leases import Leases
    from sfml.snowflake.stage import Stage
    from sfml.snowflake.tasks import Tasks

    return TargetAccount(
        connection,
        Tasks(connection, target),
        Stage(connection, target),
        History(connection, target),
        Leases(connection, target),
    )


@contextmanager
def local_connection(
    server: Mapping[str, Any], target: Target, watch: TargetWatch
) -> Iterator[SnowflakeConnection]:
    """A connection to a running local server; the target's database and schema are created if missing."""
    from sfml.snowflake.connection import open_local

    connection = open_local(server, target)
    try:
        yield connection
    finally:
        _close(connection, watch)


@contextmanager
def account_connection(target: Target, watch: TargetWatch) -> Iterator[SnowflakeConnection]:
    """A connection to the target's account; its errors and notes name the connection entry and the host."""
    from sfml.snowflake.connection import open_account
    from sfml.snowflake.entries import entry
    from sfml.snowflake.host import host_of, naming

    host = host_of(entry(target.connection))
    with naming(host), watch.host_open(host) as logged_in:
        connection = open_account(target, on_warning=watch.notes)
        logged_in()
        insists = True
        try:
            yield connection
        except (KeyboardInterrupt, ConnectionFailed):
            insists = False
            raise
        finally:
            _close(connection, watch, insists=insists)


def _close(connection: SnowflakeConnection, watch: TargetWatch, *, insists: bool = True) -> None:
    """Close the connection; with `insists`, repeat if the account does not answer."""
    try:
        connection.close(retry=insists)
    except Exception as error:  # the work is done; a failed close does not matter
        watch.not_closed(error)
