"""`sfml status SPEC…`"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import click

from sfml.cli import output
from sfml.cli.opening import Opened, connected, desired_graph, read, say_findings, server_for
from sfml.cli.options import Options, shared_options
from sfml.cli.planning import schedule_words, seen
from sfml.diagnostic import has_errors
from sfml.render.status import PipelineStatus, status_json, status_text, unfinished_of


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC…")
@shared_options()
def command(specs: tuple[str, ...], options: Options) -> int:
    """Show what is deployed, whether its schedule is on, and how its last run ended, with the reason if it failed.

    Exits with 1 when a pipeline needs attention: an apply that did not finish, or a failed last run.
    """
    from sfml import frontend
    from sfml.render.symbols import Symbols

    found: list[PipelineStatus] = []
    broken = False
    with ExitStack() as held:
        for file in frontend.entry_files(specs):
            reading = read(str(file), options)
            if reading.graph is None or has_errors(reading.diagnostics):
                say_findings(reading, options)
                broken = True
                continue
            opened = Opened(reading, desired_graph(reading))
            # One local server for all of them, where none runs.
            held.enter_context(server_for(opened, options))
            found.append(status_of(opened, options))
    if options.json:
        output.say_json(status_json(found))
    elif found:
        output.say(status_text(found, Symbols(output.takes_unicode()), datetime.now(UTC)))
    return 1 if broken or any(status.needs_attention for status in found) else 0


def status_of(found: Opened, options: Options) -> PipelineStatus:
    """One pipeline's state in its target."""
    from sfml.plan.settings import split_comment
    from sfml.runs import last_run

    desired = found.desired
    with connected(found, options) as target:
        root = target.history.root(desired.root.name)
        _, journal = seen(desired, target)
        holder = target.leases.holder(desired.root.name) if journal else None
        run = last_run(desired, target.history, root) if root else None
    record = split_comment(root.comment)[1] if root else None
    return PipelineStatus(
        pipeline=desired.pipeline,
        target=desired.target.name,
        spec_path=desired.spec_path,
        is_deployed=root is not None,
        fingerprint=str(record.get("fingerprint", "")) if record else None,
        commit=str(record["commit"]) if record and "commit" in record else None,
        is_started=bool(root and root.started),
        schedule=schedule_words(desired),
        unfinished=unfinished_of(journal, holder) if journal else None,
        run=run,
    )
