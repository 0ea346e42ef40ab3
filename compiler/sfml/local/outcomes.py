"""What came of a session's requests: the same request again gets the first outcome, an id gets its state.

When a connection breaks, the connector sends its statement again under the same request id. Executing it
twice would answer `already exists` to whoever created the object.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

Response = dict[str, Any]
KEPT = 100


class Outcomes:
    """The latest responses of one session. Used from the event loop alone."""

    def __init__(self) -> None:
        self._by_request: OrderedDict[str, asyncio.Task[Response]] = OrderedDict()
        self._by_query: OrderedDict[str, asyncio.Task[Response]] = OrderedDict()

    def start(
        self, request_id: str | None, query_id: str, run: Callable[[], Awaitable[Response]]
    ) -> asyncio.Task[Response]:
        """The work on this request: begun now, or when the request was first seen."""
        if request_id is not None and request_id in self._by_request:
            return self._by_request[request_id]

        async def work() -> Response:
            return await run()

        task = asyncio.get_running_loop().create_task(work())
        if request_id is not None:
            _keep(self._by_request, request_id, task)
        _keep(self._by_query, query_id, task)
        return task

    def state(self, query_id: str) -> Response | None:
        """A query's state as the monitoring endpoint tells it; None when it is unknown."""
        task = self._by_query.get(query_id)
        if task is None:
            return None
        if not task.done():
            return {"id": query_id, "status": "RUNNING"}
        response = task.result()
        if response["success"]:
            return {"id": query_id, "status": "SUCCESS"}
        return {
            "id": query_id,
            "status": "FAILED_WITH_ERROR",
            "errorCode": response["code"],
            "errorMessage": response["message"],
        }


def _keep(kept: OrderedDict[str, asyncio.Task[Response]], key: str, task: asyncio.Task[Response]) -> None:
    kept[key] = task
    for old in [name for name, other in kept.items() if other.done()][: max(0, len(kept) - KEPT)]:
        del kept[old]
