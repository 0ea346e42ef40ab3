"""The run that a finalizer belongs to, and what is wrong in it, from Snowflake's task history."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sfml_steps.alerting.words import duration_text, moment_of, reason_of, row_value
from sfml_steps.cleanup import HISTORY_LIMIT
from sfml_steps.sql import quoted
from sfml_steps.task import TaskFunctions, moment

COLUMNS = "NAME, STATE, ATTEMPT_NUMBER, ERROR_MESSAGE, QUERY_START_TIME, COMPLETED_TIME, SCHEDULED_TIME, RETURN_VALUE"


@dataclass(frozen=True)
class TaskEnd:
    """The latest run of a task in a graph run; `name` is its name in Snowflake."""

    name: str
    state: str
    attempt: int
    error: str | None
    began: datetime.datetime | None
    ended: datetime.datetime | None
    value: str | None

    @property
    def failed(self) -> bool:
        return self.state.startswith("FAILED")

    @property
    def seconds(self) -> float | None:
        if self.began is None or self.ended is None:
            return None
        return (self.ended - self.began).total_seconds()


@dataclass(frozen=True)
class RunEnd:
    """A graph run whose tasks have ended. `tasks` are without the finalizer.

    `at` is the time for which the run was scheduled as ISO text in UTC, `began` is when the attempt began.
    """

    id: str
    at: str
    attempt: int
    began: datetime.datetime | None
    tasks: tuple[TaskEnd, ...]

    @property
    def cancelled(self) -> bool:
        return any(task.state.startswith("CANCEL") for task in self.tasks)

    @property
    def failures(self) -> list[TaskEnd]:
        """The tasks that failed, the earliest first."""
        latest = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)
        failed = [task for task in self.tasks if task.failed]
        return sorted(failed, key=lambda task: (task.ended or latest, task.name))

    def exceeded(self, timeout: float) -> bool:
        """Whether the attempt took as long as the graph may: then tasks that were left did not begin."""
        ends = [task.ended for task in self.tasks if task.ended is not None and task.attempt == self.attempt]
        return bool(ends) and self.began is not None and (max(ends) - self.began).total_seconds() >= timeout


@dataclass(frozen=True)
class Wrong:
    """Something that is wrong in a run: `subject` is a task of the spec, or empty for the pipeline."""

    event: str
    subject: str
    task: str
    reason: str

    @property
    def key(self) -> str:
        return f"{self.event} {self.subject}".rstrip()


def read_run(session: Any, finalizer: str) -> RunEnd:
    """Return the run of the finalizer that asks; a finalizer has no results to read, so the history is read.

    https://docs.snowflake.com/en/user-guide/tasks-graphs#finalizer-task-example
    """
    task = TaskFunctions(session)
    group, scheduled_at = task.run_info()
    root = task.runtime_info("CURRENT_ROOT_TASK_UUID")
    rows = session.sql(
        f"SELECT {COLUMNS} FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
        f"ROOT_TASK_ID => {quoted(str(root))}, RESULT_LIMIT => {HISTORY_LIMIT}))"
        f" WHERE GRAPH_RUN_GROUP_ID = {quoted(group)}"
    ).collect()
    return run_end(group, scheduled_at, [row.as_dict() for row in rows], finalizer)


def run_end(group: str, scheduled_at: str | None, rows: list[dict[str, Any]], finalizer: str) -> RunEnd:
    """Return the run of these rows; of each task, the row of its latest attempt counts."""
    latest: dict[str, TaskEnd] = {}
    attempt, starts = 1, []
    for row in rows:
        one = TaskEnd(
            str(row_value(row, "NAME")),
            str(row_value(row, "STATE")),
            int(row_value(row, "ATTEMPT_NUMBER") or 1),
            row_value(row, "ERROR_MESSAGE"),
            moment_of(row_value(row, "QUERY_START_TIME")),
            moment_of(row_value(row, "COMPLETED_TIME")),
            row_value(row, "RETURN_VALUE"),
        )
        attempt = max(attempt, one.attempt)
        starts.append((one.attempt, one.began or moment_of(row_value(row, "SCHEDULED_TIME"))))
        if one.name not in latest or one.attempt >= latest[one.name].attempt:
            latest[one.name] = one
    began = [at for number, at in starts if number == attempt and at is not None]
    tasks = tuple(latest[name] for name in sorted(latest) if name != finalizer)
    at = moment_of(scheduled_at) or min(began, default=None)
    return RunEnd(group, at.isoformat() if at else "", attempt, min(began, default=None), tasks)


def last_success(session: Any) -> str | None:
    """Return the time for which the last run of the graph that succeeded was scheduled."""
    key = "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP"
    return moment(TaskFunctions(session).runtime_info(key))


def wrong_in(run: RunEnd, call: Mapping[str, Any], error: str | None) -> Iterator[Wrong]:
    """Yield what is wrong in a run: failures once, then each gate that did not pass, and each slow task.

    `error` is that of the finalizer, if it failed.
    """
    if failures := run.failures:
        first = failures[0]
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        yield Wrong("failure", "", spec_name(call, first.name), reason_of(first.error) + others)
    elif run.exceeded(call["timeout"]):
        yield Wrong("failure", "", "", f"the graph took longer than its timeout, {_timeout(call)}")
    elif error is not None:
        yield Wrong("failure", "", spec_name(call, call["finalizer"]), reason_of(error))
    for task in _own_successes(run, call):
        name = spec_name(call, task.name)
        if outcome := call["gates"].get(task.name, {}).get(task.value):
            yield Wrong("gate", name, name, f"it did not pass: {outcome}")
        limit = call["slow"].get(task.name)
        if limit is not None and task.seconds is not None and task.seconds > limit:
            yield Wrong("slow", name, name, slow_text(task.seconds, limit))


def slow_text(seconds: float, limit: float) -> str:
    """Return why a task was slow; the two durations may be the same in words.

    >>> slow_text(61, 60), slow_text(60.2, 60)
    ('it took 1 min 1 s, at most 1 min is expected', 'it took a little more than 1 min, at most 1 min is expected')
    """
    took, most = duration_text(seconds), duration_text(limit)
    if took == most:
        took = f"a little more than {most}"
    return f"it took {took}, at most {most} is expected"


def well_in(run: RunEnd, call: Mapping[str, Any], error: str | None) -> Iterator[str]:
    """Yield the keys of streaks that this run ends, if they are going on.

    A part that leaves out what may have failed does not say that the pipeline is well.
    """
    wrong = {one.key for one in wrong_in(run, call, error)}
    if not run.cancelled and not call.get("partial"):
        yield from {"failure"} - wrong
    for task in _own_successes(run, call):
        name = spec_name(call, task.name)
        yield from {f"gate {name}", f"slow {name}"} - wrong


def _own_successes(run: RunEnd, call: Mapping[str, Any]) -> Iterator[TaskEnd]:
    """Yield the tasks that succeeded in this run; in a part, not those that only set an earlier result again."""
    reused = call.get("reused", ())
    return (task for task in run.tasks if task.state == "SUCCEEDED" and task.name not in reused)


def spec_name(call: Mapping[str, Any], name: str) -> str:
    """Return the name in the spec of a task; the root has the name of the pipeline."""
    if name == call["root"]:
        return str(call["pipeline"])
    known = call["names"].get(name)
    return str(known or name.removeprefix(f"{call['root']}$").lower())


def _timeout(call: Mapping[str, Any]) -> str:
    return duration_text(call["timeout"])
