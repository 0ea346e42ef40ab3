"""`sfml validate SPEC…`"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.opening import read
from sfml.cli.options import Options, shared_options
from sfml.diagnostic import Diagnostic, by_position, has_errors

if TYPE_CHECKING:
    from sfml.frontend import Reading


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC…")
@shared_options()
def command(specs: tuple[str, ...], options: Options) -> int:
    """Check specs: every finding, with file, line, column, code and help.

    SPEC is an entry file, a folder or a glob. Needs no account and no Snowflake packages, and runs none of
    the steps' code.
    """
    from sfml import frontend

    began = time.perf_counter()
    files = frontend.entry_files(specs)
    readings = [read(str(file), options) for file in files]
    found: list[Diagnostic] = [finding for reading in readings for finding in reading.diagnostics]
    diagnostics = by_position(found)
    if options.json:
        from sfml.render.json import diagnostics_json

        output.say_json(diagnostics_json(diagnostics))
    else:
        _say(diagnostics, readings, options, len(files), time.perf_counter() - began)
    return 1 if has_errors(diagnostics) else 0


def _say(
    diagnostics: tuple[Diagnostic, ...], readings: list[Reading], options: Options, count: int, seconds: float
) -> None:
    from sfml.render.text import diagnostics_text
    from sfml.render.units import plural

    sources = {name: text for reading in readings for name, text in reading.sources.items()}
    if diagnostics:
        output.say(diagnostics_text(diagnostics, sources, color=output.wants_color(options.no_color)))
        output.say()
    errors = sum(d.is_error for d in diagnostics)
    if options.quiet and not errors:
        return
    totals = f"{plural(errors, 'error')}, {plural(len(diagnostics) - errors, 'warning')}"
    output.say(f"{totals} in {plural(count, 'pipeline')} ({seconds:.2f} s)")
