"""`sfml plan SPEC…`"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfml.base.record import record
from sfml.cli import output
from sfml.cli.inputs import compile_spec, connected
from sfml.cli.options import Options, shared_options, specs_argument
from sfml.cli.policy_options import policies_json, policy_options, say_plan_findings
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.apply_plan import ApplyPlan, planned, schedule_words
from sfml.operations.target_account import TargetAccount

if TYPE_CHECKING:
    from collections.abc import Callable

    from snowflake.connector import SnowflakeConnection

    from sfml.account.environment import Environment
    from sfml.cli.pipelines import PipelineFailure
    from sfml.cost.change import CostChange
    from sfml.operations.policies import PlanFindings


@record
class _Flags:
    """The options that influence a plan."""

    resume: bool | None
    adopt: bool
    check_environment: bool
    policies_of: str | None = None


@record
class _PipelinePlan:
    """A pipeline and its plan; `environment` holds the missing objects, if they were checked."""

    compiled_spec: CompiledSpec
    work: ApplyPlan
    environment: Environment | None
    policies: PlanFindings

    @property
    def is_blocked(self) -> bool:
        missing = self.environment is not None and bool(self.environment.blocking)
        return missing or self.policies.refuses


@click.command()
@specs_argument()
@click.option(
    "--out",
    "out",
    metavar="FILE.JSON",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan; `sfml apply FILE.JSON` then applies exactly this plan, or refuses.",
)
@click.option(
    "--resume/--no-resume",
    default=None,
    help="Plan to turn the schedule on or off; by default it stays as it is.",
)
@click.option("--adopt", is_flag=True, help="Plan to take over a graph that sfml did not make.")
@click.option(
    "--check-environment",
    is_flag=True,
    help="Also check that all objects that the graph needs exist; exit with 1 if one is missing.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none.")
@policy_options
@shared_options("markdown")
def command(
    specs: tuple[str, ...],
    out: Path | None,
    resume: bool | None,
    adopt: bool,
    check_environment: bool,
    detailed_exitcode: bool,
    policies_of: str | None,
    options: Options,
) -> int:
    """Show what apply would change in the target, field by field. Changes nothing.

    SPEC is an entry file, a folder, a glob or a pipeline's name; by default, all pipelines of the project are taken.
    If the project's policies do not let the plan be applied, the exit code is 1.
    """
    from sfml.base.errors import UsageError
    from sfml.cli.saved_plans import is_saved_plan
    from sfml.frontend.entry_files import is_single, narrowed
    from sfml.operations.saved_plans import save

    if out is not None and not is_saved_plan(out.name):
        raise UsageError(
            f"`{out}` should end in .json: that is how apply knows a plan from a spec",
            help=f"--out {out.with_suffix('.json')}",
        )
    flags = _Flags(resume, adopt, check_environment, policies_of)
    if out is not None:
        specs = narrowed(specs)
    if not is_single(specs):
        if out is not None:
            raise UsageError(
                "--out takes one pipeline: a saved plan holds only one",
                help="name one by its file or its name",
            )
        return _plan_several(specs, flags, options, detailed_exitcode)
    compiled_spec = compile_spec(specs[0], options)
    with connected(compiled_spec, options, on_missing=_demanding(compiled_spec, flags, options)) as target:
        looked = _pipeline_plan(compiled_spec, target, flags)
        if out is not None:
            save(
                *(out, compiled_spec, looked.work, target),
                variables=options.variables,
                user=options.user,
                resume=resume,
                adopt=adopt,
            )
    if options.json:
        output.say_json(_json(looked))
    else:
        _say(looked, options)
        is_empty = looked.work.plan.is_empty
        if options.format == "text" and not is_empty:
            place = f"{compiled_spec.desired.where}{' --adopt' if adopt else ''}"
            output.say(f"Next:  sfml apply {place if out is None else shlex.quote(str(out))}")
        _say_environment(looked, options)
        say_plan_findings(looked.policies, options)
    if looked.is_blocked:
        return 1
    return 2 if detailed_exitcode and not looked.work.plan.is_empty else 0


def _plan_several(specs: tuple[str, ...], flags: _Flags, options: Options, detailed_exitcode: bool) -> int:
    """Show each plan as soon as it is made, then the number of changed and unchanged pipelines."""
    from sfml.cli.pipelines import Targets, compile_specs, each, failures, say_json_of

    with Targets(options) as targets:

        def plan(compiled_spec: CompiledSpec) -> _PipelinePlan:
            looked = _pipeline_plan(
                compiled_spec, targets.of(compiled_spec, _demanding(compiled_spec, flags, options)), flags
            )
            if not options.json:
                _say(looked, options)
                _say_environment(looked, options)
                say_plan_findings(looked.policies, options)
                if options.format == "text" and not (options.quiet and looked.work.plan.is_empty):
                    output.say()
            return looked

        results = each(compile_specs(specs, options), plan, options)
    plans = [result for result in results if isinstance(result, _PipelinePlan)]
    changed = sum(not one.work.plan.is_empty for one in plans)
    if options.json:
        say_json_of([_json(result) if isinstance(result, _PipelinePlan) else result for result in results])
    elif options.format == "text" and not (options.quiet and not changed):
        _say_count(results, changed, specs, flags, options)
    if failures(results) or any(one.is_blocked for one in plans):
        return 1
    return 2 if detailed_exitcode and changed else 0


def _say_count(
    results: Sequence[_PipelinePlan | PipelineFailure],
    changed: int,
    specs: Sequence[str],
    flags: _Flags,
    options: Options,
) -> None:
    from sfml.cli.pipelines import arguments_text, failed_words, failures
    from sfml.render.units import plural

    same = len(results) - changed - len(failures(results))
    output.say(
        f"{plural(len(results), 'pipeline')}: {changed} to change, {same} as in the spec{failed_words(results)}"
    )
    if changed:
        adopt = " --adopt" if flags.adopt else ""
        output.say(f"Next:  sfml apply{arguments_text(specs, options)}{adopt}")


def _demanding(
    compiled_spec: CompiledSpec, flags: _Flags, options: Options
) -> Callable[[SnowflakeConnection], None] | None:
    """A function that reports all missing objects when the schema itself is missing; None without the check."""
    if not flags.check_environment:
        return None
    from sfml.cli.environment import demand_environment

    def all_of_it(connection: SnowflakeConnection) -> None:
        demand_environment(compiled_spec, connection, options, create_missing=False, auto_approve=False)

    return all_of_it


def _pipeline_plan(compiled_spec: CompiledSpec, target: TargetAccount, flags: _Flags) -> _PipelinePlan:
    from sfml.operations.environment import check_environment, missing_inputs
    from sfml.operations.policies import plan_findings

    work = planned(compiled_spec, target, resume=flags.resume, adopt=flags.adopt)
    look = check_environment if flags.check_environment else missing_inputs
    environment = look(compiled_spec, target.connection)
    return _PipelinePlan(
        compiled_spec, work, environment, plan_findings(compiled_spec, work.plan, flags.policies_of)
    )


def _json(looked: _PipelinePlan) -> Mapping[str, Any]:
    from sfml.render.environment import environment_json
    from sfml.render.plan import plan_json

    environment = looked.environment
    around = {} if environment is None else {"environment": environment_json(environment)}
    from sfml.render.cost import change_json

    change = _cost(looked)
    cost = {} if change is None else {"cost": change_json(change)}
    return {**plan_json(looked.work.plan), **around, **policies_json(looked.policies), **cost}


def _say(looked: _PipelinePlan, options: Options) -> None:
    """Print the plan as Markdown or text; with --quiet, nothing if nothing would change."""
    plan, desired = looked.work.plan, looked.compiled_spec.desired
    words = schedule_words(desired)
    if options.format == "markdown":
        from sfml.render.finding_reports import findings_markdown
        from sfml.render.plan_markdown import plan_markdown

        output.say_document(plan_markdown(plan, schedule=words, cost=_cost_line(looked, "→")))
        if looked.policies.findings:
            text = findings_markdown(looked.policies.findings, looked.policies.sources or {}, ())
            output.say_document(text.rstrip("\n"))
    elif not (options.quiet and plan.is_empty):
        from sfml.render.plan import plan_text
        from sfml.render.symbols import Symbols

        symbols = Symbols(output.takes_unicode())
        output.say(plan_text(plan, desired, symbols, schedule=words))
        line = _cost_line(looked, symbols["arrow"])
        if line is not None:
            output.say(f"  {line}")


def _cost(looked: _PipelinePlan) -> CostChange | None:
    """What the plan does to the cost, if the spec says how long tasks take."""
    from sfml.plan.deployed_cost import planned_cost

    graph = looked.compiled_spec.reading.graph
    return planned_cost(graph, looked.work.plan) if graph is not None else None


def _cost_line(looked: _PipelinePlan, arrow: str) -> str | None:
    from sfml.render.cost import planned_cost_text

    graph, change = looked.compiled_spec.reading.graph, _cost(looked)
    return planned_cost_text(graph, change, arrow) if graph is not None and change is not None else None


def _say_environment(looked: _PipelinePlan, options: Options) -> None:
    if looked.environment is None or (options.quiet and not looked.is_blocked):
        return
    from sfml.render.environment import environment_text

    output.say(f"\n{environment_text(looked.compiled_spec.desired, looked.environment)}")
