"""`sfml plan SPEC`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.opening import connected, opened
from sfml.cli.options import Options, shared_options
from sfml.cli.planning import planned, schedule_words

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection


@click.command()
@click.argument("spec")
@click.option(
    "--out",
    "out",
    metavar="FILE.JSON",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the plan; `sfml apply FILE.JSON` does just that, or refuses.",
)
@click.option(
    "--resume/--no-resume", default=None, help="Plan to turn the schedule on or off; else it stays as it is."
)
@click.option("--adopt", is_flag=True, help="Plan to take over a graph that sfml did not make.")
@click.option(
    "--check-environment",
    is_flag=True,
    help="Also look whether everything that the graph names is there; exit with 1 when something is not.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none.")
@shared_options("markdown")
def command(
    spec: str,
    out: Path | None,
    resume: bool | None,
    adopt: bool,
    check_environment: bool,
    detailed_exitcode: bool,
    options: Options,
) -> int:
    """Show what apply would change in the target, field by field. Changes nothing."""
    from sfml.cli.environment import demand_environment, environment_json, environment_text, looked_at
    from sfml.cli.saving import is_saved_plan, save
    from sfml.errors import UsageError
    from sfml.render.plan import plan_json, plan_text
    from sfml.render.plan_markdown import plan_markdown
    from sfml.render.symbols import Symbols

    if out is not None and not is_saved_plan(out.name):
        raise UsageError(f"`{out}` should end in .json: that is how apply knows a plan from a spec")
    found = opened(spec, options)

    def all_of_it(connection: SnowflakeConnection) -> None:
        demand_environment(found, connection, options, create_missing=False, auto_approve=False)

    with connected(found, options, on_missing=all_of_it if check_environment else None) as target:
        work = planned(found, target, resume=resume, adopt=adopt)
        if out is not None:
            save(out, found, work, target, options, resume=resume, adopt=adopt)
        environment = looked_at(found, target.connection) if check_environment else None
    plan, words = work.plan, schedule_words(found.desired)
    if options.json:
        around = {} if environment is None else {"environment": environment_json(environment)}
        output.say_json({**plan_json(plan), **around})
    elif options.format == "markdown":
        output.say_document(plan_markdown(plan, schedule=words))
    elif not (options.quiet and plan.is_empty):
        output.say(plan_text(plan, found.desired, Symbols(output.takes_unicode()), schedule=words))
        if not plan.is_empty:
            flags = " --adopt" if adopt else ""
            output.say(f"Next:  sfml apply {out or f'{found.desired.spec_path} -t {plan.target}{flags}'}")
    if environment is not None and not (options.json or (options.quiet and not environment.blocking)):
        output.say(f"\n{environment_text(found, environment)}")
    if environment is not None and environment.blocking:
        return 1
    return 2 if detailed_exitcode and not plan.is_empty else 0
