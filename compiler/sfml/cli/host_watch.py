"""Reports when an account does not answer, because the connector repeats calls for minutes without a message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sfml.cli import output

if TYPE_CHECKING:
    from sfml.snowflake.host import Host

LOOK_SECONDS = 5.0
_GO_ON = "the call is tried again for a while; Ctrl-C ends the command"


@contextmanager
def watched_host(host: Host, is_silent: bool) -> Iterator[Callable[[], None]]:
    """Watch the host in a thread during the block; the function that it yields must be called after the login.

    With `is_silent`, a slow login is not reported: the user may be typing into a browser.
    """
    over, logged_in = threading.Event(), threading.Event()
    arguments = (host, over, logged_in, is_silent)
    threading.Thread(target=_watch, args=arguments, name="host-watch", daemon=True).start()
    try:
        yield logged_in.set
    finally:
        over.set()


def _watch(host: Host, over: threading.Event, logged_in: threading.Event, is_silent: bool) -> None:
    """Print once that the login has no answer yet; later, each time that the host stops or resumes answering."""
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
    """Return whether the host accepts connections now; print it if that has changed."""
    from sfml.snowflake.host import unreachable

    why = unreachable(host)
    if over.is_set():
        return was_reached
    if why is not None and was_reached:
        output.note(f"{why} any more ({host.connection}); {_GO_ON}")
    elif why is None and not was_reached:
        output.note(f"`{host.address}` answers again")
    return why is None
