"""Starts, follows, retries and cancels runs through the ports."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sfml.account.history import DeployedRoot, GraphRow, Run, TaskRow
from sfml.account.ports import RunReader, RunStarter
from sfml.account.run_reading import are_older, with_later
from sfml.account.run_record import run_of
from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import ConflictingState, ConnectionFailed, UsageError
from sfml.base.quoting import raw
from sfml.base.record import record
from sfml.graph.located import Scalar
from sfml.graph.model import Mode, Target
from sfml.lower.desired import DesiredGraph
from sfml.lower.names import folded_name

_LOCAL_INTERVAL = 0.25
_ACCOUNT_INTERVAL = 3.0

NONCE = "_sfml_run"
"""The config key that identifies a run, because EXECUTE TASK returns no id. Steps do not see it."""

LOOKS_AT_MOST = 0.25
"""The maximum share of time for reading a run's state; reading many tasks is expensive for a local server, too."""

END_WITHIN = 60.0
"""Seconds within which cancelled tasks must have ended."""

START_WITHIN = 120.0
"""Seconds within which a started run must appear in the history."""

GONE_AFTER = 10
"""The number of readings in a row without a run after which the run counts as gone from the history."""


@record
class AwaitedRun:
    """A run to follow, by its root and run group, in the history from `since` on.

    It has ended with the first attempt after number `after` that is not retried automatically, as attempts up to number
    `retries` are after a failure.
    """

    root: DeployedRoot
    group: str
    since: datetime | None
    retries: int
    after: int = 0


@record
class StartedRun:
    """A run that was started; `nonce` identifies it in the history."""

    root: DeployedRoot
    nonce: str
    asked_at: datetime


class Runner(RunReader, RunStarter, Protocol):
    """The ports that `sfml run` needs: reading and starting runs."""


def start(desired: DesiredGraph, account: Runner, overrides: Mapping[str, str]) -> StartedRun:
    """Execute the root once. Raises `ConflictingState` if it is not deployed, `UsageError` for an invalid override."""
    root = account.root(desired.root.name)
    if root is None:
        raise not_deployed(desired)
    config = checked_overrides(desired, overrides)
    nonce = uuid.uuid4().hex
    asked_at = datetime.now(UTC)
    account.execute(desired.root.name, {**config, NONCE: nonce})
    return StartedRun(root, nonce, asked_at)


def not_deployed(desired: DesiredGraph) -> ConflictingState:
    """The error for a pipeline whose root is not in its target: nothing of it can run before an apply."""
    return ConflictingState(
        f"pipeline `{desired.pipeline}` is not deployed in target `{desired.target.name}`",
        help=f"sfml apply {desired.where}",
    )


def checked_overrides(desired: DesiredGraph, overrides: Mapping[str, str]) -> Mapping[str, Scalar]:
    """The overrides converted to the types of the config's values; raises `UsageError` for an invalid one."""
    config = desired.root.config or {}
    values: dict[str, Scalar] = {}
    for key, text in overrides.items():
        if key not in config:
            known = ", ".join(f"`{name}`" for name in sorted(config)) or "none"
            raise UsageError(
                f"`{key}` is not a key of the pipeline's config",
                help=did_you_mean(key, config) or f"its keys are: {known}",
            )
        if desired.target.mode is Mode.PRODUCTION and key not in desired.overridable:
            raise UsageError(
                f"`{key}` may not be overridden in production target `{desired.target.name}`",
                help=f"list it under `overridable:` in {desired.spec_path}'s graph, or change the spec",
            )
        values[key] = _typed(key, text, config[key])
    return values


def _typed(key: str, text: str, like: Scalar) -> Scalar:
    if isinstance(like, str):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, float) and not math.isfinite(value):
        value = None  # JSON has no NaN and no Infinity
    if isinstance(like, bool) != isinstance(value, bool) or not isinstance(value, bool | int | float):
        kind = "true or false" if isinstance(like, bool) else "a number"
        raise UsageError(f"--config {key}={text}: the config's `{key}` is {kind}", help=f"give {kind}")
    return value


def follow(
    desired: DesiredGraph,
    account: RunReader,
    started: StartedRun,
    *,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
    suspended: frozenset[str] = frozenset(),
) -> Iterator[Run]:
    """Yield the run at each reading, the last time when it has ended, automatic retries included.

    `interval` is the minimum number of seconds between readings. Raises `ConnectionFailed` if the run does not appear
    in the history.
    """
    group, rows = _found(account, started, interval, sleep)
    if (begun := run_of(desired, rows, group, state="EXECUTING", suspended=suspended)) is not None:
        yield begun  # it has begun a moment ago, so there is nothing else to be read yet
        sleep(interval)
    retries = desired.root.task_auto_retry_attempts or 0
    awaited = AwaitedRun(started.root, group, started.asked_at - timedelta(minutes=1), retries)
    yield from _readings(desired, account, awaited, interval=interval, sleep=sleep, suspended=suspended)


