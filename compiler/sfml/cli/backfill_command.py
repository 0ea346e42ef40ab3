"""`sfml backfill SPEC --over KEY=VALUES`"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected, single, user_name
from sfml.cli.lease_options import Locking, locked, locking_options
from sfml.cli.options import Options, pairs, shared_options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from sfml.operations.backfill import Backfill, BackfillPlan, BackfillRequest
    from sfml.operations.held_lease import HeldLease
    from sfml.plan.backfill_state import FilledValue


@click.command()
@click.argument("spec")
@click.option(
    "--over",
    "overs",
    multiple=True,
    metavar="KEY=VALUES",
    help="The config key to run over: day=2026-01-01..2026-03-31[/1w], segment=a,b; several make a product.",
)
@click.option(
    "--config",
    multiple=True,
    callback=pairs,
    metavar="KEY=VALUE",
    help="Override a config value in all of these runs.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 50),
    default=1,
    show_default=True,
    help="How many runs may execute at the same time.",
)
@click.option("--retry-failed", is_flag=True, help="Also run the values whose last run did not succeed.")
@click.option("--again", is_flag=True, help="Also run the values whose last run succeeded.")
@click.option("--status", "shows", is_flag=True, help="Show the state of the values, and run nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would run, and run nothing.")
@click.option("--auto-approve", is_flag=True, help="Do not ask on a terminal.")
@locking_options
@shared_options()
def command(
    spec: str,
    overs: tuple[str, ...],
    config: Mapping[str, str],
    at_once: int,
    retry_failed: bool,
    again: bool,
    shows: bool,
    dry_run: bool,
    auto_approve: bool,
    locking: Locking,
    options: Options,
) -> int:
    """Run SPEC once for each value, on copies of the deployed graph; its schedule does not change.

    What is done is remembered in the account: the same command again goes on where it stopped, and skips what has
    succeeded. Ctrl-C begins no other run; those that are executing go on.
    """
    from sfml.base.errors import UsageError
    from sfml.operations.backfill import BackfillRequest
    from sfml.plan.backfill_values import run_configs

    if not overs and not shows:
        raise UsageError("there are no values to run over", help="write --over day=2026-01-01..2026-03-31")
    if shows and config and not overs:
        raise UsageError("--config tells values of --over apart", help="add --over, or leave it out")
    configs = run_configs(overs, config) if overs else ()
    compiled_spec = compile_spec(single(spec), options)
    request = BackfillRequest(configs, at_once, retry_failed, again)
    with connected(compiled_spec, options) as target:
        if shows:
            return _show_state(compiled_spec, target, request, options)
        return _backfill(compiled_spec, target, request, options, locking, auto_approve, dry_run)


def _show_state(
    compiled_spec: CompiledSpec, target: TargetAccount, request: BackfillRequest, options: Options
) -> int:
    """Print the state of the values that --over names, or of all that are known."""
    from sfml.operations.backfill import backfill_plan, read_state
    from sfml.operations.begun_values import looked_up
    from sfml.operations.held_lease import held_words, is_gone, new_lease
    from sfml.plan.backfill_state import BackfillState, has_backfill
    from sfml.plan.lane import backfill_lease
    from sfml.render.backfill import backfill_json, counts_text, value_line
    from sfml.render.symbols import Symbols

    desired = compiled_spec.desired
    if request.configs:
        values = backfill_plan(compiled_spec, target, request).values
    else:
        staged = target.stage.staged(desired.pipeline)
        state = read_state(desired, target) if has_backfill(staged) else BackfillState({})
        values = tuple(state.values.values())
    holder = target.leases.holder(backfill_lease(desired.root.name))
    ours = new_lease(user_name(options))
    is_going_on = holder is not None and not is_gone(holder, ours)
    if not is_going_on:
        values = looked_up(desired, target, values)
    if options.json:
        output.say_json(
            backfill_json(desired.pipeline, desired.target.name, values, ran=0, is_held=is_going_on)
        )
        return 0
    symbols = Symbols(output.takes_unicode())
    if not options.quiet:
        for value in values:
            output.say(value_line(value, symbols))
        output.say(f"{desired.pipeline} on {desired.target.name}: {counts_text(values)}")
        if holder is not None and is_going_on:
            output.say(f"a backfill is going on: {held_words(desired.root.name, holder, ours)}")
        elif holder is not None or any(value.state == "running" for value in values):
            output.say("No command works on it now; the one that began it goes on where it stopped.")
    return 0


def _backfill(
    compiled_spec: CompiledSpec,
    target: TargetAccount,
    request: BackfillRequest,
    options: Options,
    locking: Locking,
    auto_approve: bool,
    dry_run: bool,
) -> int:
    from sfml.operations.backfill import Backfill, backfill_plan
    from sfml.operations.graph_health import demand_finished_apply

    desired = compiled_spec.desired
    demand_finished_apply(compiled_spec, target)
    if dry_run:
        plan = backfill_plan(compiled_spec, target, request)
        _say_plan(plan, options)
        return _say_end(plan, plan.values, 0, options, is_over=False)
    with _backfill_lease(compiled_spec, target, options, locking) as held_lease:
        plan = backfill_plan(compiled_spec, target, request)
        if not plan.todo:
            return _say_end(plan, plan.values, 0, options)
        _say_plan(plan, options)
        if not (auto_approve or options.json) and sys.stdin.isatty() and not click.confirm("Run these?"):
            raise click.Abort
        stop = threading.Event()

        def locked_pipeline() -> AbstractContextManager[HeldLease]:
            return locked(desired, target, options, replace(locking, force=False))

        def pause(seconds: float) -> None:
            stop.wait(seconds)

        backfill = Backfill(
            plan,
            target,
            held_lease,
            locked_pipeline,
            pause=pause,
            is_stopped=stop.is_set,
        )
        return _carried_out(plan, backfill, stop, options)


def _carried_out(plan: BackfillPlan, backfill: Backfill, stop: threading.Event, options: Options) -> int:
    """Run the values, print each that has ended, and the end; returns the exit code."""
    from sfml.cli.deployment import INTERRUPTED
    from sfml.cli.interrupts import stopping
    from sfml.render.backfill import value_line
    from sfml.render.symbols import Symbols

    symbols = Symbols(output.takes_unicode())
    done = threading.Event()
    ran = 0
    with stopping(stop, done.is_set):
        for value in _in_threads(backfill.run()):
            if value.state == "running":
                continue
            ran += 1
            if not options.json and (options.speaks or value.state != "succeeded"):
                output.say(f"{value_line(value, symbols)}   ({ran} of {len(plan.todo)})")
        done.set()
    values = backfill.state.of([value.config for value in plan.values])
    code = _say_end(plan, values, ran, options, is_stopped=stop.is_set())
    return INTERRUPTED if stop.is_set() else code


def _in_threads(values: Iterator[FilledValue]) -> Iterator[FilledValue]:
    """The values, each worked out in a thread: in the main thread, the connector would handle Ctrl-C itself."""
    from sfml.operations.parallel_calls import ParallelCalls

    calls = ParallelCalls(1)
    while True:
        found: list[FilledValue | None] = []
        calls.run_all([lambda found=found: found.append(next(values, None))])  # type: ignore[misc]
        if found[0] is None:
            return
        yield found[0]


def _backfill_lease(
    compiled_spec: CompiledSpec, target: TargetAccount, options: Options, locking: Locking
) -> AbstractContextManager[HeldLease]:
    """The lease of the pipeline's backfill. That of a command whose process has certainly ended is taken over."""
    from sfml.base.errors import LeaseHeld
    from sfml.operations.held_lease import held_words, is_gone, new_lease
    from sfml.plan.lane import backfill_lease

    desired = compiled_spec.desired
    name = backfill_lease(desired.root.name)
    holder = target.leases.holder(name)
    ours = new_lease(user_name(options), locking.reason)
    if holder is not None and is_gone(holder, ours):
        locking = replace(locking, force=True)
    elif holder is not None and not locking.force and locking.timeout is None:
        raise LeaseHeld(
            f"a backfill of {desired.pipeline} is going on: {held_words(desired.root.name, holder, ours)}",
            help=f"watch it:  sfml backfill {desired.where} --status   or wait for it with --lock-timeout 1h;"
            " --force-unlock goes on with one whose command runs no more",
        )
    return locked(replace(desired, root=replace(desired.root, name=name)), target, options, locking)


