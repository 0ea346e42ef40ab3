"""What the pages read of an account, by the operations of the commands; shared by all who look at the same thing."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sfml.account.history import Run, TaskRun
from sfml.account.registered import ModelVersion, models_of
from sfml.account.run_history import RunHistory
from sfml.account.task_log import TaskLog
from sfml.base.errors import ConnectionFailed, MissingSchema, RecordUnreadable, SfmlError
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import inspect_stage
from sfml.operations.fleet import fleet_health
from sfml.operations.fleet_accounts import account_of
from sfml.operations.graph_health import graph_health
from sfml.operations.part_runs import history_of
from sfml.operations.runs import LOOKS_AT_MOST
from sfml.operations.target_account import TargetAccount
from sfml.operations.task_logs import LogChoice, task_logs
from sfml.plan.journal import Deployment
from sfml.plan.settings import split_comment
from sfml.render.status import PipelineStatus, status_of
from sfml.snowflake.registry import versions
from sfml.ui.accounts import Accounts
from sfml.ui.specs import Spec
from sfml.ui.watching import Seen, Watches

T = TypeVar("T")

FIRST = 8.0
"""Seconds for which a page waits for what it shows; then it says that it is being read, and looks again."""


@record
class Deployments:
    """The kept deployments, oldest first; which of them is deployed, and which cannot be read."""

    kept: tuple[Deployment, ...] = ()
    current: int | None = None
    without_code: frozenset[int] = frozenset()
    unreadable: tuple[RecordUnreadable, ...] = ()


class Readings:
    """Reads what pages show. Each method returns what is known now, and has it read again while somebody looks."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.watches = Watches()

    def status(self, spec: Spec, patience: float = FIRST) -> Seen[PipelineStatus]:
        """The schedule, the last run and the problems of a pipeline."""
        seen = self._seen("status", spec, _status, _is_quiet, patience)
        if isinstance(seen.error, MissingSchema) and spec.placed is not None:
            return Seen(status_of(spec.placed.desired, seen.error), datetime.now(UTC))
        return seen

    def fleet(
        self, specs: Sequence[Spec], patience: float = FIRST
    ) -> tuple[tuple[Spec, Seen[PipelineStatus]], ...]:
        """The status of each pipeline; those of one account are read together, with few calls."""
        groups: dict[Hashable, list[tuple[Spec, CompiledSpec]]] = {}
        for spec in specs:
            if spec.placed is not None:
                groups.setdefault(account_of(spec.placed), []).append((spec, spec.placed))
        seen: dict[str, Seen[PipelineStatus]] = {}
        looks = [(members, self._fleet(members, 0)) for members in groups.values()]
        deadline = time.monotonic() + patience
        for members, first in looks:
            last = self._fleet(members, max(deadline - time.monotonic(), 0)) if first.is_first else first
            for at, (spec, _) in enumerate(members):
                seen[spec.name] = _one_of(last, at)
        return tuple((spec, seen.get(spec.name) or Seen(error=_unreadable(spec))) for spec in specs)

    def _fleet(
        self, members: Sequence[tuple[Spec, CompiledSpec]], patience: float
    ) -> Seen[tuple[PipelineStatus, ...]]:
        first = members[0][1]
        graphs = [placed.desired for _, placed in members]

        def read() -> tuple[PipelineStatus, ...]:
            try:
                healths = fleet_health(graphs, self.accounts.connection(first))
                broken = next((one for one in healths if isinstance(one, ConnectionFailed)), None)
                if broken is not None:
                    raise broken
            except SfmlError as error:
                raise self.accounts.failed(first, error) from error
            return tuple(map(status_of, graphs, healths))

        def is_quiet(statuses: tuple[PipelineStatus, ...]) -> bool:
            return all(map(_is_quiet, statuses))

        key = ("fleet", *(id(spec.reading) for spec, _ in members))
        pause = _pause(first.desired.target.is_local, is_quiet)
        return self._look(key, read, pause, patience)

    def runs(self, spec: Spec, patience: float = FIRST) -> Seen[RunHistory]:
        """The runs that Snowflake's history holds, newest first."""

        def read(compiled_spec: CompiledSpec, target: TargetAccount) -> RunHistory:
            return history_of(compiled_spec.desired, target)

        return self._seen(
            "runs", spec, read, lambda history: all(run.is_over for run in history.runs), patience
        )

    def models(self, spec: Spec, patience: float = FIRST) -> Seen[Mapping[str, Sequence[ModelVersion]]]:
        """The versions of the models that steps of the pipeline name."""

        def read(compiled_spec: CompiledSpec, target: TargetAccount) -> Mapping[str, Sequence[ModelVersion]]:
            graph = compiled_spec.reading.graph
            names = () if graph is None else models_of(graph)
            place = compiled_spec.desired.target
            return {name: versions(target.connection, place, name) for name in names}

        return self._seen("models", spec, read, lambda models: True, patience)

    def deployments(self, spec: Spec, patience: float = FIRST) -> Seen[Deployments]:
        """The deployments whose records are kept on the stage."""
        return self._seen("deployments", spec, _deployments, lambda kept: True, patience)

    def log(self, spec: Spec, run: Run, task: TaskRun, patience: float = FIRST) -> Seen[TaskLog]:
        """The log of a task in a run; of a task that executes, what it has written until now."""
        row = task.row
        if row is None or row.query_id is None:
            return Seen(TaskLog(task, ()))

        def read(compiled_spec: CompiledSpec, target: TargetAccount) -> TaskLog:
            (log,) = task_logs(compiled_spec.desired, target, run, LogChoice(task.name))
            return log

        # The event table of an account gets lines late, so the log of a task that has ended is read again, too.
        return self._seen(f"log {row.query_id}", spec, read, lambda log: False, patience)

    def changed(self, spec: Spec) -> None:
        """Read again at once what is looked at of a pipeline, after it was changed."""
        self.watches.hurry(spec.file)
        self.watches.hurry("fleet")

    def close(self) -> None:
        self.watches.close()
        self.accounts.close()

    def _seen(
        self,
        what: str,
        spec: Spec,
        read: Callable[[CompiledSpec, TargetAccount], T],
        is_quiet: Callable[[T], bool],
        patience: float,
    ) -> Seen[T]:
        placed = spec.placed
        if placed is None:
            return Seen(error=_unreadable(spec))

        def read_once() -> T:
            try:
                return read(placed, self.accounts.looking(placed))
            except SfmlError as error:
                raise self.accounts.failed(placed, error) from error

        pause = _pause(placed.desired.target.is_local, is_quiet)
        # Another reading of the files is another thing: what is known of it may be of another target.
        return self._look((spec.file, what, id(spec.reading)), read_once, pause, patience)

    def _look(
        self, key: Hashable, read: Callable[[], T], pause: Callable[[T, float], float], patience: float
    ) -> Seen[T]:
        return self.watches.of(key, read, pause).look(patience)


