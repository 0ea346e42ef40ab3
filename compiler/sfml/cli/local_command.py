"""`sfml local start|stop|status|reset`, and what people ask of it."""

from __future__ import annotations

from dataclasses import asdict

import click

from sfml.base.errors import UsageError
from sfml.cli import local_asking, output
from sfml.cli.local_folder import folder
from sfml.cli.opening import say_notices
from sfml.cli.options import Options, shared_options
from sfml.operations.local_server import require_local


@click.group()
def command() -> None:
    """The local Snowflake: a server on this machine that Snowflake's own clients take for an account."""


@command.command("start")
@shared_options()
def start(options: Options) -> int:
    """Start it and keep it running, with its schedules, until `sfml local stop`."""
    from sfml.local import process

    place = folder()
    require_local()
    was_running = process.status(place).running
    info = process.keep(place)
    if options.json:
        output.say_json(asdict(info))
    elif not options.quiet:
        words = "was running already" if was_running else "is running"
        output.say(
            f"The local Snowflake {words} at {info.protocol}://{info.host}:{info.port} (pid {info.pid})"
        )
        output.say("Its address and token for any client:  sfml local status -o json")
        say_notices(info.notices)
    return 0


@command.command("stop")
@shared_options()
def stop(options: Options) -> int:
    """Stop it; its data stays."""
    from sfml.local import process

    place = folder()
    was_running = process.status(place).running
    process.stop(place)
    if options.json:
        output.say_json({"running": False})
    elif not options.quiet:
        output.say("The local Snowflake is stopped; its data stays" if was_running else "It was not running")
    return 0


@command.command("status")
@shared_options()
def status(options: Options) -> int:
    """Show whether it runs and what any client connects with."""
    from sfml.local import process

    info = process.status(folder())
    if options.json:
        output.say_json(asdict(info))
        return 0
    say_notices(info.notices)
    if not info.running:
        output.say("The local Snowflake is not running. Start it with:  sfml local start")
        return 0
    output.say(
        f"The local Snowflake is running at {info.protocol}://{info.host}:{info.port} (pid {info.pid})"
    )
    output.say(f"  account {info.account}, user {info.user}, database {info.database}, schema {info.schema}")
    passing = process.is_passing(folder())
    output.say(
        "  it stops with the command that started it and fires no schedules; `sfml local start` keeps it"
        if passing
        else "  schedules fire until `sfml local stop`"
    )
    output.say("Its token for any client:  sfml local status -o json   what it says:  sfml local logs")
    return 0


@command.command("reset")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@shared_options()
def reset(auto_approve: bool, options: Options) -> int:
    """Stop it and delete everything it holds."""
    import sys

    from sfml.local import process

    place = folder()
    if not auto_approve:
        if options.json or not sys.stdin.isatty():
            raise UsageError(
                "this deletes all local data and there is nobody to ask", help="add --auto-approve"
            )
        if not click.confirm(f"Delete every database, stage, model and run in {place}?"):
            raise click.Abort
    process.reset(place)
    if options.json:
        output.say_json({"running": False})
    elif not options.quiet:
        output.say("The local Snowflake is empty")
    return 0


for _one in (local_asking.sql, local_asking.logs, local_asking.connection):
    command.add_command(_one)
