"""Loggers that tests' logs are caught from, looked for when there are new ones.

pytest hangs two handlers on the root, and on each logger that passes nothing on to it, before each of a test's three
parts. For that it went through all loggers each time, and the clients of Snowflake alone have hundreds.
"""

from __future__ import annotations

import logging
from typing import Any

from _pytest import logging as pytest_logging

KNOWN = logging.root.manager.loggerDict


class QuickCatching(pytest_logging.catching_logs[Any]):
    """Catches from the loggers that it found when it last knew of another number of them.

    One that stops passing on what it is told is found once another is made; until then its messages go to nobody.
    """

    found: tuple[logging.Logger, ...] = ()
    known = 0

    def __enter__(self) -> Any:
        self.attached_loggers.extend((logging.root, *last_stops()))
        for logger in self.attached_loggers:
            logger.addHandler(self.handler)
        if self.level is not None:
            self.handler.setLevel(self.level)
            self.orig_level = logging.root.level
            logging.root.setLevel(min(self.orig_level, self.level))
        return self.handler


def last_stops() -> list[logging.Logger]:
    """The loggers that pass nothing on."""
    if len(KNOWN) != QuickCatching.known:
        QuickCatching.known = len(KNOWN)
        QuickCatching.found = tuple(filter(_ends, list(KNOWN.values())))
    return [*filter(_ends, QuickCatching.found)]


def _ends(logger: object) -> bool:
    return isinstance(logger, logging.Logger) and not logger.propagate


def catch_logs_quickly() -> None:
    """Let pytest do so, where its version goes through all loggers."""
    if "attached_loggers" in getattr(pytest_logging.catching_logs, "__slots__", ()):
        pytest_logging.catching_logs = QuickCatching  # type: ignore[misc]
