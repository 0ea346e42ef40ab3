"""Information about the task run for which a session works."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sfml.semantics.graph import GraphShape
from sfml.semantics.states import State
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.run_store import GraphRun


@dataclass(slots=True)
class TaskRunContext:
    """One run of one task: `session.task` of its session, and of the sessions that it starts.

    `states` holds the states of the graph run's tasks when this task was considered.
    """

    run: GraphRun
    task: Task
    graph: GraphShape
    states: Mapping[str, State]
    query_id: str
    stop: Stop = field(default_factory=lambda: Stop())

    @property
    def name(self) -> str:
        return self.task.name.name


@dataclass(slots=True)
class Stop:
    """A request to end a task run early, with the final state, code and message."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    state: State | None = None
    code: int | None = None
    message: str | None = None

    def ask(self, state: State, code: int, message: str, interrupt: Callable[[], None]) -> bool:
        """Request the end; only the first reason counts. `interrupt` notifies running work."""
        with self._lock:
            if self.state is not None:
                return False
            self.state, self.code, self.message = state, code, message
        interrupt()
        return True
