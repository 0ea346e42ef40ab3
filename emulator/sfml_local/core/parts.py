"""What is kept for an account or a session: one of each kind, made when it is first asked for, gone with its owner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

Owner = TypeVar("Owner")
Part = TypeVar("Part")


class Parts(Generic[Owner]):
    """The parts of one owner, by their class. Threads may ask at the same time."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        # A part may ask for others when it is made.
        self._lock = threading.RLock()
        self._kept: dict[Any, Any] = {}

    def of(self, kind: Callable[[Owner], Part]) -> Part:
        """The owner's part of this kind, which is made from the owner alone."""
        if (found := self._kept.get(kind)) is not None:
            return cast(Part, found)
        with self._lock:
            if kind not in self._kept:
                self._kept[kind] = kind(self._owner)
            return cast(Part, self._kept[kind])
