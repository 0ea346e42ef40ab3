"""Runs of graphs: one thread a run, a few tasks of it at once.

A run takes the version of the graph that was fixed when it was started; `sfml.semantics` decides what runs
next. Schedules are not fired: a run begins with EXECUTE TASK.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TYPE_CHECKING

from sfml.local.names import ObjectName
from sfml.local.tasks import commands, outcome, run_store, store
from sfml.local.tasks.model import Task
from sfml.local.tasks.run_store import GraphRun, TaskRun
from sfml.local.tasks.task_run import INTERNAL, SERVER_ENDED, RunningTask
from sfml.semantics.decisions import graph_state, next_step
from sfml.semantics.graph import GraphShape, TaskShape, build_graph
from sfml.semantics.limits import timeout_seconds
from sfml.semantics.retry import kept_states, should_retry
from sfml.semantics.states import State

if TYPE_CHECKING:
    from sfml.local.account import Account

WORKERS = int(os.environ.get("SFML_LOCAL_TASK_WORKERS", "4"))
"""How many tasks of one graph run at the same time."""

PATIENCE = 10.0
"""Seconds that a task run gets to come back once it was asked to stop."""

GLANCE = 0.5
"""Seconds after which a graph looks again whether a task run was asked to stop."""


class Runner:
    """The graph runs of one account that are executing, and those that wait for one to end."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lock = threading.RLock()
        self._threads: dict[str, threading.Thread] = {}
        """By root id: a graph runs once at a time."""
        self._running: dict[tuple[str, str], RunningTask] = {}
        """By run group and task name."""

    # -- starting and ending

    def recover(self) -> None:
        """Mark what a dead server left executing as failed, and start what it left waiting."""
        now = self.account.clock()
        for row in run_store.unfinished_task_runs(self.account.store):
            ended = replace(
                row, state=State.FAILED, error_code=INTERNAL, error_message=SERVER_ENDED, completed_time=now
            )
            run_store.finish_task_run(self.account.store, ended)
        for run in run_store.graph_runs(self.account.store, states=(State.EXECUTING,)):
            run_store.set_graph_state(self.account.store, run, State.FAILED, completed_time=now)
        for run in reversed(run_store.graph_runs(self.account.store, states=(State.SCHEDULED,))):
            with self.lock:
                if run.root_id not in self._threads:
                    self._launch(run)

    def stop(self) -> None:
        """End every task run; what has not begun does not begin any more."""
        with self.lock:
            running, threads = list(self._running.values()), list(self._threads.values())
        for task in running:
            task.stop_with(State.FAILED, INTERNAL, SERVER_ENDED)
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    # -- asking for runs

    def execute(self, root: Task, config: str | None, scheduled_from: str = "EXECUTE_TASK") -> GraphRun:
        """Start a run of the root's graph; while one executes, only the latest asked for waits."""
        with self.lock, self.account.store.transaction():
            version = commands.commit(self.account, root, commands.siblings(self.account, root.name))
            now = self.account.clock()
            run = GraphRun(
                group_id=str(uuid.uuid4()),
                attempt=1,
                root_id=root.id,
                root=root.name,
                version=version,
                state=State.SCHEDULED,
                scheduled_from=scheduled_from,
                run_id=int(now.timestamp() * 1000),
                config=config,
                original_time=now,
                scheduled_time=now,
            )
            return self._enqueue(run)

    def retry(self, last: GraphRun) -> GraphRun:
        """Start another attempt of a run group."""
        with self.lock, self.account.store.transaction():
            return self._enqueue(self._next_attempt(last, "MANUAL RETRY"))

    def _next_attempt(self, last: GraphRun, scheduled_from: str) -> GraphRun:
        return replace(
            last,
            attempt=last.attempt + 1,
            state=State.SCHEDULED,
            scheduled_from=scheduled_from,
            scheduled_time=self.account.clock(),
            query_start_time=None,
            completed_time=None,
        )

    def _enqueue(self, run: GraphRun) -> GraphRun:
        for waiting in run_store.graph_runs(
            self.account.store, root_id=run.root_id, states=(State.SCHEDULED,)
        ):
            run_store.delete_graph_run(self.account.store, waiting)
        stored = run_store.add_graph_run(self.account.store, run)
        return stored if run.root_id in self._threads else self._launch(stored)

    def is_executing(self, root_id: str) -> bool:
        with self.lock:
            return root_id in self._threads

    def cancel(self, task: Task) -> int:
        """Cancel the runs of this task that execute; answers how many there were.

        Only this task: the others of its graph go on.
        https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
        """
        with self.lock:
            found = [running for running in self._running.values() if running.task.id == task.id]
        for running in found:
            running.cancel()
        return len(found)

    # -- carrying a run out

    def _launch(self, run: GraphRun) -> GraphRun:
        run = self._begun(run)
        thread = threading.Thread(
            target=self._carry_out, args=(run,), name=f"graph-{run.root.name}", daemon=True
        )
        self._threads[run.root_id] = thread
        thread.start()
        return run

    def _begun(self, run: GraphRun) -> GraphRun:
        """The run as executing: from now on nobody may take it for one that waits."""
        now = self.account.clock()
        run_store.set_graph_state(self.account.store, run, State.EXECUTING, query_start_time=now)
        return replace(run, state=State.EXECUTING, query_start_time=now)

    def _carry_out(self, run: GraphRun) -> None:
        """A run with its automatic retries, then the run that waits for it."""
        with self.lock:  # the transaction that wrote the run down has ended once the lock is free
            pass
        current: GraphRun | None = run
        while current is not None:
            again = self._attempt(current)
            with self.lock:
                current = again or self._waiting(run.root_id)
                if current is None:
                    self._threads.pop(run.root_id, None)

    def _waiting(self, root_id: str) -> GraphRun | None:
        if self.account.stopping.is_set():
            return None
        waiting = run_store.graph_runs(self.account.store, root_id=root_id, states=(State.SCHEDULED,))
        return self._begun(waiting[0]) if waiting else None

    def _attempt(self, run: GraphRun) -> GraphRun | None:
        """Run one attempt to its end; answers the automatic retry that follows, if one does."""
        tasks = {task.name.name: task for task in store.version(self.account.store, run.root_id, run.version)}
        graph = build_graph(run.root.name, (_shape(task, run.root) for task in tasks.values()))
        states = self._kept(run, graph)
        deadline = time.monotonic() + timeout_seconds(tasks[graph.root].settings.user_task_timeout_ms)
        complete = _Attempt(self, run, graph, tasks, states, deadline).carry_out()
        state = graph_state(graph, states)
        if not complete and state is State.SUCCEEDED:
            state = State.FAILED
        retries = tasks[graph.root].settings.task_auto_retry_attempts or 0
        attempt = self._automatic_attempts(run) + 1
        again = should_retry(state, attempt, retries) and not self.account.stopping.is_set()
        with self.lock, self.account.store.transaction():
            outcome.settle(self.account, run, graph, tasks, states, state, exhausted=not again)
            if again:
                retry = run_store.add_graph_run(
                    self.account.store, self._next_attempt(run, "AUTOMATIC RETRY")
                )
                return self._begun(retry)
        return None

    def _automatic_attempts(self, run: GraphRun) -> int:
        """How many automatic retries have led to this attempt since a person asked for it."""
        count = 0
        for attempt in reversed(run_store.attempts(self.account.store, run.group_id)):
            if attempt.attempt > run.attempt:
                continue
            if attempt.scheduled_from != "AUTOMATIC RETRY":
                break
            count += 1
        return count

    def _kept(self, run: GraphRun, graph: GraphShape) -> dict[str, State]:
        """What earlier attempts of the group settled."""
        latest: dict[str, State] = {}
        for row in run_store.task_runs(self.account.store, run.group_id):
            if row.attempt < run.attempt:
                latest[row.name] = row.state
        return kept_states(graph, latest)


