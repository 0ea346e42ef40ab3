"""What the pages read of an account, by the operations of the commands; shared by all who look at the same thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sfml.account.history import Run, TaskRun
from sfml.account.registered import ModelVersion, models_of
from sfml.account.run_history import RunHistory
from sfml.base.errors import MissingSchema, RecordUnreadable, SfmlError
from sfml.base.record import record
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import inspect_stage
from sfml.operations.graph_health import graph_health
from sfml.operations.part_runs import history_of
from sfml.operations.runs import LOOKS_AT_MOST
from sfml.operations.target_account import TargetAccount
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

    def log(self, spec: Spec, run: Run, task: TaskRun, patience: float = FIRST) -> Seen[str]:
        """The log of a task in a run; of a task that executes, what it has written until now."""
        row = task.row
        if row is None or row.query_id is None:
            return Seen("")

        def read(compiled_spec: CompiledSpec, target: TargetAccount) -> str:
            return target.history.log(row)

        # The event table of an account gets lines late, so the log of a task that has ended is read again, too.
        return self._seen(f"log {row.query_id}", spec, read, lambda log: False, patience)

    def changed(self, spec: Spec) -> None:
        """Read again at once what is looked at of a pipeline, after it was changed."""
        self.watches.hurry(spec.file)

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
            return Seen(error=spec.error or SfmlError(f"{spec.name} cannot be read"))
        is_local = placed.desired.target.is_local

        def read_once() -> T:
            try:
                return read(placed, self.accounts.looking(placed))
            except SfmlError as error:
                raise self.accounts.failed(placed, error) from error

        def pause(value: T, took: float) -> float:
            least = (2.0 if is_local else 15.0) if is_quiet(value) else (0.5 if is_local else 2.0)
            return max(least, took * (1 / LOOKS_AT_MOST - 1)) if is_local else least

        # Another reading of the files is another thing: what is known of it may be of another target.
        return self.watches.of((spec.file, what, id(spec.reading)), read_once, pause).look(patience)


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
