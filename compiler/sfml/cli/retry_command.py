"""`sfml retry SPEC`"""

from __future__ import annotations

import click

from sfml.cli.deployed_roots import deployed_root, say_runs
from sfml.cli.inputs import connected
from sfml.cli.options import Options, shared_options
from sfml.cli.restoration import place_of


@click.command()
@click.argument("spec")
@click.option("--wait/--no-wait", default=True, help="Wait for the end of the run, or return at once.")
@shared_options()
def command(spec: str, wait: bool, options: Options) -> int:
    """Retry the failed tasks of SPEC's last run. Results of tasks that succeeded are reused.

    Snowflake allows a retry for 14 days, and only if the graph has not changed since the run.
    """
    from sfml.cli.run_view import retry_and_follow
    from sfml.operations.graph_health import demand_finished_apply
    from sfml.operations.runs import retry

    compiled_spec = place_of(spec, options)
    with connected(compiled_spec, options) as target:
        deployed_root(compiled_spec, target)
        demand_finished_apply(compiled_spec, target)
        if wait:
            return retry_and_follow(compiled_spec, target, options)
        _, failed = retry(compiled_spec.desired, target.history)
    text = f"Run {failed.run_id} is retried. Follow it with:  sfml status {compiled_spec.desired.where}"
    say_runs(compiled_spec, options, text, (failed.run_id,))
    return 0
