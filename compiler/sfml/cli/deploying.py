"""Carries a plan out under the lease, shows how it goes, and says where it stands when it is stopped or fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from sfml.base.errors import ConnectionFailed, LeaseLost, SfmlError
from sfml.cli import output
from sfml.cli.interrupts import TooLate, stop_event, stopping
from sfml.cli.opening import user_name
from sfml.cli.options import Options
from sfml.cli.progress import progress
from sfml.frontend.compiled_spec import Opened
from sfml.operations.deploy import Deployer, Stopped, Watcher, Work
from sfml.operations.holding import FRESH, Held
from sfml.operations.target_account import Connected
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
from sfml.render.symbols import Symbols

INTERRUPTED = 130
"""The exit code of a command that was asked to stop."""


@dataclass(slots=True)
class Where:
    """How far it came: `open` as long as a journal is on the stage; `done` has each stage with when it ended."""

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


def deploy_work(
    work: Work,
    target: Connected,
    held: Held,
    options: Options,
    where: str,
    *,
    journal_open: bool = False,
    command: str = "apply",
) -> None:
    """Carry it out; an error says how to go on, which the same `command` does.

    `where` is what the commands take: `specs/clv.yaml -t prod`.
    """
    symbols = Symbols(output.takes_unicode())
    stop = stop_event()
    deployer = Deployer(work, target.tasks, target.stage, held, stop=stop)
    with progress(options, symbols) as shown, stopping(stop, lambda: deployer.is_done):
        seen = Where(shown, journal_open)
        deployer.watcher = seen
        try:
            deployer.deploy()
        except LeaseLost as error:
            error.help = lost_help(seen, work, held, where)
            raise
        except SfmlError as error:
            lost = held.lost() if not isinstance(error, Stopped) else None
            if lost is not None:
                message = f"{lost.message}; meanwhile: {error.message}"
                raise LeaseLost(message, help=lost_help(seen, work, held, where)) from error
            error.help = going_on(error, where, seen.open, command)
            if not isinstance(error, Stopped):
                raise
            output.say_error(error.message, error.help)
            raise click.exceptions.Exit(INTERRUPTED) from error
        except TooLate:
            raise
        except KeyboardInterrupt as error:
            if not deployer.is_done:
                help = going_on(Stopped(""), where, seen.open, command)
                output.say_error("stopped at once: the call under way may be carried out yet", help)
                raise click.exceptions.Exit(INTERRUPTED) from error
    if deployer.not_collected is not None and not (options.quiet or options.json):
        output.note(
            f"note: old archives are still there, until the next apply: {deployer.not_collected.message}"
        )


def going_on(error: SfmlError, where: str, is_open: bool, command: str = "apply") -> str | None:
    """What to do after an error: nothing has been changed as long as there is no journal."""
    if not is_open:
        return f"{error.help or 'nothing was changed'}"
    restore = f"apply {where} --restore"
    width = max(len(restore), len(f"{command} {where}"))
    first = f"{error.help}\n      " if error.help and not isinstance(error, Stopped) else ""
    return (
        f"{first}what it began is recorded on the stage, and the schedule is off until it is done or undone:"
        f"\n      sfml {f'{command} {where}':<{width}}   finishes it"
        f"\n      sfml {restore:<{width}}   puts back what was there before"
    )


def lost_help(seen: Where, work: Work, held: Held, where: str) -> str:
    """What was and was not done by the command whose lease was taken away, and how to go on."""
    return "\n      ".join(
        (
            *_done_before(seen, work, held),
            "what becomes of the graph is up to the command that has the lease; look once it has ended:",
            f"sfml status {where}",
            f"sfml plan {where}   shows what of this change is not there",
        )
    )


_CHANGES = (SuspendRoot, PutTask, DropTask, ResumeGraph, RemoveFiles)


def _done_before(seen: Where, work: Work, held: Held) -> Iterator[str]:
    total = sum(isinstance(stage, _CHANGES) for group in work.groups for stage in group)
    changes = [(at, stage) for at, stage in seen.done if isinstance(stage, _CHANGES)]
    if not changes:
        yield "nothing was changed" + (", but a journal was left on the stage" if seen.open else "")
        return
    words = done_text(tuple(stage for _, stage in changes))
    yield f"{len(changes)} of {total} changes were made before that was seen, and none since: {words}"
    late = tuple(stage for at, stage in changes if at > held.looked_at + FRESH)
    if late:
        # Each was begun on a look that was fresh; its answer came when the look was not any more.
        yield f"when the lease was taken these may have been under way: {done_text(late)}"


def provenance(found: Opened, options: Options) -> Mapping[str, Any]:
    """Who applies it, from which commit and with what beside it: told to whoever looks, never compared."""
    from sfml.base.git import head_commit
    from sfml.operations.reviewed_files import unlike_the_commit
    from sfml.plan.provenance import provenance_of

    commit = head_commit(found.root)
    beside = unlike_the_commit(found) if commit else None
    return {"user": user_name(options), **provenance_of(commit, beside)}
