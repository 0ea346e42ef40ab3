"""Notices for users about damage to an account's files."""

from __future__ import annotations

from pathlib import Path

from sfml_local.core import set_aside
from sfml_local.core.log_format import logger


class Notices:
    """Problems that this server found, and files that were moved aside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shown: list[str] = []
        self._told: set[str] = set()

    def add(self, text: str, *, shown: bool = False) -> None:
        """Log a notice about the account's files; with `shown`, users see it too, until the server ends."""
        logger.warning("%s", text)
        if shown:
            self._shown.append(text)

    def once(self, text: str) -> None:
        """Say something in the log, the first time only."""
        if text not in self._told:
            self._told.add(text)
            logger.warning("%s", text)

    def all(self) -> tuple[str, ...]:
        return (*set_aside.notices(self._folder), *self._shown)