def retry(desired: DesiredGraph, account: Runner) -> tuple[DeployedRoot, Run]:
    """Retry the failed tasks of the last run; returns the root and the run from before. Raises `ConflictingState`
    if there is no run.
    """
    root = account.root(desired.root.name)
    if root is None:
        raise not_deployed(desired)
    run = last_run(desired, account, root)
    if run is None:
        raise ConflictingState(
            f"pipeline `{desired.pipeline}` has no run in target `{desired.target.name}` to be retried",
            help=f"sfml run {desired.where}",
        )
    account.retry(desired.root.name)
    return root, run


def follow_retry(
    desired: DesiredGraph,
    account: RunReader,
    root: DeployedRoot,
    failed: Run,
    *,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Run]:
    """Yield the retried run at each reading until the new attempt has ended."""
    since = failed.started_at - timedelta(minutes=1) if failed.started_at else None
    awaited = AwaitedRun(root, failed.run_id, since, retries=failed.attempt, after=failed.attempt)
    yield from _readings(desired, account, awaited, interval=interval, sleep=sleep)


def _readings(
    desired: DesiredGraph,
    account: RunReader,
    awaited: AwaitedRun,
    *,
    interval: float,
    sleep: Callable[[float], None],
    suspended: frozenset[str] = frozenset(),
) -> Iterator[Run]:
    """Yield the run at each reading, until its awaited attempt has ended.

    Raises `ConflictingState` if the run is gone: EXECUTE TASK takes the place of a run that waits for another one.
    https://docs.snowflake.com/en/sql-reference/sql/execute-task
    """
    missing = 0
    while missing < GONE_AFTER:
        looked = time.monotonic()
        run, ended = read_run(desired, account, awaited, suspended)
        pause = max(interval, (time.monotonic() - looked) * (1 / LOOKS_AT_MOST - 1))
        missing = missing + 1 if run is None else 0
        if run is not None:
            yield run
            if ended:
                return
        sleep(pause)
    raise ConflictingState(
        f"run {awaited.group} of {desired.pipeline} is gone from the history, and did not end: another run that was"
        " started meanwhile takes the place of one that waits, or the graph was removed",
        help=f"sfml history {desired.where}   shows what ran",
    )


def read_run(
    desired: DesiredGraph,
    account: RunReader,
    awaited: AwaitedRun,
    suspended: frozenset[str] = frozenset(),
) -> tuple[Run | None, bool]:
    """The run as it is now, and whether its awaited attempt has ended and is not retried automatically."""
    root, group = awaited.root, awaited.group
    # Read in this order: if the graph run has ended now, the rows that are read next are complete.
    graphs = [graph for graph in _records(account, root, group) if graph.run_group == group]
    rows = account.rows(root, awaited.since)
    last = max(graphs, key=lambda graph: graph.attempt, default=None)
    ended = (
        last is not None
        and last.attempt > awaited.after
        and last.state in ("SUCCEEDED", "FAILED", "CANCELLED")
        and (last.state != "FAILED" or last.attempt > awaited.retries)
    )
    # A root whose condition is false leaves one row and no graph run.
    own = [row for row in rows if row.run_group == group]
    skipped = bool(own) and all(row.state == "SKIPPED" and row.name == root.name for row in own)
    state = last.state if last and ended else "SKIPPED" if skipped else "EXECUTING"
    run = run_of(desired, rows, group, graphs=graphs, state=state, suspended=suspended)
    return run, ended or skipped


def _records(account: RunReader, root: DeployedRoot, group: str) -> tuple[GraphRow, ...]:
    """The records of the runs of a graph. Those that ended are not asked for while this run's first attempt goes on."""
    going_on = account.going_on(root)
    if any((graph.run_group, graph.attempt) == (group, 1) for graph in going_on):
        return going_on
    return (*going_on, *account.ended(root))


