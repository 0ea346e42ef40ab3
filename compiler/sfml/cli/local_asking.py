"""`sfml local sql|logs|connection`: query a local Snowflake, read its logs, connect other clients."""

from __future__ import annotations

import re
import shlex
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode

import click

from sfml.base.errors import AccountError, ConflictingState, UsageError
from sfml.cli import output
from sfml.cli.inputs import say_notices
from sfml.cli.local_folder import local_folder
from sfml.cli.options import Options, shared_options
from sfml.operations.local_server import control_errors, require_local

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.snowflake.statements import Answer
    from sfml_local.control import ServerInfo

F = TypeVar("F", bound=Callable[..., Any])

_QUERY_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


FORMATS = ("toml", "env", "uri")


def format_option(function: F) -> F:
    """Adds the option for the form of the connection data; the command receives it as `form`."""
    option = click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        help="Print only the connection data: an entry of connections.toml, shell variables, or a URI.",
    )
    return option(function)


def connection_text(info: ServerInfo, form: str, name: str = "local") -> str:
    """The connection data with the token: as `toml`, `env` (for a shell) or `uri` (for SQLAlchemy)."""
    from sfml.snowflake.connections_file import as_toml

    entry = connection_entry(info)
    if form == "env":
        pairs = ((f"SNOWFLAKE_{key.upper()}", str(value)) for key, value in entry.items())
        return "\n".join(f"export {key}={shlex.quote(value)}" for key, value in pairs)
    if form == "uri":
        place = "/".join(quote(str(entry[key]), safe="") for key in ("database", "schema"))
        login = f"{quote(str(info.user), safe='')}:{quote(str(info.password), safe='')}"
        words = urlencode({key: entry[key] for key in ("account", "protocol", "warehouse")})
        return f"snowflake://{login}@{info.host}:{info.port}/{place}?{words}"
    return as_toml(name, entry)


def connection_entry(info: ServerInfo) -> dict[str, Any]:
    """The connection entry for the server."""
    keys = ("account", "host", "port", "protocol", "user", "password", "database", "schema")
    return {key: getattr(info, key) for key in keys} | {"warehouse": "LOCAL_WH"}


def run_files(info: ServerInfo, files: Sequence[Path]) -> int:
    """Run the statements of the files in order; returns their number."""
    if not files:
        return 0
    with _connected(info) as connection:
        return sum(1 for _ in _answers_of(connection, files))


def _answers_of(connection: SnowflakeConnection, files: Sequence[Path]) -> Iterator[Answer]:
    """The results of the statements of the files, each as soon as it is there.

    Raises `AccountError` for the first that is refused, with its file; those before it are carried out.
    """
    from sfml.snowflake.statements import answers

    for file in files:
        try:
            yield from answers(connection, file.read_text(encoding="utf-8"))
        except AccountError as error:
            raise error.reworded(f"{file}: {error.message}") from error
        except UnicodeDecodeError as cause:
            raise UsageError(f"`{file}` is not UTF-8 text") from cause


@contextmanager
def _connected(info: ServerInfo) -> Iterator[SnowflakeConnection]:
    """A connection to a running server, in the initial schema of its clients."""
    from sfml.base.quoting import qualified
    from sfml.graph.model import Target
    from sfml.lower.names import folded_name
    from sfml.snowflake.connection import open_local
    from sfml.snowflake.light_connector import import_lightly
    from sfml.snowflake.sql import rows

    import_lightly()
    database, schema = folded_name(str(info.database)), folded_name(str(info.schema))
    connection = open_local(asdict(info), Target("local", "local", database, schema, "LOCAL_WH"))
    try:
        rows(connection, f"USE SCHEMA {qualified(database, schema)}")
        yield connection
    finally:
        connection.close()