def _say_plan(plan: BackfillPlan, options: Options) -> None:
    from sfml.render.backfill import plan_text
    from sfml.render.symbols import Symbols

    if not options.speaks:
        return
    desired = plan.desired
    arrow = Symbols(output.takes_unicode())["arrow"]
    place = f"{desired.pipeline} {arrow} {desired.target.name}"
    output.say(plan_text(place, plan.values, plan.todo, plan.at_once, plan.notes, plan.credits))
    output.say()


def _say_end(
    plan: BackfillPlan,
    values: Sequence[FilledValue],
    ran: int,
    options: Options,
    *,
    is_stopped: bool = False,
    is_over: bool = True,
) -> int:
    """Print what came of the values; returns the exit code: 0 if all succeeded, now or earlier."""
    from sfml.render.backfill import backfill_json, counts_of, counts_text

    desired = plan.desired
    counts = counts_of(values)
    well = counts["succeeded"] == len(values)
    if options.json:
        output.say_json(
            backfill_json(
                *(desired.pipeline, desired.target.name, values),
                ran=ran,
                notes=plan.notes,
                credits=plan.credits,
            )
        )
    elif not options.quiet or not well:
        text = counts_text(values)
        if well and not ran:
            text = f"all {text.replace(': ', ' have run: ', 1)}. --again repeats them"
        output.say(f"{desired.pipeline} on {desired.target.name}: {text}")
        if is_stopped:
            output.say(
                "Stopped; runs that are executing go on. The same command goes on where this one stopped."
            )
        elif is_over and (counts["failed"] or counts["cancelled"]):
            output.say("Run those that did not succeed again by adding:  --retry-failed")
    return 0 if well or not is_over else 1
