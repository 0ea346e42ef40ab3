"""What can go wrong outside the user's input.

SfmlError
├── InvalidSpec          the findings of a spec that cannot be compiled
├── UsageError           wrong arguments (exit code 2)
├── ConnectionFailed     no account, no server, no network
│   ├── AccountBusy      the account would not take the call now; it was not carried out
│   └── AnswerLost       the connection broke: whether the call was carried out is not known
├── AccountError         the account refused: code and sentence are Snowflake's
│   └── MissingPrivilege
├── DiskFull             there is no room for what was to be written, here or where a local server writes
├── ConflictingState     the account holds something that is not ours, or moved on
│   ├── MissingSchema    the database or schema of the target is not there
│   ├── RecordUnreadable a journal or a kept deployment says nothing that this version can use
│   ├── LeaseHeld        somebody else is changing the graph, or was cut off while doing so
│   └── LeaseLost        our right to change the graph was taken away
├── NotSupportedYet      a setting or command that this version cannot carry out
└── LocalServerError     the local Snowflake could not be started or stopped

Each carries a `help`: what to do next, as an imperative line.
"""

from __future__ import annotations

from typing import Self

from sfml.base.diagnostic import Diagnostic

__all__ = [
    "AccountBusy",
    "AccountError",
    "AnswerLost",
    "ConflictingState",
    "ConnectionFailed",
    "DiskFull",
    "InvalidSpec",
    "LeaseHeld",
    "LeaseLost",
    "LocalServerError",
    "MissingPrivilege",
    "MissingSchema",
    "NotSupportedYet",
    "RecordUnreadable",
    "SfmlError",
    "UsageError",
]


class SfmlError(Exception):
    """The base of everything that a user is told in place of a traceback."""

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def advised(self, help: str | None) -> Self:
        """The same error with another `help`, to be raised in its place."""
        advised = type(self).__new__(type(self), *self.args)  # a copy would call `__init__` with `args` alone
        advised.__dict__.update(self.__dict__)
        advised.help = help
        advised.__cause__, advised.__traceback__ = self.__cause__, self.__traceback__
        return advised

    def reworded(self, message: str) -> Self:
        """The same error with another sentence, likewise."""
        reworded = self.advised(self.help)
        reworded.message, reworded.args = message, (message,)
        return reworded


class InvalidSpec(SfmlError):
    """A spec with errors; `diagnostics` holds every finding, and `text` shows them to who sees no more than this."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], text: str = "") -> None:
        errors = sum(d.is_error for d in diagnostics)
        super().__init__(f"{errors} error{'s' if errors != 1 else ''} in the spec")
        self.diagnostics = diagnostics
        self.text = text

    def __str__(self) -> str:
        return f"{self.message}\n\n{self.text}" if self.text else self.message


class UsageError(SfmlError):
    """Arguments that make no sense together; exit code 2."""


class ConnectionFailed(SfmlError):
    """Nothing answered, or what answered would not let us in; `place` is the connection and its host, once known."""

    place: str | None = None

    def placed(self, place: str, message: str, *, help: str | None) -> Self:
        """The same error with where the connection leads, and the sentence that says so."""
        placed = self.reworded(message).advised(help)
        placed.place = place
        return placed


class AccountBusy(ConnectionFailed):
    """The account turned the call away (429, 503, 091423): it was not carried out and may be made again.

    `collided` says that other changes of the same graph were in its way.
    """

    def __init__(self, message: str, *, help: str | None = None, collided: bool = False) -> None:
        super().__init__(message, help=help)
        self.collided = collided


class AnswerLost(ConnectionFailed):
    """The connection broke, or a gateway gave up (504): nobody knows yet whether the call was carried out."""


class AccountError(SfmlError):
    """A statement or call that the account refused, with Snowflake's code and sentence."""

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.code = code


class DiskFull(SfmlError):
    """A disk without room; what was to be written is not there, or not whole."""


class MissingPrivilege(AccountError):
    """The role may not do it."""


class ConflictingState(SfmlError):
    """The account holds an object that is not ours, or that somebody changed since it was planned."""


class MissingSchema(ConflictingState):
    """The target's database or schema is not there, or the role cannot see it."""


class RecordUnreadable(ConflictingState):
    """A file of a pipeline's state that is damaged, or of a version to come; it stays where it is.

    `path` is below the stage, `content` what it holds, `problem` what is wrong with it.
    """

    def __init__(
        self,
        message: str,
        *,
        problem: str,
        path: str = "",
        content: bytes = b"",
        is_newer: bool = False,
        help: str | None = None,
    ) -> None:
        super().__init__(message, help=help)
        self.problem = problem
        self.path = path
        self.content = content
        self.is_newer = is_newer


class LeaseHeld(ConflictingState):
    """Somebody holds the lease of the pipeline."""


class LeaseLost(ConflictingState):
    """The lease was broken while we held it; nothing may be changed any more."""


class NotSupportedYet(SfmlError):
    """Something valid that this version cannot do yet, named."""


class LocalServerError(SfmlError):
    """The local Snowflake could not be started, reached or stopped."""
