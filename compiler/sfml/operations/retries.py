"""Makes a call again when that is safe: after a pause that grows and is never twice the same, for a bounded time.

What is below this tries again by itself: `snowflake.core` and `snowflake.rest` what was answered with 202, 429, 503 or
504, for ten minutes, and reads, PUT and DELETE whose connection broke, three times; the connector sends a
statement again under the same request id, which the account carries out once. Decision 0024 says what is left to do.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sfml.base.errors import AccountBusy, AnswerLost, ConnectionFailed
from sfml.base.record import record

T = TypeVar("T")


@record
class RetryPolicy:
    """How long and how often a call is made again; times in seconds."""

    longest: float = 120.0
    first_pause: float = 0.5
    longest_pause: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random

    def pause(self, tries: int) -> float:
        """Between half and the whole of a pause that doubles: callers that collided do not meet again."""
        whole = min(self.longest_pause, self.first_pause * 2.0**tries)
        return whole * (0.5 + self.chance() / 2)


Waiting = Callable[[ConnectionFailed, float], None]


def insist(
    call: Callable[[], T],
    patience: RetryPolicy,
    *,
    is_done: Callable[[], bool] | None = None,
    waiting: Waiting | None = None,
) -> T | None:
    """What the call answers; None when its answer was lost and `is_done` saw that it had been carried out.

    A call that the account turned away is made again. One whose answer was lost is made again only when `is_done`,
    which looks at the account, says that nothing came of it; without `is_done` the call must be one that may be
    carried out twice. The last error is raised when time is up.
    """
    deadline = patience.clock() + patience.longest
    tries = 0
    lost = False
    while True:
        try:
            if lost and is_done is not None and is_done():
                return None
            lost = False
            return call()
        except (AccountBusy, AnswerLost) as error:
            lost = lost or isinstance(error, AnswerLost)
            pause = patience.pause(tries)
            if patience.clock() + pause > deadline:
                raise
            if waiting is not None:
                waiting(error, pause)
            patience.sleep(pause)
            tries += 1
