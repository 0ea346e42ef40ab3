"""The symbols of all output, each with one meaning; in ASCII for terminals without Unicode."""

from __future__ import annotations

from sfml.base.record import record
from sfml.plan.model import Action

_UNICODE = {
    "create": "+",
    "alter": "~",
    "replace": "±",
    "move": "→",
    "drop": "-",
    "unchanged": "=",
    "SUCCEEDED": "✓",
    "FAILED": "✗",
    "FAILED_AND_AUTO_SUSPENDED": "✗",
    "CANCELLED": "✗",
    "SCHEDULED": "○",
    "EXECUTING": "●",
    "SKIPPED": "⊘",
    "never": "–",
    "unknown": "?",
    "risk": "!",
    "arrow": "→",
    "dot": "·",
}
_ASCII = {
    **_UNICODE,
    "replace": "+-",
    "move": ">",
    "SUCCEEDED": "ok",
    "FAILED": "x",
    "FAILED_AND_AUTO_SUSPENDED": "x",
    "CANCELLED": "x",
    "SCHEDULED": "o",
    "EXECUTING": "*",
    "SKIPPED": "/",
    "never": "-",
    "arrow": "->",
    "dot": ",",
}


@record
class Symbols:
    """The symbols for one output: Unicode or ASCII. Raises `KeyError` for an unknown name."""

    unicode: bool = True

    def __getitem__(self, name: str) -> str:
        return (_UNICODE if self.unicode else _ASCII)[name]

    def of(self, action: Action) -> str:
        return self[action.value]

    def state(self, state: str | None) -> str:
        """The symbol of a task's state; None means that the task never ran."""
        return self["never"] if state is None else self[state]
