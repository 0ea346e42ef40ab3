"""The host of a connection: its address, whether it can be reached, and errors that name it."""

from __future__ import annotations

import os
import queue
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

from sfml.base.errors import ConnectionFailed
from sfml.base.record import record

if TYPE_CHECKING:
    from sfml.snowflake.entries import Entry

LOOK_SECONDS = 10
"""The timeout for a TCP connection to the host; the connector would wait for four minutes."""

_TRIMMED = (
    # Text that the connector and urllib3 add to messages, and query parameters of addresses, which name the user.
    (re.compile(r"HTTPS?ConnectionPool\(.*?\(Caused by \w+\((.*)\)\)\)?"), r"\1"),
    (re.compile(r"HTTPS?Connection\([^)]*\): "), ""),
    (re.compile(r"(\burl: /[^\s?]*|https?://[^\s?]*)\?[^\s)]*"), r"\1"),
    (re.compile(r" Verify that the hostnames and port ?numbers in SYSTEM\$ALLOWLIST .*"), ""),
    (
        re.compile(r"Could not connect to Snowflake backend after (\d+) attempt\(s\)\. ?Aborting"),
        r"no answer in \1 attempts",
    ),
)
_NO_SUCH_ACCOUNT = re.compile(r"\b40[34]\b")
_SOMETHING_ELSE = re.compile(r"certificate|SSL|\b3\d\d [A-Z]|not Snowflake", re.I)


@record
class Host:
    """The host of a connection. `connection` names the connection in words, `source` is its file."""

    connection: str
    source: str
    name: str
    port: int
    is_proxied: bool = False

    @property
    def address(self) -> str:
        return self.name if self.port == 443 else f"{self.name}:{self.port}"


def host_of(connection_entry: Entry) -> Host:
    """The host of an entry, determined as the connector does."""
    arguments = connection_entry.arguments
    protocol = str(arguments.get("protocol") or "https")
    name = str(arguments.get("host") or _named_after(arguments))
    port = str(arguments.get("port") or "")
    return Host(
        f"connection `{connection_entry.name}`" if connection_entry.name else "the environment's connection",
        connection_entry.source,
        name,
        int(port) if port.isdigit() else (443 if protocol == "https" else 80),
        _is_proxied(name, protocol, arguments),
    )


def _named_after(arguments: Mapping[str, Any]) -> str:
    from snowflake.connector.util_text import construct_hostname

    region = arguments.get("region")
    return construct_hostname(str(region) if region else None, str(arguments.get("account") or ""))


def _is_proxied(name: str, protocol: str, arguments: Mapping[str, Any]) -> bool:
    if arguments.get("proxy_host"):
        return True
    proxies = getproxies()
    return bool(proxies.get(protocol) or proxies.get("all")) and not proxy_bypass(name)


def unreachable(host: Host, seconds: float = LOOK_SECONDS) -> str | None:
    """Why the host cannot be reached; None if it can, or if it is behind a proxy.

    This runs in another thread, because a name lookup cannot be interrupted.
    """
    if host.is_proxied:
        return None
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_look(host, seconds)), name="look", daemon=True).start()
    try:
        return answers.get(timeout=seconds + 1)
    except queue.Empty:
        return f"the look-up of the name `{host.name}` has no answer"


def _look(host: Host, seconds: float) -> str | None:
    if not 0 < host.port < 65_536:
        return f"`{host.address}` has no such port"
    try:
        socket.create_connection((host.name, host.port), timeout=seconds).close()
    except (socket.gaierror, UnicodeError):
        return f"there is no host `{host.name}`"
    except TimeoutError:
        return f"`{host.address}` does not answer"
    except ConnectionRefusedError:
        return f"nothing listens at `{host.address}`"
    except OSError as cause:
        return f"`{host.address}` cannot be reached: {os.strerror(cause.errno) if cause.errno else cause}"
    return None


def not_reached(host: Host, why: str) -> ConnectionFailed:
    """The error for a host that cannot be reached; `why` is the reason."""
    return _located(ConnectionFailed(f"no connection to Snowflake: {why}"), host)


@contextmanager
def naming(host: Host) -> Iterator[None]:
    """Add the connection and its host to a `ConnectionFailed` that leaves the block."""
    try:
        yield
    except ConnectionFailed as error:
        if error.place is None:
            raise _located(error, host) from error.__cause__
        raise


def _located(error: ConnectionFailed, host: Host) -> ConnectionFailed:
    """The error with the connection and its host in its message, instead of the connector's own words for them."""
    message = " ".join(error.message.split())
    for pattern, kept in _TRIMMED:
        message = pattern.sub(kept, message)
    place = f"{host.connection} to `{host.address}`"
    shown = host.connection if f"`{host.address}`" in message else place
    message = f"{message.rstrip('.')} ({shown})"
    return error.placed(place, message, help=_help(message, error.help, host))


def _help(message: str, help: str | None, host: Host) -> str:
    entry = f"{host.connection} in {host.source}"
    if host.source == "the environment":
        entry = f"{host.connection} (SNOWFLAKE_ACCOUNT, SNOWFLAKE_HOST and their like)"
    if _NO_SUCH_ACCOUNT.search(message):
        return (
            f"this is the answer for an account that does not exist: correct `account` or `host` of {entry}"
        )
    if _SOMETHING_ELSE.search(message):
        return f"something else answers in its place, perhaps a proxy: look at `account` or `host` of {entry}"
    if "no connection to Snowflake" in message:
        return (
            f"look whether the host can be reached from here, and at `account`, `host` and `port` of {entry}"
        )
    return help or f"look at {entry}"
