"""`sfml cancel SPEC`"""

from __future__ import annotations

import click

from sfml.cli.deployed_roots import deployed_root, say_runs
from sfml.cli.inputs import connected
from sfml.cli.options import Options, shared_options
from sfml.cli.restoration import place_of


@click.command()
@click.argument("spec")
@shared_options()
def command(spec: str, options: Options) -> int:
    """Cancel the runs of SPEC that are executing. The schedule does not change; a cancelled run can be retried."""
    from sfml.operations.runs import cancel_runs, interval_of

    found = place_of(spec, options)
    with connected(found, options) as target:
        root = deployed_root(found, target)
        runs = cancel_runs(found.desired, target.history, root, interval=interval_of(found.desired.target))
    name = found.desired.pipeline
    if runs:
        what = f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"
        text = (
            f"Cancelled {what} of {name}. Retry its unfinished tasks with:  sfml retry {found.desired.where}"
        )
    else:
        text = f"No run of {name} is executing."
    say_runs(found, options, text, runs)
    return 0
