"""Opens a connection to a target: an account named in `connections.toml`, or the local Snowflake."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sfml.errors import ConflictingState, ConnectionFailed, NotSupportedYet
from sfml.graph.model import Target
from sfml.quoting import identifier
from sfml.snowflake.refusals import translated
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def open_local(server: Mapping[str, Any], target: Target) -> SnowflakeConnection:
    """A connection to a running local server, with the target's database and schema made if need be."""
    _forget_proxies()
    return _connect(
        host=server["host"],
        port=server["port"],
        protocol=server["protocol"],
        account=server["account"],
        user=server["user"],
        password=server["password"],
        warehouse=target.warehouse,
        session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        login_timeout=20,
    )


def open_named(name: str) -> SnowflakeConnection:
    """A connection as `connections.toml` and the environment have it, whatever it leads to."""
    connection = _connect(connection_name=name)
    if connection.host in ("127.0.0.1", "localhost"):
        _forget_proxies()
    return connection


def open_account(target: Target) -> SnowflakeConnection:
    """A connection as `connections.toml` and the environment have it, checked against the target.

    Raises `ConflictingState` when it leads to another account or role than the target names, before
    anything is read or written there.
    """
    if target.connection is None:
        raise ConnectionFailed(
            f"target `{target.name}` names no connection",
            help="set `connection:` to an entry of Snowflake's connections.toml",
        )
    connection = _connect(connection_name=target.connection)
    try:
        _check_account(connection, target)
        if target.owner_role:
            rows(connection, f"USE ROLE {identifier(target.owner_role)}", role=target.owner_role)
    except BaseException:
        connection.close()
        raise
    return connection


def _forget_proxies() -> None:
    """snowflake.core sends even loopback calls through a proxy, whatever NO_PROXY says."""
    for name in _PROXIES:
        os.environ.pop(name, None)


def _connect(**arguments: Any) -> SnowflakeConnection:
    try:
        import snowflake.connector
    except ImportError as cause:
        raise NotSupportedYet(
            "Snowflake's client libraries are not installed",
            help='pip install "sfml[snowflake]", or "sfml[local]" for the local Snowflake',
        ) from cause
    # The connector reports its own retries; what matters of them reaches the user as an error.
    logging.getLogger("snowflake").setLevel(logging.CRITICAL)
    with translated():
        return snowflake.connector.connect(application="sfml", **arguments)


def _check_account(connection: SnowflakeConnection, target: Target) -> None:
    if target.account is None:
        return
    answer = rows(connection, "SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME()")
    found = str(answer[0][0]).upper() if answer else ""
    if found != target.account.upper():
        raise ConflictingState(
            f"connection `{target.connection}` leads to account {found}, target `{target.name}` names {target.account}",
            help="nothing was changed; correct `connection:` or `account:` of the target",
        )
