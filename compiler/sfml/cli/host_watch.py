"""Says what a command waits for when an account does not answer: the connector tries again for minutes, in silence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sfml.cli import output
from sfml.cli.options import Options
from sfml.errors import ConnectionFailed

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.graph.model import Target
    from sfml.snowflake.host import Host

LOOK_SECONDS = 5.0
_GO_ON = "the call is tried again for a while; Ctrl-C ends the command"


@contextmanager
def account_connection(target: Target, options: Options) -> Iterator[SnowflakeConnection]:
    """A connection to the account of a target; errors and notes of it name the connection and its host."""
    from sfml.cli.opening import warning_teller
    from sfml.snowflake.connection import open_account
    from sfml.snowflake.entries import entry
    from sfml.snowflake.host import host_of, naming

    host = host_of(entry(target.connection))
    is_silent = options.json or options.quiet
    with naming(host), _watched(host, is_silent) as logged_in:
        connection = open_account(target, on_warning=warning_teller(options))
        logged_in.set()
        insists = True
        try:
            yield connection
        except (KeyboardInterrupt, ConnectionFailed):
            insists = False
            raise
        finally:
            close(connection, insists=insists)


def close(connection: SnowflakeConnection, *, insists: bool = True) -> None:
    """Close it; what goes wrong with that is only a note. `insists` tries again where the account does not answer."""
    try:
        connection.close(retry=insists)
    except Exception as error:  # the work is done; a connection that will not close cannot undo it
        output.note(f"note: the connection did not close cleanly: {error}")


@contextmanager
def _watched(host: Host, is_silent: bool) -> Iterator[threading.Event]:
    """Watch the host from a thread of its own; the event it answers is to be set after the login.

    That a login takes long is not said where results alone are wanted: somebody may be typing into a browser.
    """
    over, logged_in = threading.Event(), threading.Event()
    arguments = (host, over, logged_in, is_silent)
    threading.Thread(target=_watch, args=arguments, name="host-watch", daemon=True).start()
    try:
        yield logged_in
    finally:
        over.set()


def _watch(host: Host, over: threading.Event, logged_in: threading.Event, is_silent: bool) -> None:
    """Say once that the login has no answer yet, and each time that the host takes no connections any more."""
    was_said = is_silent
    was_reached = True
    while not over.wait(LOOK_SECONDS):
        if not logged_in.is_set():
            if not was_said:
                output.note(f"waiting for an answer of `{host.address}` ({host.connection}) …")
            was_said = True
            continue
        was_reached = _say_change(host, was_reached, over)


def _say_change(host: Host, was_reached: bool, over: threading.Event) -> bool:
    """Whether the host takes connections now; said where that is news."""
    from sfml.snowflake.host import unreachable

    why = unreachable(host)
    if over.is_set():
        return was_reached
    if why is not None and was_reached:
        output.note(f"{why} any more ({host.connection}); {_GO_ON}")
    elif why is None and not was_reached:
        output.note(f"`{host.address}` answers again")
    return why is None
