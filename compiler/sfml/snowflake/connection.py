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
)
from sfml.base.quoting import identifier, raw
from sfml.graph.model import Target
from sfml.snowflake.connections_file import LOOPBACK
from sfml.snowflake.entries import PASSPHRASE, Entry, clients_missing, entry
from sfml.snowflake.host import host_of, naming, not_reached, unreachable
from sfml.snowflake.light_connector import complete_connector
from sfml.snowflake.refusals import translated
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

OnWarning: TypeAlias = Callable[[str], None]
"""Called with a warning, such as about a file with secrets that other users may read."""

NETWORK_TIMEOUT = 600
"""Seconds for which the connector repeats a statement, unless the connection sets it; its default is no limit."""

LOGIN_TIMEOUT = 59
"""Seconds after which a login without an answer is not repeated, unless the connection sets it. The connector waits a
minute for each answer, so a host that accepts the connection but does not answer is reported after one attempt."""

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
"""Seconds for which the connector tries to cancel an interrupted statement."""

_HTTP_STATUS = "290"
"""The connector's prefix for an HTTP status from a host that is not Snowflake: 290404."""

_TLS_FLOOR = "SNOWFLAKE_MIN_TLS_VERSION"

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def open_local(server: Mapping[str, Any], target: Target) -> SnowflakeConnection:
    """Connect to a running local server, with the target's database and schema."""
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
        log_imported_packages_in_telemetry=False,
        login_timeout=20,
    )


def open_named(name: str) -> SnowflakeConnection:
    """Connect with an entry of the connection files, or of the environment, to whichever account it names."""
    return _opened(entry(name), {})


def open_account(target: Target, *, on_warning: OnWarning | None = None) -> SnowflakeConnection:
    """Connect with the target's connection entry, and with its role, database and schema.

    Raises `ConflictingState` if the account is not the target's, and `MissingPrivilege` if the role is not, before
    anything is changed. `objects.use_schema` checks whether the schema exists.
    """
    connection_entry = entry(target.connection)
    if on_warning is not None:
        for text in connection_entry.warnings:
            on_warning(text)
    place = {
        "role": target.owner_role,
        "database": target.database,
        "schema": target.schema,
        "warehouse": connection_entry.arguments.get("warehouse") or target.warehouse,
    }
    connection = _opened(connection_entry, {key: value for key, value in place.items() if value})
    try:
        _check(connection, target, connection_entry.arguments)
    except BaseException:
        connection.close()
        raise
    return connection


def _opened(connection_entry: Entry, place: Mapping[str, Any]) -> SnowflakeConnection:
    arguments = {**connection_entry.arguments, **place}
    if arguments.get("host") in LOOPBACK:
        _forget_proxies()
    host = host_of(connection_entry)
    if (why := unreachable(host)) is not None:
        raise not_reached(host, why)
    try:
        with naming(host):
            return _logged_in(arguments)
    except (TypeError, ValueError) as cause:
        # The connector passes on exceptions of its libraries about unreadable keys and values.
        raise _unreadable(connection_entry, cause) from cause


def _logged_in(arguments: Mapping[str, Any]) -> SnowflakeConnection:
    """Log in; raises `ConnectionFailed` for a host that answers but is not Snowflake."""
    try:
        return _connect(**arguments)
    except AccountError as cause:
        if not (cause.code or "").startswith(_HTTP_STATUS):
            raise
        raise ConnectionFailed(f"no connection to Snowflake: {cause.message}") from cause
    except (LookupError, AttributeError) as cause:
        raise ConnectionFailed("no connection to Snowflake: what answers is not Snowflake") from cause


