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
    """Cancel the runs of SPEC that are executing, parts and backfills included; the schedule does not change.

    A cancelled run can be retried, and recovered with `sfml run --recover`.
    """
    from sfml.operations.part_runs import cancel_beside
    from sfml.operations.runs import cancel_runs, interval_of

    compiled_spec = place_of(spec, options)
    with connected(compiled_spec, options) as target:
        root = deployed_root(compiled_spec, target)
        runs = cancel_runs(
            compiled_spec.desired, target.history, root, interval=interval_of(compiled_spec.desired.target)
        )
        beside = cancel_beside(
            compiled_spec.desired, target, interval=interval_of(compiled_spec.desired.target)
        )
    name = compiled_spec.desired.pipeline
    if beside:
        runs = (*runs, *beside)
        what = f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"
        text = (
            f"Cancelled {what} of {name}. Go on with:  sfml run {compiled_spec.desired.where} --recover last"
        )
    elif runs:
        what = f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"
        text = f"Cancelled {what} of {name}. Retry its unfinished tasks with:  sfml retry {compiled_spec.desired.where}"
    else:
        text = f"No run of {name} is executing."
    say_runs(compiled_spec, options, text, runs)
    return 0
