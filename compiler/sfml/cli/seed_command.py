"""`sfml seed SPEC`"""

from __future__ import annotations

import click

from sfml.cli import output
from sfml.cli.opening import connected, opened
from sfml.cli.options import Options, shared_options
from sfml.errors import ConflictingState
from sfml.graph.model import Mode


@click.command()
@click.argument("spec")
@shared_options()
def command(spec: str, options: Options) -> int:
    """Load SPEC's seed tables from their files, replacing what they hold. Refused for production targets."""
    from sfml.render.units import plural
    from sfml.snowflake.seeds import load_seed

    found = opened(spec, options)
    desired = found.desired
    if desired.target.mode is Mode.PRODUCTION:
        raise ConflictingState(
            f"target `{desired.target.name}` is production: seeds would replace its tables",
            help="seed another target",
        )
    missing = [seed for seed in desired.seeds if not (found.root / seed.file).is_file()]
    if missing:
        raise ConflictingState(
            f"the file of seed {missing[0].table} is not there: {missing[0].file}",
            help="make it first; in the sfml repository `make data` does",
        )
    loaded = []
    with connected(found, options) as target:
        for seed in desired.seeds:
            rows = load_seed(target.connection, desired.target, seed.table, found.root / seed.file)
            loaded.append({"table": seed.table, "file": seed.file, "rows": rows})
            if not (options.json or options.quiet):
                place = f"{desired.target.database}.{desired.target.schema}.{seed.table}"
                output.say(f"{place}  {plural(rows, 'row')} from {seed.file}")
    if options.json:
        output.say_json({"pipeline": desired.pipeline, "target": desired.target.name, "seeds": loaded})
    elif not loaded:
        output.say(f"{desired.pipeline} has no seeds")
    return 0