def _unreadable(connection_entry: Entry, cause: Exception) -> ConnectionFailed:
    """An error that says which part of the entry is wrong, without its value, which may be secret."""
    entry_name = (
        f"connection `{connection_entry.name}`" if connection_entry.name else "the environment's connection"
    )
    key = connection_entry.arguments.get("private_key_file")
    if key is None:
        return ConnectionFailed(
            f"{entry_name} has a value of a wrong kind ({type(cause).__name__})",
            help=f"correct it in {connection_entry.source}",
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
    """Remove proxy variables, because snowflake.core ignores NO_PROXY and sends even loopback calls through a proxy."""
    for name in _PROXIES:
        os.environ.pop(name, None)


def _connect(**arguments: Any) -> SnowflakeConnection:
    try:
        import snowflake.connector
    except ImportError as cause:
        raise clients_missing() from cause
    if str(arguments.get("authenticator")).upper() == "WORKLOAD_IDENTITY" or os.environ.get(_TLS_FLOOR):
        complete_connector()  # boto3 signs requests to AWS, and has its own TLS settings
    # The connector logs its retries; a failure reaches the user as an error anyway.
    logging.getLogger("snowflake").setLevel(logging.CRITICAL)
    settings: dict[str, Any] = {"network_timeout": NETWORK_TIMEOUT}
    if str(arguments.get("authenticator") or "").lower() in _UNATTENDED:
        settings["login_timeout"] = LOGIN_TIMEOUT
    if arguments.get("host") in LOOPBACK:
        # Otherwise the first login asks the metadata services of cloud providers, and waits for their timeouts.
        settings["platform_detection_timeout_seconds"] = 0.0
    with translated():
        connection = snowflake.connector.connect(application="sfml", **{**settings, **arguments})
    _bound_cancelling(connection)
    return connection


def be_patient_for(connection: SnowflakeConnection, seconds: float) -> None:
    """Let the statements of an open connection be repeated for at most so many seconds when it breaks."""
    client: Any = connection
    client._network_timeout = int(seconds)


def _bound_cancelling(connection: SnowflakeConnection) -> None:
    """Let Ctrl-C end a statement even if the account does not answer.

    The connector first asks the account to cancel the statement, and repeats that for as long as a statement.
    """
    client: Any = connection
    cancel = client._cancel_query

    def cancel_soon(sql: str, request_id: UUID) -> Any:
        timeout = client._network_timeout
        client._network_timeout = CANCEL_TIMEOUT
        try:
            return cancel(sql, request_id)
        except Exception:  # the statement is not cancelled, but the interrupt must still be raised
            return {}
        finally:
            client._network_timeout = timeout

    client._cancel_query = cancel_soon


def _check(connection: SnowflakeConnection, target: Target, arguments: Mapping[str, Any]) -> None:
    """Raise if the connection has another account or role than the target names.

    The login returns the role. It does not return the account, so that is queried, unless the address was made from
    the account name of the target.
    """
    source = f"connection `{target.connection}`" if target.connection else "the environment's connection"
    role = connection.role
    if target.account is not None and not _is_addressed(target.account, arguments):
        question = "SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME(), CURRENT_ROLE()"
        [(account, role)] = rows(connection, question)
        if str(account).upper() != target.account.upper():
            raise ConflictingState(
                f"{source} leads to account {str(account).upper()}, target `{target.name}` names {target.account}",
                help="nothing was changed; correct `connection:` or `account:` of the target",
            )
    if target.owner_role is not None and role != raw(target.owner_role):
        raise MissingPrivilege(
            f"{source} came in as role {role or '(none)'}, target `{target.name}` names {target.owner_role}",
            help=f"nothing was changed; GRANT ROLE {identifier(target.owner_role)} TO USER …, or correct `owner_role:`",
        )


def _is_addressed(account: str, arguments: Mapping[str, Any]) -> bool:
    """Whether the host name is made from `<organization>-<account>` of this account, so that it is unique.

    A connection object, which redirects clients, cannot have the name of an account of its organization.
    https://docs.snowflake.com/en/sql-reference/sql/create-connection
    """
    if any(arguments.get(key) for key in ("host", "port", "protocol", "region")):
        return False
    return "-" in account and str(arguments.get("account", "")).upper() == account.upper()
