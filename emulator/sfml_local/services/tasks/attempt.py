"""The loop of one attempt of a graph run: starts tasks, waits for their ends, and enforces timeouts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from sfml.semantics.frontier import Frontier
from sfml.semantics.graph import GraphShape
from sfml.semantics.limits import timeout_seconds
from sfml.semantics.states import State
from sfml_local.core.deep import deeply
from sfml_local.services.tasks import outcome, parameters
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.run_store import GraphRun, TaskRun
from sfml_local.services.tasks.task_run import RunningTask

if TYPE_CHECKING:
    from sfml_local.core.account import Account

PATIENCE = 10.0
"""Seconds in which a task run must end after it was asked to stop."""

GLANCE = 0.5
"""Seconds between checks whether a task run was asked to stop."""


Key = tuple[str, str]
"""A run group and the name of a task."""


class Attempt:
    """Starts tasks, waits for their ends, and enforces timeouts; `states` is kept up to date.

    `running` are the running tasks of all graphs, protected by `lock`; `root_ended` is called with the root's end.
    """

    def __init__(
        self,
        account: Account,
        running: dict[Key, RunningTask],
        lock: threading.RLock,
        root_ended: Callable[[GraphRun, State], None],
        run: GraphRun,
        graph: GraphShape,
        tasks: dict[str, Task],
        states: dict[str, State],
        deadline: float,
    ) -> None:
        self.account, self.running, self.lock, self.root_ended = account, running, lock, root_ended
        self.run, self.graph, self.tasks, self.states = run, graph, tasks, states
        self.workers = account.settings.task_workers
        self.frontier = Frontier(graph, states)
        self.deadline = deadline
        self.futures: dict[Future[TaskRun], RunningTask] = {}
        self.ends: dict[Future[TaskRun], tuple[float, float]] = {}
        self.given_up: dict[Future[TaskRun], float] = {}
        self.complete = True

    def carry_out(self) -> bool:
        """Run the attempt; False if a task could not start, because time is over or the server ends."""
        # Do not wait for the pool, because a task run that does not return would block the graph.
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix=f"task-{self.run.root.name}")
        try:
            while True:
                self._begin(pool)
                if not self.futures:
                    return self.complete
                self._wait()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Start tasks while workers are free; waiting for a worker does not count towards a timeout."""
        while too_late := self._too_late():
            for name in too_late:
                self.frontier.note(name, State.NOT_EXECUTED)
            self.complete = False
        for name in self.frontier.ready[: self.workers - len(self.futures)]:
            self._submit(pool, name)

    def _too_late(self) -> tuple[str, ...]:
        """The finalizer starts even after the graph's timeout; nothing starts when the server ends."""
        if self.account.stopping.is_set():
            return self.frontier.ready
        if time.monotonic() < self.deadline:
            return ()
        return tuple(name for name in self.frontier.ready if not self.frontier.finalizes(name))

    def _submit(self, pool: ThreadPoolExecutor, name: str) -> None:
        running = RunningTask(self.account, self.run, self.tasks[name], self.graph, dict(self.states))
        self.frontier.note(name, State.EXECUTING)
        with self.lock:
            self.running[(self.run.group_id, name)] = running
        future = pool.submit(deeply, running.execute)
        self.futures[future] = running
        self.ends[future] = self._limit(name)

    def _limit(self, name: str) -> tuple[float, float]:
        """When a task that starts now times out, and the timeout in seconds.

        The root's timeout applies to the whole graph; a child's own timeout takes precedence for the child. Of it and
        STATEMENT_TIMEOUT_IN_SECONDS, the lower one that is not 0 applies.
        https://docs.snowflake.com/en/user-guide/tasks-graphs, …/sql-reference/sql/create-task
        """
        now, settings = time.monotonic(), self.tasks[name].settings
        own = settings.user_task_timeout_ms
        timeout = timeout_seconds(parameters.in_effect(self.account, self.tasks[name]).user_task_timeout_ms)
        limits = [(now + timeout, timeout)]
        statement = float(settings.session_parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0)
        if statement:
            limits.append((now + statement, statement))
        is_finalizer = self.graph.finalizer is not None and name == self.graph.finalizer.name
        if not is_finalizer and (own is None or name == self.graph.root):
            root = parameters.in_effect(self.account, self.tasks[self.graph.root])
            limits.append((self.deadline, timeout_seconds(root.user_task_timeout_ms)))
        return min(limits)

    def _wait(self) -> None:
        next_end = min(self.given_up.get(future, self.ends[future][0]) for future in self.futures)
        pause = max(0.0, min(next_end - time.monotonic(), GLANCE))
        done, _ = wait(self.futures, timeout=pause, return_when=FIRST_COMPLETED)
        for future in done:
            self._note(future, future.result())
        now = time.monotonic()
        for future in [f for f in self.futures if f in self.given_up and self.given_up[f] <= now]:
            self._note(future, self.futures[future].abandoned())
        for future, running in self.futures.items():
            end, seconds = self.ends[future]
            if end <= now:
                running.time_out(seconds)
            if running.stop.state is not None:
                self.given_up.setdefault(future, now + PATIENCE)
                running.interrupt_again()

    def _note(self, future: Future[TaskRun], ended: TaskRun) -> None:
        running = self.futures.pop(future)
        name = running.task.name.name
        with self.lock:
            self.running.pop((self.run.group_id, name), None)
        self.frontier.note(name, ended.state)
        if name == self.graph.root:
            self.root_ended(self.run, ended.state)
        if ended.state.is_failure:
            outcome.notify_failure(self.account, self.run, self.tasks, ended)
