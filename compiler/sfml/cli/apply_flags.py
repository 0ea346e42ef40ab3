"""The parts that `sfml apply` of one and of several pipelines share: flags, the shown plan, and the apply itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from sfml.base.record import record
from sfml.cli import output
from sfml.cli.idle_options import demand_idle
from sfml.cli.inputs import user_name
from sfml.cli.lease_options import Locking
from sfml.cli.options import Options
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import ApplyPlan, planned, schedule_words, work_of
from sfml.operations.idleness import Idleness
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

    from sfml.operations.held_lease import HeldLease
    from sfml.plan.model import Plan


@record
class ApplyFlags:
    """The flags of `sfml apply`, the same for every pipeline of the command."""

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
    policies_of: str | None = None

    def planned(self, compiled_spec: CompiledSpec, target: TargetAccount) -> ApplyPlan:
        """The apply plan for the current state of the target."""
        return planned(
            compiled_spec, target, resume=self.resume, adopt=self.adopt, collect=not self.keeps_all
        )

    def demand(
        self,
        compiled_spec: CompiledSpec,
        connection: SnowflakeConnection,
        options: Options,
        plan: Plan | None = None,
    ) -> None:
        """Check that every object that the graph names exists, or create it; raises if one is missing."""
        from sfml.cli.environment import demand_environment

        makes = self.create_missing and not self.dry_run
        demand_environment(
            compiled_spec,
            connection,
            options,
            create_missing=makes,
            auto_approve=self.auto_approve,
            plan=plan,
        )

    def demanding(
        self, compiled_spec: CompiledSpec, options: Options
    ) -> Callable[[SnowflakeConnection], None]:
        """The same check as a function, for a target whose schema is missing."""
        return lambda connection: self.demand(compiled_spec, connection, options)


def warn_of_inputs(compiled_spec: CompiledSpec, connection: SnowflakeConnection, options: Options) -> None:
    """Warn of streams and feature views that are missing, where an apply demands nothing: it changes nothing."""
    from sfml.operations.environment import missing_inputs

    environment = missing_inputs(compiled_spec, connection) if options.speaks else None
    if environment is None:
        return
    for missing in environment.missing:
        what = "" if missing.exists else " cannot be found"
        output.note(f"warning: {missing.text}{what}:  {missing.statement};")
    for unknown in environment.unknown:
        output.note(f"warning: not looked at, {unknown}")


def show_work(
    compiled_spec: CompiledSpec, work: ApplyPlan, options: Options, *, stages: bool = False
) -> None:
    """Print the plan; with `stages`, also the stages that an apply would carry out."""
    from sfml.render.plan import plan_text
    from sfml.render.stages import stages_text
    from sfml.render.symbols import Symbols

    if not options.speaks:
        return
    symbols = Symbols(output.takes_unicode())
    output.say(
        plan_text(work.plan, compiled_spec.desired, symbols, schedule=schedule_words(compiled_spec.desired))
    )
    if stages:
        output.say(f"\n{stages_text(work.groups)}")


def dry_run_json(work: ApplyPlan) -> Mapping[str, Any]:
    """The plan as JSON, with the stages that an apply would carry out."""
    from sfml.render.plan import plan_json
    from sfml.render.stages import stages_json

    return {**plan_json(work.plan), "applied": False, "stages": stages_json(work.groups)}


def applied_json(work: ApplyPlan) -> Mapping[str, Any]:
    """The applied plan as JSON, with the number of its deployment."""
    from sfml.render.plan import plan_json

    return {**plan_json(work.plan), "applied": True, "deployment": work.number if work.is_recorded else None}


def apply_work(
    compiled_spec: CompiledSpec,
    target: TargetAccount,
    held_lease: HeldLease,
    work: ApplyPlan,
    options: Options,
    idleness: Idleness,
) -> None:
    """Apply the approved plan, and print what is done."""
    from sfml.cli.deployment import deploy_work
    from sfml.operations.reviewed_files import provenance

    speaks = options.speaks
    desired = compiled_spec.desired
    demand_idle(work.observed, target, held_lease, idleness, options)
    began = time.perf_counter()
    if speaks:
        output.say()
    where = desired.where
    full = work_of(work, desired, held_lease.lease, provenance(compiled_spec, user_name(options)))
    deploy_work(full, target, held_lease, options, where, journal_open=work.is_unfinished)
    if speaks:
        output.say(f"Applied in {time.perf_counter() - began:.1f} s.{_became(work, desired.pipeline, where)}")


def _became(work: ApplyPlan, pipeline: str, where: str) -> str:
    """The number of the new deployment, and the command to go back."""
    if not work.is_recorded:
        return ""
    before = work.number_before
    back = f"; back with:  sfml rollback {where} --to {before}" if before else "."
    return f" Deployment {work.number} of {pipeline}{back}"
