"""`sfml destroy SPEC…`"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sfml.base.errors import UsageError
from sfml.base.quoting import name_parts, qualified
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.idle import Idleness, demand_idle, idle_options
from sfml.cli.interrupts import give_back
from sfml.cli.locking import Locking, locked, locking_options
from sfml.cli.opening import connected
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.frontend.compiled_spec import Opened
from sfml.frontend.entry_files import misspelt
from sfml.graph.model import Mode
from sfml.lower.desired import DesiredGraph
from sfml.operations.removal import Removal, planned_removal
from sfml.operations.target_account import Connected
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from sfml.operations.holding import Held

DECLARED = "declared"


@record
class Approval:
    """How the answer to the question is given beforehand: by a flag, or by the pipelines' names."""

    auto: bool = False
    names: tuple[str, ...] = ()


@record
class DestroyFlags:
    """How to remove, the same for every pipeline of a command."""

    tables: str | None
    models: str | None
    approval: Approval
    idleness: Idleness
    locking: Locking


@record
class Doomed:
    """A pipeline with what of it is to be removed; `objects` are kinds and names of what goes besides."""

    found: Opened
    objects: tuple[tuple[str, str], ...]
    removal: Removal

    @property
    def is_there(self) -> bool:
        return bool(self.removal.groups or self.objects)


@click.command()
@specs_argument()
@click.option(
    "--tables",
    is_flag=False,
    flag_value=DECLARED,
    metavar="[=NAME,…]",
    help="Drop these tables too; without names those that steps declare with `writes:`.",
)
@click.option("--models", metavar="NAME,…", help="Drop these models of the registry too.")
@click.option("--auto-approve", is_flag=True, help="Do not ask; in production --confirm has to be given too.")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="PIPELINE",
    help="The pipeline's name, in place of typing it; once for each of several.",
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
    idleness: Idleness,
    locking: Locking,
    options: Options,
) -> int:
    """Remove the tasks of SPEC from the target, and what it has on the stage: code, jobs, records, files of runs.

    SPEC is an entry file, a folder, a glob or a pipeline's name; without one, every pipeline of the project is meant.
    Tables and models stay unless they are named. One that was cut off is finished by the next; `sfml apply --restore`
    brings the graph back as long as its code is there. The spec says which pipeline, and need not compile.
    """
    from sfml.cli.restoring import place_of
    from sfml.frontend.entry_files import is_single

    flags = DestroyFlags(tables, models, Approval(auto_approve, confirmed), idleness, locking)
    if not is_single(specs):
        from sfml.cli.destroy_several import destroy_several

        return destroy_several(specs, flags, options)
    found = place_of(specs[0], options)
    objects = named_objects(found.desired, tables, models)
    with connected(found, options) as target, locked(found.desired, target, options, locking) as held:
        doomed = Doomed(found, objects, planned_removal(found.desired, target))
        show(doomed, options)
        if doomed.is_there:
            ask(found.desired, flags.approval, options)
            remove(doomed, target, held, idleness, options)
    if options.json:
        output.say_json(doomed_json(doomed))
    return 0


def show(doomed: Doomed, options: Options) -> None:
    """Everything that goes, or that nothing is there."""
    from sfml.render.destroy import destroy_text

    if options.quiet or options.json:
        return
    desired, removal = doomed.found.desired, doomed.removal
    if not doomed.is_there:
        output.say(f"Nothing to remove: {desired.pipeline} is not deployed in {desired.target.name}.")
        if (hint := misspelt(desired.spec_path)) is not None:
            output.note(f"help: {hint}")
        return
    is_on = bool(removal.observed and removal.observed.root.started)
    symbols = Symbols(output.takes_unicode())
    output.say(destroy_text(desired, removal.names, removal.staged, doomed.objects, symbols, is_on=is_on))