class _Attempt:
    """The loop over one attempt: begin what may begin, wait, note what ended, watch the clock."""

    def __init__(
        self,
        runner: Runner,
        run: GraphRun,
        graph: GraphShape,
        tasks: dict[str, Task],
        states: dict[str, State],
        deadline: float,
    ) -> None:
        self.runner, self.run, self.graph, self.tasks, self.states = runner, run, graph, tasks, states
        self.deadline = deadline
        self.futures: dict[Future[TaskRun], RunningTask] = {}
        self.ends: dict[Future[TaskRun], tuple[float, float]] = {}
        self.given_up: dict[Future[TaskRun], float] = {}
        self.complete = True

    def carry_out(self) -> bool:
        """False when a task that was to run could not begin: out of time, or the server ends."""
        # The pool is not waited for: a task run that does not come back would hold the graph.
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"task-{self.run.root.name}")
        try:
            while True:
                self._begin(pool)
                if not self.futures:
                    return self.complete
                self._wait()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        """Begin what may begin now, as far as workers are free: waiting for one is no part of a timeout."""
        while True:
            step = next_step(self.graph, self.states)
            for name in step.never:
                self.states[name] = State.NOT_EXECUTED
            too_late = [name for name in step.consider if not self._may_begin(name)]
            for name in too_late:
                self.states[name] = State.NOT_EXECUTED
                self.complete = False
            if not too_late:
                break
        for name in step.consider[: WORKERS - len(self.futures)]:
            self._submit(pool, name)

    def _may_begin(self, name: str) -> bool:
        """The finalizer runs even when the graph is out of time; nothing runs when the server ends."""
        if self.runner.account.stopping.is_set():
            return False
        finalizer = self.graph.finalizer
        return time.monotonic() < self.deadline or (finalizer is not None and name == finalizer.name)

    def _submit(self, pool: ThreadPoolExecutor, name: str) -> None:
        running = RunningTask(self.runner.account, self.run, self.tasks[name], self.graph, dict(self.states))
        self.states[name] = State.EXECUTING
        with self.runner.lock:
            self.runner._running[(self.run.group_id, name)] = running
        future = pool.submit(running.execute)
        self.futures[future] = running
        self.ends[future] = self._limit(name)

    def _limit(self, name: str) -> tuple[float, float]:
        """When a task begun now times out, and the seconds of the setting that ends it.

        The root's timeout is the whole graph's; a child's own wins for that child. Of it and
        STATEMENT_TIMEOUT_IN_SECONDS the lower one that is not 0 counts.
        https://docs.snowflake.com/en/user-guide/tasks-graphs, …/sql-reference/sql/create-task
        """
        now, settings = time.monotonic(), self.tasks[name].settings
        own = settings.user_task_timeout_ms
        limits = [(now + timeout_seconds(own), timeout_seconds(own))]
        statement = float(settings.session_parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0)
        if statement:
            limits.append((now + statement, statement))
        is_finalizer = self.graph.finalizer is not None and name == self.graph.finalizer.name
        if not is_finalizer and (own is None or name == self.graph.root):
            root = self.tasks[self.graph.root].settings
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
        with self.runner.lock:
            self.runner._running.pop((self.run.group_id, name), None)
        self.states[name] = ended.state
        if ended.state.is_failure:
            outcome.notify_failure(self.runner.account, self.run, self.tasks, ended)


def _shape(task: Task, root: ObjectName) -> TaskShape:
    """A task's shape in a run: executing a suspended root runs it all the same."""
    shape = task.shape()
    return replace(shape, suspended=False) if task.name == root else shape
