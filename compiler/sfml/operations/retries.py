"""Repeats calls when that is safe, with growing random pauses, for a limited time.

The layers below repeat calls themselves. `snowflake.core` and `snowflake.rest` do so for ten minutes after the answers
202, 429, 503 and 504, and three times for reads, PUT and DELETE after a broken connection. The connector repeats a
statement with the same request id, so that the account executes it once. Decision 0024 explains which cases remain
for this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sfml.base.errors import AccountBusy, AnswerLost, ConnectionFailed
from sfml.base.retry_policy import RetryPolicy

T = TypeVar("T")


def retry_call(
    call: Callable[[], T],
    policy: RetryPolicy,
    *,
    is_done: Callable[[], bool] | None = None,
    waiting: Callable[[ConnectionFailed, float], None] | None = None,
) -> T | None:
    """The result of the call; None if its answer was lost and `is_done` found that it had been carried out.

    A refused call (`AccountBusy`) is repeated. After a lost answer (`AnswerLost`), `is_done` first checks in the
    account whether the call was carried out; without `is_done`, the call must be safe to repeat. `waiting` is called
    before each pause. The last error is raised when the time is over.
    """
    deadline = policy.clock() + policy.longest
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
            pause = policy.pause(tries)
            if policy.clock() + pause > deadline:
                raise
            if waiting is not None:
                waiting(error, pause)
            policy.sleep(pause)
            tries += 1
