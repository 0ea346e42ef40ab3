"""How long and how often a call to an account is repeated."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from sfml.base.record import record


@record
class RetryPolicy:
    """How long a call is repeated; times are in seconds, and each pause is `growth` times the one before."""

    longest: float = 120.0
    first_pause: float = 0.5
    longest_pause: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    growth: float = 2.0

    def pause(self, tries: int) -> float:
        """Seconds to wait: random between half and all of a growing pause, so that callers do not collide again."""
        whole = min(self.longest_pause, self.first_pause * self.growth**tries)
        return whole * (0.5 + self.chance() / 2)
