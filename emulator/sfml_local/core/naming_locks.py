"""Locks by name: of the statements that create, change or drop one object, each sees what the one before it did."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Hashable, Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any

from sfml_local.grammar.tokens import Name


class NamingLocks:
    """One lock for each name that somebody holds or waits for; others are not kept.

    A thread may hold one name several times, as statements of a service contain others on the same object.
    """

    def __init__(self, owner: object) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.RLock, int]] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @contextlib.contextmanager
    def holding(self, name: Hashable) -> Iterator[None]:
        """Hold a name in the block; whoever wants it, too, waits."""
        with self._guard:
            lock, users = self._locks.get(name, (threading.RLock(), 0))
            self._locks[name] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks.pop(name)
                if users > 1:
                    self._locks[name] = (lock, users - 1)


def name_in(statement: Any) -> str | None:
    """What to hold while a service creates, alters or drops something only if it exists, or if it does not.

    Objects of one name in several schemas, and of several kinds, share it: a service resolves the name itself, and
    a request of the REST API about the same object holds the same.
    """
    kind: Any = type(statement)
    if not _is_conditional(kind):
        return None
    name = getattr(statement, "name", None) or getattr(statement, "model", None)
    return name.last if isinstance(name, Name) else None


@lru_cache(maxsize=1_024)
def _is_conditional(kind: Any) -> bool:
    return not {"if_exists", "if_not_exists", "or_replace"}.isdisjoint(field.name for field in fields(kind))
