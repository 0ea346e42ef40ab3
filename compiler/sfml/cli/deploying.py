"""Carries a plan out on the command line: shows how it goes, and lets signals stop it."""

from __future__ import annotations

import click

from sfml.cli import output
from sfml.cli.interrupts import TooLate, stop_event, stopping
from sfml.cli.options import Options
from sfml.cli.progress import progress
from sfml.operations.deploy import Deployer, StopRequested, Work
from sfml.operations.guided_deployer import GuidedDeployer
from sfml.operations.holding import HeldLease
from sfml.operations.target_account import TargetAccount
from sfml.render.symbols import Symbols

INTERRUPTED = 130
"""The exit code of a command that was asked to stop."""


def deploy_work(
    work: Work,
    target: TargetAccount,
    held: HeldLease,
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
        deployer.watcher = shown
        guided = GuidedDeployer(deployer, where, is_open=journal_open, command=command)
        try:
            guided.deploy()
        except StopRequested as error:
            output.say_error(error.message, error.help)
            raise click.exceptions.Exit(INTERRUPTED) from error
        except TooLate:
            raise
        except KeyboardInterrupt as error:
            if not deployer.is_done:
                output.say_error(
                    "stopped at once: the call under way may be carried out yet", guided.help_when_stopped()
                )
                raise click.exceptions.Exit(INTERRUPTED) from error
    if deployer.not_collected is not None and options.speaks:
        output.note(
            f"note: old archives are still there, until the next apply: {deployer.not_collected.message}"
        )
