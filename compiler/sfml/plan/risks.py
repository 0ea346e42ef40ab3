"""The risks of changes: a label and a sentence for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from sfml.graph.model import IntervalSchedule
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.plan.model import Action, Change, FieldChange, Plan, Risk, RiskLabel
from sfml.plan.run_activity import RunActivity
from sfml.semantics.limits import MAX_TIMEOUT_MS

_COST = {
    "warehouse": "runs on other compute",
    "serverless.initial": "starts with another size",
    "serverless.min": "may run on another size",
    "serverless.max": "may run on another size",
    "pool": "runs on another compute pool",
    "query_warehouse": "its queries run on another warehouse",
    "instances": "runs on another number of nodes",
    "retries": "a failed run is repeated another number of times",
}
_SCHEDULE = {
    "schedule": "runs at other times",
    "overlap": "changes whether runs may overlap",
    "suspend_after_failures": "changes after how many failed runs the schedule stops",
    "minimum_trigger_interval": "changes how often data may start it",
}
_READS_CONFIG = re.compile(r'"\$config": ?"([^"]+)"')
_ACCESS = re.compile(r"^(?:EXTERNAL_ACCESS_INTEGRATIONS|SECRETS) = .*$", re.MULTILINE)


def risks_of(change: Change, task: DesiredTask | None, desired: DesiredGraph) -> tuple[Risk, ...]:
    """The risks of one task's change, without duplicates; `task` is None for a task that is dropped."""
    return tuple(dict.fromkeys(_risks(change, task, desired)))


def _risks(change: Change, task: DesiredTask | None, desired: DesiredGraph) -> Iterator[Risk]:
    match change.action:
        case Action.DROP:
            yield Risk(RiskLabel.DESTRUCTIVE, "drops the task and its grants")
        case Action.MOVE:
            yield Risk(
                RiskLabel.DESTRUCTIVE, f"drops {change.moved_from} with its grants once the new task is there"
            )
        case Action.REPLACE:
            yield Risk(RiskLabel.DESTRUCTIVE, "drops the task with its grants and creates it anew")
        case _:
            pass
    if task is None:
        return
    for field in change.fields:
        yield from _field_risks(field, task, desired)


def _field_risks(field: FieldChange, task: DesiredTask, desired: DesiredGraph) -> Iterator[Risk]:
    if field.path in _COST:
        yield Risk(RiskLabel.COST, _COST[field.path])
    if field.path == "timeout_ms" and _limit(field.new) > _limit(field.old):
        yield Risk(RiskLabel.COST, "may run longer before it is stopped")
    if field.path in _SCHEDULE:
        yield Risk(RiskLabel.SCHEDULE, _SCHEDULE[field.path])
    if field.path == "execute_as_user":
        yield Risk(RiskLabel.PRIVILEGES, "runs with another user's privileges")
    if field.path in ("external_access", "secrets"):
        yield Risk(RiskLabel.PRIVILEGES, "changes what the task may reach or which secrets it reads")
    if field.path == "definition" and _access(field.old) != _access(field.new):
        yield Risk(RiskLabel.PRIVILEGES, "changes what the task may reach or which secrets it reads")
    yield from _gate_risks(field, task, desired)


def _gate_risks(field: FieldChange, task: DesiredTask, desired: DesiredGraph) -> Iterator[Risk]:
    """The risks for what a gate decides: changes of its arguments, outcomes, code, and of config keys that it reads."""
    decides = field.path.startswith("with.") or field.path in ("code", "step", "definition")
    if task.outcomes is not None and decides:
        yield Risk(RiskLabel.GATE, "changes how the gate decides")
    if task.task is None and field.path.startswith("config."):
        key = field.path.removeprefix("config.")
        for name in _gates_reading(key, desired):
            yield Risk(RiskLabel.GATE, f"changes how the gate `{name}` decides: it reads `{key}`")
    if field.path == "when" and (task.branch_of or _is_below_branch(task, desired)):
        yield Risk(RiskLabel.GATE, "changes which outcome starts it")


def _is_below_branch(task: DesiredTask, desired: DesiredGraph) -> bool:
    return any(one.name in task.predecessors and one.outcomes is not None for one in desired.tasks)


def _gates_reading(key: str, desired: DesiredGraph) -> Iterator[str]:
    for task in desired.tasks:
        if task.outcomes is None or task.task is None or not isinstance(task.definition, SqlDefinition):
            continue
        if key in _READS_CONFIG.findall(task.definition.sql.replace('\\"', '"')):
            yield task.task


def _limit(timeout: object) -> int:
    """A timeout in milliseconds; 0 and unset become Snowflake's maximum."""
    return timeout if isinstance(timeout, int) and timeout else MAX_TIMEOUT_MS


def _access(statement: object) -> list[str]:
    return _ACCESS.findall(str(statement or ""))


def graph_risks(plan: Plan, desired: DesiredGraph, situation: RunActivity, now: datetime) -> Iterator[Risk]:
    """The risks for the graph as a whole: for runs that are executing, failed or due, and for the schedule."""
    changes = bool(plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE, Action.DROP))
    if changes and situation.running_since is not None:
        yield Risk(
            RiskLabel.RUNNING,
            f"a run is executing since {_moment(situation.running_since)}: it ends on the old version",
        )
    if changes and situation.retryable is not None:
        # A run cannot be retried after its graph was modified.
        # https://docs.snowflake.com/en/sql-reference/sql/execute-task
        yield Risk(
            RiskLabel.FORFEITS_RETRY,
            f"forfeits RETRY LAST of the failed run of {_moment(situation.retryable)}{_recovery(situation)}",
        )
    if plan.root_started and not plan.resume_root:
        yield Risk(RiskLabel.SCHEDULE, "turns the schedule off")
    elif plan.resume_root and not plan.root_started:
        yield Risk(RiskLabel.SCHEDULE, "turns the schedule on")
    due = plan.next_runs[0] if plan.next_runs else None
    if changes and plan.root_started and due is not None and due - now < apply_time(plan):
        yield Risk(
            RiskLabel.MISSES_RUN, f"the run of {_moment(due)} is missed if the apply still goes on then"
        )
    resumes = plan.resume_root and (changes or not plan.root_started)
    if resumes and isinstance(desired.root.schedule, IntervalSchedule):
        # https://docs.snowflake.com/en/sql-reference/sql/create-task: an interval begins when the task is resumed.
        yield Risk(RiskLabel.SHIFTS_INTERVAL, "the interval begins anew when the root is resumed")


def _recovery(situation: RunActivity) -> str:
    if not situation.retryable_run:
        return ""
    return f" ({situation.retryable_run}); `sfml run --recover` can still reuse its results"


def apply_time(plan: Plan) -> timedelta:
    """The longest time that an apply of this size may take: a minute, and a second for each change."""
    count = len(plan.of(Action.CREATE, Action.ALTER, Action.REPLACE, Action.MOVE, Action.DROP))
    return timedelta(seconds=60 + count)


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %H:%M} {at.tzname() or 'UTC'}"
