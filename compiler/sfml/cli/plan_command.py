"""`sfml plan SPEC`"""

from __future__ import annotations

import click

from sfml.cli import output
from sfml.cli.opening import connected, opened
from sfml.cli.options import Options, shared_options
from sfml.cli.planning import planned, schedule_words


@click.command()
@click.argument("spec")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when none.")
@shared_options()
def command(spec: str, detailed_exitcode: bool, options: Options) -> int:
    """Show what apply would change in the target, field by field. Changes nothing."""
    from sfml.render.plan import plan_json, plan_text
    from sfml.render.symbols import Symbols

    found = opened(spec, options)
    with connected(found, options) as target:
        plan = planned(found, target).plan
    if options.json:
        output.say_json(plan_json(plan))
    elif not (options.quiet and plan.is_empty):
        symbols = Symbols(output.takes_unicode())
        output.say(plan_text(plan, found.desired, symbols, schedule=schedule_words(found.desired)))
        if not plan.is_empty:
            output.say(f"Next:  sfml apply {found.desired.spec_path} -t {plan.target}")
    return 2 if detailed_exitcode and not plan.is_empty else 0
