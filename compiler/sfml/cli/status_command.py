"""`sfml status SPEC… [--watch]`"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.inputs import say_findings, user_name
from sfml.cli.interrupts import pause
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.cli.target_screen import TargetScreen
from sfml.operations.fleet_accounts import FleetAccounts
from sfml.operations.fleet_status import FleetStatus, SpecOptions
from sfml.operations.runs import LOOKS_AT_MOST
from sfml.render.status import PipelineStatus, status_json, status_text

EVERY_LOCAL = 2.0
EVERY_ACCOUNT = 30.0
"""Seconds from one look to the next. Each asks an account for the history of tasks, which keeps its warehouse up."""

_WIDTH = 110
"""The width of a table where there is no terminal."""


@click.command()
@specs_argument()
@click.option("--watch", "-w", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(1, 86_400),
    metavar="SECONDS",
    help="With --watch: the time from one look to the next.  [default: 2 on the local Snowflake, 30 on an account]",
)
@shared_options()
def command(specs: tuple[str, ...], watch: bool, every: float | None, options: Options) -> int:
    """Show what is deployed, whether its schedule is on, and how its last run ended, with reasons for problems.

    Exits with 1 if a pipeline needs attention: its schedule is off but should be on, tasks are suspended or loose, an
    apply is unfinished, or the last run failed, timed out, was cancelled or is late. A pipeline whose status cannot be
    read does not stop the others. Of more than 40 pipelines, those that are well are only named; --verbose shows all.
    """
    if watch and options.json:
        raise UsageError(
            "--watch shows one status after another, not one JSON object", help="leave out one of them"
        )
    if every is not None and not watch:
        raise UsageError("--every goes with --watch", help="add --watch, or leave out --every")
    with FleetAccounts(TargetScreen(options)) as accounts:
        fleet = _fleet(specs, accounts, options)
        if watch:
            _watch(fleet, every, options)
        statuses = fleet.look()
    if options.json:
        output.say_json(status_json(statuses))
    elif text := _text(statuses, options):
        output.say(text)
    return 1 if any(status.needs_attention for status in statuses) else 0


def _fleet(specs: tuple[str, ...], accounts: FleetAccounts, options: Options) -> FleetStatus:
    from sfml.frontend.entry_files import entry_files

    wanted = SpecOptions(options.target, options.variables, user_name(options))
    files = [str(file) for file in entry_files(specs)]
    return FleetStatus(files, accounts, wanted, lambda reading: say_findings(reading, options))


def _text(statuses: tuple[PipelineStatus, ...], options: Options) -> str:
    """The statuses as a table; with --quiet, only those that need attention; empty if there is nothing to show."""
    from sfml.render.fleet import SHOWN_IN_FULL, fleet_text
    from sfml.render.symbols import Symbols

    shown = [one for one in statuses if one.needs_attention] if options.quiet else statuses
    symbols, now = Symbols(output.takes_unicode()), datetime.now(UTC)
    if not shown:
        return ""
    if len(shown) > SHOWN_IN_FULL and not options.verbose:
        return fleet_text(shown, symbols, now, shutil.get_terminal_size((_WIDTH, 24)).columns)
    return status_text(shown, symbols, now)


# -- looking again and again


def _watch(fleet: FleetStatus, every: float | None, options: Options) -> None:
    """Show the status at each look until the user interrupts: in place on a terminal, else as one block after another.

    Between two looks is at least the interval, and no more than a quarter of the time is spent on looking.
    """
    import time

    seconds = every or (EVERY_LOCAL if fleet.is_local else EVERY_ACCOUNT)

    def texts() -> Iterator[str]:
        while True:
            began = time.monotonic()
            statuses = fleet.look()
            head = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, every {seconds:g} s; Ctrl-C ends"
            yield f"{head}\n\n{_text(statuses, options) or 'nothing needs attention'}"
            pause(max(seconds, (time.monotonic() - began) * (1 / LOOKS_AT_MOST - 1)))

    if output.is_terminal() and not options.no_color:
        _live(texts())
        return
    for text in texts():
        output.say(f"{text}\n")


def _live(texts: Iterator[str]) -> None:
    from rich.live import Live
    from rich.text import Text

    from sfml.render.printable import printable_lines

    with Live(Text(""), auto_refresh=False, transient=False) as live:
        for text in texts:
            live.update(Text(printable_lines(text)), refresh=True)
