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
    from sfml.operations.graph_health import demand_whole
    from sfml.operations.runs import retry

    found = place_of(spec, options)
    with connected(found, options) as target:
        deployed_root(found, target)
        demand_whole(found, target)
        if wait:
            return retry_and_follow(found, target, options)
        _, failed = retry(found.desired, target.history)
    text = f"Run {failed.run_id} is retried. Follow it with:  sfml status {found.desired.where}"
    say_runs(found, options, text, (failed.run_id,))
    return 0
