"""`sfml destroy SPEC`"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial

import click

from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.idle import Idleness, demand_idle, idle_options
from sfml.cli.interrupts import give_back
from sfml.cli.locking import Locking, locked, locking_options
from sfml.cli.opening import Connected, connected
from sfml.cli.options import Options, shared_options
from sfml.cli.restoring import place_of
from sfml.errors import UsageError
from sfml.graph.model import Mode
from sfml.lower.desired import DesiredGraph
from sfml.quoting import name_parts, qualified
from sfml.record import record
from sfml.render.symbols import Symbols

DECLARED = "declared"


@record
class Approval:
    """How the answer to the question is given beforehand: by a flag, or by the pipeline's name."""

    auto: bool = False
    name: str | None = None


@click.command()
@click.argument("spec")
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
    "--confirm", "confirmed", metavar="PIPELINE", help="The pipeline's name, in place of typing it."
)
@idle_options
@locking_options
@shared_options()
def command(
    spec: str,
    tables: str | None,
    models: str | None,
    auto_approve: bool,
    confirmed: str | None,
    idleness: Idleness,
    locking: Locking,
    options: Options,
) -> int:
    """Remove the tasks of SPEC from the target, and what it has on the stage: code, jobs, records, files of runs.

    Tables and models stay unless they are named. One that was cut off is finished by the next; `sfml apply --restore`
    brings the graph back as long as its code is there. The spec says which pipeline, and need not compile.
    """
    from sfml.cli.deploying import deploy_work
    from sfml.cli.removing import planned_removal
    from sfml.render.destroy import destroy_json, destroy_text

    found = place_of(spec, options)
    desired = found.desired
    objects = named_objects(desired, tables, models)
    speaks = not (options.quiet or options.json)
    began = time.perf_counter()
    with connected(found, options) as target, locked(desired, target, options, locking) as held:
        removal = planned_removal(desired, target)
        told = (desired, removal.names, removal.staged, objects)
        there = bool(removal.groups or objects)
        if there:
            if speaks:
                is_on = bool(removal.observed and removal.observed.root.started)
                output.say(destroy_text(*told, Symbols(output.takes_unicode()), is_on=is_on))
            ask(desired, Approval(auto_approve, confirmed), options)
            demand_idle(removal.observed, target, held, idleness, options)
            began = time.perf_counter()
            if speaks:
                output.say()
            where = f"{desired.spec_path} -t {desired.target.name}"
            if removal.groups:
                is_open = removal.journal is not None or removal.unreadable is not None
                work = removal.work(held.lease)
                deploy_work(work, target, held, options, where, journal_open=is_open, command="destroy")
            give_back()
            drop_objects(target, desired, objects, speaks=speaks)
    if options.json:
        output.say_json(destroy_json(*told, destroyed=there))
    elif speaks and there:
        took = f"{time.perf_counter() - began:.1f} s"
        output.say(
            f"Removed in {took}: {desired.pipeline} is not deployed in {desired.target.name} any more."
        )
    elif speaks:
        output.say(f"Nothing to remove: {desired.pipeline} is not deployed in {desired.target.name}.")
    return 0


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
    name, target = desired.pipeline, desired.target
    if approval.name is not None and approval.name != name:
        raise UsageError(f"--confirm {approval.name} names another pipeline than {name}; nothing was changed")
    is_named = approval.name == name
    if target.mode is not Mode.PRODUCTION:
        if not (is_named or approval.auto):
            confirm(f"Remove this from {target.name}?", options)
        return
    if is_named:
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
    from sfml.retries import Patience, insist
    from sfml.snowflake.objects import drop_object

    symbols = Symbols(output.takes_unicode())
    for kind, name in objects:
        insist(partial(drop_object, target.connection, desired.target, kind, name), Patience())
        if speaks:
            output.say(f"  {symbols['SUCCEEDED']} {kind.lower()} {name} is gone")
