"""`sfml destroy SPEC…`"""

from __future__ import annotations

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.idle_options import idle_options
from sfml.cli.inputs import connected
from sfml.cli.lease_options import Locking, locked, locking_options
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.cli.removal import (
    DECLARED,
    Approval,
    DestroyFlags,
    PipelineRemoval,
    ask,
    doomed_json,
    named_objects,
    placed_at,
    remove,
    show,
)
from sfml.operations.idleness import Idleness
from sfml.operations.removal import planned_removal


@click.command()
@specs_argument()
@click.option(
    "--tables",
    is_flag=False,
    flag_value=DECLARED,
    metavar="[=NAME,…]",
    help="Also drop these tables; without names, those that tasks declare with `writes:`.",
)
@click.option("--models", metavar="NAME,…", help="Also drop these models from the registry.")
@click.option("--auto-approve", is_flag=True, help="Do not ask; in production, --confirm is also needed.")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="PIPELINE",
    help="Confirm by the pipeline's name, without a prompt; may be repeated.",
)
@click.option(
    "--at",
    metavar="DATABASE.SCHEMA",
    help="Remove it there, where the target led before; by default, where the target leads.",
)
@idle_options
@locking_options
@shared_options()
def command(
    specs: tuple[str, ...],
    tables: str | None,
    models: str | None,
    auto_approve: bool,
    confirmed: tuple[str, ...],
    at: str | None,
    idleness: Idleness,
    locking: Locking,
    options: Options,
) -> int:
    """Remove the tasks of SPEC from the target, and its files on the stage: code, jobs, records, files of runs.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    Tables and models stay unless they are named. A repeated destroy finishes an interrupted one; `sfml apply --restore`
    brings the graph back as long as its code exists. The spec only identifies the pipeline; it need not compile.
    """
    from sfml.cli.restoration import place_of
    from sfml.frontend.entry_files import is_single, narrowed

    if tables or models or at:
        specs = narrowed(specs)
    flags = DestroyFlags(tables, models, Approval(auto_approve, confirmed), idleness, locking)
    if not is_single(specs):
        if at is not None:
            raise UsageError("--at goes with one pipeline", help="name one by its file or its name")
        from sfml.cli.destroy_several import destroy_several

        return destroy_several(specs, flags, options)
    compiled_spec = placed_at(place_of(specs[0], options), at)
    objects = named_objects(compiled_spec.desired, tables, models)
    with (
        connected(compiled_spec, options) as target,
        locked(compiled_spec.desired, target, options, locking) as held_lease,
    ):
        doomed = PipelineRemoval(compiled_spec, objects, planned_removal(compiled_spec.desired, target), at)
        show(doomed, options)
        if doomed.is_there:
            ask(compiled_spec.desired, flags.approval, options)
            remove(doomed, target, held_lease, idleness, options)
    if options.json:
        output.say_json(doomed_json(doomed))
    return 0
