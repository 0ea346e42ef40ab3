"""The parts that `sfml destroy` of one and of several pipelines share: flags, questions, and the removal itself."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sfml.base.errors import UsageError
from sfml.base.quoting import folded, name_parts, qualified
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.confirmation import confirm
from sfml.cli.idle_options import demand_idle
from sfml.cli.interrupts import restore_signals
from sfml.cli.lease_options import Locking
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
    from sfml.operations.held_lease import HeldLease

DECLARED = "declared"


@record
class Approval:
    """An approval given in advance: by a flag (`auto`), or by the pipelines' names."""

    auto: bool = False
    names: tuple[str, ...] = ()


@record
class DestroyFlags:
    """The flags of `sfml destroy`, the same for every pipeline of the command."""

    tables: str | None
    models: str | None
    approval: Approval
    idleness: Idleness
    locking: Locking


@record
class PipelineRemoval:
    """A pipeline and its removal; `objects` are (kind, name) pairs of tables and models to drop as well.

    `at` is the schema from which it is removed if the target leads elsewhere.
    """

    compiled_spec: CompiledSpec
    objects: tuple[tuple[str, str], ...]
    removal: Removal
    at: str | None = None

    @property
    def place(self) -> str:
        return self.at or self.compiled_spec.desired.target.name

    @property
    def command(self) -> str:
        return "destroy" if self.at is None else f"destroy --at {shlex.quote(self.at)}"

    @property
    def is_there(self) -> bool:
        return bool(self.removal.groups or self.objects)


def placed_at(compiled_spec: CompiledSpec, at: str | None) -> CompiledSpec:
    """The spec with another database and schema, `DATABASE.SCHEMA`; as it is for None."""
    if at is None:
        return compiled_spec
    parts = name_parts(at)
    if len(parts) != 2:
        raise UsageError(f"--at `{at}` is not a schema", help="write DATABASE.SCHEMA")
    desired = compiled_spec.desired
    target = replace(desired.target, database=folded(parts[0]), schema=folded(parts[1]))
    return replace(compiled_spec, desired=replace(desired, target=target))


def show(doomed: PipelineRemoval, options: Options) -> None:
    """Print everything that will be removed, or that the pipeline is not deployed."""
    from sfml.operations.held_lease import held_words, new_lease
    from sfml.render.destroy import destroy_text

    if not options.speaks:
        return
    desired, removal = doomed.compiled_spec.desired, doomed.removal
    if not doomed.is_there:
        output.say(f"Nothing to remove: {desired.pipeline} is not deployed in {doomed.place}.")
        if (hint := misspelt(desired.spec_path)) is not None:
            output.note(f"help: {hint}")
        return
    is_on = bool(removal.observed and removal.observed.root.started)
    symbols = Symbols(output.takes_unicode())
    output.say(destroy_text(desired, removal.names, removal.staged, doomed.objects, symbols, is_on=is_on))
    if removal.backfill is not None:
        who = held_words(desired.root.name, removal.backfill, new_lease(""))
        output.say(f"A backfill is going on, and loses the values that run: {who}.")


def remove(
    doomed: PipelineRemoval,
    target: TargetAccount,
    held_lease: HeldLease,
    idleness: Idleness,
    options: Options,
) -> None:
    """Carry out the approved removal, and print what is done."""
    from sfml.cli.deployment import deploy_work

    speaks = options.speaks
    desired, removal = doomed.compiled_spec.desired, doomed.removal
    demand_idle(removal.observed, target, held_lease, idleness, options)
    began = time.perf_counter()
    if speaks:
        output.say()
    where = desired.where
    if removal.groups:
        is_open = removal.journal is not None or removal.unreadable is not None
        work = removal.work(held_lease.lease)
        deploy_work(work, target, held_lease, options, where, journal_open=is_open, command=doomed.command)
    if doomed.objects:
        restore_signals()
        drop_objects(target, desired, doomed.objects, speaks=speaks)
    if speaks:
        took = f"{time.perf_counter() - began:.1f} s"
        output.say(f"Removed in {took}: {desired.pipeline} is not deployed in {doomed.place} any more.")


