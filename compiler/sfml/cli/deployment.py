"""Carries out a plan for a command: shows the progress, and stops on signals."""

from __future__ import annotations

import click

from sfml.cli import output
from sfml.cli.interrupts import TooLate, stop_event, stopping
from sfml.cli.options import Options
from sfml.cli.progress import progress
from sfml.operations.deployer import Deployer, StopRequested, Work
from sfml.operations.guided_deployer import GuidedDeployer
from sfml.operations.held_lease import HeldLease
from sfml.operations.target_account import TargetAccount
from sfml.render.symbols import Symbols

INTERRUPTED = 130
"""The exit code of a command that was stopped by a signal."""


def deploy_work(
    work: Work,
    target: TargetAccount,
    held_lease: HeldLease,
    options: Options,
    where: str,
    *,
    journal_open: bool = False,
    command: str = "apply",
) -> None:
    """Carry out the work. The help of an error names `command`, which finishes it.

    `where` holds the arguments of that command, such as `specs/clv.yaml -t prod`.
    """
    symbols = Symbols(output.takes_unicode())
    stop = stop_event()
    deployer = Deployer(work, target.tasks, target.stage, held_lease, stop=stop)
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
                    "stopped at once: the call that was already sent may still be carried out",
                    guided.help_when_stopped(),
                )
                raise click.exceptions.Exit(INTERRUPTED) from error
    if deployer.not_collected is not None and options.speaks:
        output.note(
            f"note: old archives were not removed; the next apply removes them: {deployer.not_collected.message}"
        )
