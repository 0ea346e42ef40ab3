"""`sfml local start|stop|status|reset`, and the commands of `local_asking`."""

from __future__ import annotations

import re
import shlex
from dataclasses import asdict
from pathlib import Path

import click

from sfml.base.errors import UsageError
from sfml.base.quoting import name_parts
from sfml.cli import local_asking, output
from sfml.cli.command_group import CommandGroup
from sfml.cli.inputs import say_notices
from sfml.cli.local_asking import connection_text, format_option, run_files
from sfml.cli.local_folder import local_folder, place_of_server
from sfml.cli.options import Options, shared_options
from sfml.operations.local_server import control_errors, require_local
from sfml.render.units import plural


@click.group(cls=CommandGroup)
def command() -> None:
    """The local Snowflake: a server on this machine that Snowflake's own clients use like an account."""


def _patterns(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Regular expressions, looked at before a server is started with them."""
    for value in values:
        try:
            re.compile(value)
        except re.error as cause:
            raise click.BadParameter(
                f"`{value}` is not a regular expression: {cause.msg}", ctx, parameter
            ) from cause
    return values


@command.command("start")
@click.option("--port", type=click.IntRange(1, 65_535), help="The port.  [default: a free one]")
@click.option(
    "--database", metavar="NAME", help="The initial database of clients; created if missing.  [default: SFML]"
)
@click.option(
    "--schema", metavar="NAME", help="The initial schema of clients; created if missing.  [default: PUBLIC]"
)
@click.option(
    "--file",
    "-f",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Run the statements of this file after the start; may be repeated.",
)
@click.option(
    "--ignore",
    "ignored",
    metavar="REGEX",
    multiple=True,
    callback=_patterns,
    help="Let statements that begin with this succeed and do nothing; may be given several times.",
)
@format_option
@local_folder
@shared_options()
def start(
    port: int | None,
    database: str | None,
    schema: str | None,
    files: tuple[Path, ...],
    ignored: tuple[str, ...],
    form: str | None,
    place: Path,
    options: Options,
) -> int:
    """Start the server. It keeps running, with its schedules, until `sfml local stop`.

    It needs no project: in any other folder it is your own one.
    """
    from sfml_local import control

    require_local()
    was_running = control.status(place).running
    wanted = control.Place(port, _name(database, "database"), _name(schema, "schema"), ignored)
    with control_errors():
        info = control.keep(place, wanted)
    count = run_files(info, files)
    if form is not None:
        output.say_document(connection_text(info, form))
    elif options.json:
        output.say_json(asdict(info))
    elif not options.quiet:
        words = "was running already" if was_running else "is running"
        output.say(
            f"The local Snowflake {words} at {info.protocol}://{info.host}:{info.port} (pid {info.pid})"
        )
        if files:
            output.say(f"{plural(count, 'statement')} of {', '.join(map(str, files))} carried out")
        output.say(f"Its address and token for any client:  sfml local status{_folder_words(place)} -o json")
        say_notices(info.notices)
    return 0


def _name(text: str | None, what: str) -> str | None:
    """A name as written in SQL; raises `UsageError` for invalid text."""
    if text is not None and len(name_parts(text)) != 1:
        raise UsageError(
            f"`{text}` is not the name of a {what}", help="write a name, or one in quotes: '\"my name\"'"
        )
    return text


def _folder_words(place: Path) -> str:
    """The option with which another command finds the same folder."""
    return "" if place == place_of_server(None) else f" --folder {shlex.quote(str(place))}"


@command.command("stop")
@local_folder
@shared_options()
def stop(place: Path, options: Options) -> int:
    """Stop the server; its data stays."""
    from sfml_local import control

    was_running = control.status(place).running
    with control_errors():
        control.stop(place)
    if options.json:
        output.say_json({"running": False})
    elif not options.quiet:
        output.say("The local Snowflake is stopped; its data stays" if was_running else "It was not running")
    return 0


@command.command("status")
@local_folder
@shared_options()
def status(place: Path, options: Options) -> int:
    """Show whether the server runs, and how clients connect to it."""
    from sfml_local import control

    info = control.status(place)
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
    passing = control.is_passing(place)
    output.say(
        "  it stops with the command that started it and fires no schedules; `sfml local start` keeps it"
        if passing
        else "  schedules fire until `sfml local stop`"
    )
    output.say("Its token for any client:  sfml local status -o json   its log:  sfml local logs")
    return 0


@command.command("reset")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@local_folder
@shared_options()
def reset(auto_approve: bool, place: Path, options: Options) -> int:
    """Stop the server and delete all its data."""
    import sys

    from sfml_local import control

    if not auto_approve:
        if options.json or not sys.stdin.isatty():
            raise UsageError(
                "this deletes all local data, and there is no terminal to ask for approval",
                help="add --auto-approve",
            )
        if not click.confirm(f"Delete every database, stage, model and run in {place}?"):
            raise click.Abort
    with control_errors():
        control.reset(place)
    if options.json:
        output.say_json({"running": False})
    elif not options.quiet:
        output.say("The local Snowflake is empty")
    return 0


for _one in (local_asking.sql, local_asking.logs, local_asking.connection):
    command.add_command(_one)
