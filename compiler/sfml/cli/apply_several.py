"""`sfml apply` for several pipelines: show all plans, then apply each in a transaction of its own.

Pipelines that share no object are applied in parallel.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from sfml.account.sharing import earlier_sharers
from sfml.base.errors import ConflictingState, SfmlError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.apply_flags import ApplyFlags, applied_json, apply_work, dry_run_json, show_work, warn_of_inputs
from sfml.cli.at_once import at_once, is_chain
from sfml.cli.confirmation import confirm
from sfml.cli.deployment import INTERRUPTED
from sfml.cli.interrupts import restore_signals
from sfml.cli.lease_options import locked
from sfml.cli.options import Options
from sfml.cli.outlets import BufferedOutput, output_to
from sfml.cli.part_tidying import tidy_parts
from sfml.cli.pipelines import (
    PipelineFailure,
    Targets,
    UnfinishedWork,
    arguments_text,
    compile_specs,
    each,
    failed_words,
    failure_of,
    failures,
    graph_of,
    report_failure,
    say_json_of,
    say_turn,
)
from sfml.cli.policy_options import held_plan
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import ApplyPlan
from sfml.operations.deployer import StopRequested
from sfml.operations.reviewed_files import refuse_unreviewed
from sfml.render.units import plural

if TYPE_CHECKING:
    from sfml.account.history import Run

AT_ONCE = 4
"""The maximum number of pipelines applied in parallel; each makes up to eight calls in parallel for its tasks."""

NOT_BEGUN = "stopped before its turn came; nothing of it was changed"
CUT_OFF = "stopped while it was applied; `sfml status` says where it stands"


@record
class ShownPlan:
    """A pipeline and the plan that was shown for it."""

    compiled_spec: CompiledSpec
    work: ApplyPlan


@record
class AppliedPipeline:
    """A pipeline that was applied, or needed no change; with its run, if --run was given."""

    compiled_spec: CompiledSpec
    work: ApplyPlan
    run: Run | None = None

    @property
    def is_well(self) -> bool:
        return self.run is None or self.run.outcome == "succeeded"


def apply_several(specs: Sequence[str], flags: ApplyFlags, options: Options) -> int:
    """Apply every pipeline that the arguments name. Returns the exit code: 1 if one of them failed."""
    with Targets(options) as targets:
        plans = _plans(specs, targets, flags, options)
        pending = [one for one in plans if isinstance(one, ShownPlan) and one.work.groups]
        if flags.dry_run:
            if options.json:
                say_json_of([dry_run_json(one.work) if isinstance(one, ShownPlan) else one for one in plans])
            return 1 if failures(plans) else 0
        if pending and not flags.auto_approve:
            names = ", ".join(pending_plan.compiled_spec.desired.pipeline for pending_plan in pending)
            confirm(
                f"Apply {'this plan' if len(pending) == 1 else f'these {len(pending)} plans'} ({names})?",
                options,
            )
        outcomes = _applied(plans, targets, flags, options)
        results = [one for one in outcomes if not isinstance(one, UnfinishedWork)]
        if len(results) < len(outcomes):
            _say_stopped(outcomes, options)
            raise click.exceptions.Exit(INTERRUPTED)
        if flags.run_after:
            results = _with_runs(results, targets, flags, options)
    if options.json:
        say_json_of([result if isinstance(result, PipelineFailure) else _json(result) for result in results])
    elif not options.quiet or failures(results):
        _say_count(specs, results, pending, options)
    return 1 if any(isinstance(result, PipelineFailure) or not result.is_well for result in results) else 0


def _plans(
    specs: Sequence[str], targets: Targets, flags: ApplyFlags, options: Options
) -> list[ShownPlan | PipelineFailure]:
    """The plan of each pipeline; each is shown as soon as it is made."""

    def plan(compiled_spec: CompiledSpec) -> ShownPlan:
        refuse_unreviewed(compiled_spec)
        target = targets.of(compiled_spec, flags.demanding(compiled_spec, options))
        work = flags.planned(compiled_spec, target)
        show_work(compiled_spec, work, options, stages=flags.dry_run)
        if flags.dry_run or not work.groups:
            warn_of_inputs(compiled_spec, target.connection, options)
        held_plan(compiled_spec, work.plan, flags.policies_of, options)
        if options.speaks:
            output.say()
        return ShownPlan(compiled_spec, work)

    return each(compile_specs(specs, options), plan, options)


def _applied(
    plans: Sequence[ShownPlan | PipelineFailure], targets: Targets, flags: ApplyFlags, options: Options
) -> list[AppliedPipeline | PipelineFailure | UnfinishedWork]:
    """Apply the plans; returns the outcome of each, in order."""
    pending = [one for one in plans if isinstance(one, ShownPlan) and one.work.groups]
    after = earlier_sharers([graph_of(pending_plan.compiled_spec) for pending_plan in pending])
    asks = flags.create_missing and not flags.auto_approve
    apply = _one_by_one if asks or is_chain(after) else partial(_side_by_side, after)
    outcomes = iter(apply(pending, targets, flags, options))

    def outcome(one: ShownPlan | PipelineFailure) -> AppliedPipeline | PipelineFailure | UnfinishedWork:
        if isinstance(one, PipelineFailure):
            return one
        return next(outcomes) if one.work.groups else AppliedPipeline(one.compiled_spec, one.work)

    return [outcome(one) for one in plans]


def _one_by_one(
    pending: Sequence[ShownPlan], targets: Targets, flags: ApplyFlags, options: Options
) -> Iterator[AppliedPipeline | PipelineFailure | UnfinishedWork]:
    """Apply the plans one after another, in the order of the arguments."""
    is_stopped = False
    for place, one in enumerate(pending):
        is_stopped = is_stopped or (place > 0 and restore_signals())
        if is_stopped:
            yield UnfinishedWork(one.compiled_spec, is_begun=False)
            continue
        if place:
            _say_gap(options)
        outcome = _outcome(one, targets, flags, options)
        is_stopped = isinstance(outcome, UnfinishedWork)
        yield outcome


def _side_by_side(
    after: Sequence[frozenset[int]],
    pending: Sequence[ShownPlan],
    targets: Targets,
    flags: ApplyFlags,
    options: Options,
) -> Iterator[AppliedPipeline | PipelineFailure | UnfinishedWork]:
    """Apply pipelines that share no object in parallel; their output is printed in the order of the arguments."""
    kept = [BufferedOutput() for _ in pending]
    printed = 0
    stop = threading.Event()

    def work(place: int) -> AppliedPipeline | PipelineFailure | UnfinishedWork:
        with output_to(kept[place]):
            if place:
                _say_gap(options)
            return _outcome(pending[place], targets, flags, options)

    def show(answers: Mapping[int, object]) -> None:
        nonlocal printed
        while printed in answers:
            kept[printed].print()
            printed += 1

    if options.speaks:
        output.note(f"applying {len(pending)} pipelines, those at once that share nothing …")
    works = [partial(work, place) for place in range(len(pending))]
    answers = at_once(works, after, stop, width=AT_ONCE, ended=show)
    for rest in kept[printed:]:
        rest.print()
    for place, one in enumerate(pending):
        yield answers.get(place) or UnfinishedWork(one.compiled_spec, is_begun=False)
    if stop.is_set() and flags.run_after and len(answers) == len(pending):
        raise click.exceptions.Exit(INTERRUPTED)


def _say_gap(options: Options) -> None:
    if options.speaks:
        output.say()


def _outcome(
    pending: ShownPlan, targets: Targets, flags: ApplyFlags, options: Options
) -> AppliedPipeline | PipelineFailure | UnfinishedWork:
    """Apply one plan; returns the outcome. A failure is also printed."""
    compiled_spec = pending.compiled_spec
    try:
        return AppliedPipeline(compiled_spec, _apply(pending, targets, flags, options))
    except click.exceptions.Exit:
        return UnfinishedWork(compiled_spec, is_begun=True)
    except StopRequested:
        return UnfinishedWork(compiled_spec, is_begun=False)
    except SfmlError as error:
        return report_failure(compiled_spec, error, options)


def _apply(pending: ShownPlan, targets: Targets, flags: ApplyFlags, options: Options) -> ApplyPlan:
    """Plan again under the lease, and apply the plan if it equals the one that was shown."""
    compiled_spec = pending.compiled_spec
    target = targets.of(compiled_spec)
    say_turn(compiled_spec, options)
    with locked(compiled_spec.desired, target, options, flags.locking) as held_lease:
        work = flags.planned(compiled_spec, target)
        tidy_parts(compiled_spec.desired, target, held_lease, work.staged, options)
        if not flags.auto_approve and _likeness(work) != _likeness(pending.work):
            raise ConflictingState(
                "the target has changed since the plan was shown; nothing was changed", help="run it again"
            )
        if work.groups:
            flags.demand(compiled_spec, target.connection, options, work.plan)
            apply_work(compiled_spec, target, held_lease, work, options, flags.idleness)
    return work


def _likeness(work: ApplyPlan) -> Mapping[str, Any]:
    """The plan as JSON without the times of the next runs, which change by themselves; used to compare plans."""
    from sfml.render.plan import plan_json

    return {**plan_json(work.plan), "next_runs": None}


def _with_runs(
    results: Sequence[AppliedPipeline | PipelineFailure],
    targets: Targets,
    flags: ApplyFlags,
    options: Options,
) -> list[AppliedPipeline | PipelineFailure]:
    """Run the applied pipelines; returns the results with their runs."""
    from sfml.cli.run_several import run_all

    pipelines = [
        result if isinstance(result, PipelineFailure) else result.compiled_spec for result in results
    ]
    runs = run_all(pipelines, targets, flags.config, options)
    return [_with_run(one, run) for one, run in zip(results, runs, strict=True)]


def _with_run(
    result: AppliedPipeline | PipelineFailure, run: Run | PipelineFailure
) -> AppliedPipeline | PipelineFailure:
    if isinstance(result, PipelineFailure):
        return result
    return run if isinstance(run, PipelineFailure) else replace(result, run=run)


def _json(applied: AppliedPipeline) -> Mapping[str, Any]:
    from sfml.render.run import run_json

    return {**applied_json(applied.work), **({"run": run_json(applied.run)} if applied.run else {})}


def _say_stopped(
    outcomes: Sequence[AppliedPipeline | PipelineFailure | UnfinishedWork], options: Options
) -> None:
    """Print which pipelines were and were not applied when the command was stopped."""
    if options.json:
        say_json_of([_stopped_json(one) for one in outcomes])
        return
    begun = [
        one.compiled_spec.desired.pipeline
        for one in outcomes
        if isinstance(one, AppliedPipeline) and one.work.groups
    ]
    cut = [
        one.compiled_spec.desired.pipeline
        for one in outcomes
        if isinstance(one, UnfinishedWork) and one.is_begun
    ]
    waiting = [
        one.compiled_spec.desired.pipeline
        for one in outcomes
        if isinstance(one, UnfinishedWork) and not one.is_begun
    ]
    if begun:
        output.note(f"applied before that: {', '.join(begun)}")
    if len(cut) > 1:
        output.note(f"stopped in the middle: {', '.join(cut)}")
    if waiting:
        output.note(f"not begun: {', '.join(waiting)}")


def _stopped_json(
    outcome: AppliedPipeline | PipelineFailure | UnfinishedWork,
) -> Mapping[str, Any] | PipelineFailure:
    match outcome:
        case AppliedPipeline():
            return _json(outcome)
        case UnfinishedWork(compiled_spec, is_begun):
            return failure_of(compiled_spec, ConflictingState(CUT_OFF if is_begun else NOT_BEGUN))
    return outcome


def _say_count(
    specs: Sequence[str],
    results: Sequence[AppliedPipeline | PipelineFailure],
    pending: Sequence[ShownPlan],
    options: Options,
) -> None:
    """Print how many pipelines were applied, needed no change, or failed, and the next command."""
    done = [result for result in results if isinstance(result, AppliedPipeline)]
    names = {pending_plan.compiled_spec.desired.pipeline for pending_plan in pending}
    changed = sum(applied.compiled_spec.desired.pipeline in names for applied in done)
    if pending:
        output.say()
    unwell = [applied.compiled_spec.desired.pipeline for applied in done if not applied.is_well]
    runs = f", {len(unwell)} ran without success: {', '.join(unwell)}" if unwell else ""
    output.say(
        f"{plural(len(results), 'pipeline')}: {changed} applied, {len(done) - changed} as in the spec"
        f"{failed_words(results)}{runs}"
    )
    if not failures(results):
        output.say(f"Next:  sfml status{arguments_text(specs, options)}")
