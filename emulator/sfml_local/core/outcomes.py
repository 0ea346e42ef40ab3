"""Outcomes of a session's requests: a repeated request gets the first outcome, a query id gets its state.

When a connection breaks, the connector sends its statement again under the same request id. Executing it
twice would report `already exists` for an object that the statement itself created.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

KEPT = 100
KEPT_BYTES = 8 * 2**20
"""Bytes of one session's responses; the latest is kept whatever its size. Large ones are those of queries, which
change nothing if they are executed again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The response to one statement as bytes, and the statement's state."""

    body: bytes
    success: bool = True
    code: str | None = None
    message: str | None = None

    def state(self) -> dict[str, str | None]:
        if self.success:
            return {"status": "SUCCESS"}
        return {"status": "FAILED_WITH_ERROR", "errorCode": self.code, "errorMessage": self.message}


class Outcomes:
    """The latest responses of one session. Used from the event loop alone."""

    def __init__(self) -> None:
        self._by_request: OrderedDict[str, asyncio.Task[Outcome]] = OrderedDict()
        self._running: dict[str, asyncio.Task[Outcome]] = {}
        self._states: OrderedDict[str, dict[str, str | None]] = OrderedDict()
        self._refusals: OrderedDict[str, bytes] = OrderedDict()

    @property
    def is_busy(self) -> bool:
        return bool(self._running)

    def start(
        self, request_id: str | None, query_id: str, run: Callable[[], Awaitable[Outcome]]
    ) -> asyncio.Task[Outcome]:
        """The work on this request: started now, or when the request was first received."""
        if request_id is not None and request_id in self._by_request:
            return self._by_request[request_id]

        async def work() -> Outcome:
            try:
                outcome = await run()
                self._states[query_id] = outcome.state()
                if not outcome.success:
                    self._refusals[query_id] = outcome.body
                for kept in (self._states, self._refusals):
                    while len(kept) > KEPT:
                        kept.popitem(last=False)
                return outcome
            finally:
                self._running.pop(query_id, None)

        task = self._running[query_id] = asyncio.get_running_loop().create_task(work())
        if request_id is not None:
            self._by_request[request_id] = task
            task.add_done_callback(lambda done: self._forget(done))
        return task

    def task(self, query_id: str) -> asyncio.Task[Outcome] | None:
        """The work on a query, while it goes on."""
        return self._running.get(query_id)

    def refusal(self, query_id: str) -> bytes | None:
        """The response to a query that was refused."""
        return self._refusals.get(query_id)

    def _forget(self, latest: asyncio.Task[Outcome]) -> None:
        """Drop the oldest responses while there are too many, or they are too large."""
        done = [(key, task) for key, task in self._by_request.items() if task.done() and task is not latest]
        count, size = len(done) + 1, sum(_size(task) for _, task in done) + _size(latest)
        for key, task in done:
            if count <= KEPT and size <= KEPT_BYTES:
                return
            del self._by_request[key]
            count, size = count - 1, size - _size(task)

    def state(self, query_id: str) -> dict[str, str | None] | None:
        """A query's state for the monitoring endpoint; None if the query is unknown."""
        if query_id in self._running:
            return {"id": query_id, "status": "RUNNING"}
        found = self._states.get(query_id)
        return None if found is None else {"id": query_id, **found}


def _size(task: asyncio.Task[Outcome]) -> int:
    return 0 if task.cancelled() or task.exception() else len(task.result().body)
