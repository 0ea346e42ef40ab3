"""Runs of a pipeline: follow a running one, read an ended one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from sfml.api.drawing import preformatted
from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import ConflictingState
from sfml.render.run import changes, run_json, run_text, task_line
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from sfml.account import history
    from sfml.account.run_history import RunHistory
    from sfml.lower.desired import DesiredGraph
    from sfml.snowflake.history import History


class TaskRun:
    """One task in a run. `state` is Snowflake's state, None for a task that never ran."""

    def __init__(self, task: history.TaskRun, reader: History) -> None:
        self._task = task
        self._reader = reader

    @property
    def name(self) -> str:
        return self._task.name

    @property
    def state(self) -> str | None:
        return self._task.state

    @property
    def return_value(self) -> Any:
        """The task's return value, parsed from JSON; for a gate, the outcome that it chose."""
        return self._task.return_value

    @property
    def error(self) -> str | None:
        """The error message that Snowflake keeps; None unless the task failed."""
        return self._task.error

    @property
    def because(self) -> str | None:
        """Why the task was skipped or never ran; None until the run has ended."""
        return self._task.because

    @property
    def reused_from(self) -> str | None:
        """In a part of a run: the id of the run whose result was reused instead of running the task."""
        return self._task.reused_from

    @property
    def started_at(self) -> datetime | None:
        return self._task.started_at

    @property
    def duration_ms(self) -> int | None:
        """The duration in milliseconds."""
        return self._task.duration_ms

    def logs(self) -> str:
        """The log of the last attempt; empty for a task that never ran. Needs the open account."""
        return self._reader.log(self._task.row) if self._task.row else ""

    def to_dict(self) -> dict[str, Any]:
        """One entry of `tasks` in the JSON of `sfml run`."""
        started = self.started_at.isoformat().replace("+00:00", "Z") if self.started_at else None
        names = ("name", "state", "duration_ms", "return_value", "error", "because")
        return {
            **{name: getattr(self, name) for name in names},
            "started_at": started,
            "arm": self._task.arm,
            "reused_from": self.reused_from,
        }

    def __repr__(self) -> str:
        return f"<TaskRun {self.name}: {self.state or 'never ran'}>"


class Run:
    """One run of a pipeline, as of the last reading; `wait` and `refresh` read again until it has ended."""

    def __init__(
        self, run: history.Run, reader: History, states: Iterator[history.Run] | None = None
    ) -> None:
        self._run = run
        self._reader = reader
        self._states = states

    @property
    def run_id(self) -> str:
        """The id of Snowflake's graph run group, which all attempts share."""
        return self._run.run_id

    @property
    def state(self) -> str:
        """Snowflake's state: EXECUTING, SUCCEEDED, FAILED, CANCELLED or SKIPPED."""
        return self._run.state

    @property
    def outcome(self) -> str:
        """`running`, `succeeded`, `failed`, `timed_out`, `cancelled`, `skipped` or `nothing_ran`."""
        return self._run.outcome

    @property
    def reason(self) -> str | None:
        """Why the run did not succeed, in one line; None if it succeeded or has not ended."""
        from sfml.render.reason import reason_text

        return reason_text(self._run.reason) if self._run.reason else None

    @property
    def is_over(self) -> bool:
        return self._run.is_over

    @property
    def tasks(self) -> tuple[TaskRun, ...]:
        """All tasks, in the order of the spec."""
        return tuple(TaskRun(task, self._reader) for task in self._run.tasks)

    def __getitem__(self, name: str) -> TaskRun:
        """The task with this name in the spec; raises `KeyError`, which suggests the closest name."""
        tasks = {task.name: task for task in self._run.tasks}
        if name not in tasks:
            hint = did_you_mean(name, tasks) or f"its tasks are: {', '.join(tasks)}"
            raise KeyError(f"no task `{name}`; {hint}")
        return TaskRun(tasks[name], self._reader)

    def refresh(self) -> Run:
        """Read the run again; returns this object."""
        if self._states is not None and not self.is_over:
            self._run = next(self._states, self._run)
        return self

    def wait(self, *, progress: Callable[[str], object] | None = None, timeout: float | None = None) -> Run:
        """Wait for the end of the run; returns this object, whether or not the run succeeded.

        `progress` is a function such as `print`; it is called with one line for each change of a task. After `timeout`
        seconds, `TimeoutError` is raised; the run itself continues. Raises `ConflictingState` for a run that is still
        executing and was not started by `Account.run`.
        """
        if self._states is None and not self.is_over:
            raise ConflictingState("this run was not started here", help="look again with account.runs()")
        deadline = None if timeout is None else time.monotonic() + timeout
        before: history.Run | None = None
        while True:
            if progress is not None:
                _tell(before, self._run, progress)
            if self.is_over:
                return self
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"run {self.run_id} is still executing after {timeout:g} s")
            before = self._run
            self.refresh()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml run`."""
        return {"format_version": 1, **json.loads(json.dumps(run_json(self._run)))}

    def __str__(self) -> str:
        return run_text(self._run, Symbols(True))

    def __repr__(self) -> str:
        return f"<Run {self.run_id} of {self._run.pipeline}: {self.state}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))


def _tell(before: history.Run | None, now: history.Run, progress: Callable[[str], object]) -> None:
    width = max((len(task.name) for task in now.tasks), default=0)
    for task in changes(before, now):
        if task.state != "SCHEDULED":
            progress(task_line(task, Symbols(True), width, over=False))


class Runs(Sequence[Run]):
    """Runs of a pipeline, newest first."""

    def __init__(self, desired: DesiredGraph, run_history: RunHistory, reader: History) -> None:
        self._desired = desired
        self._history = run_history
        self._runs = tuple(Run(run, reader) for run in run_history.runs)

    @property
    def usual_ms(self) -> float | None:
        """The usual duration in milliseconds: the median of the known runs that succeeded at once; None for too few."""
        return self._history.usual_ms

    @overload
    def __getitem__(self, at: int) -> Run: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Run]: ...
    def __getitem__(self, at: int | slice) -> Run | Sequence[Run]:
        return self._runs[at]

    def __len__(self) -> int:
        return len(self._runs)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `sfml history`."""
        from sfml.render.history import runs_json

        value = runs_json(self._desired, self._history)
        return {"format_version": 1, **json.loads(json.dumps(value))}

    def __str__(self) -> str:
        from sfml.render.history import runs_text

        return runs_text(self._desired, self._history, Symbols(True))

    def __repr__(self) -> str:
        return f"<Runs: {len(self)}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))
