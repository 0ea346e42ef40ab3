"""Runs tests of a schedule on a local Snowflake: the test moves its clock, and its scheduler fires."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.declared_tests import ScheduleTest
from sfml.graph.model import CronSchedule, GraphSettings, IntervalSchedule, Target, TaskGraph
from sfml.graph_tests.schedule_tests import expected_moments, unmet_moments
from sfml.graph_tests.verdict import Verdict
from sfml.semantics.states import State
from sfml.semantics.timeline import Event, Firing, Suspension
from sfml.testing import pipelines
from sfml.testing.constants import constant_task, failing_body, make_attempts
from sfml.testing.local_snowflake import LocalSnowflake
from sfml_local.services.tasks import run_store, store

MOST_RUNS = 40
"""The maximum number of runs to execute; a test with more is judged by the rules of `semantics` instead."""


def can_fire(settings: GraphSettings, test: ScheduleTest) -> bool:
    """Whether moving the clock can test the schedule. It cannot if runs must take time or streams must have data."""
    is_timed = isinstance(settings.schedule, CronSchedule | IntervalSchedule)
    if not is_timed or test.takes or settings.when is not None or settings.run_on is not None:
        return False
    moments = expected_moments(settings, test)
    return moments is not None and len(moments) <= MOST_RUNS


def firing_graph(graph: TaskGraph, test: ScheduleTest, target: Target) -> TaskGraph:
    """A graph with the same schedule and only the first task, which fails in the runs that the test wants to fail."""
    settings, failed = graph.settings, test.failed_runs
    first = replace(graph.tasks[0], after=(), outcomes=None, run_if=None, when=None)
    body = "SELECT 1"
    if failed is None:
        body = failing_body(first.name, None, body)
    elif failed:
        attempts: set[int] = set()
        count = 0
        for number in range(1, max(failed) + 1):
            tried = settings.retries + 1 if number in failed else 1
            attempts |= set(range(count + 1, count + tried + 1)) if number in failed else set()
            count += tried
        body = failing_body(first.name, attempts, body)
    return replace(
        graph,
        target=target,
        tasks=(constant_task(first, body, target),),
        finalizer=None,
        seeds=(),
        moved={},
        overridable=(),
    )


def fired_verdict(spec: CompiledSpec, test: ScheduleTest, account: LocalSnowflake) -> Verdict:
    """Apply the spec, move the account's clock through the test's time, and judge the runs that began."""
    target, root = spec.desired.target, spec.desired.root.name
    account.clock.hold(test.since.astimezone(UTC))
    pipelines.apply(spec, account.connect_args())
    make_attempts(account, target)
    name = f"{target.database}.{target.schema}.{root}"
    account.sql(f"ALTER TASK {name} SUSPEND")
    account.sql(f"ALTER TASK {name} RESUME")  # the schedule starts at the time of this statement
    until = test.until or max(at for at, _ in test.runs)
    account.clock.advance(to=until.astimezone(UTC))
    return Verdict(test, tuple(unmet_moments(test, _events(account, test))))


def _events(account: LocalSnowflake, test: ScheduleTest) -> tuple[Event, ...]:
    """The firings and suspensions of the account's scheduler, in order of time."""
    tasks = account.server.account.store
    runs = run_store.graph_runs(tasks)
    first = {run.group_id: run for run in runs if run.attempt == 1}
    events: list[Event] = [
        Firing(run.scheduled_time, run.state is not State.SKIPPED) for run in first.values()
    ]
    events.sort(key=lambda event: event.at)
    if test.until is None:
        events = events[: len(test.runs)]
    for root in {run.root_id for run in runs}:
        task = store.find_by_id(tasks, root)
        if task is not None and task.last_suspended_reason == "SUSPENDED_DUE_TO_ERRORS":
            assert task.last_suspended_on is not None
            events.append(Suspension(task.last_suspended_on))
    return tuple(events)
