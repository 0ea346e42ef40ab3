"""`sfml drift SPEC`"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sfml.base.errors import ConflictingState, UsageError
from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected, user_name
from sfml.cli.lease_options import Locking, locked, locking_options
from sfml.cli.options import Options, shared_options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.graph_health import drift_notes
from sfml.operations.ownership import Ownership, ownership, stranger_notes
from sfml.operations.target_account import TargetAccount
from sfml.plan.journal import KeptDeployments, deployment_number

if TYPE_CHECKING:
    from sfml.plan.drift import Drift
    from sfml.plan.journal import Deployment


@click.command()
@click.argument("spec")
@click.option("--accept", "accepts", is_flag=True, help="Write the account's values into the spec's files.")
@click.option("--revert", "reverts", is_flag=True, help="Restore the last applied graph in the account.")
@click.option("--auto-approve", is_flag=True, help="With --revert: do not ask before changing the target.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if drift remains, 0 if none.")
@locking_options
@shared_options()
def command(
    spec: str,
    accepts: bool,
    reverts: bool,
    auto_approve: bool,
    detailed_exitcode: bool,
    locking: Locking,
    options: Options,
) -> int:
    """Show what was changed in the account since the last apply; accept it into the spec, or revert it.

    A value that --accept wrote into the spec is no longer drift, and the next apply does not change it.
    """
    if accepts and reverts:
        raise UsageError("--accept and --revert exclude each other", help="choose one")
    compiled_spec = compile_spec(spec, options)
    with connected(compiled_spec, options) as target:
        last, own = read_deployment(compiled_spec, target)
        every, drifts = _drifts(compiled_spec, last, own)
        notes = (*drift_notes(compiled_spec.desired, target), *stranger_notes(own.strangers))
        if reverts:
            _refuse_accepted(every, drifts, compiled_spec)
            return _revert(compiled_spec, target, last, drifts, own, options, locking, auto_approve)
    if accepts:
        return _accept(compiled_spec, last, own, drifts, spec, options, detailed_exitcode)
    _say(compiled_spec, last, drifts, notes, options)
    return 2 if detailed_exitcode and drifts else 0


def read_deployment(compiled_spec: CompiledSpec, target: TargetAccount) -> tuple[Deployment, Ownership]:
    """The last deployment and the tasks in the account; raises `ConflictingState` if they cannot be compared."""
    from sfml.operations.apply_plan import read_stage

    desired = compiled_spec.desired
    where = desired.where
    staged, journal = read_stage(desired, target)
    if journal is not None:
        raise ConflictingState(
            "an apply did not finish, so the account holds neither the old graph nor the new one",
            help=f"finish it first:  sfml apply {where}",
        )
    observed = target.tasks.observed(desired.root.name)
    own = ownership(desired, observed, staged, (), target)
    if observed is None and not own.loose:
        raise ConflictingState(
            f"{desired.pipeline} is not deployed in target {desired.target.name}", help=f"sfml apply {where}"
        )
    records = target.stage.kept(desired.pipeline) if staged and staged.deployments else KeptDeployments(())
    kept = records.deployments
    last = kept[-1].header.number if kept else 0
    for error in records.unreadable:
        if (deployment_number(error.path) or 0) > last:
            raise error.advised(
                f"drift cannot be determined without the last record; compare with the spec:  sfml plan {where}"
            )
    if not kept:
        raise ConflictingState(
            f"there is no record of the last apply of {desired.pipeline}, so drift cannot be determined",
            help=f"compare with the spec:  sfml plan {where}",
        )
    return kept[-1], _in_full(own, kept[-1], target)


def _in_full(own: Ownership, last: Deployment, target: TargetAccount) -> Ownership:
    """The tasks with the settings that only the root's record names, also where that record was taken away."""
    if own.observed is None or own.observed.record is not None:
        return own
    return replace(own, observed=target.tasks.in_doubt(own.observed, (last.artefact,)))


def _drifts(
    compiled_spec: CompiledSpec, last: Deployment, own: Ownership
) -> tuple[tuple[Drift, ...], tuple[Drift, ...]]:
    """All drift since the last apply, and the part of it that was not accepted into the spec."""
    from sfml.plan.drift import drift_of, open_drift

    every = drift_of(last.artefact, own.observed, compiled_spec.desired.target, own.loose)
    return every, open_drift(every, compiled_spec.desired, own.observed, own.loose)


def _refuse_accepted(
    every: tuple[Drift, ...], drifts: tuple[Drift, ...], compiled_spec: CompiledSpec
) -> None:
    """Raise `ConflictingState` if drift was accepted since the last apply, because a revert would undo that too."""
    accepted = {(drift.name, field.path) for drift in every for field in drift.fields}
    accepted -= {(drift.name, field.path) for drift in drifts for field in drift.fields}
    if accepted:
        raise ConflictingState(
            f"{len(accepted)} values were accepted into the spec since the last apply, and a revert would undo them",
            help=f"make the account match the spec:  sfml apply {compiled_spec.desired.where}",
        )


