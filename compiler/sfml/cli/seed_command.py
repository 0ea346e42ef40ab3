"""`sfml seed SPEC…`"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from sfml.base.errors import ConflictingState
from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.model import Mode
from sfml.operations.target_account import TargetAccount


@click.command()
@specs_argument()
@shared_options()
def command(specs: tuple[str, ...], options: Options) -> int:
    """Load SPEC's seed tables from their files, replacing their content. Refused for production targets.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    """
    from sfml.cli.pipelines import Targets, compile_specs, each, failures, say_json_of
    from sfml.frontend.entry_files import is_single

    if not is_single(specs):
        with Targets(options) as targets:

            def load(compiled_spec: CompiledSpec) -> Mapping[str, Any]:
                demand_seeds(compiled_spec)
                return _loaded(compiled_spec, targets.of(compiled_spec), options)

            results = each(compile_specs(specs, options), load, options)
        if options.json:
            say_json_of(results)
        return 1 if failures(results) else 0
    compiled_spec = compile_spec(specs[0], options)
    demand_seeds(compiled_spec)
    with connected(compiled_spec, options) as target:
        loaded = _loaded(compiled_spec, target, options)
    if options.json:
        output.say_json(loaded)
    return 0


def demand_seeds(compiled_spec: CompiledSpec) -> None:
    """Raise `ConflictingState` for a production target, and for a missing file."""
    desired = compiled_spec.desired
    if desired.target.mode is Mode.PRODUCTION:
        raise ConflictingState(
            f"target `{desired.target.name}` is production: seeds would replace its tables",
            help="seed another target",
        )
    missing = [seed for seed in desired.seeds if not (compiled_spec.root / seed.file).is_file()]
    if missing:
        raise ConflictingState(
            f"the file of seed {missing[0].table} is not there: {missing[0].file}",
            help="make it first; in the sfml repository `make data` does",
        )


def _loaded(compiled_spec: CompiledSpec, target: TargetAccount, options: Options) -> Mapping[str, Any]:
    """Load every seed table, and print it; returns the JSON."""
    from sfml.render.units import plural
    from sfml.snowflake.seeds import load_seed

    desired = compiled_spec.desired
    speaks = options.speaks
    loaded = []
    for seed in desired.seeds:
        rows = load_seed(target.connection, desired.target, seed.table, compiled_spec.root / seed.file)
        loaded.append({"table": seed.table, "file": seed.file, "rows": rows})
        if speaks:
            place = f"{desired.target.database}.{desired.target.schema}.{seed.table}"
            output.say(f"{place}  {plural(rows, 'row')} from {seed.file}")
    if speaks and not loaded:
        output.say(f"{desired.pipeline} has no seeds")
    return {"pipeline": desired.pipeline, "target": desired.target.name, "seeds": loaded}
