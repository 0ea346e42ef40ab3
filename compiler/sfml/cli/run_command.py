"""`sfml run SPEC`"""

from __future__ import annotations

from collections.abc import Mapping

import click

from sfml.cli import output
from sfml.cli.opening import connected, opened
from sfml.cli.options import Options, pairs, shared_options


@click.command()
@click.argument("spec")
@click.option(
    "--config",
    multiple=True,
    callback=pairs,
    metavar="KEY=VALUE",
    help="Override a config value in this run.",
)
@click.option("--wait/--no-wait", default=True, help="Follow the run to its end, or come back at once.")
@shared_options()
def command(spec: str, config: Mapping[str, str], wait: bool, options: Options) -> int:
    """Run the deployed pipeline once, now, and follow it to its end. The schedule stays as it is."""
    from sfml.cli.health import demand_whole
    from sfml.cli.running import run_and_follow, suspended_before
    from sfml.errors import UsageError
    from sfml.local import process
    from sfml.runs import start

    found = opened(spec, options)
    if not wait and found.desired.target.is_local:
        from sfml.cli.opening import LOCAL_FOLDER

        if not process.status(found.root / LOCAL_FOLDER).running:
            raise UsageError(
                "--no-wait needs a local Snowflake that goes on running after this command",
                help="sfml local start",
            )
    with connected(found, options) as target:
        demand_whole(found, target)
        if wait:
            return run_and_follow(found, target, options, config)
        suspended_before(found, target, options)
        start(found.desired, target.history, config)
    if options.json:
        output.say_json(
            {"pipeline": found.desired.pipeline, "target": found.desired.target.name, "state": "SCHEDULED"}
        )
    elif not options.quiet:
        where = f"{found.desired.spec_path} -t {found.desired.target.name}"
        output.say(f"{found.desired.pipeline} was started. Follow it with:  sfml status {where}")
    return 0
