"""The clock of a server for tests: the machine's time, until a test takes it in hand."""

from __future__ import annotations

from datetime import datetime

from sfml.local.clock import ManualClock, now


class SteeredClock(ManualClock):
    """Runs with the machine until `hold` or `advance`; from then on it moves by `advance` alone.

    Schedules fire while `advance` passes their moments, in the thread that calls it, and never by themselves.
    """

    def __init__(self) -> None:
        super().__init__(now())
        self._held = False

    def __call__(self) -> datetime:
        with self._lock:
            return self._now if self._held else now()

    def hold(self, at: datetime | None = None) -> datetime:
        """Let time stand still, now or at any other moment with a time zone; answers the moment."""
        if at is not None and at.tzinfo is None:
            raise ValueError("a moment needs a time zone: datetime(2026, 1, 1, tzinfo=UTC)")
        self._set(at if at is not None else self())
        return self()

    def release(self) -> None:
        """Go on with the machine's time."""
        with self._lock:
            self._held = False

    def _set(self, moment: datetime) -> None:
        with self._lock:
            self._now, self._held = moment, True