def _say(
    compiled_spec: CompiledSpec,
    last: Deployment,
    drifts: tuple[Drift, ...],
    notes: tuple[str, ...],
    options: Options,
) -> None:
    from sfml.cli.drift_acceptance import acceptable_fields
    from sfml.plan.drift_acceptance import AcceptableField
    from sfml.render.drift import drift_json, drift_text
    from sfml.render.symbols import Symbols

    ways = acceptable_fields(drifts, compiled_spec)
    if options.json:
        document = drift_json(drifts, ways, compiled_spec.desired, last.header)
        output.say_json({**document, "notes": list(notes), "accepted": [], "reverted": False})
    elif not (options.quiet and not drifts):
        output.say(
            drift_text(drifts, ways, compiled_spec.desired, last.header, Symbols(output.takes_unicode()))
        )
        for note in notes:
            output.say(f"note: {note}")
        if drifts:
            where = f"sfml drift {compiled_spec.desired.where}"
            accepting = (
                f"{where} --accept   or   " if any(isinstance(way, AcceptableField) for way in ways) else ""
            )
            output.say(f"Next:  {accepting}{where} --revert")


def _accept(
    compiled_spec: CompiledSpec,
    last: Deployment,
    own: Ownership,
    drifts: tuple[Drift, ...],
    spec: str,
    options: Options,
    detailed_exitcode: bool,
) -> int:
    from sfml.cli.drift_acceptance import accept
    from sfml.render.drift import accepted_lines, drift_json, drift_text
    from sfml.render.symbols import Symbols

    acceptance = accept(drifts, compiled_spec, own, spec, options)
    refused = {(field.task, field.path) for field in acceptance.refused}
    if options.json:
        accepted = [
            {"task": one.task, "path": one.path, "place": f"{one.fix.span.file}:{one.fix.span.start.line}"}
            for one in acceptance.done
        ]
        document = drift_json(
            drifts, (*acceptance.done, *acceptance.refused), compiled_spec.desired, last.header
        )
        output.say_json({**document, "accepted": accepted, "reverted": False})
    elif not options.quiet or refused:
        symbols = Symbols(output.takes_unicode())
        output.say(drift_text(drifts, acceptance.refused, compiled_spec.desired, last.header, symbols))
        for line in accepted_lines(acceptance.done, symbols):
            output.say(line)
        if drifts:
            output.say(_left(len(acceptance.done), len(refused)))
    return 2 if detailed_exitcode and refused else 0


def _left(done: int, refused: int) -> str:
    left = f"; {refused} left to do by hand" if refused else ""
    return f"Accepted {done} of {done + refused} changes into the spec{left}. Review them with:  git diff"


def _revert(
    compiled_spec: CompiledSpec,
    target: TargetAccount,
    last: Deployment,
    drifts: tuple[Drift, ...],
    own: Ownership,
    options: Options,
    locking: Locking,
    auto_approve: bool,
) -> int:
    """Apply the last deployment again, whatever the spec says now. Strangers below the graph stay."""
    from sfml.cli.confirmation import confirm
    from sfml.cli.deployment import deploy_work
    from sfml.operations.apply_plan import planned_graph, work_of
    from sfml.render.drift import drift_json, drift_text
    from sfml.render.symbols import Symbols

    desired = compiled_spec.desired
    speaks = options.speaks
    if speaks:
        output.say(drift_text(drifts, (), desired, last.header, Symbols(output.takes_unicode())))
        for note in stranger_notes(own.strangers):
            output.say(f"note: {note}")
    reverted = False
    others = {task.name for task in own.strangers}
    if any(drift.name not in others for drift in drifts):
        if not auto_approve:
            confirm(f"Put back what deployment {last.header.number} left in {desired.target.name}?", options)
        graph = last.artefact.graph(desired.target)
        with locked(desired, target, options, locking) as held_lease:
            work = planned_graph(graph, target, adopt=True)
            reverted = bool(work.groups)
            where = desired.where
            # The record keeps the commit that the graph came from.
            full = work_of(work, graph, held_lease.lease, {"user": user_name(options)})
            deploy_work(full, target, held_lease, options, where)
        if speaks:
            output.say(f"Reverted: {desired.pipeline} is as deployment {last.header.number} left it.")
    if options.json:
        document = drift_json(drifts, (), desired, last.header)
        output.say_json({**document, "accepted": [], "reverted": reverted})
    return 0
