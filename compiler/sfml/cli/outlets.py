"""Destinations for the output of parallel work: the terminal, a buffer, or the terminal with a prefix."""

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
    """Takes text for standard output or, if `beside` is true, for standard error."""

    def write(self, text: str, *, beside: bool) -> None: ...


class Terminal:
    """Prints at once."""

    def write(self, text: str, *, beside: bool) -> None:
        # Pass the stream: otherwise click opens its own one, which writes UTF-8 even if the encoding is ASCII.
        click.echo(text, file=sys.stderr if beside else sys.stdout)


_TERMINAL = Terminal()
_OUTLET: ContextVar[Outlet] = ContextVar("outlet", default=_TERMINAL)


@dataclass(slots=True)
class BufferedOutput:
    """Collects text, and prints it later as a whole."""

    _texts: list[tuple[str, bool]] = field(default_factory=list)

    def write(self, text: str, *, beside: bool) -> None:
        self._texts.append((text, beside))

    def print(self) -> None:
        texts, self._texts = self._texts, []
        for text, beside in texts:
            _TERMINAL.write(text, beside=beside)


@record
class MarkedOutput:
    """Prints at once; each line begins with a mark that names its pipeline. Empty lines are left out."""

    mark: str

    def write(self, text: str, *, beside: bool) -> None:
        lines = [f"{self.mark}{line}" for line in text.splitlines() if line]
        if lines:
            _TERMINAL.write("\n".join(lines), beside=beside)


def current() -> Outlet:
    return _OUTLET.get()


def is_terminal() -> bool:
    """Whether output goes directly to the terminal, so that a live view is possible."""
    return current() is _TERMINAL


@contextmanager
def output_to(outlet: Outlet) -> Iterator[None]:
    """Send the output of the block to this outlet; threads that it starts must run in a copy of its context."""
    token = _OUTLET.set(outlet)
    try:
        yield
    finally:
        _OUTLET.reset(token)
