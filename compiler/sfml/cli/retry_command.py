"""`sfml retry SPEC`"""

from __future__ import annotations

import click

from sfml.cli.opening import connected
from sfml.cli.operating import deployed_root, say_runs
from sfml.cli.options import Options, shared_options
from sfml.cli.restoring import place_of


@click.command()
@click.argument("spec")
@click.option("--wait/--no-wait", default=True, help="Follow the run to its end, or come back at once.")
@shared_options()
def command(spec: str, wait: bool, options: Options) -> int:
    """Run what failed of the last run of SPEC again, with what it depends on as it was.

    Snowflake takes that for 14 days, and only while the graph is as it was: a change forfeits it.
    """
    from sfml.cli.running import retry_and_follow
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
