"""The runner of an account, and EXECUTE TASK."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sfml.local.errors import not_emulated
from sfml.local.names import ObjectName
from sfml.local.tasks import commands, run_store
from sfml.local.tasks.model import Task
from sfml.local.tasks.rules import refused
from sfml.local.tasks.run_store import GraphRun
from sfml.local.tasks.runner import Runner
from sfml.semantics.conditions import reads_streams
from sfml.semantics.config import ConfigError, config_text, merged, parse_config
from sfml.semantics.retry import MAX_RETRY_AGE_DAYS, is_retryable
from sfml.semantics.states import State

if TYPE_CHECKING:
    from sfml.local.account import Account

_runners: WeakKeyDictionary[Account, Runner] = WeakKeyDictionary()
_lock = threading.Lock()


def runner_of(account: Account) -> Runner:
    with _lock:
        if account not in _runners:
            _runners[account] = Runner(account)
        return _runners[account]


def start(account: Account) -> None:
    runner_of(account).recover()


def stop(account: Account) -> None:
    runner_of(account).stop()


def execute(account: Account, name: ObjectName, override: str | None = None) -> GraphRun:
    """EXECUTE TASK [USING CONFIG]: a run of the graph, once, without resuming its root.

    https://docs.snowflake.com/en/sql-reference/sql/execute-task
    """
    root = _root(account, name)
    runner = runner_of(account)
    policy = root.settings.overlap_policy
    if policy not in (None, "NO_OVERLAP") and runner.is_executing(root.id):
        raise not_emulated(
            f"EXECUTE TASK {name.fqn()} while a run of it executes, with OVERLAP_POLICY = {policy}"
        )
    return runner.execute(root, run_config(root, override))


def run_config(root: Task, override: str | None) -> str | None:
    """The configuration of a run: the root's own with the override merged in."""
    if override is None:
        return root.settings.config
    try:
        given = parse_config(override)
        default = parse_config(root.settings.config) if root.settings.config else {}
    except ConfigError as cause:
        raise refused(str(cause)) from cause
    return config_text(merged(default, given))


def retry_last(account: Account, name: ObjectName) -> GraphRun:
    """EXECUTE TASK … RETRY LAST: the last run again from what failed."""
    root = _root(account, name)
    runs = run_store.graph_runs(account.store, root_id=root.id)
    if not runs:
        raise refused(f"Cannot perform retry: task {name.fqn()} has no graph run to retry.")
    return _retry(account, root, runs[0])


def retry_group(account: Account, name: ObjectName, group: str) -> GraphRun:
    """EXECUTE TASK … RETRY GRAPH RUN GROUP: the same for an older run."""
    root = _root(account, name)
    attempts = run_store.attempts(account.store, group)
    if not attempts or attempts[-1].root_id != root.id:
        raise refused(f"Cannot perform retry: Graph run group with ID {group} not found.")
    return _retry(account, root, attempts[-1])


def _retry(account: Account, root: Task, last: GraphRun) -> GraphRun:
    """Retry a group whose last attempt failed, whose graph is as it was, and which is not too old."""
    if not is_retryable(last.state):
        raise refused(
            f"Cannot perform retry: the last graph run is {last.state}, neither FAILED nor CANCELED."
        )
    if account.clock() - last.original_time > timedelta(days=MAX_RETRY_AGE_DAYS):
        raise refused(f"Cannot perform retry: its first attempt is older than {MAX_RETRY_AGE_DAYS} days.")
    version = commands.commit(account, root, commands.siblings(account, root.name))
    if version != last.version:
        raise refused("Cannot perform retry: the task graph was modified since the graph run.")
    return runner_of(account).retry(last)


def _root(account: Account, name: ObjectName) -> Task:
    task = commands.fetch(account, name)
    if not task.settings.is_root:
        raise refused(
            f"Execute task cannot be called on non-root task {name.fqn()}. "
            "Call EXECUTE TASK on the root task of its graph instead."
        )
    return task


def resume(account: Account, name: ObjectName) -> None:
    """ALTER TASK … RESUME; triggered roots are refused, for nothing here would trigger them."""
    task = commands.fetch(account, name)
    if task.settings.is_root and not task.settings.schedule and reads_streams(task.settings.condition):
        raise not_emulated(f"ALTER TASK {name.fqn()} RESUME: tasks triggered by streams")
    commands.resume(account, name)


def current_runs(account: Account, root_id: str | None = None) -> list[GraphRun]:
    """Runs that execute or wait, the latest first."""
    return run_store.graph_runs(account.store, root_id=root_id, states=(State.EXECUTING, State.SCHEDULED))


def complete_runs(
    account: Account, root_id: str | None = None, *, error_only: bool = False
) -> list[GraphRun]:
    """Runs that ended within the last hour, the latest first; runs whose root was skipped are left out."""
    states = (
        (State.FAILED, State.CANCELLED) if error_only else (State.SUCCEEDED, State.FAILED, State.CANCELLED)
    )
    since = account.clock() - timedelta(minutes=60)
    runs = run_store.graph_runs(account.store, root_id=root_id, states=states)
    return [run for run in runs if run.completed_time and run.completed_time >= since]