def _pause(is_local: bool, is_quiet: Callable[[T], bool]) -> Callable[[T, float], float]:
    """The seconds until the next reading: few while something executes; a local server keeps most of its time."""

    def pause(value: T, took: float) -> float:
        least = (2.0 if is_local else 15.0) if is_quiet(value) else (0.5 if is_local else 2.0)
        return max(least, took * (1 / LOOKS_AT_MOST - 1)) if is_local else least

    return pause


def _one_of(seen: Seen[tuple[PipelineStatus, ...]], at: int) -> Seen[PipelineStatus]:
    value = seen.value[at] if seen.value is not None else None
    return Seen(value, seen.read_at, seen.error, seen.unanswered)


def _unreadable(spec: Spec) -> SfmlError:
    return spec.error or SfmlError(f"{spec.name} cannot be read")


def _status(compiled_spec: CompiledSpec, target: TargetAccount) -> PipelineStatus:
    return status_of(compiled_spec.desired, graph_health(compiled_spec.desired, target))


def _is_quiet(status: PipelineStatus) -> bool:
    run = status.health.run if status.health is not None else None
    return run is None or run.is_over


def _deployments(compiled_spec: CompiledSpec, target: TargetAccount) -> Deployments:
    """The kept deployments, without that of an unfinished apply."""
    desired = compiled_spec.desired
    staged, journal, damage = inspect_stage(desired, target)
    damaged = () if damage is None else (damage,)
    if staged is None or not staged.deployments:
        return Deployments(unreadable=damaged)
    kept = target.stage.kept(desired.pipeline)
    unfinished = journal.header.number if journal else None
    finished = tuple(one for one in kept.deployments if one.header.number != unfinished)
    root = target.history.root(desired.root.name)
    record = (split_comment(root.comment)[1] if root else None) or {}
    last = finished[-1] if finished else None
    is_there = last is not None and record.get("fingerprint") == last.artefact.fingerprint
    return Deployments(
        finished,
        last.header.number if last is not None and is_there else None,
        frozenset(one.header.number for one in finished if staged.lacks(one.artefact.archives)),
        (*damaged, *kept.unreadable),
    )
