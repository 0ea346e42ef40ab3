"""`sfml status SPEC…`"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sfml.base.diagnostic import has_errors
from sfml.base.errors import MissingSchema, SfmlError
from sfml.cli import output
from sfml.cli.inputs import connected, read, say_findings
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.cli.target_screen import TargetScreen
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.operations.apply_plan import schedule_words
from sfml.operations.graph_health import graph_health
from sfml.operations.local_server import server_for
from sfml.render.status import PipelineStatus, status_json, status_text

if TYPE_CHECKING:
    from sfml.frontend.reading import Reading


@click.command()
@specs_argument()
@shared_options()
def command(specs: tuple[str, ...], options: Options) -> int:
    """Show what is deployed, whether its schedule is on, and how its last run ended, with reasons for problems.

    Exits with 1 if a pipeline needs attention: its schedule is off but should be on, tasks are suspended or loose, an
    apply is unfinished, or the last run failed, timed out, was cancelled or is late. A pipeline whose status cannot be
    read does not stop the others.
    """
    from sfml.frontend.entry_files import entry_files
    from sfml.render.symbols import Symbols

    statuses: list[PipelineStatus] = []
    with ExitStack() as servers:
        for file in entry_files(specs):
            reading = read(str(file), options)
            if reading.graph is None or has_errors(reading.diagnostics):
                say_findings(reading, options)
                statuses.append(_without_graph(str(file), reading, options))
                continue
            statuses.append(status_of(CompiledSpec(reading, desired_graph(reading)), options, servers))
    if options.json:
        output.say_json(status_json(statuses))
    else:
        shown = [one for one in statuses if one.needs_attention] if options.quiet else statuses
        if shown:
            output.say(status_text(shown, Symbols(output.takes_unicode()), datetime.now(UTC)))
    return 1 if any(status.needs_attention for status in statuses) else 0


def status_of(compiled_spec: CompiledSpec, options: Options, servers: ExitStack) -> PipelineStatus:
    """The status of one pipeline in its target, or why it cannot be read."""
    from sfml.render.schedule import schedule_words as regular_words

    desired = compiled_spec.desired

    def status(**what: object) -> PipelineStatus:
        return PipelineStatus(
            desired.pipeline,
            desired.target.name,
            desired.spec_path,
            schedule_words(desired),
            None if desired.root.schedule is None else regular_words(desired.root.schedule),
            **what,  # type: ignore[arg-type]
        )

    try:
        # If no local server runs, one is started for all pipelines.
        servers.enter_context(server_for(compiled_spec, TargetScreen(options)))
        with connected(compiled_spec, options) as target:
            return status(health=graph_health(desired, target))
    except MissingSchema as error:
        return status(absent=error.message)
    except SfmlError as error:
        return status(unknown=error.message, unknown_help=error.help)


def _without_graph(file: str, reading: Reading, options: Options) -> PipelineStatus:
    """The status of a pipeline whose spec does not compile: unknown."""
    from pathlib import Path

    loaded = reading.loaded.spec
    name = loaded.name if loaded is not None else Path(file).stem
    target = options.target or "?"
    return PipelineStatus(
        str(name), target, file, None, unknown="its spec has errors", unknown_help=f"sfml validate {file}"
    )
