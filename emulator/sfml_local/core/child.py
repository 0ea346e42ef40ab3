"""A process that works for a session."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfml_local.core.session import Session


@dataclass(slots=True, eq=False)
class Child:
    """A running process with its session and its log; `stop` ends it."""

    session: Session
    stop: threading.Event = field(default_factory=threading.Event)
    log: Path | None = None

    def works_for(self, session: Session) -> bool:
        """Whether this session, or one that it opened, started the process."""
        ancestor: Session | None = self.session
        while ancestor is not None:
            if ancestor is session:
                return True
            ancestor = ancestor.parent
        return False
