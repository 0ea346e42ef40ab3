"""`sfml run --only`, `--from` and `--recover`: plans a part of a run, shows it, and carries it out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.deployment import deploy_work
from sfml.cli.inputs import connected, user_name
from sfml.cli.interrupts import pause, restore_signals
from sfml.cli.lease_options import Locking, locked
from sfml.cli.options import Options
from sfml.cli.part_tidying import tidy_parts
from sfml.cli.run_view import answer, shown_run
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.part_plan import PartPlan, PartRequest, check_request, part_plan, shown_part
from sfml.operations.part_runs import StartedPart, demand_alone, end_part, start_part
from sfml.operations.runs import interval_of
from sfml.operations.target_account import TargetAccount
from sfml.render.part import part_json, part_text
from sfml.render.printable import printable_lines
from sfml.render.symbols import Symbols

if TYPE_CHECKING:
    from sfml.account.history import Run
    from sfml.operations.deployer import Work
    from sfml.operations.held_lease import HeldLease


def run_part(
    compiled_spec: CompiledSpec,
    request: PartRequest,
    options: Options,
    locking: Locking,
    *,
    wait: bool,
    auto_approve: bool,
    dry_run: bool,
) -> int:
    """Plan the part, show it, ask on a terminal, carry it out; returns the exit code."""
    from sfml.operations.graph_health import demand_finished_apply
    from sfml.operations.reviewed_files import refuse_unreviewed

    if request.deployment is None and not dry_run:
        refuse_unreviewed(compiled_spec)
    check_request(compiled_spec.desired, request)
    with connected(compiled_spec, options) as target:
        demand_finished_apply(compiled_spec, target)
        if dry_run:
            plan = part_plan(compiled_spec, target, request, user_name(options))
            _show(plan, options)
            if options.json:
                output.say_json(part_json(shown_part(plan)))
            return 0
        with locked(compiled_spec.desired, target, options, locking) as held_lease:
            started = _start(compiled_spec, target, held_lease, request, options, auto_approve)
        if not wait:
            return _say_started(compiled_spec, started, options)
        run = shown_run(compiled_spec, _states(compiled_spec, started), options, {})
        with locked(compiled_spec.desired, target, options, locking) as held_lease:
            end_part(compiled_spec.desired, target, held_lease, started, run)
    if options.speaks and run.outcome == "succeeded" and started.plan.changed:
        output.say(f"The deployed graph runs the code from before:  sfml apply {compiled_spec.desired.where}")
    if run.outcome != "succeeded" and not options.json:
        output.say(f"Run the rest again:  sfml run {compiled_spec.desired.where} --recover {run.run_id}")
    return answer(run, options)


def _start(
    compiled_spec: CompiledSpec,
    target: TargetAccount,
    held_lease: HeldLease,
    request: PartRequest,
    options: Options,
    auto_approve: bool,
) -> StartedPart:
    staged = target.stage.staged(compiled_spec.desired.pipeline)
    tidy_parts(compiled_spec.desired, target, held_lease, staged, options)
    demand_alone(compiled_spec.desired, target, staged, beside=request.beside)
    plan = part_plan(compiled_spec, target, request, user_name(options))
    _show(plan, options)
    asks = not (auto_approve or options.json) and sys.stdin.isatty()
    if asks and not click.confirm(printable_lines("Run this?")):
        raise click.Abort
    where = compiled_spec.desired.where

    def deploy(work: Work) -> None:
        deploy_work(work, target, held_lease, replace(options, quiet=True), where, command="run")

    started = start_part(
        *(compiled_spec.desired, target, held_lease, plan),
        interval=interval_of(compiled_spec.desired.target),
        sleep=pause,
        deploy=deploy,
    )
    restore_signals()
    return started


def _states(compiled_spec: CompiledSpec, started: StartedPart) -> Iterator[Run]:
    return started.states(compiled_spec.desired)


def _show(plan: PartPlan, options: Options) -> None:
    if options.speaks:
        output.say(part_text(shown_part(plan), Symbols(output.takes_unicode())))


def _say_started(compiled_spec: CompiledSpec, started: StartedPart, options: Options) -> int:
    from sfml.render.run import run_json

    run = next(started.states(compiled_spec.desired))
    where = compiled_spec.desired.where
    if options.json:
        output.say_json(run_json(run))
    elif options.speaks:
        output.say(
            f"A part of {run.pipeline} was started: run {run.run_id}. Follow it with:  sfml status {where}"
        )
    return 0