def _found(
    account: RunReader, started: StartedRun, interval: float, sleep: Callable[[float], None]
) -> tuple[str, tuple[TaskRow, ...]]:
    """The run group of the started run, found by its nonce, and the rows with it.

    Raises `ConnectionFailed` if it does not appear.
    """
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        rows = account.rows(started.root, started.asked_at - timedelta(minutes=1))
        for row in rows:
            if started.nonce in (row.config or "") and row.run_group:
                return row.run_group, rows
        sleep(interval)
    raise ConnectionFailed(
        f"the run did not appear in the history within {START_WITHIN:.0f} s",
        help="it may wait for a run that is executing; look with `sfml status`",
    )


def cancel_runs(
    desired: DesiredGraph,
    account: Runner,
    root: DeployedRoot,
    *,
    interval: float,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Cancel the executing runs; returns their run groups. Their finalizers still run, as after any failure.

    Snowflake cancels single tasks. Others of the graph may begin meanwhile, and between two tasks of a run none
    executes: so this repeats until nothing but finalizers is left of the runs.
    """
    last = raw(desired.finalizer.name) if desired.finalizer else None
    ended: dict[str, None] = {}
    deadline = time.monotonic() + END_WITHIN
    while True:
        rows = [row for row in account.rows(root) if row.state == "EXECUTING"]
        executing = [row for row in rows if row.name != last]
        for name in dict.fromkeys(row.name for row in executing):
            account.cancel(folded_name(name))
        ended |= dict.fromkeys(row.run_group for row in executing)
        left = [row.run_group for row in executing]
        if not executing:
            finalizing = {row.run_group for row in rows}
            left = [
                graph.run_group
                for graph in account.going_on(root)
                if graph.state == "EXECUTING" and graph.run_group not in finalizing
            ]
        if not left:
            return tuple(ended)
        if time.monotonic() > deadline:
            raise ConnectionFailed(
                f"run {left[0]} was asked to end {END_WITHIN:.0f} s ago and executes still",
                help="look with `sfml status`, and try again",
            )
        sleep(interval)


def last_run(desired: DesiredGraph, account: RunReader, root: DeployedRoot) -> Run | None:
    """The newest run of the last seven days whose root was not skipped, or None."""
    return next(iter(recent_runs(desired, account, root, limit=1)), None)


def recent_runs(
    desired: DesiredGraph,
    account: RunReader,
    root: DeployedRoot,
    *,
    limit: int | None = None,
    with_skipped: bool = False,
) -> tuple[Run, ...]:
    """The runs of the last seven days, newest first; runs with a skipped root only if `with_skipped`."""
    rows, records = read_runs(account, root)
    return runs_of(desired, rows, records, limit=limit, with_skipped=with_skipped)


def read_runs(account: RunReader, root: DeployedRoot) -> tuple[tuple[TaskRow, ...], tuple[GraphRow, ...]]:
    """The rows and the records of the graph's runs, fitted together: see `account.run_reading`."""
    records = account.graphs(root)
    rows = account.rows(root)
    if are_older(records, rows, datetime.now(UTC)):
        records = with_later(records, account.graphs(root))
    return rows, records


def runs_of(
    desired: DesiredGraph,
    rows: Iterable[TaskRow],
    graphs: Iterable[GraphRow],
    *,
    limit: int | None = None,
    with_skipped: bool = False,
    suspended: frozenset[str] = frozenset(),
) -> tuple[Run, ...]:
    """The runs that these rows describe, newest first, without runs that are only scheduled."""
    began: dict[str, list[TaskRow]] = {}
    for row in rows:
        if row.state != "SCHEDULED" and row.run_group:
            began.setdefault(row.run_group, []).append(row)
    root = raw(desired.root.name)
    earliest = datetime.min.replace(tzinfo=UTC)

    def is_wanted(group: list[TaskRow]) -> bool:
        return with_skipped or not any(row.name == root and row.state == "SKIPPED" for row in group)

    def order(group: list[TaskRow]) -> tuple[datetime, int]:
        return max((row.scheduled_time or earliest, row.attempt) for row in group)

    wanted = [group for group in began.values() if is_wanted(group)]
    records = tuple(graphs)
    executing = {graph.run_group for graph in records if graph.state == "EXECUTING"}
    runs = (
        run_of(
            desired,
            group,
            group[0].run_group,
            graphs=records,
            state="EXECUTING" if group[0].run_group in executing else None,
            suspended=suspended,
        )
        for group in sorted(wanted, key=order, reverse=True)[:limit]
    )
    return tuple(run for run in runs if run is not None)


def interval_of(target: Target) -> float:
    """Seconds between two readings of a run."""
    return _LOCAL_INTERVAL if target.is_local else _ACCOUNT_INTERVAL