@click.command()
@click.argument("statements", required=False)
@click.option(
    "--file",
    "-f",
    "files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Run the statements of this file first; may be repeated.",
)
@local_folder
@shared_options()
def sql(statements: str | None, files: tuple[Path, ...], place: Path, options: Options) -> int:
    """Run STATEMENTS, separated by semicolons, and print their results. With `-`, read them from standard input."""
    import sys

    from sfml.snowflake.statements import answers
    from sfml_local import control

    require_local()
    if statements is None and not files:
        raise UsageError("there is no statement", help='sfml local sql "SHOW TASKS IN ACCOUNT"')
    text = sys.stdin.read() if statements == "-" else statements or ""
    results: list[Answer] = []
    with control_errors(), control.in_use(place) as info:
        if options.speaks:
            say_notices(info.notices)
        with _connected(info) as connection:
            for answer in chain(_answers_of(connection, files), answers(connection, text)):
                results.append(answer)
                if options.speaks:
                    _say_answer(answer.columns, answer.rows, is_first=len(results) == 1)
    if not results:
        raise UsageError("there is no statement", help='sfml local sql "SHOW TASKS IN ACCOUNT"')
    if options.json:
        documents = [{"columns": result.columns, "rows": result.rows} for result in results]
        output.say_json({"results": documents})
    return 0


def _say_answer(columns: tuple[str, ...], rows: tuple[tuple[Any, ...], ...], *, is_first: bool) -> None:
    from sfml.render.table import table_text
    from sfml.render.units import plural

    if not is_first:
        output.say()
    if columns == ("status",) and len(rows) == 1:
        output.say(str(rows[0][0]))
        return
    output.say(table_text(columns, rows))
    output.say(f"({plural(len(rows), 'row')})")


@click.command()
@click.argument("query_id", required=False)
@click.option(
    "--lines",
    "-n",
    "count",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="The number of lines.",
)
@local_folder
@shared_options()
def logs(query_id: str | None, count: int, place: Path, options: Options) -> int:
    """Show the end of the server's log, or of the log of the procedure or job with QUERY_ID."""
    from sfml_local.control import LOG_FILE

    if query_id is None:
        file, missing = place / LOG_FILE, "the local Snowflake has no log: it was never started here"
    elif _QUERY_ID.fullmatch(query_id):
        file, missing = place / "logs" / f"{query_id.lower()}.log", f"query {query_id} wrote nothing"
    else:
        raise UsageError(
            f"`{query_id}` is not a query id", help="`sfml local sql` on TASK_HISTORY shows them"
        )
    try:
        lines = _tail(file, count)
    except FileNotFoundError:
        raise ConflictingState(missing, help="sfml local status") from None
    if options.json:
        output.say_json({"file": str(file), "lines": lines})
        return 0
    for line in lines:
        output.say(line)
    if not lines and not options.quiet:
        output.say(f"{file} is empty: nothing went wrong" if query_id is None else f"{file} is empty")
    return 0


def _tail(file: Path, count: int) -> list[str]:
    with file.open(encoding="utf-8", errors="replace") as stream:
        return [line.rstrip("\r\n") for line in deque(stream, maxlen=count)]


@click.command()
@click.option("--name", default="local", show_default=True, help="The name of the connection.")
@click.option("--write", is_flag=True, help="Write it into Snowflake's connections.toml; other entries stay.")
@format_option
@local_folder
@shared_options()
def connection(name: str, write: bool, form: str | None, place: Path, options: Options) -> int:
    """Print the connection entry for any Snowflake client, or write it into connections.toml."""
    from sfml.snowflake.connections_file import written
    from sfml.snowflake.light_connector import import_lightly
    from sfml_local import control

    info = control.status(place)
    if not info.running:
        raise ConflictingState(
            "the local Snowflake is not running: its port and token are new at every start",
            help="sfml local start",
        )
    if not name.strip():
        raise UsageError("the connection needs a name")
    entry = connection_entry(info)
    if write:
        import_lightly()
    file = written(name, entry) if write else None
    if options.json:
        output.say_json({"name": name, "entry": entry, "file": None if file is None else str(file)})
    elif file is None:
        output.say_document(connection_text(info, form or "toml", name))
    elif not options.quiet:
        output.say(f"Connection {name} is in {file}; it holds until the server stops.")
        output.say(
            f'Try it:  python -c "import snowflake.connector as s; print(s.connect(connection_name={name!r}))"'
        )
    return 0
