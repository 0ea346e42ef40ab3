"""The clock of a test server: the machine's time until a test holds or moves it."""

from __future__ import annotations

from datetime import datetime

from sfml_local.core.clock import ManualClock, now


class SteeredClock(ManualClock):
    """Follows the machine's time until `hold` or `advance`; after that, only `advance` moves it.

    A held clock fires schedules only during `advance`, in the thread that calls it.
    """

    def __init__(self) -> None:
        super().__init__(now())
        self._held = False

    def __call__(self) -> datetime:
        with self._lock:
            return self._now if self._held else now()

    def hold(self, at: datetime | None = None) -> datetime:
        """Stop the clock, now or at another moment; returns the moment. Raises `ValueError` without a time zone."""
        if at is not None and at.tzinfo is None:
            raise ValueError("a moment needs a time zone: datetime(2026, 1, 1, tzinfo=UTC)")
        self._set(at if at is not None else self())
        return self()

    def release(self) -> None:
        """Follow the machine's time again."""
        with self._lock:
            self._held = False

    def _set(self, moment: datetime) -> None:
        with self._lock:
            self._now, self._held = moment, True
