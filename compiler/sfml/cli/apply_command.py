"""`sfml apply SPEC…`"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import click

from sfml.base.errors import UsageError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.asking import confirm
from sfml.cli.idle import Idleness, demand_idle, idle_options
from sfml.cli.locking import Locking, locked, locking_options
from sfml.cli.opening import connected, opened
from sfml.cli.options import Options, pairs, shared_options, specs_argument
from sfml.frontend.compiled_spec import Opened
from sfml.operations.apply_plan import Planned, planned, schedule_words, work_of
from sfml.operations.target_account import Connected
from sfml.plan.stages import OpenJournal

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.operations.holding import Held
    from sfml.plan.model import Plan


@record
class ApplyFlags:
    """How to apply, the same for every pipeline of a command."""

    resume: bool | None = None
    adopt: bool = False
    create_missing: bool = False
    keeps_all: bool = False
    dry_run: bool = False
    auto_approve: bool = False
    run_after: bool = False
    config: Mapping[str, str] = field(default_factory=dict)
    idleness: Idleness = Idleness()
    locking: Locking = Locking()

    def planned(self, found: Opened, target: Connected) -> Planned:
        """What an apply would do now."""
        return planned(found, target, resume=self.resume, adopt=self.adopt, collect=not self.keeps_all)

    def demand(
        self, found: Opened, connection: SnowflakeConnection, options: Options, plan: Plan | None = None
    ) -> None:
        """Return when everything that the graph names is there, or could be made; else raise."""
        from sfml.cli.environment import demand_environment

        makes = self.create_missing and not self.dry_run
        demand_environment(
            found, connection, options, create_missing=makes, auto_approve=self.auto_approve, plan=plan
        )

    def demanding(self, found: Opened, options: Options) -> Callable[[SnowflakeConnection], None]:
        """The same, for a target of which not even the schema is there."""
        return lambda connection: self.demand(found, connection, options)


@click.command()
@specs_argument("[SPEC]…|PLAN.JSON")
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
    options: Options,
) -> int:
    """Make the target match SPEC: only what differs is changed, and running it again finishes what was cut off.

    SPEC is an entry file, a folder, a glob or a pipeline's name; without one, every pipeline of the project is meant.
    Of several all plans are shown first; then each is applied by itself, those at once that share no table, stream
    or model by name, and one that fails hides no other.
    PLAN.JSON is what `sfml plan --out` wrote: just that is done, or nothing if anything moved on since.
    """
    from sfml.cli.saving import is_saved_plan
    from sfml.frontend.entry_files import is_single

    flags = ApplyFlags(
        resume, adopt, create_missing, keeps_all, dry_run, auto_approve, run_after, config, idleness, locking
    )
    if config and not run_after:
        raise UsageError("--config goes with --run", help="add --run, or use `sfml run --config …`")
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
                help="what is put back stands in the journal, and not in a plan",
            )
        from sfml.cli.restoring import restore_pipeline

        return restore_pipeline(spec, options, locking, auto_approve)
    return _apply_one(spec, flags, fingerprint, options)


def _apply_one(spec: str, flags: ApplyFlags, fingerprint: str | None, options: Options) -> int:
    """Plan under the lease, show it, ask, and carry it out: nothing can come in between."""
    from sfml.cli.running import run_and_follow
    from sfml.cli.saving import is_saved_plan, opened_plan
    from sfml.operations.reviewed_files import refuse_unreviewed
    from sfml.operations.saved_plans import refuse_moved_on

    saved = None
    if is_saved_plan(spec):
        if flags.resume is not None or flags.adopt:
            raise UsageError("--resume and --adopt are part of a saved plan", help="plan again with them")
        saved, found, options = opened_plan(spec, options)
        flags = replace(flags, resume=saved.resume, adopt=saved.adopt, auto_approve=True)
    else:
        found = opened(spec, options)
    if fingerprint is not None:
        from sfml.plan.reviewed import demand_reviewed

        demand_reviewed(found.desired, fingerprint)
    refuse_unreviewed(found)

    def plan(target: Connected) -> Planned:
        work = flags.planned(found, target)
        if saved is not None:
            refuse_moved_on(spec, saved, found, work, target)
        return work

    with connected(found, options, on_missing=flags.demanding(found, options)) as target:
        if flags.dry_run:
            work = plan(target)
            show_work(found, work, options, stages=True)
            if options.json:
                output.say_json(dry_run_json(work))
            return 0
        with locked(found.desired, target, options, flags.locking) as held:
            work = plan(target)
            if work.groups:
                flags.demand(found, target.connection, options, work.plan)
            show_work(found, work, options)
            if work.groups:
                if not flags.auto_approve:
                    confirm(f"Apply this to {work.plan.target} ({work.plan.location})?", options)
                carry_out(found, target, held, work, options, flags.idleness)
        if flags.run_after:
            return run_and_follow(found, target, options, flags.config)
        if options.json:
            output.say_json(applied_json(work))
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


def show_work(found: Opened, work: Planned, options: Options, *, stages: bool = False) -> None:
    """The plan as text, with the stages that would carry it out where nothing is carried out."""
    from sfml.render.plan import plan_text
    from sfml.render.stages import stages_text
    from sfml.render.symbols import Symbols

    if options.quiet or options.json:
        return
    symbols = Symbols(output.takes_unicode())
    output.say(plan_text(work.plan, found.desired, symbols, schedule=schedule_words(found.desired)))
    if stages:
        output.say(f"\n{stages_text(work.groups)}")


def dry_run_json(work: Planned) -> Mapping[str, Any]:
    """The plan with the stages that would carry it out."""
    from sfml.render.plan import plan_json
    from sfml.render.stages import stages_json

    return {**plan_json(work.plan), "applied": False, "stages": stages_json(work.groups)}


def applied_json(work: Planned) -> Mapping[str, Any]:
    """The plan that was carried out, and which deployment it became."""
    from sfml.render.plan import plan_json

    return {**plan_json(work.plan), "applied": True, "deployment": work.number if records(work) else None}


def carry_out(
    found: Opened, target: Connected, held: Held, work: Planned, options: Options, idleness: Idleness
) -> None:
    """Apply what was shown and agreed to; says what it did."""
    from sfml.cli.deploying import deploy_work, provenance

    speaks = not (options.quiet or options.json)
    desired = found.desired
    demand_idle(work.observed, target, held, idleness, options)
    began = time.perf_counter()
    if speaks:
        output.say()
    where = f"{desired.spec_path} -t {desired.target.name}"
    full = work_of(work, desired, held.lease, provenance(found, options))
    deploy_work(full, target, held, options, where, journal_open=work.is_unfinished)
    if speaks:
        output.say(f"Applied in {time.perf_counter() - began:.1f} s.{_became(work, desired.pipeline, where)}")
