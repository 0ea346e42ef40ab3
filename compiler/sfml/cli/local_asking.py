"""`sfml local sql|logs|connection`: what people ask of the local Snowflake of their project."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path
from typing import Any

import click

from sfml.base.errors import ConflictingState, UsageError
from sfml.cli import output
from sfml.cli.opening import say_notices
from sfml.cli.options import Options, shared_options
from sfml.operations.local_server import require_local

_QUERY_ID = re.compile(r"[0-9a-fA-F-]{8,64}")


@click.command()
@click.argument("statements")
@shared_options()
def sql(statements: str, options: Options) -> int:
    """Run STATEMENTS (`-` reads them from standard input), separated by semicolons, and print what they answer."""
    import sys
    from dataclasses import asdict

    from sfml.cli.local_folder import folder
    from sfml.graph.model import Target
    from sfml.local import process
    from sfml.snowflake.connection import open_local
    from sfml.snowflake.sql import rows
    from sfml.snowflake.statements import Answer, answers

    place = folder()
    require_local()
    text = sys.stdin.read() if statements == "-" else statements
    found: list[Answer] = []
    with process.in_use(place) as info:
        if options.speaks:
            say_notices(info.notices)
        target = Target("local", "local", str(info.database), str(info.schema), "LOCAL_WH")
        connection = open_local(asdict(info), target)
        try:
            rows(connection, f"USE SCHEMA {info.database}.{info.schema}")
            for answer in answers(connection, text):
                found.append(answer)
                if options.speaks:
                    _say_answer(answer.columns, answer.rows, is_first=len(found) == 1)
        finally:
            connection.close()
    if not found:
        raise UsageError("there is no statement", help='sfml local sql "SHOW TASKS IN ACCOUNT"')
    if options.json:
        results = [{"columns": one.columns, "rows": one.rows} for one in found]
        output.say_json({"results": results})
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
    "--lines", "-n", "count", type=click.IntRange(1), default=50, show_default=True, help="How many."
)
@shared_options()
def logs(query_id: str | None, count: int, options: Options) -> int:
    """Show the end of the server's log, or of what the procedure or job of QUERY_ID wrote."""
    from sfml.cli.local_folder import folder
    from sfml.local.process import LOG_FILE

    if query_id is None:
        file, missing = folder() / LOG_FILE, "the local Snowflake has no log: it was never started here"
    elif _QUERY_ID.fullmatch(query_id):
        file, missing = folder() / "logs" / f"{query_id.lower()}.log", f"query {query_id} wrote nothing"
    else:
        raise UsageError(f"`{query_id}` is no query id", help="`sfml local sql` on TASK_HISTORY shows them")
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
@click.option("--write", is_flag=True, help="Put it into Snowflake's connections.toml; other entries stay.")
@shared_options()
def connection(name: str, write: bool, options: Options) -> int:
    """Print the entry that lets any Snowflake client connect by name, or write it where clients look."""
    from sfml.cli.local_folder import folder
    from sfml.local import process
    from sfml.snowflake.connections_file import as_toml, written

    info = process.status(folder())
    if not info.running:
        raise ConflictingState(
            "the local Snowflake is not running: its port and token are new at every start",
            help="sfml local start",
        )
    if not name.strip():
        raise UsageError("the connection needs a name")
    keys = ("account", "host", "port", "protocol", "user", "password", "database", "schema")
    entry = {key: getattr(info, key) for key in keys} | {"warehouse": "LOCAL_WH"}
    file = written(name, entry) if write else None
    if options.json:
        output.say_json({"name": name, "entry": entry, "file": None if file is None else str(file)})
    elif file is None:
        output.say_document(as_toml(name, entry))
    elif not options.quiet:
        output.say(f"Connection {name} is in {file}; it holds until the server stops.")
        output.say(
            f'Try it:  python -c "import snowflake.connector as s; print(s.connect(connection_name={name!r}))"'
        )
    return 0
