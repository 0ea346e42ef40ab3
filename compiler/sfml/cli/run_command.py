"""`sfml run SPEC…`"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected, single
from sfml.cli.lease_options import Locking, locking_options
from sfml.cli.options import Options, pairs, shared_options, specs_argument
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.part_plan import PartRequest
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from sfml.account.history import Run
    from sfml.cli.pipelines import PipelineFailure


@click.command()
@specs_argument()
@click.option(
    "--config",
    multiple=True,
    callback=pairs,
    metavar="KEY=VALUE",
    help="Override a config value in this run.",
)
@click.option("--wait/--no-wait", default=True, help="Wait for the end of the run, or return at once.")
@click.option(
    "--only",
    multiple=True,
    metavar="SELECTOR",
    help="Run only these tasks: train, +score, train+, score_*, kind:job, tag:cost; may be repeated.",
)
@click.option(
    "--from",
    "start",
    multiple=True,
    metavar="TASK",
    help="Run this task and everything that runs after it; the same as --only TASK+.",
)
@click.option(
    "--recover",
    metavar="RUN",
    help="Run what did not succeed in this run, and what comes after it; an id, the start of one, or `last`.",
)
@click.option(
    "--deployment",
    type=click.IntRange(1),
    metavar="N",
    help="Run a part with the code of deployment N, not with that of the files.",
)
@click.option("--beside", is_flag=True, help="Run a part even while the deployed graph is executing.")
@click.option("--dry-run", is_flag=True, help="Show the plan of a part, and run nothing.")
@click.option("--auto-approve", is_flag=True, help="Do not ask on a terminal whether to run a part.")
@locking_options
@shared_options()
def command(
    specs: tuple[str, ...],
    config: Mapping[str, str],
    wait: bool,
    only: tuple[str, ...],
    start: tuple[str, ...],
    recover: str | None,
    deployment: int | None,
    beside: bool,
    dry_run: bool,
    auto_approve: bool,
    locking: Locking,
    options: Options,
) -> int:
    """Run the deployed pipeline once, now, and wait for its end. The schedule does not change.

    With --only, --from or --recover, run a part of it, as a graph of its own beside the deployed one: with the code of
    your files, and with the results of tasks that have run before. The plan is shown first.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    Several pipelines run in parallel if they share no table, stream or model by name. A failure of one does not stop
    the others.
    """
    from sfml.cli.run_view import run_and_follow
    from sfml.frontend.entry_files import is_single
    from sfml.operations.graph_health import demand_finished_apply
    from sfml.operations.runs import checked_overrides

    request = PartRequest(only, start, recover, deployment, config, beside)
    if request.is_part:
        return _run_part(specs, request, options, locking, wait, auto_approve, dry_run)
    _refuse_flags_of_parts(deployment, beside, dry_run)
    if not is_single(specs):
        return _run_several(specs, config, wait, options)
    compiled_spec = compile_spec(specs[0], options)
    checked_overrides(compiled_spec.desired, config)
    if not wait:
        _demand_server(compiled_spec)
    with connected(compiled_spec, options) as target:
        demand_finished_apply(compiled_spec, target)
        if wait:
            return run_and_follow(compiled_spec, target, options, config)
        started = _started(compiled_spec, target, config, options)
    if options.json:
        output.say_json(started)
    return 0


def _run_part(
    specs: tuple[str, ...],
    request: PartRequest,
    options: Options,
    locking: Locking,
    wait: bool,
    auto_approve: bool,
    dry_run: bool,
) -> int:
    from sfml.cli.part_run import run_part

    compiled_spec = compile_spec(single(specs), options)
    if not wait and not dry_run:
        _demand_server(compiled_spec)
    return run_part(
        *(compiled_spec, request, options, locking), wait=wait, auto_approve=auto_approve, dry_run=dry_run
    )


def _refuse_flags_of_parts(deployment: int | None, beside: bool, dry_run: bool) -> None:
    flags = [
        flag
        for flag, given in (("--deployment", deployment), ("--beside", beside), ("--dry-run", dry_run))
        if given
    ]
    if flags:
        raise click.UsageError(f"{flags[0]} goes with a part of a run: --only, --from or --recover")


def _run_several(specs: Sequence[str], config: Mapping[str, str], wait: bool, options: Options) -> int:
    """Run several pipelines: in parallel if they share no object, or with --no-wait start all of them."""
    from sfml.cli.pipelines import PipelineFailure, Targets, compile_specs, each, failures, say_json_of
    from sfml.cli.run_several import run_all
    from sfml.operations.graph_health import demand_finished_apply
    from sfml.render.run import run_json

    with Targets(options) as targets:

        def begin(compiled_spec: CompiledSpec) -> Mapping[str, Any]:
            _demand_server(compiled_spec)
            target = targets.of(compiled_spec)
            demand_finished_apply(compiled_spec, target)
            return _started(compiled_spec, target, config, options)

        pipelines = compile_specs(specs, options)
        if not wait:
            started = each(pipelines, begin, options)
            if options.json:
                say_json_of(started)
            return 1 if failures(started) else 0
        results = run_all(pipelines, targets, config, options)
    if options.json:
        say_json_of(
            [result if isinstance(result, PipelineFailure) else run_json(result) for result in results]
        )
    elif not options.quiet:
        output.say(f"\n{_count_text(results)}")
    return 0 if all(_is_well(result) for result in results) else 1


def _is_well(result: Run | PipelineFailure) -> bool:
    from sfml.cli.pipelines import PipelineFailure

    return not isinstance(result, PipelineFailure) and result.outcome == "succeeded"


def _count_text(results: Sequence[Run | PipelineFailure]) -> str:
    """The number of successful runs, and the outcome of each other one."""
    from sfml.cli.pipelines import PipelineFailure
    from sfml.render.reason import outcome_text
    from sfml.render.units import plural

    well = sum(map(_is_well, results))
    others = [
        f"{result.name} could not be run"
        if isinstance(result, PipelineFailure)
        else f"{result.pipeline} {outcome_text(result)}"
        for result in results
        if not _is_well(result)
    ]
    return ", ".join([f"{plural(len(results), 'pipeline')}: {well} succeeded", *others])


def _demand_server(compiled_spec: CompiledSpec) -> None:
    """Raise `UsageError` for a local target whose server does not run beyond this command."""
    from sfml.base.errors import UsageError
    from sfml.operations.local_server import LOCAL_FOLDER
    from sfml_local import control

    if (
        compiled_spec.desired.target.is_local
        and not control.status(compiled_spec.root / LOCAL_FOLDER).running
    ):
        raise UsageError(
            "--no-wait needs a local Snowflake that goes on running after this command",
            help="sfml local start",
        )


def _started(
    compiled_spec: CompiledSpec, target: TargetAccount, config: Mapping[str, str], options: Options
) -> Mapping[str, Any]:
    """Start a run, and print how to follow it; returns its JSON."""
    from sfml.cli.run_view import suspended_before
    from sfml.operations.runs import start

    desired = compiled_spec.desired
    suspended_before(compiled_spec, target, options)
    start(desired, target.history, config)
    if options.speaks:
        where = desired.where
        output.say(f"{desired.pipeline} was started. Follow it with:  sfml status {where}")
    return {"pipeline": desired.pipeline, "target": desired.target.name, "state": "SCHEDULED"}
