"""What most commands begin with: read the spec, say its findings, lower it, connect to the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfml import __version__
from sfml.cli import output
from sfml.cli.host_watch import account_connection, close
from sfml.cli.options import Options
from sfml.diagnostic import Diagnostic, has_errors
from sfml.errors import ConflictingState, InvalidSpec, NotSupportedYet
from sfml.record import record

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.frontend import Reading
    from sfml.graph.model import Target
    from sfml.lower.desired import DesiredGraph
    from sfml.snowflake.history import History
    from sfml.snowflake.leases import Leases
    from sfml.snowflake.stage import Stage
    from sfml.snowflake.tasks import Tasks

LOCAL_FOLDER = Path(".sfml") / "local"
"""Where a project keeps its local Snowflake, below the project's root."""


@record
class Opened:
    """A spec that compiles, for one target."""

    reading: Reading
    desired: DesiredGraph

    @property
    def root(self) -> Path:
        return self.reading.root


@record
class Connected:
    """The target, open."""

    connection: SnowflakeConnection
    tasks: Tasks
    stage: Stage
    history: History
    leases: Leases


def user_name(options: Options) -> str:
    from sfml.spec.names import login_name

    return options.user or login_name()


def read(path: str, options: Options) -> Reading:
    from sfml import frontend

    return frontend.read(
        Path(path), target=options.target, variables=options.variables, user=user_name(options)
    )


def single(paths: tuple[str, ...] | str) -> str:
    """The one entry file that a SPEC argument stands for."""
    from sfml import frontend

    arguments = (paths,) if isinstance(paths, str) else paths
    found = frontend.entry_files(arguments)
    if len(found) != 1:
        names = ", ".join(str(path) for path in found[:5]) or "none"
        raise click.UsageError(
            f"this command takes one pipeline; `{' '.join(arguments)}` has {len(found)}: {names}"
        )
    return str(found[0])


def opened(path: str, options: Options) -> Opened:
    """The spec compiled; its findings are said, and errors among them raise `InvalidSpec`."""
    reading = read(single(path), options)
    say_findings(reading, options)
    if reading.graph is None or has_errors(reading.diagnostics):
        raise InvalidSpec(reading.diagnostics)
    return Opened(reading, desired_graph(reading))


def desired_graph(reading: Reading) -> DesiredGraph:
    from sfml.lower.job_folders import job_files
    from sfml.lower.lower import lower

    assert reading.graph is not None, "findings are looked at before lowering"
    return lower(reading.graph, reading.catalog.closure, __version__, job_files=job_files(reading.root))


def say_findings(reading: Reading, options: Options) -> None:
    """The findings on standard error; nothing when there are none, or when JSON is asked for."""
    say_diagnostics(reading.diagnostics, reading.sources, options)


def say_diagnostics(
    diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str], options: Options
) -> None:
    """Findings with the lines of the sources that they are about, likewise."""
    if options.json or not diagnostics:
        return
    from sfml.render.text import diagnostics_text

    output.note_colored(diagnostics_text(diagnostics, sources, color=output.wants_color(options.no_color)))


@contextmanager
def connected(
    found: Opened, options: Options, *, on_missing: Callable[[SnowflakeConnection], None] | None = None
) -> Iterator[Connected]:
    """The target's account, checked; a local server is started when none runs, and stopped again.

    `on_missing` is called when the database or schema is not there: it makes them, or raises.
    """
    from sfml.snowflake.history import History
    from sfml.snowflake.leases import Leases
    from sfml.snowflake.objects import use_schema
    from sfml.snowflake.stage import Stage
    from sfml.snowflake.tasks import Tasks

    target = found.desired.target
    with server_for(found, options) as server, connection_to(target, server, options) as connection:
        try:
            use_schema(connection, target)
        except ConflictingState:
            if on_missing is None:
                raise
            on_missing(connection)
            use_schema(connection, target)
        yield Connected(
            connection,
            Tasks(connection, target),
            Stage(connection, target),
            History(connection, target),
            Leases(connection, target),
        )


@contextmanager
def connection_to(
    target: Target, server: Mapping[str, Any] | None, options: Options
) -> Iterator[SnowflakeConnection]:
    """A connection to the target: to the local server that it lives in, or to its account."""
    from sfml.snowflake.connection import open_local

    if server is None:
        with account_connection(target, options) as connection:
            yield connection
        return
    connection = open_local(server, target)
    try:
        yield connection
    finally:
        close(connection)


def warning_teller(options: Options) -> Callable[[str], None]:
    """Says what is wrong with files of secrets, beside the results."""
    return lambda text: None if options.json or options.quiet else output.note(f"note: {text}")


@contextmanager
def server_for(found: Opened, options: Options) -> Iterator[Mapping[str, Any] | None]:
    """The local server that the target lives in: one that runs, or our own for as long as it is needed.

    None for a target that is an account.
    """
    if not found.desired.target.is_local:
        yield None
        return
    from dataclasses import asdict

    from sfml.cli.server_watch import ended_with
    from sfml.local import process

    require_local()
    folder = found.root / LOCAL_FOLDER
    is_silent = options.json or options.quiet
    if not (is_silent or process.status(folder).running):
        output.note("starting the local Snowflake …")
    with (
        process.in_use(folder) as info,
        ended_with(folder, info, found.desired.target.name, as_json=options.json),
    ):
        if not is_silent:
            say_notices(info.notices)
        yield asdict(info)


def say_notices(notices: tuple[str, ...]) -> None:
    """What a local server has to tell of damage that it met, beside the results."""
    for notice in notices:
        output.note(f"warning: {notice}")


def require_local() -> None:
    """Raise when the packages that the local Snowflake is made of are not installed."""
    from importlib.util import find_spec

    if find_spec("fakesnow") is None:
        raise NotSupportedYet(
            "the local Snowflake is not installed", help='pip install "sfml-snowflake[local]"'
        )
