"""Outcomes of a session's requests: a repeated request gets the first outcome.

When a connection breaks, the connector sends its statement again under the same request id. Executing it
twice would report `already exists` for an object that the statement itself created.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

KEPT = 100
KEPT_BYTES = 8 * 2**20
"""Bytes of one session's responses; the latest is kept whatever its size. Large ones are those of queries, which
change nothing if they are executed again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The response to one statement as bytes."""

    body: bytes


class Outcomes:
    """The latest responses of one session. Used from the event loop alone."""

    def __init__(self) -> None:
        self._by_request: dict[str, asyncio.Task[Outcome]] = {}
        self._sizes: OrderedDict[str, int] = OrderedDict()
        """Bytes of the finished ones, in the order in which they finished."""
        self._bytes = 0
        self._running: dict[str, asyncio.Task[Outcome]] = {}
        self._query_ids: dict[str, str] = {}

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
                return await run()
            finally:
                self._running.pop(query_id, None)
                self._query_ids.pop(request_id or "", None)

        task = self._running[query_id] = asyncio.get_running_loop().create_task(work())
        if request_id is not None:
            self._by_request[request_id] = task
            self._query_ids[request_id] = query_id
            task.add_done_callback(partial(self._forget, request_id))
        return task

    def task(self, query_id: str) -> asyncio.Task[Outcome] | None:
        """The work on a query, while it goes on."""
        return self._running.get(query_id)

    def query_id(self, request_id: str) -> str | None:
        """The id of the query that a request has begun, while it runs."""
        return self._query_ids.get(request_id)

    def _forget(self, request_id: str, latest: asyncio.Task[Outcome]) -> None:
        """Drop the oldest responses while there are too many, or they are too large."""
        self._sizes[request_id] = _size(latest)
        self._bytes += self._sizes[request_id]
        while len(self._sizes) > 1 and (len(self._sizes) > KEPT or self._bytes > KEPT_BYTES):
            oldest, size = self._sizes.popitem(last=False)
            del self._by_request[oldest]
            self._bytes -= size


def _size(task: asyncio.Task[Outcome]) -> int:
    return 0 if task.cancelled() or task.exception() else len(task.result().body)
