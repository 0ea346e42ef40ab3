"""Repeats calls when that is safe, with growing random pauses, for a limited time.

The layers below repeat calls themselves. `snowflake.core` and `snowflake.rest` do so for ten minutes after the answers
202, 429, 503 and 504, and three times for reads, PUT and DELETE after a broken connection. The connector repeats a
statement with the same request id, so that the account executes it once. Decision 0024 explains which cases remain
for this module.
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
    """How long and how often a call is repeated; times are in seconds."""

    longest: float = 120.0
    first_pause: float = 0.5
    longest_pause: float = 10.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random

    def pause(self, tries: int) -> float:
        """Seconds to wait: random between half and all of a doubling pause, so that callers do not collide again."""
        whole = min(self.longest_pause, self.first_pause * 2.0**tries)
        return whole * (0.5 + self.chance() / 2)


Waiting = Callable[[ConnectionFailed, float], None]


def retry_call(
    call: Callable[[], T],
    patience: RetryPolicy,
    *,
    is_done: Callable[[], bool] | None = None,
    waiting: Waiting | None = None,
) -> T | None:
    """The result of the call; None if its answer was lost and `is_done` found that it had been carried out.

    A refused call (`AccountBusy`) is repeated. After a lost answer (`AnswerLost`), `is_done` first checks in the
    account whether the call was carried out; without `is_done`, the call must be safe to repeat. `waiting` is called
    before each pause. The last error is raised when the time is over.
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
