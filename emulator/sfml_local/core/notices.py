"""What the users of an account have to know of damage to its files, in sentences."""

from __future__ import annotations

from pathlib import Path

from sfml_local.core import set_aside
from sfml_local.core.log_format import logger


class Notices:
    """What this server met, and files that are put aside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shown: list[str] = []
        self._told: set[str] = set()

    def add(self, text: str, *, shown: bool = False) -> None:
        """Say something of the account's files in the log; `shown` to users, too, until the server ends."""
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
