"""`sfml apply` of several pipelines: all plans are shown, then each is applied in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from sfml.cli import output
from sfml.cli.apply_command import ApplyFlags, applied_json, carry_out, dry_run_json, show_work
from sfml.cli.asking import confirm
from sfml.cli.deploying import INTERRUPTED
from sfml.cli.interrupts import give_back
from sfml.cli.locking import locked
from sfml.cli.opening import Opened
from sfml.cli.options import Options
from sfml.cli.planning import Planned
from sfml.cli.reviewed import refuse_unreviewed
from sfml.cli.several import (
    Failure,
    Targets,
    arguments_text,
    each,
    failed_words,
    failure_of,
    failures,
    opened_all,
    say_failure,
    say_json_of,
    say_turn,
)
from sfml.errors import ConflictingState, SfmlError
from sfml.record import record
from sfml.render.units import plural

if TYPE_CHECKING:
    from sfml.history import Run

NOT_BEGUN = "stopped before its turn came; nothing of it was changed"
CUT_OFF = "stopped while it was applied; `sfml status` says where it stands"


@record
class Pending:
    """A pipeline with the plan that was shown."""

    found: Opened
    work: Planned


@record
class Applied:
    """A pipeline that is as its spec says, and how its run ended where one was asked for."""

    found: Opened
    work: Planned
    run: Run | None = None

    @property
    def is_well(self) -> bool:
        return self.run is None or self.run.outcome == "succeeded"


def apply_several(specs: Sequence[str], flags: ApplyFlags, options: Options) -> int:
    """Apply every pipeline that the arguments stand for; the exit code is 1 when one of them failed."""
    with Targets(options) as targets:
        plans = _plans(specs, targets, flags, options)
        pending = [one for one in plans if isinstance(one, Pending) and one.work.groups]
        if flags.dry_run:
            if options.json:
                say_json_of([dry_run_json(one.work) if isinstance(one, Pending) else one for one in plans])
            return 1 if failures(plans) else 0
        if pending and not flags.auto_approve:
            names = ", ".join(one.found.desired.pipeline for one in pending)
            confirm(
                f"Apply {'this plan' if len(pending) == 1 else f'these {len(pending)} plans'} ({names})?",
                options,
            )
        results: list[Applied | Failure] = []
        try:
            results.extend(_applied(plans, targets, flags, options))
        except click.exceptions.Exit:
            _say_stopped(plans, results, options)
            raise
        if flags.run_after:
            results = [
                one if isinstance(one, Failure) else _with_run(one, targets, flags, options)
                for one in results
            ]
    if options.json:
        say_json_of([one if isinstance(one, Failure) else _json(one) for one in results])
    elif not options.quiet or failures(results):
        _say_count(specs, results, pending, options)
    return 1 if any(isinstance(one, Failure) or not one.is_well for one in results) else 0


def _plans(
    specs: Sequence[str], targets: Targets, flags: ApplyFlags, options: Options
) -> list[Pending | Failure]:
    """The plan of each, shown as soon as it is made."""

    def plan(found: Opened) -> Pending:
        refuse_unreviewed(found)
        work = flags.planned(found, targets.of(found, flags.demanding(found, options)))
        show_work(found, work, options, stages=flags.dry_run)
        if not (options.quiet or options.json):
            output.say()
        return Pending(found, work)

    return each(opened_all(specs, options), plan, options)


def _applied(
    plans: Sequence[Pending | Failure], targets: Targets, flags: ApplyFlags, options: Options
) -> Iterator[Applied | Failure]:
    """What became of each plan, one after another."""
    for place, one in enumerate(plans):
        if isinstance(one, Failure):
            yield one
        elif not one.work.groups:
            yield Applied(one.found, one.work)
        else:
            try:
                yield Applied(one.found, _apply(one, targets, flags, options))
            except SfmlError as error:
                failure = failure_of(one.found, error)
                say_failure(failure, options)
                yield failure
            if give_back() and any(
                isinstance(rest, Pending) and rest.work.groups for rest in plans[place + 1 :]
            ):
                raise click.exceptions.Exit(INTERRUPTED)


def _apply(pending: Pending, targets: Targets, flags: ApplyFlags, options: Options) -> Planned:
    """Plan once more under the lease, and carry it out if it still is what was shown."""
    found = pending.found
    target = targets.of(found)
    say_turn(found, options)
    with locked(found.desired, target, options, flags.locking) as held:
        work = flags.planned(found, target)
        if not flags.auto_approve and _likeness(work) != _likeness(pending.work):
            raise ConflictingState(
                "the target has moved on since the plan was shown; nothing was changed", help="run it again"
            )
        if work.groups:
            flags.demand(found, target.connection, options, work.plan)
            carry_out(found, target, held, work, options, flags.idleness)
    if not (options.quiet or options.json):
        output.say()
    return work


def _likeness(work: Planned) -> Mapping[str, Any]:
    """What of a plan somebody agrees to; times of next runs pass by themselves."""
    from sfml.render.plan import plan_json

    return {**plan_json(work.plan), "next_runs": None}


def _with_run(applied: Applied, targets: Targets, flags: ApplyFlags, options: Options) -> Applied | Failure:
    from sfml.cli.running import followed_run

    try:
        run = followed_run(applied.found, targets.of(applied.found), options, flags.config)
    except SfmlError as error:
        failure = failure_of(applied.found, error)
        say_failure(failure, options)
        return failure
    return replace(applied, run=run)


def _json(applied: Applied) -> Mapping[str, Any]:
    from sfml.render.run import run_json

    return {**applied_json(applied.work), **({"run": run_json(applied.run)} if applied.run else {})}


def _say_stopped(
    plans: Sequence[Pending | Failure], results: Sequence[Applied | Failure], options: Options
) -> None:
    """What was and was not applied when somebody stopped the command."""
    left = [one for one in plans[len(results) :] if isinstance(one, Pending)]
    if options.json:
        errors = [ConflictingState(NOT_BEGUN if place else CUT_OFF) for place in range(len(left))]
        cut = [failure_of(one.found, error) for one, error in zip(left, errors, strict=True)]
        done = [one if isinstance(one, Failure) else _json(one) for one in results]
        say_json_of([*done, *cut])
        return
    begun = [one.found.desired.pipeline for one in results if isinstance(one, Applied) and one.work.groups]
    waiting = [one.found.desired.pipeline for one in left[1:] if one.work.groups]
    if begun:
        output.note(f"applied before that: {', '.join(begun)}")
    if waiting:
        output.note(f"not begun: {', '.join(waiting)}")


def _say_count(
    specs: Sequence[str], results: Sequence[Applied | Failure], pending: Sequence[Pending], options: Options
) -> None:
    """How many were applied, were as they should be, or failed, and what to do about those."""
    done = [one for one in results if isinstance(one, Applied)]
    names = {one.found.desired.pipeline for one in pending}
    changed = sum(one.found.desired.pipeline in names for one in done)
    unwell = [one.found.desired.pipeline for one in done if not one.is_well]
    runs = f", {len(unwell)} ran without success: {', '.join(unwell)}" if unwell else ""
    output.say(
        f"{plural(len(results), 'pipeline')}: {changed} applied, {len(done) - changed} as in the spec"
        f"{failed_words(results)}{runs}"
    )
    if not failures(results):
        output.say(f"Next:  sfml status{arguments_text(specs, options)}")
