"""`sfml apply SPEC`"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.idle import Idleness, demand_idle, idle_options
from sfml.cli.locking import Locking, locked, locking_options
from sfml.cli.opening import Connected, Opened, connected, opened
from sfml.cli.options import Options, pairs, shared_options
from sfml.cli.planning import Planned, planned, schedule_words, work_of
from sfml.errors import UsageError
from sfml.plan.stages import OpenJournal

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.holding import Held
    from sfml.plan.model import Plan


@click.command()
@click.argument("spec", metavar="SPEC|PLAN.JSON")
@click.option(
    "--run", "run_after", is_flag=True, help="Run it once afterwards, and follow the run to its end."
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
    "--resume/--no-resume", default=None, help="Turn the schedule on or off; else it stays as it is."
)
@click.option(
    "--dry-run", is_flag=True, help="Show the plan and what would be done, in order; change nothing."
)
@click.option("--adopt", is_flag=True, help="Take over a graph that sfml did not make.")
@click.option(
    "--create-missing",
    is_flag=True,
    help="Create the database, schema and compute pool where they are not there yet.",
)
@click.option(
    "--no-collect",
    "keeps_all",
    is_flag=True,
    help="Leave the code and records of old deployments on the stage.",
)
@click.option("--restore", is_flag=True, help="Put back what was there before an apply that did not finish.")
@idle_options
@click.option(
    "--require-fingerprint",
    "fingerprint",
    metavar="F",
    help="Apply only what was reviewed: the fingerprint that `sfml diff` gives it.",
)
@locking_options
@shared_options()
def command(
    spec: str,
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
    options: Options,
) -> int:
    """Make the target match SPEC: only what differs is changed, and running it again finishes what was cut off.

    PLAN.JSON is what `sfml plan --out` wrote: just that is done, or nothing if anything moved on since.
    """
    from sfml.cli.environment import demand_environment
    from sfml.cli.reviewed import refuse_unreviewed
    from sfml.cli.running import run_and_follow
    from sfml.cli.saving import is_saved_plan, opened_plan, refuse_moved_on

    if config and not run_after:
        raise UsageError("--config goes with --run", help="add --run, or use `sfml run --config …`")
    if restore:
        from sfml.cli.restoring import restore_pipeline

        others = (run_after, resume is not None, dry_run, adopt, create_missing, keeps_all, fingerprint)
        if any(others) or idleness != Idleness():
            raise UsageError("--restore goes alone", help="run the other command afterwards")
        if is_saved_plan(spec):
            raise UsageError(
                "--restore takes a spec, or the name of a pipeline whose spec is gone",
                help="what is put back stands in the journal, and not in a plan",
            )
        return restore_pipeline(spec, options, locking, auto_approve)
    saved = None
    if is_saved_plan(spec):
        if resume is not None or adopt:
            raise UsageError("--resume and --adopt are part of a saved plan", help="plan again with them")
        saved, found, options = opened_plan(spec, options)
        resume, adopt, auto_approve = saved.resume, saved.adopt, True
    else:
        found = opened(spec, options)
    if fingerprint is not None:
        from sfml.plan.reviewed import demand_reviewed

        demand_reviewed(found.desired, fingerprint)
    refuse_unreviewed(found)

    def everything_is_there(connection: SnowflakeConnection, plan: Plan | None = None) -> None:
        makes = create_missing and not dry_run
        demand_environment(
            found, connection, options, create_missing=makes, auto_approve=auto_approve, plan=plan
        )

    with connected(found, options, on_missing=everything_is_there) as target:
        if dry_run:
            work = planned(found, target, resume=resume, adopt=adopt, collect=not keeps_all)
            if saved is not None:
                refuse_moved_on(spec, saved, found, work, target)
            return show_dry_run(found, work, options)
        with locked(found.desired, target, options, locking) as held:
            work = planned(found, target, resume=resume, adopt=adopt, collect=not keeps_all)
            if saved is not None:
                refuse_moved_on(spec, saved, found, work, target)
            if work.groups:
                everything_is_there(target.connection, work.plan)
            carry_out(found, target, held, work, options, auto_approve, idleness)
        if run_after:
            return run_and_follow(found, target, options, config)
        if options.json:
            from sfml.render.plan import plan_json

            number = work.number if records(work) else None
            output.say_json({**plan_json(work.plan), "applied": True, "deployment": number})
    return 0


def records(work: Planned) -> bool:
    """Whether the apply changes tasks, and so becomes a deployment that is kept."""
    return any(isinstance(stage, OpenJournal) for group in work.groups for stage in group)


def _became(work: Planned, pipeline: str, where: str) -> str:
    """Which deployment an apply became, and how to go back."""
    if not records(work):
        return ""
    before = work.number_before
    back = f"; back with:  sfml rollback {where} --to {before}" if before else "."
    return f" Deployment {work.number} of {pipeline}{back}"


def show_dry_run(found: Opened, work: Planned, options: Options) -> int:
    """The plan and the stages that would carry it out."""
    from sfml.render.plan import plan_json, plan_text
    from sfml.render.stages import stages_json, stages_text
    from sfml.render.symbols import Symbols

    if options.json:
        output.say_json({**plan_json(work.plan), "applied": False, "stages": stages_json(work.groups)})
    elif not options.quiet:
        symbols = Symbols(output.takes_unicode())
        output.say(plan_text(work.plan, found.desired, symbols, schedule=schedule_words(found.desired)))
        output.say(f"\n{stages_text(work.groups)}")
    return 0


def carry_out(
    found: Opened,
    target: Connected,
    held: Held,
    work: Planned,
    options: Options,
    auto_approve: bool,
    idleness: Idleness | None = None,
) -> None:
    """Show the plan, ask, and apply it; says what it did."""
    from sfml.cli.deploying import deploy_work, provenance
    from sfml.render.plan import plan_text
    from sfml.render.symbols import Symbols

    speaks = not (options.quiet or options.json)
    desired = found.desired
    if speaks:
        symbols = Symbols(output.takes_unicode())
        output.say(plan_text(work.plan, desired, symbols, schedule=schedule_words(desired)))
    if not work.groups:
        return
    if not auto_approve:
        confirm(f"Apply this to {work.plan.target} ({work.plan.location})?", options)
    demand_idle(work.observed, target, held, idleness or Idleness(), options)
    began = time.perf_counter()
    if speaks:
        output.say()
    where = f"{desired.spec_path} -t {desired.target.name}"
    full = work_of(work, desired, held.lease, provenance(found, options))
    deploy_work(full, target, held, options, where, journal_open=work.is_unfinished)
    if speaks:
        output.say(f"Applied in {time.perf_counter() - began:.1f} s.{_became(work, desired.pipeline, where)}")
