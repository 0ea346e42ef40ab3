"""Where the text of a piece of work goes: to the terminal, or apart from what is said of others at the same time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

import click

from sfml.base.record import record


class Outlet(Protocol):
    """Takes lines for standard output, or for standard error `beside` it."""

    def write(self, text: str, *, beside: bool) -> None: ...


class Terminal:
    """Prints at once."""

    def write(self, text: str, *, beside: bool) -> None:
        # Named, since click would write UTF-8 into a stream of its own where the encoding is ASCII.
        click.echo(text, file=sys.stderr if beside else sys.stdout)


_TERMINAL = Terminal()
_OUTLET: ContextVar[Outlet] = ContextVar("outlet", default=_TERMINAL)


@dataclass(slots=True)
class BufferedOutput:
    """Keeps text, to be printed later as a whole."""

    _texts: list[tuple[str, bool]] = field(default_factory=list)

    def write(self, text: str, *, beside: bool) -> None:
        self._texts.append((text, beside))

    def print(self) -> None:
        texts, self._texts = self._texts, []
        for text, beside in texts:
            _TERMINAL.write(text, beside=beside)


@record
class MarkedOutput:
    """Prints at once, each line behind a mark that says whose it is; empty lines are left out."""

    mark: str

    def write(self, text: str, *, beside: bool) -> None:
        lines = [f"{self.mark}{line}" for line in text.splitlines() if line]
        if lines:
            _TERMINAL.write("\n".join(lines), beside=beside)


def current() -> Outlet:
    return _OUTLET.get()


def is_terminal() -> bool:
    """Whether text goes straight to the terminal, so that something live can be drawn."""
    return current() is _TERMINAL


@contextmanager
def into(outlet: Outlet) -> Iterator[None]:
    """All that the block says goes there; threads that it starts have to take its context with them."""
    token = _OUTLET.set(outlet)
    try:
        yield
    finally:
        _OUTLET.reset(token)
