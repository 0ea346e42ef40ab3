"""Opens a connection to a target: an account named in `connections.toml`, or the local Snowflake."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from sfml.base.errors import (
    AccountError,
    ConflictingState,
    ConnectionFailed,
    MissingPrivilege,
    NotSupportedYet,
)
from sfml.base.quoting import identifier, raw
from sfml.graph.model import Target
from sfml.snowflake.connections_file import LOOPBACK
from sfml.snowflake.entries import PASSPHRASE, Entry, entry
from sfml.snowflake.host import host_of, naming, not_reached, unreachable
from sfml.snowflake.refusals import translated
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

OnWarning: TypeAlias = Callable[[str], None]
"""Told of a file of secrets that others may read."""

NETWORK_TIMEOUT = 600
"""Seconds for which the connector tries a statement again, unless the connection says otherwise; its own has no end."""

LOGIN_TIMEOUT = 59
"""Seconds after which a login that has no answer is not tried again, unless the connection says otherwise. The
connector waits a minute for each answer, so a host that takes the connection and stays silent is told after one."""

_UNATTENDED = (
    "",
    "snowflake",
    "snowflake_jwt",
    "oauth",
    "oauth_client_credentials",
    "programmatic_access_token",
)
"""Authenticators that wait for nobody who types into a browser or looks for a telephone."""

CANCEL_TIMEOUT = 1
"""Seconds for which an interrupted statement is tried to be cancelled."""

_HTTP_STATUS = "290"
"""What the connector puts before the status of an answer that is none of Snowflake's: 290404."""

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
        database=target.database,
        schema=target.schema,
        warehouse=target.warehouse,
        session_parameters={"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False},
        login_timeout=20,
    )


def open_named(name: str) -> SnowflakeConnection:
    """A connection as the connection files and the environment have it, whatever it leads to."""
    return _opened(entry(name), {})


def open_account(target: Target, *, on_warning: OnWarning | None = None) -> SnowflakeConnection:
    """A connection as the connection files and the environment have it, in the target's role, database and schema.

    Raises `ConflictingState` for another account than the target names, `MissingPrivilege` for another role, before
    anything is changed there. Whether the schema is there is for `objects.use_schema` to say.
    """
    found = entry(target.connection)
    if on_warning is not None:
        for text in found.warnings:
            on_warning(text)
    place = {
        "role": target.owner_role,
        "database": target.database,
        "schema": target.schema,
        "warehouse": found.arguments.get("warehouse") or target.warehouse,
    }
    connection = _opened(found, {key: value for key, value in place.items() if value})
    try:
        _check(connection, target, found.arguments)
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(found: Entry, place: Mapping[str, Any]) -> SnowflakeConnection:
    arguments = {**found.arguments, **place}
    if arguments.get("host") in LOOPBACK:
        _forget_proxies()
    host = host_of(found)
    if (why := unreachable(host)) is not None:
        raise not_reached(host, why)
    try:
        with naming(host):
            return _logged_in(arguments)
    except (TypeError, ValueError) as cause:
        # The connector lets through what its libraries say of a key, or of a value, that they cannot read.
        raise _unreadable(found, cause) from cause


def _logged_in(arguments: Mapping[str, Any]) -> SnowflakeConnection:
    """The connection; raises `ConnectionFailed` for a host that answers, but not as Snowflake does."""
    try:
        return _connect(**arguments)
    except AccountError as cause:
        if not (cause.code or "").startswith(_HTTP_STATUS):
            raise
        raise ConnectionFailed(f"no connection to Snowflake: {cause.message}") from cause
    except (LookupError, AttributeError) as cause:
        raise ConnectionFailed("no connection to Snowflake: what answers is not Snowflake") from cause


