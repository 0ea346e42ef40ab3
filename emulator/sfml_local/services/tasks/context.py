"""What a session knows about the task run it works for."""

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
    """One run of one task: `session.task` of the session that runs it and of those it starts.

    `states` is the graph run's, as it was when this task was considered.
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
    """A request to end a task run early: with which state, code and message it then ends."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    state: State | None = None
    code: int | None = None
    message: str | None = None

    def ask(self, state: State, code: int, message: str, interrupt: Callable[[], None]) -> bool:
        """Ask once; the first reason counts. `interrupt` makes what runs notice."""
        with self._lock:
            if self.state is not None:
                return False
            self.state, self.code, self.message = state, code, message
        interrupt()
        return True
