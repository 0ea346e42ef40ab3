"""The runner and the scheduler of an account, and EXECUTE TASK."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sfml.semantics.config import ConfigError, config_text, merged, parse_config
from sfml.semantics.retry import MAX_RETRY_AGE_DAYS, is_retryable
from sfml.semantics.states import State
from sfml_local.core.errors import SqlError
from sfml_local.core.names import ObjectName
from sfml_local.services.tasks import commands, run_store
from sfml_local.services.tasks.model import Task
from sfml_local.services.tasks.rules import refused
from sfml_local.services.tasks.run_store import GraphRun
from sfml_local.services.tasks.runner import Runner
from sfml_local.services.tasks.scheduler import Scheduler

if TYPE_CHECKING:
    from sfml_local.core.account import Account


def runner_of(account: Account) -> Runner:
    """What runs the account's graphs."""
    return account.part(Runner)


def scheduler_of(account: Account) -> Scheduler:
    """What fires the account's schedules and triggers."""
    return account.part(Scheduler)


def start(account: Account) -> None:
    runner_of(account).recover()
    if account.schedules:
        scheduler_of(account).turn_on()


def stop(account: Account) -> None:
    scheduler_of(account).stop()
    runner_of(account).stop()


def execute(account: Account, name: ObjectName, override: str | None = None) -> GraphRun:
    """EXECUTE TASK [USING CONFIG]: runs the graph once, without resuming its root.

    https://docs.snowflake.com/en/sql-reference/sql/execute-task
    """
    root = _root(account, name)
    return runner_of(account).execute(root, run_config(root, override))


def run_config(root: Task, override: str | None) -> str | None:
    """The configuration of a run: the root's, merged with the override."""
    if override is None:
        return root.settings.config
    try:
        given = parse_config(override)
        default = parse_config(root.settings.config) if root.settings.config else {}
    except ConfigError as cause:
        raise refused(str(cause)) from cause
    return config_text(merged(default, given))


def retry_last(account: Account, name: ObjectName) -> GraphRun:
    """EXECUTE TASK … RETRY LAST: repeats the last run from its failed tasks."""
    root = _root(account, name)
    # A missed time is not a run.
    runs = [run for run in run_store.graph_runs(account.store, root_id=root.id) if not _was_missed(run)]
    if not runs:
        raise _nothing_to_retry(root)
    return _retry(account, root, runs[0])


def retry_group(account: Account, name: ObjectName, group: str) -> GraphRun:
    """EXECUTE TASK … RETRY GRAPH RUN GROUP: the same for another run."""
    root = _root(account, name)
    attempts = run_store.attempts(account.store, group)
    if not attempts or attempts[-1].root_id != root.id:
        raise refused(f"Cannot perform retry: Graph run group with ID {group} not found.")
    return _retry(account, root, attempts[-1])


def _was_missed(run: GraphRun) -> bool:
    return run.state is State.SKIPPED and run.query_start_time is None


def _retry(account: Account, root: Task, last: GraphRun) -> GraphRun:
    """Retry a group whose last attempt failed, whose graph has not changed, and which is not too old."""
    if last.state is State.SUCCEEDED:
        raise refused(
            f"Cannot perform retry: run (GRAPH_RUN_GROUP_ID = {last.group_id}, attempt = {last.attempt}) "
            f"of graph with root task {root.name.name} had no failures.",
            91456,
            "55000",
        )
    if not is_retryable(last.state):
        raise _nothing_to_retry(root)
    if account.clock() - last.original_time > timedelta(days=MAX_RETRY_AGE_DAYS):
        raise refused(f"Cannot perform retry: its first attempt is older than {MAX_RETRY_AGE_DAYS} days.")
    version = commands.commit(account, root, commands.siblings(account, root.name))
    if version != last.version:
        raise refused("Cannot perform retry: the task graph was modified since the graph run.")
    return runner_of(account).retry(last)


def _nothing_to_retry(root: Task) -> SqlError:
    return refused(
        f"Cannot perform retry: no suitable run of graph with root task {root.name.name} to retry.",
        91457,
        "55000",
    )


def _root(account: Account, name: ObjectName) -> Task:
    task = commands.fetch(account, name)
    if not task.settings.is_root:
        raise refused(
            f"Execute task cannot be called on non-root task {name.fqn()}. "
            "Call EXECUTE TASK on the root task of its graph instead.",
            91435,
        )
    return task


def resume(account: Account, name: ObjectName) -> None:
    """ALTER TASK … RESUME."""
    commands.resume(account, name)


def current_runs(account: Account, root_id: str | None = None) -> list[GraphRun]:
    """Executing, waiting and scheduled runs, the latest first."""
    runs = run_store.graph_runs(account.store, root_id=root_id, states=(State.EXECUTING, State.SCHEDULED))
    return [*scheduler_of(account).upcoming(root_id), *runs]


def complete_runs(
    account: Account, root_id: str | None = None, *, error_only: bool = False
) -> list[GraphRun]:
    """Runs that ended within the last hour, the latest first, without runs whose root was skipped."""
    states = (
        (State.FAILED, State.CANCELLED) if error_only else (State.SUCCEEDED, State.FAILED, State.CANCELLED)
    )
    since = account.clock() - timedelta(minutes=60)
    runs = run_store.graph_runs(account.store, root_id=root_id, states=states)
    return [run for run in runs if run.completed_time and run.completed_time >= since]