def doomed_json(doomed: PipelineRemoval) -> dict[str, Any]:
    """The removal as JSON, without `format_version`."""
    from sfml.render.destroy import destroy_json

    removal = doomed.removal
    return destroy_json(
        doomed.compiled_spec.desired, removal.names, removal.staged, doomed.objects, destroyed=doomed.is_there
    )


def named_objects(
    desired: DesiredGraph, tables: str | None, models: str | None
) -> tuple[tuple[str, str], ...]:
    """(kind, qualified name) of each table and model to drop; raises `UsageError` if no task declares tables."""
    declared = sorted({table for task in desired.all_tasks for table in task.writes})
    if tables == DECLARED and not declared:
        raise UsageError(
            f"no task of {desired.pipeline} declares tables with `writes:`",
            help="name the tables: --tables=A,B",
        )
    wanted = declared if tables == DECLARED else _split(tables)
    objects = [("TABLE", name) for name in wanted] + [("MODEL", name) for name in _split(models)]
    return tuple((kind, _in_full(desired, name)) for kind, name in objects)


def _split(names: str | None) -> list[str]:
    return [name.strip() for name in (names or "").split(",") if name.strip()]


def _in_full(desired: DesiredGraph, name: str) -> str:
    """The name qualified with database and schema, by default those of the target."""
    parts = name_parts(name)
    if len(parts) > 3:
        raise UsageError(
            f"`{name}` is not the name of a table or model", help="write DATABASE.SCHEMA.NAME, or less"
        )
    places = (desired.target.database, desired.target.schema)
    return qualified(*places[: 3 - len(parts)], *parts)


def ask(desired: DesiredGraph, approval: Approval, options: Options) -> None:
    """Ask for approval of a removal; in production, for the pipeline's name. Raises `click.Abort` or `UsageError`."""
    refuse_other_names((desired.pipeline,), approval)
    if not approval.names and desired.target.mode is not Mode.PRODUCTION and not approval.auto:
        confirm(f"Remove this from {desired.target.name}?", options)
    demand_name(desired, approval, options)


def refuse_other_names(pipelines: Sequence[str], approval: Approval) -> None:
    """Raise `UsageError` for a --confirm with a name that is not among the pipelines."""
    for name in approval.names:
        if name not in pipelines:
            than = pipelines[0] if len(pipelines) == 1 else f"the {len(pipelines)} that are to be removed"
            raise UsageError(f"--confirm {name} names another pipeline than {than}; nothing was changed")


def demand_name(desired: DesiredGraph, approval: Approval, options: Options) -> None:
    """In production, demand the pipeline's name, by --confirm or typed; raises if it is not given."""
    name, target = desired.pipeline, desired.target
    if target.mode is not Mode.PRODUCTION or name in approval.names:
        return
    if options.json or approval.auto or not sys.stdin.isatty():
        raise UsageError(
            f"`{target.name}` is a production target: the pipeline to remove must be named",
            help=f"add --confirm {name}",
        )
    if click.prompt(f"Type {name} to remove this from {target.name}", default="", show_default=False) != name:
        raise click.Abort


def drop_objects(
    target: TargetAccount, desired: DesiredGraph, objects: Sequence[tuple[str, str]], *, speaks: bool
) -> None:
    """Drop the named tables and models; objects that no longer exist are not an error."""
    from sfml.base.retry_policy import RetryPolicy
    from sfml.operations.retries import retry_call
    from sfml.snowflake.objects import drop_object

    symbols = Symbols(output.takes_unicode())
    for kind, name in objects:
        retry_call(partial(drop_object, target.connection, desired.target, kind, name), RetryPolicy())
        if speaks:
            output.say(f"  {symbols['SUCCEEDED']} {kind.lower()} {name} is gone")
