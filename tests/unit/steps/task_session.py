"""A session as far as the runtime asks for one, where the real one needs a running task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class Rows:
    def __init__(self, value: object) -> None:
        self._value = value

    def collect(self) -> list[tuple[object]]:
        return [(self._value,)]


class TaskSession:
    """Answers the SYSTEM$ functions of one task run and keeps what it is told."""

    def __init__(
        self,
        results: Mapping[str, str | None] | None = None,
        config: Mapping[str, Any] | None = None,
        info: Mapping[str, object] | None = None,
    ) -> None:
        self.results = dict(results or {})
        self.config = config
        self.info = {"CURRENT_TASK_GRAPH_RUN_GROUP_ID": "run-1", **(info or {})}
        self.returned: str | None = None
        self.query_tag: str | None = None
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def call(self, function: str, *arguments: str) -> str | None:
        self.calls.append((function, arguments))
        if function == "SYSTEM$SET_RETURN_VALUE":
            (self.returned,) = arguments
            return None
        if function == "SYSTEM$GET_TASK_GRAPH_CONFIG":
            return json.dumps(self.config) if self.config is not None else None
        if function == "SYSTEM$GET_PREDECESSOR_RETURN_VALUE":
            if arguments[0] not in self.results:
                raise RuntimeError(
                    f"091451: {arguments[0]} is not a valid or active predecessor for this task."
                )
            return self.results[arguments[0]]
        return "Enqueued notifications."

    def sql(self, statement: str) -> Rows:
        key = statement.partition("SYSTEM$TASK_RUNTIME_INFO('")[2].partition("'")[0]
        value = self.info.get(key)
        if isinstance(value, Exception):
            raise value
        return Rows(value)
