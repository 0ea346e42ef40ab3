"""`sfml apply SPEC…`"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from sfml.base.errors import UsageError
from sfml.cli import output
from sfml.cli.apply_flags import ApplyFlags, applied_json, apply_work, dry_run_json, show_work, warn_of_inputs
from sfml.cli.confirmation import confirm
from sfml.cli.idle_options import idle_options
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.lease_options import Locking, locked, locking_options
from sfml.cli.options import Options, pairs, shared_options, specs_argument
from sfml.cli.part_tidying import tidy_parts
from sfml.cli.policy_options import held_plan, policies_json, policy_options
from sfml.operations.apply_plan import ApplyPlan
from sfml.operations.idleness import Idleness
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    pass


@click.command()
@specs_argument("[SPEC]…|PLAN.JSON")
@click.option(
    "--run", "run_after", is_flag=True, help="Run it once afterwards, and wait for the end of the run."
)
@click.option(
    "--config",
    multiple=True,
    callback=pairs,
    metavar="KEY=VALUE",
    help="With --run: override a config value.",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask before changing the target.")
@click.option(
    "--resume/--no-resume", default=None, help="Turn the schedule on or off; by default it stays as it is."
)
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and the steps that would be taken; change nothing."
)
@click.option("--adopt", is_flag=True, help="Take over a graph that sfml did not make.")
@click.option(
    "--create-missing",
    is_flag=True,
    help="Create the database, schema and compute pool if they are missing.",
)
@click.option(
    "--no-collect",
    "keeps_all",
    is_flag=True,
    help="Do not remove the code and records of old deployments from the stage.",
)
@click.option("--restore", is_flag=True, help="Go back to the state from before an unfinished apply.")
@idle_options
@click.option(
    "--require-fingerprint",
    "fingerprint",
    metavar="F",
    help="Apply only if the compiled spec has this fingerprint, which `sfml diff` prints.",
)
@locking_options
@policy_options
@shared_options()
def command(
    specs: tuple[str, ...],
    run_after: bool,
    config: Mapping[str, str],
    auto_approve: bool,
    resume: bool | None,
    dry_run: bool,
    adopt: bool,
    create_missing: bool,
    keeps_all: bool,
    restore: bool,
    fingerprint: str | None,
    idleness: Idleness,
    locking: Locking,
    policies_of: str | None,
    options: Options,
) -> int:
    """Make the target match SPEC. Only differences are changed; a repeated apply finishes an interrupted one.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.

    For several pipelines, all plans are shown first, then each is applied separately. Pipelines that share no table,
    stream or model by name are applied in parallel. A failure of one does not stop the others.

    PLAN.JSON is a file that `sfml plan --out` wrote. Exactly that plan is applied, or nothing if the spec or the target
    has changed since.

    Nothing is applied if the project's policies find errors in the plan or the pipeline.
    """
    from sfml.cli.saved_plans import is_saved_plan
    from sfml.frontend.entry_files import is_single, narrowed

    flags = ApplyFlags(
        *(resume, adopt, create_missing, keeps_all, dry_run, auto_approve, run_after, config, idleness),
        *(locking, policies_of),
    )
    if config and not run_after:
        raise UsageError("--config goes with --run", help="add --run, or use `sfml run --config …`")
    if restore or fingerprint:
        specs = narrowed(specs)
    if not is_single(specs):
        alone = {"--restore": restore, "--require-fingerprint": bool(fingerprint)}
        alone["a saved plan"] = any(map(is_saved_plan, specs))
        for name in (name for name, is_given in alone.items() if is_given):
            raise UsageError(f"{name} goes with one pipeline", help="name one by its file or its name")
        from sfml.cli.apply_several import apply_several

        return apply_several(specs, flags, options)
    (spec,) = specs
    if restore:
        if fingerprint or flags != ApplyFlags(auto_approve=auto_approve, locking=locking):
            raise UsageError("--restore goes alone", help="run the other command afterwards")
        if is_saved_plan(spec):
            raise UsageError(
                "--restore takes a spec, or the name of a pipeline whose spec is gone",
                help="the state to go back to is in the journal, not in a plan",
            )
        from sfml.cli.restoration import restore_pipeline

        return restore_pipeline(spec, options, locking, auto_approve)
    return _apply_one(spec, flags, fingerprint, options)


def _apply_one(spec: str, flags: ApplyFlags, fingerprint: str | None, options: Options) -> int:
    """Plan, show the plan, ask for approval and apply, all under the lease, so that no other command interferes."""
    from sfml.cli.run_view import run_and_follow
    from sfml.cli.saved_plans import is_saved_plan, read_saved_plan
    from sfml.operations.reviewed_files import refuse_unreviewed
    from sfml.operations.saved_plans import refuse_moved_on

    saved = None
    if is_saved_plan(spec):
        if flags.resume is not None or flags.adopt:
            raise UsageError("--resume and --adopt are part of a saved plan", help="plan again with them")
        saved, compiled_spec, options = read_saved_plan(spec, options)
        flags = replace(flags, resume=saved.resume, adopt=saved.adopt, auto_approve=True)
    else:
        compiled_spec = compile_spec(spec, options)
    if fingerprint is not None:
        from sfml.plan.review_fingerprint import demand_reviewed

        demand_reviewed(compiled_spec.desired, fingerprint)
    refuse_unreviewed(compiled_spec)

    def plan(target: TargetAccount) -> ApplyPlan:
        work = flags.planned(compiled_spec, target)
        if saved is not None:
            refuse_moved_on(spec, saved, compiled_spec, work, target)
        return work

    with connected(compiled_spec, options, on_missing=flags.demanding(compiled_spec, options)) as target:
        if flags.dry_run:
            work = plan(target)
            show_work(compiled_spec, work, options, stages=True)
            warn_of_inputs(compiled_spec, target.connection, options)
            policies = held_plan(compiled_spec, work.plan, flags.policies_of, options)
            if options.json:
                output.say_json({**dry_run_json(work), **policies_json(policies)})
            return 0
        with locked(compiled_spec.desired, target, options, flags.locking) as held_lease:
            work = plan(target)
            tidy_parts(compiled_spec.desired, target, held_lease, work.staged, options)
            if work.groups:
                flags.demand(compiled_spec, target.connection, options, work.plan)
            else:
                warn_of_inputs(compiled_spec, target.connection, options)
            show_work(compiled_spec, work, options)
            policies = held_plan(compiled_spec, work.plan, flags.policies_of, options)
            if work.groups:
                if not flags.auto_approve:
                    confirm(f"Apply this to {work.plan.target} ({work.plan.location})?", options)
                apply_work(compiled_spec, target, held_lease, work, options, flags.idleness)
        if flags.run_after:
            return run_and_follow(compiled_spec, target, options, flags.config)
        if options.json:
            output.say_json({**applied_json(work), **policies_json(policies)})
    return 0
