"""Carries a plan out under the lease, shows how it goes, and says where it stands when it is stopped or fails."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import click

from sfml.cli import output
from sfml.cli.opening import Connected, Opened, user_name
from sfml.cli.options import Options
from sfml.cli.progress import progress
from sfml.deploy import Deployer, Stopped, Watcher, Work
from sfml.errors import ConnectionFailed, SfmlError
from sfml.holding import Held
from sfml.plan.stages import CloseJournal, Group, OpenJournal, Stage
from sfml.render.symbols import Symbols

INTERRUPTED = 130
"""The exit code of a command that was asked to stop."""


@dataclass(slots=True)
class Where:
    """How far it came: `open` as long as a journal is on the stage."""

    watcher: Watcher
    open: bool = False

    def begun(self, group: Group) -> None:
        if any(isinstance(stage, OpenJournal) for stage in group):
            self.open = True
        self.watcher.begun(group)

    def did(self, stage: Stage) -> None:
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
    stop = threading.Event()
    with progress(options, symbols) as shown, stopping(stop):
        seen = Where(shown, journal_open)
        deployer = Deployer(work, target.tasks, target.stage, held, watcher=seen, stop=stop)
        try:
            deployer.deploy()
        except SfmlError as error:
            error.help = going_on(error, where, seen.open, command)
            if not isinstance(error, Stopped):
                raise
            output.say_error(error.message, error.help)
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


def provenance(found: Opened, options: Options) -> Mapping[str, str]:
    """Who applies it and from which commit: told to whoever looks, never compared."""
    from sfml.git import head_commit

    commit = head_commit(found.root)
    return {"user": user_name(options), **({"commit": commit} if commit else {})}


@contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask to stop after the call that is under way; a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        output.note("stopping after the call that is under way …")

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
