"""Runs several deployed pipelines: in parallel if they share no object, otherwise one after another."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from sfml.account.sharing import earlier_sharers
from sfml.base.errors import ConflictingState, SfmlError
from sfml.cli import output
from sfml.cli.at_once import at_once, is_chain
from sfml.cli.deployment import INTERRUPTED
from sfml.cli.options import Options
from sfml.cli.outlets import MarkedOutput, output_to
from sfml.cli.pipelines import (
    PipelineFailure,
    Targets,
    UnfinishedWork,
    each,
    failure_of,
    graph_of,
    report_failure,
    say_json_of,
)
from sfml.cli.run_view import followed_run
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.deployer import StopRequested
from sfml.operations.graph_health import demand_finished_apply

if TYPE_CHECKING:
    from sfml.account.history import Run

AT_ONCE = 8
"""The maximum number of runs followed in parallel; for each, the account is queried twice in three seconds."""

NOT_BEGUN = "stopped before its turn came; it was not run"
NOT_FOLLOWED = "stopped while its run was followed; `sfml status` says how it goes"


def run_all(
    pipelines: Sequence[CompiledSpec | PipelineFailure],
    targets: Targets,
    config: Mapping[str, str],
    options: Options,
) -> list[Run | PipelineFailure]:
    """Run the pipelines; returns the runs in their order. Raises `click.exceptions.Exit` when a signal stops it."""
    specs = each(pipelines, lambda compiled_spec: (compiled_spec, targets.of(compiled_spec))[0], options)
    there = [spec for spec in specs if not isinstance(spec, PipelineFailure)]
    after = earlier_sharers([graph_of(spec) for spec in there])
    if is_chain(after):
        return each(specs, lambda compiled_spec: _run(compiled_spec, targets, config, options), options)
    runs = iter(_at_once(there, after, targets, config, options))
    return [spec if isinstance(spec, PipelineFailure) else next(runs) for spec in specs]


def _run(compiled_spec: CompiledSpec, targets: Targets, config: Mapping[str, str], options: Options) -> Run:
    target = targets.of(compiled_spec)
    demand_finished_apply(compiled_spec, target)
    return followed_run(compiled_spec, target, options, config)


def _at_once(
    pipelines: Sequence[CompiledSpec],
    after: Sequence[frozenset[int]],
    targets: Targets,
    config: Mapping[str, str],
    options: Options,
) -> list[Run | PipelineFailure]:
    width = max(len(compiled_spec.desired.pipeline) for compiled_spec in pipelines)

    def work(compiled_spec: CompiledSpec) -> Run | PipelineFailure | UnfinishedWork:
        try:
            with output_to(MarkedOutput(f"{compiled_spec.desired.pipeline:<{width}}  ")):
                return _run(compiled_spec, targets, config, options)
        except StopRequested:
            return UnfinishedWork(compiled_spec, is_begun=True)
        except SfmlError as error:
            return report_failure(compiled_spec, error, options)

    if options.speaks:
        output.say()
    works = [partial(work, compiled_spec) for compiled_spec in pipelines]
    answers = at_once(works, after, threading.Event(), width=AT_ONCE)
    outcomes = [
        answers.get(place) or UnfinishedWork(compiled_spec, is_begun=False)
        for place, compiled_spec in enumerate(pipelines)
    ]
    ended = [outcome for outcome in outcomes if not isinstance(outcome, UnfinishedWork)]
    if len(ended) < len(outcomes):
        _say_stopped(outcomes, options)
        raise click.exceptions.Exit(INTERRUPTED)
    return ended


def _say_stopped(outcomes: Sequence[Run | PipelineFailure | UnfinishedWork], options: Options) -> None:
    """Print which runs were not followed to their end, and which were not begun."""
    from sfml.render.run import run_json

    if options.json:
        say_json_of(
            [
                failure_of(
                    outcome.compiled_spec, ConflictingState(NOT_FOLLOWED if outcome.is_begun else NOT_BEGUN)
                )
                if isinstance(outcome, UnfinishedWork)
                else outcome
                if isinstance(outcome, PipelineFailure)
                else run_json(outcome)
                for outcome in outcomes
            ]
        )
        return
    left = [outcome for outcome in outcomes if isinstance(outcome, UnfinishedWork)]
    begun = [unfinished.compiled_spec.desired.pipeline for unfinished in left if unfinished.is_begun]
    waiting = [unfinished.compiled_spec.desired.pipeline for unfinished in left if not unfinished.is_begun]
    if begun:
        output.note(f"not followed any more: {', '.join(begun)}; how they go:  sfml status {' '.join(begun)}")
    if waiting:
        output.note(f"not begun: {', '.join(waiting)}")
