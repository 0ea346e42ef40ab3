"""What removals of one pipeline and of several have in common: flags, what is shown and asked, the removal itself."""

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
from sfml.cli.idle import demand_idle
from sfml.cli.interrupts import give_back
from sfml.cli.locking import Locking
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.frontend.entry_files import misspelt
from sfml.graph.model import Mode
from sfml.lower.desired import DesiredGraph
from sfml.operations.idleness import Idleness
from sfml.operations.removal import Removal
from sfml.operations.target_account import TargetAccount
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from sfml.operations.holding import HeldLease

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
class PipelineRemoval:
    """A pipeline with what of it is to be removed; `objects` are kinds and names of what goes besides."""

    found: CompiledSpec
    objects: tuple[tuple[str, str], ...]
    removal: Removal

    @property
    def is_there(self) -> bool:
        return bool(self.removal.groups or self.objects)


def show(doomed: PipelineRemoval, options: Options) -> None:
    """Everything that goes, or that nothing is there."""
    from sfml.render.destroy import destroy_text

    if not options.speaks:
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


def remove(
    doomed: PipelineRemoval, target: TargetAccount, held: HeldLease, idleness: Idleness, options: Options
) -> None:
    """Remove what was shown and agreed to; says what it did."""
    from sfml.cli.deploying import deploy_work

    speaks = options.speaks
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


def doomed_json(doomed: PipelineRemoval) -> dict[str, Any]:
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
    target: TargetAccount, desired: DesiredGraph, objects: Sequence[tuple[str, str]], *, speaks: bool
) -> None:
    """Drop what was named; what is not there any more is fine."""
    from sfml.operations.retries import RetryPolicy, insist
    from sfml.snowflake.objects import drop_object

    symbols = Symbols(output.takes_unicode())
    for kind, name in objects:
        insist(partial(drop_object, target.connection, desired.target, kind, name), RetryPolicy())
        if speaks:
            output.say(f"  {symbols['SUCCEEDED']} {kind.lower()} {name} is gone")
