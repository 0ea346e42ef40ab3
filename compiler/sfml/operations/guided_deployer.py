"""Carries out work, and adds to every error how far the work got and how to go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sfml.base.errors import ConnectionFailed, LeaseLost, SfmlError
from sfml.operations.deployer import Deployer, StopRequested, Watcher, Work
from sfml.operations.held_lease import FRESH, HeldLease
from sfml.plan.stages import (
    CloseJournal,
    DropTask,
    Group,
    OpenJournal,
    PutTask,
    RemoveFiles,
    ResumeGraph,
    Stage,
    SuspendRoot,
)
from sfml.render.stages import done_text


@dataclass(slots=True)
class Progress:
    """The progress of an apply: `open` while a journal is on the stage; `done` holds (end time, stage)."""

    watcher: Watcher
    open: bool = False
    done: list[tuple[float, Stage]] = field(default_factory=list)

    def begun(self, group: Group) -> None:
        if any(isinstance(stage, OpenJournal) for stage in group):
            self.open = True
        self.watcher.begun(group)

    def did(self, stage: Stage) -> None:
        self.done.append((time.time(), stage))
        self.watcher.did(stage)

    def ended(self, group: Group) -> None:
        if any(isinstance(stage, CloseJournal) for stage in group):
            self.open = False
        self.watcher.ended(group)

    def waits(self, error: ConnectionFailed, seconds: float) -> None:
        self.watcher.waits(error, seconds)


RESTORABLE = ("apply", "destroy", "rollback")
"""The commands that `apply --restore` undoes; it looks where the target leads, and not where a `destroy --at` was."""


class GuidedDeployer:
    """A deployer whose errors say in `help` how to go on with `command`.

    `where` holds the command's arguments (`specs/clv.yaml -t prod`); `is_open` says that the stage already has a
    journal.
    """

    def __init__(self, deployer: Deployer, where: str, *, is_open: bool, command: str = "apply") -> None:
        self._deployer = deployer
        self._where = where
        self._command = command
        self._progress = deployer.watcher = Progress(deployer.watcher, is_open)

    def deploy(self) -> None:
        """Carry out every group. Raises the errors of the account with help, and `LeaseLost` if the lease was lost."""
        work, held_lease = self._deployer.work, self._deployer.held
        try:
            self._deployer.deploy()
        except LeaseLost as error:
            raise error.advised(
                _lost_help(self._progress, work, held_lease, self._where)
            ) from error.__cause__
        except SfmlError as error:
            lost = held_lease.lost() if not isinstance(error, StopRequested) else None
            if lost is not None:
                message = f"{lost.message}; meanwhile: {error.message}"
                help = _lost_help(self._progress, work, held_lease, self._where)
                raise LeaseLost(message, help=help) from error
            raise error.advised(self._going_on(error)) from error.__cause__

    def help_when_stopped(self) -> str | None:
        """The help after an immediate stop, when the result of the last call is unknown."""
        return self._going_on(StopRequested(""))

    def _going_on(self, error: SfmlError) -> str | None:
        return _going_on(error, self._where, self._progress.open, self._command)


def _going_on(error: SfmlError, where: str, is_open: bool, command: str) -> str | None:
    """The help for an error. Without a journal, nothing has been changed."""
    if not is_open:
        return f"{error.help or 'nothing was changed'}"
    finish, restore = f"{command} {where}", f"apply {where} --restore"
    first = f"{error.help}\n      " if error.help and not isinstance(error, StopRequested) else ""
    recorded = f"{first}what it began is recorded on the stage, and the schedule is off until it is done"
    if command not in RESTORABLE:
        return f"{recorded}:\n      sfml {finish}   finishes it"
    width = max(len(restore), len(finish))
    return (
        f"{recorded} or undone:"
        f"\n      sfml {finish:<{width}}   finishes it"
        f"\n      sfml {restore:<{width}}   puts back what was there before"
    )


def _lost_help(seen: Progress, work: Work, held_lease: HeldLease, where: str) -> str:
    """The help for a lost lease: the changes that were made, and how to go on."""
    return "\n      ".join(
        (
            *_done_before(seen, work, held_lease),
            "the command that has the lease now decides about the graph; check after its end:",
            f"sfml status {where}",
            f"sfml plan {where}   shows what of this change is not there",
        )
    )


_CHANGES = (SuspendRoot, PutTask, DropTask, ResumeGraph, RemoveFiles)


def _done_before(seen: Progress, work: Work, held_lease: HeldLease) -> Iterator[str]:
    total = sum(isinstance(stage, _CHANGES) for group in work.groups for stage in group)
    changes = [(at, stage) for at, stage in seen.done if isinstance(stage, _CHANGES)]
    if not changes:
        yield "nothing was changed" + (", but a journal was left on the stage" if seen.open else "")
        return
    words = done_text(tuple(stage for _, stage in changes))
    yield f"{len(changes)} of {total} changes were made before that was seen, and none since: {words}"
    late = tuple(stage for at, stage in changes if at > held_lease.looked_at + FRESH)
    if late:
        # Each of these calls began while the check of the lease was fresh, and ended when it was not.
        yield f"when the lease was taken these may have been under way: {done_text(late)}"
