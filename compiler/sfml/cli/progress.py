"""Shows the progress of an apply: a live view on a terminal, otherwise one line for each finished group."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sfml.cli import output
from sfml.cli.options import Options
from sfml.operations.deployer import SilentWatcher, Watcher
from sfml.render.printable import printable
from sfml.render.stages import done_text, group_text, wait_words
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from rich.live import Live

    from sfml.base.errors import ConnectionFailed
    from sfml.plan.stages import Group, Stage


@contextmanager
def progress(options: Options, symbols: Symbols) -> Iterator[Watcher]:
    """The watcher for this kind of output; it shows nothing with --quiet or JSON output."""
    if not options.speaks:
        yield SilentWatcher()
    elif output.is_terminal() and not options.no_color:
        from rich.live import Live

        with Live("", auto_refresh=True, transient=True, refresh_per_second=8) as live:
            yield LiveView(symbols, live)
    else:
        yield Lines(symbols)


class Lines:
    """Prints a line for each finished group, and one for each wait for the account."""

    def __init__(self, symbols: Symbols) -> None:
        self._symbols = symbols

    def begun(self, group: Group) -> None: ...

    def did(self, stage: Stage) -> None: ...

    def ended(self, group: Group) -> None:
        text = done_text(group)
        if text is not None:
            output.say(f"  {self._symbols['SUCCEEDED']} {text}")

    def waits(self, error: ConnectionFailed, seconds: float) -> None:
        output.note(f"  {self._symbols['SCHEDULED']} {wait_words(error, seconds)}")


class LiveView:
    """Finished groups as lines; below them, the current group with a spinner and a count."""

    def __init__(self, symbols: Symbols, live: Live) -> None:
        self._symbols = symbols
        self._live = live
        self._lock = threading.Lock()
        self._group: Group = ()
        self._done = 0

    def begun(self, group: Group) -> None:
        with self._lock:
            self._group, self._done = group, 0
            self._draw()

    def did(self, stage: Stage) -> None:
        with self._lock:
            self._done += 1
            self._draw()

    def ended(self, group: Group) -> None:
        from rich.text import Text

        text = done_text(group)
        with self._lock:
            if text is not None:
                self._live.console.print(Text(printable(f"  {self._symbols['SUCCEEDED']} {text}")))
            self._live.update("")

    def waits(self, error: ConnectionFailed, seconds: float) -> None:
        with self._lock:
            self._draw(wait_words(error, seconds))

    def _draw(self, waiting: str = "") -> None:
        from rich.spinner import Spinner
        from rich.text import Text

        total = len(self._group)
        count = f" {self._done}/{total}" if total > 1 else ""
        more = f"  {waiting}" if waiting else ""
        self._live.update(
            Spinner(
                "dots" if self._symbols.unicode else "line",
                Text(printable(f"{group_text(self._group)}{count}{more}")),
            )
        )
