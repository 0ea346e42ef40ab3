"""What can go wrong outside the user's input.

SfmlError
├── InvalidSpec          the findings of a spec that cannot be compiled
│   └── PolicyRefusal    the findings of policies that do not let a plan be applied
├── UsageError           wrong arguments (exit code 2)
├── ConnectionFailed     no account, no server, no network
│   ├── AccountBusy      the account rejected the call for now; the call was not carried out
│   └── AnswerLost       the connection broke: whether the call was carried out is not known
├── AccountError         the account refused: code and sentence are Snowflake's
│   └── MissingPrivilege the role lacks a privilege
├── DiskFull             a disk is full: of this machine, or of the local server
├── ConflictingState     the account holds an object that sfml did not make, or that changed since it was planned
│   ├── MissingSchema    the database or schema of the target does not exist
│   ├── RecordUnreadable this version cannot read a journal or the file of a kept deployment
│   ├── LeaseHeld        another command is changing the graph, or was cut off while doing so
│   └── LeaseLost        another command broke the lease of this one
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
    "PolicyRefusal",
    "RecordUnreadable",
    "SfmlError",
    "UsageError",
]


class SfmlError(Exception):
    """The base class of every error that is shown to the user as a message instead of a traceback."""

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def advised(self, help: str | None) -> Self:
        """A copy of the error with another `help`, to be raised in its place."""
        advised = type(self).__new__(type(self), *self.args)  # a copy would call `__init__` with `args` alone
        advised.__dict__.update(self.__dict__)
        advised.help = help
        advised.__cause__, advised.__traceback__ = self.__cause__, self.__traceback__
        return advised

    def reworded(self, message: str) -> Self:
        """A copy of the error with another message, to be raised in its place."""
        reworded = self.advised(self.help)
        reworded.message, reworded.args = message, (message,)
        return reworded


class InvalidSpec(SfmlError):
    """A spec with errors. `diagnostics` holds every finding, warnings too; `text` shows them in `str` of the error."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], text: str = "") -> None:
        errors = sum(d.is_error for d in diagnostics)
        super().__init__(f"{errors} error{'s' if errors != 1 else ''} in the spec")
        self.diagnostics = diagnostics
        self.text = text

    def __str__(self) -> str:
        return f"{self.message}\n\n{self.text}" if self.text else self.message


class PolicyRefusal(InvalidSpec):
    """Findings of policies that are errors; the spec itself compiles."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], text: str = "") -> None:
        super().__init__(diagnostics, text)
        errors = sum(d.is_error for d in diagnostics)
        self.message = f"policies refuse this plan: {errors} error{'s' if errors != 1 else ''}"
        self.args = (self.message,)


class UsageError(SfmlError):
    """Wrong arguments, or arguments that contradict each other; exit code 2."""


class ConnectionFailed(SfmlError):
    """Nothing answered, or the login was refused; `place` is the name of the connection and its host, once known."""

    place: str | None = None

    def placed(self, place: str, message: str, *, help: str | None) -> Self:
        """A copy of the error with the connection's `place`, and a message and help that name it."""
        placed = self.reworded(message).advised(help)
        placed.place = place
        return placed


class AccountBusy(ConnectionFailed):
    """The account rejected the call (429, 503, 091423): it was not carried out and may be made again.

    `collided` is true where concurrent changes of the same graph were the reason.
    """

    def __init__(self, message: str, *, help: str | None = None, collided: bool = False) -> None:
        super().__init__(message, help=help)
        self.collided = collided


class AnswerLost(ConnectionFailed):
    """The connection broke, or a gateway timed out (504): whether the call was carried out is not known."""


class AccountError(SfmlError):
    """A statement or call that the account refused, with Snowflake's code and sentence."""

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.code = code


class DiskFull(SfmlError):
    """A full disk; the file that was being written is missing or incomplete."""


class MissingPrivilege(AccountError):
    """A call that the account refused because the role lacks a privilege."""


class ConflictingState(SfmlError):
    """The account holds an object that sfml did not make, or that somebody changed since it was planned."""


class MissingSchema(ConflictingState):
    """The target's database or schema does not exist, or the role cannot see it."""


class RecordUnreadable(ConflictingState):
    """A file of a pipeline's state on the stage that is damaged, or that a newer version wrote (`is_newer`).

    The file is left as it is. `path` is its path below the stage, `content` its bytes, `problem` what is wrong with it.
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
    """Another command holds the lease of the pipeline."""


class LeaseLost(ConflictingState):
    """Another command broke the lease while this one held it; this one may not change anything any more."""


class NotSupportedYet(SfmlError):
    """Something valid that this version cannot do yet; the message names it."""


class LocalServerError(SfmlError):
    """The local Snowflake could not be started, reached or stopped."""