def _unreadable(found: Entry, cause: Exception) -> ConnectionFailed:
    """Says which part of the entry is wrong; never what stands in it."""
    entry_name = f"connection `{found.name}`" if found.name else "the environment's connection"
    key = found.arguments.get("private_key_file")
    if key is None:
        return ConnectionFailed(
            f"{entry_name} has a value of a wrong kind ({type(cause).__name__})",
            help=f"mend it in {found.source}",
        )
    text = str(cause)
    if "not given" in text:
        help = f"put its passphrase into {PASSPHRASE}, or into private_key_file_pwd of the entry"
        return ConnectionFailed(f"the private key of {entry_name} is encrypted: {key}", help=help)
    if "password" in text.lower() or "decrypt" in text.lower():
        help = f"correct {PASSPHRASE}, or private_key_file_pwd of the entry"
        return ConnectionFailed(
            f"the passphrase does not open the private key of {entry_name}: {key}", help=help
        )
    help = "it has to be a private key as PEM in PKCS#8, as `openssl pkcs8 -topk8` writes it"
    return ConnectionFailed(f"the private key of {entry_name} cannot be read: {key}", help=help)


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
            help='pip install "sfml-snowflake[snowflake]", or "sfml-snowflake[local]" for the local Snowflake',
        ) from cause
    # The connector reports its own retries; what matters of them reaches the user as an error.
    logging.getLogger("snowflake").setLevel(logging.CRITICAL)
    settings: dict[str, Any] = {"network_timeout": NETWORK_TIMEOUT}
    if str(arguments.get("authenticator") or "").lower() in _UNATTENDED:
        settings["login_timeout"] = LOGIN_TIMEOUT
    if arguments.get("host") in LOOPBACK:
        # Else the first login asks the clouds' metadata services where it is, and waits for their silence.
        settings["platform_detection_timeout_seconds"] = 0.0
    with translated():
        connection = snowflake.connector.connect(application="sfml", **{**settings, **arguments})
    _bound_cancelling(connection)
    return connection


def _bound_cancelling(connection: SnowflakeConnection) -> None:
    """Let Ctrl-C end a statement although the account does not answer.

    The connector asks the account to cancel it first, and goes on asking for as long as it would a statement.
    """
    client: Any = connection
    cancel = client._cancel_query

    def cancel_soon(sql: str, request_id: UUID) -> Any:
        timeout = client._network_timeout
        client._network_timeout = CANCEL_TIMEOUT
        try:
            return cancel(sql, request_id)
        except Exception:  # it stays uncancelled; the interrupt that asked for it is what counts
            return {}
        finally:
            client._network_timeout = timeout

    client._cancel_query = cancel_soon


def _check(connection: SnowflakeConnection, target: Target, arguments: Mapping[str, Any]) -> None:
    """Raise when the connection led to another account or role than the target names.

    The login says which role it came to. Of the account it says nothing, so it is asked for, unless the address
    was made of the very name that the target has.
    """
    told = f"connection `{target.connection}`" if target.connection else "the environment's connection"
    role = connection.role
    if target.account is not None and not _is_addressed(target.account, arguments):
        question = "SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME(), CURRENT_ROLE()"
        [(account, role)] = rows(connection, question)
        if str(account).upper() != target.account.upper():
            raise ConflictingState(
                f"{told} leads to account {str(account).upper()}, target `{target.name}` names {target.account}",
                help="nothing was changed; correct `connection:` or `account:` of the target",
            )
    if target.owner_role is not None and role != raw(target.owner_role):
        raise MissingPrivilege(
            f"{told} came in as role {role or '(none)'}, target `{target.name}` names {target.owner_role}",
            help=f"nothing was changed; GRANT ROLE {identifier(target.owner_role)} TO USER …, or correct `owner_role:`",
        )


def _is_addressed(account: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the host's name is `<organization>-<account>` of just this account, as no other account's is.

    A connection object that redirects clients has a name that no account of its organization has.
    https://docs.snowflake.com/en/sql-reference/sql/create-connection
    """
    if any(arguments.get(key) for key in ("host", "port", "protocol", "region")):
        return False
    return "-" in account and str(arguments.get("account", "")).upper() == account.upper()
