"""Reading one thing again and again while somebody looks at it: once for all viewers, and not at all for none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from sfml.base.errors import SfmlError
from sfml.base.record import record

T = TypeVar("T")

LINGERS = 12.0
"""Seconds after the last look for which a thing is still read; a page without its script looks every five."""

UNREAD_FOR = 30.0
"""Seconds after which a reading that has not ended is called unanswered on the page."""

RETRIES_AFTER = 5.0
"""Seconds after a reading that failed until the next one."""


@record
class Seen(Generic[T]):
    """What was seen of a thing: its last value and when it was read, and the error of the last reading if it failed.

    `unanswered` is the seconds for which the present reading has had no answer.
    """

    value: T | None = None
    read_at: datetime | None = None
    error: SfmlError | None = None
    unanswered: float = 0.0

    @property
    def is_first(self) -> bool:
        """Whether the first reading has not ended yet."""
        return self.read_at is None and self.error is None


class Watch(Generic[T]):
    """One thing, read in a thread of its own while somebody looks at it."""

    def __init__(self, read: Callable[[], T], pause: Callable[[T, float], float]) -> None:
        """`pause` gives the seconds until the next reading, from a value and the seconds that reading it took."""
        self._read, self._pause = read, pause
        self._changed = threading.Condition()
        self._seen: Seen[T] = Seen()
        self._looked_at = time.monotonic()
        self._began: float | None = None
        self._is_watched = False
        self._changes = 0
        self._changes_seen = 0
        self._is_over = False

    def look(self, patience: float = 0.0) -> Seen[T]:
        """What is known now. Waits for at most `patience` seconds for the first reading, and for one after a change."""
        with self._changed:
            self._looked_at = time.monotonic()
            if not self._is_watched and not self._is_over:
                self._is_watched = True
                # A value from before the pause is old; what waits for it gets the new one.
                self._seen = Seen() if self._is_stale() else self._seen
                threading.Thread(target=self._watch, name="look", daemon=True).start()
            self._changed.wait_for(lambda: self._is_up_to_date or self._is_over, patience)
            began = self._began
            seen = self._seen
        waits = 0.0 if began is None else time.monotonic() - began
        return Seen(seen.value, seen.read_at, seen.error, waits if waits >= UNREAD_FOR else 0.0)

    def hurry(self) -> None:
        """Read again at once, because something was changed; a reading that has begun may not show it."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Read no more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    @property
    def is_watched(self) -> bool:
        return self._is_watched

    @property
    def _is_up_to_date(self) -> bool:
        return not self._seen.is_first and self._changes_seen == self._changes

    @property
    def is_reading(self) -> bool:
        return self._began is not None

    def _is_stale(self) -> bool:
        read_at = self._seen.read_at
        return read_at is None or (datetime.now(UTC) - read_at).total_seconds() > LINGERS

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._began = time.monotonic()
                changes = self._changes
            pause = self._read_once()
            with self._changed:
                self._changes_seen = changes
                self._changed.notify_all()
                self._rest(time.monotonic() + pause)
                if self._is_over or not self._is_looked_at:
                    self._is_watched = False
                    self._changed.notify_all()
                    return

    def _rest(self, until: float) -> None:
        """Wait for the time of the next reading, for a change, for the end, or until nobody looks any more."""
        while self._is_looked_at and (left := until - time.monotonic()) > 0:
            lingers = self._looked_at + LINGERS - time.monotonic()
            if self._changed.wait_for(
                lambda: self._changes > self._changes_seen or self._is_over, min(left, lingers)
            ):
                return

    @property
    def _is_looked_at(self) -> bool:
        return time.monotonic() - self._looked_at < LINGERS

    def _read_once(self) -> float:
        began = time.monotonic()
        seen: Seen[T]
        try:
            value = self._read()
        except SfmlError as error:
            seen = Seen(self._seen.value, self._seen.read_at, error)
            pause = RETRIES_AFTER
        except Exception as error:  # a bug of ours must be told on the page, and not end the thread
            told = SfmlError(
                f"internal error: {type(error).__name__}: {error}", help="this is a bug; report it"
            )
            seen = Seen(self._seen.value, self._seen.read_at, told)
            pause = RETRIES_AFTER
        else:
            seen = Seen(value, datetime.now(UTC))
            pause = self._pause(value, time.monotonic() - began)
        with self._changed:
            self._seen, self._began = seen, None
        return pause


class Watches:
    """The things that are looked at, each by its key; those at which nobody looks any more are forgotten."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._watches: dict[Hashable, Watch[Any]] = {}

    def of(self, key: Hashable, read: Callable[[], T], pause: Callable[[T, float], float]) -> Watch[T]:
        """The watch with this key, a new one if there is none."""
        with self._turn:
            watch = self._watches.get(key)
            if watch is None:
                self._forget()
                watch = self._watches[key] = Watch(read, pause)
            return cast("Watch[T]", watch)

    def hurry(self, *start: Hashable) -> None:
        """Read again at once what has a key that begins so."""
        with self._turn:
            watches = [one for key, one in self._watches.items() if _begins(key, start)]
        for one in watches:
            one.hurry()

    @property
    def count(self) -> int:
        """How many things are being read."""
        with self._turn:
            return sum(one.is_watched for one in self._watches.values())

    def close(self) -> None:
        with self._turn:
            watches, self._watches = list(self._watches.values()), {}
        for one in watches:
            one.end()

    def _forget(self) -> None:
        """Keep what is watched, and not more than so many others, whose last values may be asked for again."""
        idle = [key for key, one in self._watches.items() if not one.is_watched]
        for key in idle[: max(0, len(self._watches) - 200)]:
            del self._watches[key]


def _begins(key: Hashable, start: tuple[Hashable, ...]) -> bool:
    return isinstance(key, tuple) and key[: len(start)] == start
