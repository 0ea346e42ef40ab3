"""Runs of graphs: one thread per run, several tasks of it in parallel.

A run uses the version of the graph that was fixed when it started; `sfml.semantics` decides what runs
next, and whether a run may begin beside others. EXECUTE TASK and the scheduler start runs here.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfml.semantics.decisions import graph_state
from sfml.semantics.graph import GraphShape, TaskShape, build_graph
from sfml.semantics.limits import timeout_seconds
from sfml.semantics.overlap import RunStage, may_begin
from sfml.semantics.retry import kept_states, should_retry
from sfml.semantics.states import State
from sfml_local.core.names import ObjectName
from sfml_local.services.tasks import commands, outcome, parameters, run_store, store
from sfml_local.services.tasks.attempt import PATIENCE, Attempt
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.run_store import GraphRun
from sfml_local.services.tasks.task_run import INTERNAL, SERVER_ENDED, RunningTask

if TYPE_CHECKING:
    from sfml_local.core.account import Account


@dataclass(slots=True)
class _Active:
    """An executing run in its own thread."""

    thread: threading.Thread
    stage: RunStage = RunStage.ROOT


class Runner:
    """The executing and waiting graph runs of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lock = threading.RLock()
        self._active: dict[str, dict[str, _Active]] = {}
        """The executing runs by root id and run group."""
        self._ended = threading.Condition(self.lock)
        self.running: dict[tuple[str, str], RunningTask] = {}
        """By run group and task name."""

    # -- starting and ending

    def recover(self) -> None:
        """Mark runs that a dead server left executing as failed, and start those that it left waiting."""
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
                if self._may_begin(run.root_id):
                    self._launch(run)

    def stop(self) -> None:
        """End every task run; no further task starts."""
        with self.lock:
            running = list(self.running.values())
            threads = [active.thread for runs in self._active.values() for active in runs.values()]
        for task in running:
            task.stop_with(State.FAILED, INTERNAL, SERVER_ENDED)
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def settle(self, seconds: float = 60) -> None:
        """Wait until no run executes."""
        with self._ended:
            if not self._ended.wait_for(lambda: not self._active, seconds):
                raise TimeoutError(f"graph runs go on after {seconds:g} s")

    # -- asking for runs

    def execute(self, root: Task, config: str | None) -> GraphRun:
        """Request a run of the root's graph; if it must wait, only the latest request waits."""
        with self.lock, self.account.store.transaction():
            version = commands.commit(self.account, root, commands.siblings(self.account, root.name))
            now = self.account.clock()
            return self._enqueue(new_run(root, version, now, "EXECUTE TASK", str(uuid.uuid4()), config))

    def begin(self, root: Task, moment: datetime, scheduled_from: str, group_id: str) -> GraphRun | None:
        """Start a run for a schedule or a stream; None if the overlap policy does not allow it.

        It uses the version that RESUME fixed. A run that may not begin is skipped, and never waits.
        """
        with self.lock, self.account.store.transaction():
            if not self._may_begin(root.id):
                return None
            run = new_run(root, root.graph_version, moment, scheduled_from, group_id, root.settings.config)
            return self._launch(run_store.add_graph_run(self.account.store, run))

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
        return self._launch(stored) if self._may_begin(run.root_id) else stored

    def may_begin(self, root_id: str) -> bool:
        """Whether the overlap policy lets a run of this root begin now."""
        with self.lock:
            return self._may_begin(root_id)

    def _may_begin(self, root_id: str) -> bool:
        going_on = [active.stage for active in self._active.get(root_id, {}).values()]
        if not going_on:
            return True
        root = store.find_by_id(self.account.store, root_id)
        return root is not None and may_begin(root.settings.overlap_policy, going_on)

    def cancel(self, task: Task) -> int:
        """Cancel the executing runs of this task; returns their number.

        The other tasks of its graph continue.
        https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
        """
        with self.lock:
            found = [running for running in self.running.values() if running.task.id == task.id]
        for running in found:
            running.cancel()
        return len(found)

    # -- carrying a run out

    def _launch(self, run: GraphRun) -> GraphRun:
        run = self._begun(run)
        thread = threading.Thread(
            target=self._carry_out, args=(run,), name=f"graph-{run.root.name}", daemon=True
        )
        self._active.setdefault(run.root_id, {})[run.group_id] = _Active(thread)
        thread.start()
        return run

    def _begun(self, run: GraphRun) -> GraphRun:
        """Mark the run as executing, so that it no longer counts as waiting."""
        now = self.account.clock()
        run_store.set_graph_state(self.account.store, run, State.EXECUTING, query_start_time=now)
        return replace(run, state=State.EXECUTING, query_start_time=now)

    def _carry_out(self, run: GraphRun) -> None:
        """Execute a run with its automatic retries, then start a waiting run."""
        with self.lock:  # the transaction that recorded the run has ended once the lock is free
            pass
        current: GraphRun | None = run
        try:
            while current is not None:
                current = self._attempt(current)
        finally:
            with self.lock:
                runs = self._active[run.root_id]
                del runs[run.group_id]
                if not runs:
                    del self._active[run.root_id]
                self._begin_waiting(run.root_id)
                self._ended.notify_all()
            self.account.attention.set()

    def root_ended(self, run: GraphRun, state: State) -> None:
        """Record that a run's root task has succeeded, so that only its children run from now on."""
        if state in (State.SUCCEEDED, State.SKIPPED):
            with self.lock:
                self._active[run.root_id][run.group_id].stage = RunStage.CHILDREN
                self._begin_waiting(run.root_id)

    def _begin_waiting(self, root_id: str) -> None:
        """Start the waiting run, if there is one and the policy allows it."""
        if self.account.stopping.is_set() or not self._may_begin(root_id):
            return
        waiting = run_store.graph_runs(self.account.store, root_id=root_id, states=(State.SCHEDULED,))
        if waiting:
            self._launch(waiting[0])

    def _attempt(self, run: GraphRun) -> GraphRun | None:
        """Run one attempt to its end; returns the automatic retry that follows, if any."""
        tasks = {task.name.name: task for task in store.version(self.account.store, run.root_id, run.version)}
        graph = build_graph(run.root.name, (_shape(task, run.root) for task in tasks.values()))
        states = self._kept(run, graph)
        limits = parameters.in_effect(self.account, tasks[graph.root])
        deadline = time.monotonic() + timeout_seconds(limits.user_task_timeout_ms)
        complete = Attempt(
            self.account, self.running, self.lock, self.root_ended, run, graph, tasks, states, deadline
        ).carry_out()
        state = graph_state(graph, states)
        if not complete and state is State.SUCCEEDED:
            state = State.FAILED
        retries = limits.task_auto_retry_attempts or 0
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
        """The number of automatic retries before this attempt, since the last manual start."""
        count = 0
        for attempt in reversed(run_store.attempts(self.account.store, run.group_id)):
            if attempt.attempt > run.attempt:
                continue
            if attempt.scheduled_from != "AUTOMATIC RETRY":
                break
            count += 1
        return count

    def _kept(self, run: GraphRun, graph: GraphShape) -> dict[str, State]:
        """The final states from earlier attempts of the group."""
        latest: dict[str, State] = {}
        for row in run_store.task_runs(self.account.store, run.group_id):
            if row.attempt < run.attempt:
                latest[row.name] = row.state
        return kept_states(graph, latest)


def new_run(
    root: Task, version: int, moment: datetime, scheduled_from: str, group_id: str, config: str | None
) -> GraphRun:
    """The first attempt of a run that begins at that moment."""
    return GraphRun(
        group_id=group_id,
        attempt=1,
        root_id=root.id,
        root=root.name,
        version=version,
        state=State.SCHEDULED,
        scheduled_from=scheduled_from,
        run_id=int(moment.timestamp() * 1000),
        config=config,
        original_time=moment,
        scheduled_time=moment,
    )


def _shape(task: Task, root: ObjectName) -> TaskShape:
    """A task's shape in a run; a suspended root still runs when it is executed."""
    shape = task.shape()
    return replace(shape, suspended=False) if task.name == root else shape