def remove(doomed: Doomed, target: Connected, held: Held, idleness: Idleness, options: Options) -> None:
    """Remove what was shown and agreed to; says what it did."""
    from sfml.cli.deploying import deploy_work

    speaks = not (options.quiet or options.json)
    desired, removal = doomed.found.desired, doomed.removal
    demand_idle(removal.observed, target, held, idleness, options)
    began = time.perf_counter()
    if speaks:
        output.say()
    where = desired.where
    if removal.groups:
        is_open = removal.journal is not None or removal.unreadable is not None
        work = removal.work(held.lease)
        deploy_work(work, target, held, options, where, journal_open=is_open, command="destroy")
    if doomed.objects:
        give_back()
        drop_objects(target, desired, doomed.objects, speaks=speaks)
    if speaks:
        took = f"{time.perf_counter() - began:.1f} s"
        output.say(
            f"Removed in {took}: {desired.pipeline} is not deployed in {desired.target.name} any more."
        )


def doomed_json(doomed: Doomed) -> dict[str, Any]:
    """What was removed, without `format_version`."""
    from sfml.render.destroy import destroy_json

    removal = doomed.removal
    return destroy_json(
        doomed.found.desired, removal.names, removal.staged, doomed.objects, destroyed=doomed.is_there
    )


def named_objects(
    desired: DesiredGraph, tables: str | None, models: str | None
) -> tuple[tuple[str, str], ...]:
    """Kind and qualified name of what is to be dropped besides; raises `UsageError` where nothing is declared."""
    declared = sorted({table for task in desired.all_tasks for table in task.writes})
    if tables == DECLARED and not declared:
        raise UsageError(
            f"no task of {desired.pipeline} declares tables with `writes:`",
            help="name the tables: --tables=A,B",
        )
    wanted = declared if tables == DECLARED else _split(tables)
    found = [("TABLE", name) for name in wanted] + [("MODEL", name) for name in _split(models)]
    return tuple((kind, _in_full(desired, name)) for kind, name in found)


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",") if name.strip()]


def _in_full(desired: DesiredGraph, name: str) -> str:
    """The name with database and schema, those of the target where it does not say."""
    parts = name_parts(name)
    if len(parts) > 3:
        raise UsageError(
            f"`{name}` is no name of a table or model", help="write DATABASE.SCHEMA.NAME, or less"
        )
    places = (desired.target.database, desired.target.schema)
    return qualified(*places[: 3 - len(parts)], *parts)


def ask(desired: DesiredGraph, approval: Approval, options: Options) -> None:
    """Go on only after a yes; in production only after the pipeline's name."""
    refuse_other_names((desired.pipeline,), approval)
    if not approval.names and desired.target.mode is not Mode.PRODUCTION and not approval.auto:
        confirm(f"Remove this from {desired.target.name}?", options)
    demand_name(desired, approval, options)


def refuse_other_names(pipelines: Sequence[str], approval: Approval) -> None:
    """Raise for a --confirm that names none of the pipelines."""
    for name in approval.names:
        if name not in pipelines:
            than = pipelines[0] if len(pipelines) == 1 else f"the {len(pipelines)} that are to be removed"
            raise UsageError(f"--confirm {name} names another pipeline than {than}; nothing was changed")


def demand_name(desired: DesiredGraph, approval: Approval, options: Options) -> None:
    """Go on in production only after the pipeline's name was given or typed."""
    name, target = desired.pipeline, desired.target
    if target.mode is not Mode.PRODUCTION or name in approval.names:
        return
    if options.json or approval.auto or not sys.stdin.isatty():
        raise UsageError(
            f"`{target.name}` is a production target: what is removed there has to be named",
            help=f"add --confirm {name}",
        )
    if click.prompt(f"Type {name} to remove this from {target.name}", default="", show_default=False) != name:
        raise click.Abort


def drop_objects(
    target: Connected, desired: DesiredGraph, objects: Sequence[tuple[str, str]], *, speaks: bool
) -> None:
    """Drop what was named; what is not there any more is fine."""
    from sfml.operations.retries import Patience, insist
    from sfml.snowflake.objects import drop_object

    symbols = Symbols(output.takes_unicode())
    for kind, name in objects:
        insist(partial(drop_object, target.connection, desired.target, kind, name), Patience())
        if speaks:
            output.say(f"  {symbols['SUCCEEDED']} {kind.lower()} {name} is gone")
