"""What can go wrong outside the user's input.

SfmlError
├── InvalidSpec          the findings of a spec that cannot be compiled
├── UsageError           wrong arguments (exit code 2)
├── ConnectionFailed     no account, no server, no network
├── AccountError         the account refused: code and sentence are Snowflake's
│   └── MissingPrivilege
├── ConflictingState     the account holds something that is not ours, or moved on
├── NotSupportedYet      a setting or command that this version cannot carry out
└── LocalServerError     the local Snowflake could not be started or stopped

Each carries a `help`: what to do next, as an imperative line.
"""

from __future__ import annotations

from sfml.diagnostic import Diagnostic

__all__ = [
    "AccountError",
    "ConflictingState",
    "ConnectionFailed",
    "InvalidSpec",
    "LocalServerError",
    "MissingPrivilege",
    "NotSupportedYet",
    "SfmlError",
    "UsageError",
]


class SfmlError(Exception):
    """The base of everything that a user is told in place of a traceback."""

    def __init__(self, message: str, *, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class InvalidSpec(SfmlError):
    """A spec with errors; `diagnostics` holds every finding."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        errors = sum(d.is_error for d in diagnostics)
        super().__init__(f"{errors} error{'s' if errors != 1 else ''} in the spec")
        self.diagnostics = diagnostics


class UsageError(SfmlError):
    """Arguments that make no sense together; exit code 2."""


class ConnectionFailed(SfmlError):
    """Nothing answered, or what answered would not let us in."""


class AccountError(SfmlError):
    """A statement or call that the account refused, with Snowflake's code and sentence."""

    def __init__(self, message: str, *, code: str | None = None, help: str | None = None) -> None:
        super().__init__(message, help=help)
        self.code = code


class MissingPrivilege(AccountError):
    """The role may not do it."""


class ConflictingState(SfmlError):
    """The account holds an object that is not ours, or that somebody changed since it was planned."""


class NotSupportedYet(SfmlError):
    """Something valid that this version cannot do yet, named."""


class LocalServerError(SfmlError):
    """The local Snowflake could not be started, reached or stopped."""
