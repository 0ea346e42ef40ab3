"""Data of services for an account or a session: one object per class, created at first use, gone with its owner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

Owner = TypeVar("Owner")
Part = TypeVar("Part")


class Parts(Generic[Owner]):
    """The parts of one owner, by their class; several threads may use it."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        # The constructor of a part may use other parts.
        self._lock = threading.RLock()
        self._kept: dict[Any, Any] = {}

    def of(self, kind: Callable[[Owner], Part]) -> Part:
        """The owner's part of this class; its constructor gets the owner."""
        if (found := self._kept.get(kind)) is not None:
            return cast(Part, found)
        with self._lock:
            if kind not in self._kept:
                self._kept[kind] = kind(self._owner)
            return cast(Part, self._kept[kind])
